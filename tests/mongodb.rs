//! MongoDB over a real connection: the program against a server that is there, away, killed, cut off, or closed to the user.
//!
//! `INITSWEEP_TEST_MONGODB_URI` names a server for those tests that need none of their own; the others start and kill
//! what `tests/support/test-server` finds or installs. No test is left out because a server is missing.

// A test says what failed by panicking.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[allow(dead_code)]
#[path = "it/harness.rs"]
mod harness;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/server.rs"]
mod server;
#[path = "support/tls.rs"]
mod tls;

#[path = "mongodb/aggregate.rs"]
mod aggregate;
#[path = "mongodb/conditions.rs"]
mod conditions;
#[path = "mongodb/copy.rs"]
mod copy;
#[path = "mongodb/failures.rs"]
mod failures;
#[path = "mongodb/security.rs"]
mod security;
#[path = "mongodb/watch.rs"]
mod watch;

use std::process::Command;

use harness::{Finished, Folder, Invocation, initsweep};
use mongodb::bson::{Bson, doc};
use server::{Server, database_of};

/// A small sweep: quick to train, many documents.
const SWEEP: &str = "--epochs 20 --hidden-std-dev lin:0.1:2:100";

fn sweep(to: &str, more: &str) -> Invocation {
    initsweep(format!("sweep --quiet {SWEEP} {more} --to {to}"))
}

/// All runs at `uri` as the lines of a CSV file, sorted, without their `_id`.
fn runs_at(uri: &str, folder: &Folder) -> Vec<String> {
    initsweep(format!("copy --quiet {uri} --to copied.csv")).in_folder(folder).run().succeeds();
    let text = folder.text("copied.csv");
    let mut lines: Vec<String> = text.lines().skip(1).map(|line| line.split_once(',').unwrap().1.to_string()).collect();
    lines.sort();
    lines
}

/// The same runs from an undisturbed sweep, by way of Parquet, so that numbers take the same form.
fn undisturbed(more: &str) -> Vec<String> {
    let folder = Folder::new();
    sweep("runs.parquet", more).in_folder(&folder).run().succeeds();
    initsweep("copy --quiet runs.parquet --to runs.csv").in_folder(&folder).run().succeeds();
    let mut lines: Vec<String> = folder.text("runs.csv").lines().skip(1).map(ToString::to_string).collect();
    lines.sort();
    lines
}

/// The contract of every store: it keeps what a sweep makes, extends it, gives it to the statistics, and copies on.
fn keeps_the_contract(target: Option<&str>) {
    let server = Server::given_or_started();
    let target = &target.map_or_else(|| server.own_database(), ToString::to_string);
    let folder = Folder::new();
    let of = |finished: Finished| {
        let mut json = finished.succeeds().json();
        let object = json.as_object_mut().unwrap();
        // Where the runs came from is all that may differ.
        object.remove("provenance");
        json.to_string()
    };
    let stats = |source: &str| of(initsweep(format!("stats {source} --format json")).in_folder(&folder).run());
    sweep("reference.csv", "--runs 6").in_folder(&folder).run().succeeds();
    let reference = stats("reference.csv");
    sweep(target, "--runs 2").in_folder(&folder).run().succeeds();
    assert_ne!(stats(target), reference);
    sweep(target, "--runs 6").in_folder(&folder).run().succeeds();
    assert_eq!(stats(target), reference, "an extended sweep");
    sweep(target, "--runs 6").in_folder(&folder).run().succeeds();
    assert_eq!(stats(target), reference, "the same sweep again");
    for copy in ["copy.csv", "copy.parquet"] {
        initsweep(format!("copy {target} --to {copy}")).in_folder(&folder).run().succeeds().says("600 rows");
        assert_eq!(stats(copy), reference, "{copy}");
        initsweep(format!("verify {copy}")).in_folder(&folder).run().succeeds();
    }
    let back = server.own_database();
    for _ in 0..2 {
        initsweep(format!("copy copy.parquet --to {back}")).in_folder(&folder).run().succeeds().says("600 rows");
        assert_eq!(stats(&back), reference, "a copy of {target} in a collection");
    }
    sweep(target, "--runs 6 --fresh").in_folder(&folder).run().succeeds();
    assert_eq!(stats(target), reference, "a fresh sweep");
    initsweep(format!("stats {target} --x nonsense")).in_folder(&folder).run().fails_with(3).says("'hidden_std_dev'");
    assert!(folder.names(".").iter().all(|name| !name.contains("spool") && !name.contains(".part")));
}

#[test]
fn a_sweep_until_a_goal_stores_the_runs_of_every_round() {
    let server = Server::given_or_started();
    let (target, folder) = (server.own_database(), Folder::new());
    // Another sweep's runs change nothing.
    sweep(&target, "--runs 2").in_folder(&folder).run().succeeds();
    let until =
        |to: &str, goal: &str| initsweep(format!("sweep --to {to} --until minimum<={goal}")).in_folder(&folder).run();
    let said = until(&target, "10%").succeeds().says("holds 200 documents already").stderr;
    assert!(said.contains("is reached") && !folder.names(".").iter().any(|name| name.ends_with(".part")), "{said}");
    let runs = |goal: &str| {
        until("x.parquet", goal).succeeds();
        initsweep("copy --quiet x.parquet --to x.csv").in_folder(&folder).run().succeeds();
        let mut lines: Vec<String> = folder.text("x.csv").lines().skip(1).map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    let filtered = |folder: &Folder| -> Vec<String> {
        let all = runs_at(&target, folder);
        all.into_iter().filter(|line| line.contains(",10000,")).collect()
    };
    assert_eq!(filtered(&folder), runs("10%"));
    // The same again adds nothing; a narrower goal goes on.
    until(&target, "10%").succeeds();
    assert_eq!(runs_at(&target, &folder).len(), 200 + runs("10%").len());
    until(&target, "5%").succeeds();
    assert_eq!(filtered(&folder), runs("5%"));
}

/// What a report on `uri` says of how its sweeps went on.
fn histories_at(uri: &str, words: &str) -> serde_json::Value {
    let json = initsweep(format!("stats {uri} --format json {words}")).run().succeeds().json();
    json["provenance"]["inputs"][0]["histories"].clone()
}

#[test]
fn a_collection_tells_how_a_sweep_got_there() {
    let server = Server::given_or_started();
    let (target, folder) = (server.own_database(), Folder::new());
    let until = |to: &str| initsweep(format!("sweep --quiet --to {to} --until minimum<=10%")).in_folder(&folder).run();
    until("x.csv").succeeds();
    until(&target).succeeds();
    assert_eq!(folder.names("."), ["x.csv", "x.csv.sweep.json"], "nothing of the collection's stays here");
    let record: serde_json::Value = serde_json::from_str(&folder.text("x.csv.sweep.json")).unwrap();
    for words in ["--aggregate client", "--aggregate server"] {
        assert_eq!(histories_at(&target, words), serde_json::json!([record["history"]]), "{words}");
        initsweep(format!("report {target} --quiet {words}")).in_folder(&folder).run().succeeds();
        let report = folder.text("output/report.html");
        assert!(
            report.contains("by the strategy minimum: reached with") && report.contains("<td>2,500</td><td>25</td>")
        );
    }
    // Two sweeps, two histories.
    initsweep(format!("sweep --quiet --to {target} --seed 2 --until minimum<=10%")).in_folder(&folder).run().succeeds();
    assert_eq!(histories_at(&target, "").as_array().map(Vec::len), Some(2));
    // A part of the runs has no such history, nor have runs that went.
    let filter = r#"{"hidden_std_dev":{"$gt":0.5}}"#;
    assert!(histories_at(&target, &format!("--filter {filter}")).is_null());
    server::clear(&target);
    sweep(&target, "--runs 2").in_folder(&folder).run().succeeds();
    assert!(histories_at(&target, "").is_null());
}

#[test]
fn a_sweep_until_a_goal_goes_on_from_another_folder() {
    let server = Server::given_or_started();
    let undisturbed = server.own_database();
    let until = |to: &str, folder: &Folder| {
        initsweep(format!("sweep --to {to} --threads 1 --epochs 20000 --until minimum<=8%")).in_folder(folder)
    };
    until(&undisturbed, &Folder::new()).run().succeeds();
    let expected = runs_at(&undisturbed, &Folder::new());
    let there = |uri: &str| server::count(uri) as usize;
    for at_least in [1, 2501] {
        let target = server.own_database();
        let first = Folder::new();
        let mut running = until(&target, &first).start();
        harness::wait_until("some rounds are stored", || running.has_ended() || there(&target) >= at_least);
        running.signal("KILL");
        running.wait();
        let before = there(&target);
        assert!((at_least..expected.len()).contains(&before), "{before} of {}", expected.len());
        let finished = until(&target, &Folder::new()).run().succeeds();
        assert!(finished.says("goes on in round").stderr.contains("is reached"));
        assert_eq!(runs_at(&target, &Folder::new()), expected);
        assert_eq!(histories_at(&target, ""), histories_at(&undisturbed, ""));
        // The first folder's journal is older than the collection: nothing is made again.
        until(&target, &first).run().succeeds().says(": 0 made in");
        assert_eq!(first.names("."), [""; 0]);
    }
}

#[test]
fn csv_keeps_the_contract() {
    keeps_the_contract(Some("runs.csv"));
}

#[test]
fn parquet_keeps_the_contract() {
    keeps_the_contract(Some("runs.parquet"));
}

#[test]
fn mongodb_keeps_the_contract() {
    keeps_the_contract(None);
}

#[test]
fn documents_go_unchanged_from_collection_to_collection() {
    let server = Server::given_or_started();
    let (from, to) = (server.own_database(), server.own_database());
    let documents = [
        doc! { "hidden_std_dev": 1, "loss": 2i64, "nested": { "a": [1, 2.5, "x"] } },
        doc! { "_id": 7, "hidden_std_dev": 0.1 + 0.2, "loss": Bson::Null },
    ];
    server::insert(&from, &documents);
    let to_db = database_of(&to);
    for _ in 0..2 {
        initsweep(format!("copy {from} --to {to} --to-db {to_db}")).run().succeeds().says("2 rows");
    }
    assert_eq!(server::all(&from), server::all(&to));
    initsweep(format!("copy {from} --to {from}")).run().fails_with(2);
}

#[test]
fn every_number_counts_and_everything_else_is_counted() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let decimal = |text: &str| Bson::Decimal128(text.parse().unwrap());
    server::insert(
        &uri,
        &[
            doc! { "hidden_std_dev": 1.0, "loss": 10.0, "epochs": 5 },
            doc! { "loss": 11, "hidden_std_dev": 1, "epochs": 5i64 },
            doc! { "hidden_std_dev": 1i64, "loss": 12i64, "more": "text" },
            doc! { "hidden_std_dev": decimal("1"), "loss": decimal("13.0") },
            doc! { "hidden_std_dev": 2.0, "loss": 5.0 },
            doc! { "_id": "odd one", "hidden_std_dev": 2.0, "loss": "5.0" },
            doc! { "_id": "odder", "hidden_std_dev": true, "loss": 5.0 },
            doc! { "hidden_std_dev": 2.0, "loss": Bson::Null },
            doc! { "loss": 1.0 },
            doc! { "hidden_std_dev": 2.0, "loss": f64::NAN },
            doc! { "hidden_std_dev": 2.0, "loss": decimal("-Infinity") },
            doc! { "hidden_std_dev": 2.0, "loss": decimal("1E+6000") },
        ],
    );
    let json = initsweep(format!("stats {uri} --format json")).run().succeeds().json();
    let text = json.to_string();
    for expected in ["\"wrong_type\":2", "\"empty\":2", "\"failed\":3,\"first_excluded\"", "_id \\\"odd one\\\""] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let filtered = |filter: &str| initsweep(format!("stats {uri} --format json --filter")).arg(filter).run();
    let one = filtered(r#"{"loss": {"$gt": 11.5}, "epochs": {"$exists": false}, "hidden_std_dev": 1}"#).succeeds();
    assert!(one.json().to_string().contains("12.5"), "the mean of 12 and 13");
    filtered(r#"{"loss": 99}"#).fails_with(4).says("no document matches the filter");
    filtered("{loss: 99}").fails_with(2).says("extended JSON");
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    server::insert(&uri, &[doc! { "hidden_std_dev": 1.0, "loss": 1.0 }]);
    let database = &database_of(&uri);
    initsweep(format!("stats {uri} --collection nonsense")).run().fails_with(4).says("it has results");
    initsweep(format!("stats {uri} --db nonsense")).run().fails_with(4).says(database);
    server::clear(&uri);
    initsweep(format!("report {uri}")).run().fails_with(4).says("no documents in");
    initsweep(format!("stats {uri} --db a$b")).run().fails_with(2);
}

#[test]
fn the_uri_may_come_from_the_environment() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let run = |words: &str, uri: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_initsweep"));
        let output = command.args(words.split_whitespace()).env("MONGODB_URI", uri).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&format!("sweep --quiet {SWEEP} --runs 2"), &uri), (Some(0), String::new()));
    assert_eq!(run("stats", &uri).0, Some(0));
    assert_eq!(run("stats", "").0, Some(2));
    assert_eq!(run("stats", "nonsense").0, Some(2));
    let (code, help) = run("stats --help", "mongodb://u:s3cret@h/");
    assert!(code == Some(0) && !help.contains("s3cret"), "{help}");
}

#[test]
fn two_workers_at_once_leave_every_run_once() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let folders = [Folder::new(), Folder::new()];
    let running: Vec<_> = folders.iter().map(|folder| sweep(&uri, "--runs 60").in_folder(folder).start()).collect();
    running.into_iter().for_each(|worker| drop(worker.wait().succeeds()));
    assert_eq!(runs_at(&uri, &folders[0]), undisturbed("--runs 60"));
}

#[test]
fn shards_share_a_sweep_and_start_over_alone() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let folder = Folder::new();
    let shard =
        |number: u32, more: &str| sweep(&uri, &format!("--runs 60 --shard {number}/3 {more}")).in_folder(&folder);
    let running: Vec<_> = [1, 3].map(|number| shard(number, "").start()).into_iter().collect();
    running.into_iter().for_each(|worker| drop(worker.wait().succeeds()));
    assert_eq!(server::count(&uri), 4000, "two thirds of 6,000");
    shard(2, "").run().succeeds();
    assert_eq!(runs_at(&uri, &folder), undisturbed("--runs 60"));
    // One shard made afresh leaves the others as they are, and a finished sweep has nothing left to do.
    shard(2, "--fresh").run().succeeds();
    initsweep(format!("sweep {SWEEP} --runs 60 --to {uri}")).in_folder(&folder).run().succeeds().says("0 made");
    assert_eq!(runs_at(&uri, &folder), undisturbed("--runs 60"));
}
