//! `--where`, `--failed` and paths: the server and the program mean the same by them.

use initsweep::data::{Exclusion, LevelSummaries, RunTable};
use initsweep::group::by_level;
use initsweep::stats::Summary;
use initsweep::store::Roles;
use initsweep::store::mongodb::{Choice, Location, read, summaries};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, doc};

use crate::harness::{Invocation, initsweep};
use crate::server::{self, Server};

/// Both ways add up numbers of the same size: rounding of the last digits.
const ROUNDING: f64 = 1e-12;

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse().unwrap())
}

/// Values of every kind; the place of each in this list is the loss of its run.
fn values() -> Vec<Option<Bson>> {
    let some = [
        0.1.into(),
        decimal("0.1"),
        "0.1".into(),
        1.into(),
        1i64.into(),
        decimal("1.0"),
        true.into(),
        "true".into(),
        f64::NAN.into(),
        Bson::Null,
        "".into(),
        "NA".into(),
        " NA ".into(),
        Bson::Array(vec![0.1.into(), 1.into(), "adam".into(), Bson::Null]),
        doc! { "v": 0.1 }.into(),
        ((1i64 << 53) + 1).into(),
        2f64.powi(53).into(),
        decimal("1E+6000"),
        decimal("-1E+6000"),
        decimal("1E-6000"),
        f64::NEG_INFINITY.into(),
        ObjectId::parse_str("0123456789abcdef0123456f").unwrap().into(),
        "$5".into(),
        "adam".into(),
        decimal("NaN"),
    ];
    some.into_iter().map(Some).chain([None]).collect()
}

const ABSENT: u32 = 25;

/// Conditions on the values, each with the places of those for which it holds.
fn conditions() -> Vec<(&'static str, Vec<u32>)> {
    let missing = vec![9, 10, 11, ABSENT];
    let but = |places: &[u32]| (0..=ABSENT).filter(|place| !places.contains(place)).collect::<Vec<_>>();
    vec![
        ("=0.1", vec![0, 1, 2]),
        ("!=0.1", but(&[0, 1, 2])),
        ("=1/10", vec![0, 1]),
        ("=1", vec![3, 4, 5]),
        ("!=1", but(&[3, 4, 5])),
        ("<0.1", vec![18, 19, 20]),
        ("<=0.1", vec![0, 1, 18, 19, 20]),
        (">0.1", vec![3, 4, 5, 15, 16, 17]),
        (">=0.1", vec![0, 1, 3, 4, 5, 15, 16, 17]),
        ("=9007199254740992", vec![15, 16]),
        ("<=9007199254740992", vec![0, 1, 3, 4, 5, 15, 16, 18, 19, 20]),
        (">9007199254740992", vec![17]),
        ("=0", vec![19]),
        ("=", missing.clone()),
        ("!=", but(&missing)),
        ("=NA", vec![]),
        ("!=NA", but(&[])),
        ("=\" NA \"", vec![12]),
        ("=true", vec![6, 7]),
        ("!=true", but(&[6, 7])),
        ("=0123456789abcdef0123456f", vec![21]),
        ("=0123456789ABCDEF0123456F", vec![]),
        ("=$5", vec![22]),
        ("!=$5", but(&[22])),
        ("=adam", vec![23]),
        ("=\"1\"", vec![]),
        ("=\"0.1\"", vec![2]),
    ]
}

/// What `roles` give when the program reads, and when the server adds up.
fn both(uri: &str, roles: &Roles) -> (RunTable, LevelSummaries) {
    let location = Location::of(uri, &Choice::default()).unwrap();
    (read::read(&location, roles).unwrap(), summaries::summarise(&location, roles).unwrap())
}

/// Checks that both say the same of every row and of every level.
#[track_caller]
fn agree(table: &RunTable, counted: &LevelSummaries) {
    let (ours, theirs) = (&counted.ledger, &table.ledger);
    assert_eq!((ours.read, ours.failed), (theirs.read, theirs.failed), "{:?}", table.roles);
    for reason in Exclusion::ALL {
        assert_eq!(ours.excluded(reason), theirs.excluded(reason), "{reason:?}");
    }
    let samples = by_level(table).unwrap();
    assert_eq!(counted.levels.len(), samples.len(), "{:?}", counted.levels);
    for (ours, sample) in counted.levels.iter().zip(&samples) {
        let n = sample.sorted.len() as u64;
        assert_eq!((ours.level, ours.n, ours.failed), (sample.level, n, sample.failed));
        let Some(summary) = Summary::of_sorted(&sample.sorted, 0.95).filter(|_| n > 0) else {
            assert!(ours.mean.is_nan() && (ours.std_dev, ours.min, ours.max) == (None, None, None), "{ours:?}");
            continue;
        };
        assert_eq!((ours.min, ours.max), (summary.min, summary.max));
        let is_close = |a: f64, b: f64| (a - b).abs() <= ROUNDING * summary.mean.point.abs().max(b.abs());
        assert!(is_close(ours.mean, summary.mean.point), "{ours:?} {summary:?}");
        assert_eq!(ours.std_dev.is_some(), summary.std_dev.is_some());
        assert!(ours.std_dev.zip(summary.std_dev).is_none_or(|(a, b)| is_close(a, b)), "{ours:?} {summary:?}");
    }
}

/// Checks every condition on the field `name` of `documents`, which are the values in their order.
fn means_the_same(server: &Server, name: &str, documents: &[Document]) {
    let uri = server.own_database();
    server::insert(&uri, documents);
    let numbered = |places: &[f64]| {
        let mut places: Vec<u32> = places.iter().filter(|place| !place.is_nan()).map(|place| *place as u32).collect();
        places.sort_unstable();
        places
    };
    let all = documents.len() as u64;
    for (condition, expected) in conditions() {
        let condition = format!("{name}{condition}");
        let filters = vec![condition.parse().unwrap()];
        let (table, counted) = both(&uri, &Roles { filters, ..Roles::new("level", "loss") });
        let filtered = all - expected.len() as u64;
        assert_eq!(numbered(&table.metric()), expected, "{condition}");
        assert_eq!((table.ledger.read, table.ledger.excluded(Exclusion::Filtered)), (all, filtered), "{condition}");
        if filtered > 0 {
            let place = table.ledger.example(Exclusion::Filtered).unwrap();
            assert!(place.contains("filtered where they are kept"), "the server did not filter {condition}: {place}");
        }
        agree(&table, &counted);
        // The same runs failed.
        let failed = vec![condition.parse().unwrap()];
        let (table, counted) = both(&uri, &Roles { failed, ..Roles::new("level", "loss") });
        assert_eq!((table.ledger.failed, table.ledger.used()), (expected.len() as u64, filtered), "{condition}");
        assert!(numbered(&table.metric()).iter().all(|place| !expected.contains(place)), "{condition}");
        agree(&table, &counted);
    }
}

#[test]
fn conditions_hold_for_the_same_values_at_the_server() {
    let server = Server::given_or_started();
    let run = |place: usize, mut document: Document| {
        document.extend(doc! { "level": (place % 3) as i32, "loss": place as f64 });
        document
    };
    let with = |document: fn(Option<Bson>) -> Document| -> Vec<Document> {
        values().into_iter().enumerate().map(|(place, value)| run(place, document(value))).collect()
    };
    let field = |value: Option<Bson>| value.map(|value| ("v".to_string(), value)).into_iter().collect::<Document>();
    means_the_same(&server, "v", &with(field));
    means_the_same(
        &server,
        "c.d.v",
        &with(|value| {
            let value = value.map(|value| ("v".to_string(), value)).into_iter().collect::<Document>();
            doc! { "c": { "d": value, "v": 7 }, "v": 7 }
        }),
    );
    means_the_same(
        &server,
        "c.v",
        &with(|value| match value {
            // The field of that very name goes before the path.
            Some(value) => doc! { "c.v": value, "c": { "v": 0.1 } },
            None => doc! { "c": 7 },
        }),
    );
}

/// Runs of every kind that can fail or be left out, with the factor and the metric as `run` writes
/// them.
fn nasty(run: impl Fn(Option<Bson>, Option<Bson>) -> Document) -> Vec<Document> {
    let some = |x: Bson, y: Bson| run(Some(x), Some(y));
    let mut documents: Vec<Document> = (0..3000)
        .map(|i| some((f64::from(i % 5) / 8.0).into(), (f64::from(i * i % 1009) / 7.0 + 1000.0).into()))
        .collect();
    documents.extend([
        some(0.into(), 1003i64.into()),
        some((-0.0).into(), decimal("1004.5")),
        some(0.125.into(), f64::NAN.into()),
        some(0.125.into(), decimal("NaN")),
        some(0.125.into(), f64::INFINITY.into()),
        some(0.25.into(), decimal("-1E+6000")),
        // A level where every run failed, and one of them alone.
        some(7.into(), f64::NAN.into()),
        some(decimal("7.0"), f64::NEG_INFINITY.into()),
        some(8i64.into(), decimal("1E+6000")),
        some(decimal("0.1"), 1000.into()),
        some(0.1.into(), 1001.into()),
        some(decimal("0.1"), f64::NAN.into()),
        some(f64::INFINITY.into(), 1.0.into()),
        some(f64::NAN.into(), 1.0.into()),
        some(decimal("-1E+6000"), 1.0.into()),
        some(decimal("1E-6000"), 1005.0.into()),
        some(f64::NAN.into(), f64::NAN.into()),
        run(Some(0.125.into()), None),
        run(None, Some(1.0.into())),
        run(None, None),
        some(Bson::Null, 1.0.into()),
        some(0.125.into(), Bson::Null),
        some(0.125.into(), "1".into()),
        some("0.125".into(), 1.0.into()),
        some(true.into(), 1.0.into()),
        some(0.125.into(), Bson::Array(vec![1.0.into()])),
        some(Bson::Array(vec![0.125.into()]), 1.0.into()),
        some(0.125.into(), doc! { "loss": 1.0 }.into()),
    ]);
    for (place, document) in documents.iter_mut().enumerate() {
        document.insert("place", place as i64);
        document.insert("state", if place % 7 == 0 { "crashed" } else { "finished" });
    }
    documents
}

fn named(x: &str, y: &str, level: Option<Bson>, metric: Option<Bson>) -> Document {
    [(x, level), (y, metric)].into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).collect()
}

#[test]
fn the_server_counts_as_the_client_does() {
    let server = Server::given_or_started();
    let conditions = [
        (vec![], vec![]),
        (vec!["place>10"], vec!["state=crashed", "place>=2900"]),
        (vec!["state=finished", "place!=3"], vec![]),
    ];
    let nested = |level: Option<Bson>, metric| doc! { "config": named("lr", "no", level, None), "out": named("no", "loss", None, metric) };
    let mixed = |level, metric: Option<Bson>| doc! { "config": named("lr", "no", level, None), "out.loss": metric.unwrap_or(Bson::Null), "out": { "loss": 5.0 } };
    let (level, metric) = ("config.lr", "out.loss");
    let lists =
        [doc! { "config": [{ "lr": 1.0 }], "out": { "loss": 1.0 } }, doc! { "config": { "lr": 1.0 }, "out": [1.0] }];
    for (x, y, documents) in [
        ("hidden_std_dev", "loss", nasty(|level, metric| named("hidden_std_dev", "loss", level, metric))),
        (level, metric, nasty(nested).into_iter().chain(lists).collect()),
        (level, metric, nasty(mixed)),
        ("$x", "a..b", nasty(|level, metric| named("$x", "a..b", level, metric))),
    ] {
        let uri = server.own_database();
        server::insert(&uri, &documents);
        for (filters, failed) in &conditions {
            let parsed = |texts: &Vec<&str>| texts.iter().map(|text| text.parse().unwrap()).collect();
            let roles = Roles { filters: parsed(filters), failed: parsed(failed), ..Roles::new(x, y) };
            let (table, counted) = both(&uri, &roles);
            agree(&table, &counted);
            assert_eq!(table.ledger.read, documents.len() as u64);
            let all_failed = counted.levels.iter().filter(|level| level.n == 0).count();
            assert!(all_failed >= 2, "{:?}", counted.levels);
        }
    }
}

#[test]
fn conditions_that_leave_nothing_say_what_there_is() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    server::insert(
        &uri,
        &[doc! { "x": 1, "loss": 2.0, "o": "a" }, doc! { "x": 1, "loss": 2.5, "o": "a", "c": { "d": 1 } }],
    );
    for who in ["client", "server"] {
        let run = |more: &[&str]| {
            let words = format!("stats {uri} --x x --aggregate {who}");
            more.iter().fold(initsweep(words), Invocation::arg).run()
        };
        run(&["--where", "o=b"]).fails_with(3).says("no usable run").says("2 rows read, 2 filtered out");
        for column in ["oo", "c.e", "o.d"] {
            let unknown = format!("no column named '{column}'; it has '_id', 'x', 'loss', 'o'");
            for condition in [format!("{column}=b"), format!("{column}!=b")] {
                run(&["--where", &condition]).fails_with(3).says(&unknown);
                run(&["--failed", &condition]).fails_with(3).says(&unknown);
            }
        }
        run(&["--where", "c.d=1"]).succeeds();
        run(&["--where", "o=a", "--filter", r#"{"x": 5}"#]).fails_with(4).says("no document matches the filter");
        run(&["--where", "o=a", "--collection", "nonsense"]).fails_with(4).says("it has results");
    }
    let heatmap = |who: &str| initsweep(format!("plot heatmap {uri} --x x --by c.d --aggregate {who}")).run();
    heatmap("server").fails_with(2).says("--aggregate client");
}

#[test]
fn the_server_names_a_document_of_each_reason() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    server::insert(
        &uri,
        &[
            doc! { "x": 1, "loss": 2.0 },
            doc! { "_id": "odd", "x": 1, "loss": "2" },
            doc! { "_id": "void", "x": 1 },
            doc! { "_id": "diverged", "x": 1, "loss": f64::NAN },
        ],
    );
    let (table, counted) = both(&uri, &Roles::new("x", "loss"));
    for ledger in [&table.ledger, &counted.ledger] {
        let place = |reason| ledger.example(reason).unwrap();
        assert!(place(Exclusion::WrongType).ends_with("_id \"odd\""), "{ledger:?}");
        assert!(place(Exclusion::Empty).ends_with("_id \"void\""), "{ledger:?}");
        assert!(ledger.first_failed.as_ref().unwrap().ends_with("_id \"diverged\""), "{ledger:?}");
    }
}
