//! Lets the server count: a `$group` over the documents that hold two finite numbers, of which only
//! the groups travel, and another over the rest, which says why they do not count.
//!
//! Gives what sums can give: number, mean, standard deviation, least and greatest value of each
//! level. What needs the values themselves (medians, quartiles, paired differences) only
//! [`read`](super::read::read) gives.
//!
//! **Precision.** The server adds up in double precision (`$stdDevPop` by Welford's recurrence), in
//! the order in which the documents come: against the client's way the numbers agree to 1e-12 of
//! the spread or of the mean, not to the bit.
//!
//! **Ledger.** Documents that do not count are groups too, under their reason, each with the `_id`
//! of the first.

use std::path::Path;

use ::mongodb::bson::{Bson, Document, doc};
use ::mongodb::options::AggregateOptions;
use futures_util::TryStreamExt;

use sha2::{Digest, Sha256};

use crate::data::ledger::FILTERED;
use crate::data::{Data, Exclusion, LevelSummaries, LevelSummary, Place, Roles};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::mongodb::conditions::{self, NUMBERS, double, is_plain};
use crate::store::mongodb::pursuit;
use crate::store::mongodb::read::{read_from, require};
use crate::store::mongodb::{Aggregate, Location, Server};

/// Below this many documents the client's way takes no time worth saving, and gives more.
const WORTH_IT: u64 = 20_000_000;
/// Key of the level of failed runs, where a group is of them.
const FAILED: &str = "failed";

/// The documents at `location`, or their levels as the server summarises them, as its [`Aggregate`]
/// wants it.
///
/// # Errors
/// Those of [`read`](super::read::read) and [`summarise`].
pub fn data(location: &Location, roles: &Roles) -> Result<Data> {
    let server = Server::connect(&location.selecting(&roles.filters))?;
    let by_server = match location.aggregate {
        Aggregate::Server => true,
        Aggregate::Client => false,
        // Blocks and a second factor can only be had from the documents themselves.
        Aggregate::Auto if roles.pair.is_some() || roles.by.is_some() => false,
        // Of the whole collection, from its metadata: exact enough, and no work for the server.
        Aggregate::Auto => {
            server.insist(|| async { server.collection().estimated_document_count().await })? >= WORTH_IT
        }
    };
    Ok(if by_server {
        let mut levels = summaries_of(&server, roles)?;
        pursuit::note(&pursuit::histories(&server)?, levels.ledger.read, &mut levels.inputs);
        Data::Levels(levels)
    } else {
        let mut runs = read_from(&server, roles)?;
        pursuit::note(&pursuit::histories(&server)?, runs.ledger.read, &mut runs.inputs);
        Data::Runs(runs)
    })
}

/// The levels of the documents at `location`, summarised by the server.
///
/// # Errors
/// Those of connecting; [`Error::NoDocuments`], [`Error::Database`].
pub fn summarise(location: &Location, roles: &Roles) -> Result<LevelSummaries> {
    summaries_of(&Server::connect(&location.selecting(&roles.filters))?, roles)
}

fn summaries_of(server: &Server, roles: &Roles) -> Result<LevelSummaries> {
    let location = &server.location;
    let collection = server.collection().clone_with_type::<Document>();
    let answer = |pipeline: Vec<Document>| {
        server.insist(|| {
            let options = AggregateOptions::builder().allow_disk_use(true).build();
            let aggregate = collection.aggregate(pipeline.clone()).with_options(options);
            async { aggregate.await?.try_collect::<Vec<Document>>().await }
        })
    };
    let only = |condition: Document| doc! { "$match": { "$and": [location.filter.as_ref().clone(), condition] } };
    let groups = match usable(roles) {
        Some(usable) => {
            let rest = only(doc! { "$nor": [usable.clone()] });
            let levels = answer(vec![only(usable), grouped_plainly(roles)])?;
            [levels, answer(vec![rest, reduced(roles), grouped()])?].concat()
        }
        None => answer(vec![only(Document::new()), reduced(roles), grouped()])?,
    };
    let asked = if roles.filters.is_empty() { 0 } else { server.asked_for()? };
    if groups.is_empty() && asked == 0 {
        return Err(server.nothing_found());
    }
    let broken = |group: &Document| Error::Database {
        place: location.to_string(),
        reason: format!("the server's answer lacks a number: {group}"),
    };
    let mut summaries = LevelSummaries::empty(roles);
    for group in &groups {
        let number = |name: &str| group.get(name).and_then(number).ok_or_else(|| broken(group));
        let n = number("n")? as u64;
        summaries.ledger.read += n;
        let place = || {
            let example = group.get("example").map_or("absent".into(), |id| excerpt(&id.to_string()));
            format!("{}, _id {example}", location.namespace())
        };
        match group.get("_id") {
            Some(Bson::String(reason)) => {
                let reason =
                    Exclusion::ALL.into_iter().find(|known| known.name() == reason).unwrap_or(Exclusion::WrongType);
                summaries.ledger.exclude(reason, n, place);
            }
            Some(Bson::Document(failed)) => {
                let level = failed.get(FAILED).and_then(self::number).ok_or_else(|| broken(group))? + 0.0;
                summaries.ledger.failed += n;
                summaries.ledger.first_failed.get_or_insert_with(place);
                summaries.levels.push(LevelSummary::of_failed(level, n));
            }
            _ => {
                let spread = number("spread")?;
                summaries.levels.push(LevelSummary {
                    level: number("_id")? + 0.0,
                    n,
                    mean: number("mean")?,
                    std_dev: (n > 1).then(|| spread * libm::sqrt(n as f64 / (n as f64 - 1.0))),
                    min: Some(number("min")?),
                    max: Some(number("max")?),
                    failed: 0,
                });
            }
        }
    }
    // A level is in several groups if some of its runs failed, or if numbers of other types round
    // to it.
    summaries.levels.sort_by(|a, b| a.level.total_cmp(&b.level));
    summaries.pool(|a, b| a == b);
    let conditions = roles.filters.iter().chain(&roles.failed).map(|condition| &condition.column);
    let has_values = summaries.levels.iter().any(|level| level.n > 0);
    let columns = [&roles.factor, &roles.metric].into_iter().filter(|_| !has_values).chain(conditions);
    require(server, columns, if groups.is_empty() { &location.asked } else { &location.filter })?;
    let filtered = asked.saturating_sub(summaries.ledger.read);
    summaries.ledger.read += filtered;
    summaries.ledger.exclude(Exclusion::Filtered, filtered, || Place::Elsewhere(FILTERED).to_string());
    summaries.inputs.push(digest(location, &groups));
    Ok(summaries)
}

/// What was read: the server's answer, in no order of its own.
fn digest(location: &Location, groups: &[Document]) -> InputDigest {
    let mut texts: Vec<String> = groups.iter().map(ToString::to_string).collect();
    texts.sort();
    let text = texts.concat();
    let path = location.to_string();
    let digest = InputDigest::new(Path::new(&path), text.len() as u64, Sha256::new_with_prefix(&text));
    InputDigest { made_by: Some("added up on the server".into()), ..digest }
}

fn number(value: &Bson) -> Option<f64> {
    match value {
        Bson::Double(number) => Some(*number),
        Bson::Int32(number) => Some(f64::from(*number)),
        Bson::Int64(number) => Some(*number as f64),
        Bson::Decimal128(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// The documents that count: a range asks for finite numbers of any type. Nothing for names that a
/// query would read as paths.
fn usable(roles: &Roles) -> Option<Document> {
    let names = [&roles.factor, &roles.metric];
    // A query looks into arrays, which are no numbers.
    let range = || doc! { "$gte": f64::MIN, "$lte": f64::MAX, "$not": { "$type": "array" } };
    if !names.iter().all(|name| is_plain(name)) {
        return None;
    }
    let mut usable: Document = names.into_iter().map(|name| (name.clone(), Bson::from(range()))).collect();
    if !roles.failed.is_empty() {
        usable.insert("$nor", roles.failed.iter().map(conditions::query).collect::<Vec<_>>());
    }
    Some(usable)
}

/// The levels of documents that all count.
fn grouped_plainly(roles: &Roles) -> Document {
    let (x, y) = (format!("${}", roles.factor), format!("${}", roles.metric));
    doc! { "$group": {
        "_id": double(&x.into()),
        "n": { "$sum": 1 },
        "mean": { "$avg": &y },
        "spread": { "$stdDevPop": &y },
        "min": { "$min": &y },
        "max": { "$max": &y },
    } }
}

/// Each document as its level `x` and its value `y`, or as the reason why it does not count, or as
/// a failed run of its level. The questions are those of
/// [`RunTableBuilder`](crate::data::RunTableBuilder), in its order.
fn reduced(roles: &Roles) -> Document {
    let (x, y) = (conditions::field(&roles.factor), conditions::field(&roles.metric));
    let is_number = |value: &Bson| doc! { "$in": [{ "$type": value }, NUMBERS.as_slice()] };
    let is_absent = |value: &Bson| doc! { "$in": [{ "$type": value }, ["missing", "null", "undefined"]] };
    let is = |value: &Bson, what: f64| doc! { "$eq": [double(value), what] };
    let is_infinite = |value: &Bson| doc! { "$or": [is(value, f64::INFINITY), is(value, f64::NEG_INFINITY)] };
    let branch = |case: Document, then: Exclusion| doc! { "case": case, "then": then.name() };
    let failed = |case: Bson| doc! { "case": case, "then": { FAILED: double(&x) } };
    let mut branches = vec![
        branch(is_absent(&x), Exclusion::Empty),
        branch(doc! { "$not": [is_number(&x)] }, Exclusion::WrongType),
        branch(is(&x, f64::NAN), Exclusion::Nan),
        branch(is_infinite(&x), Exclusion::Infinite),
    ];
    branches.extend(roles.failed.iter().map(conditions::expression).map(failed));
    branches.extend([
        branch(is_absent(&y), Exclusion::Empty),
        branch(doc! { "$not": [is_number(&y)] }, Exclusion::WrongType),
        failed(doc! { "$or": [is(&y, f64::NAN), is_infinite(&y)] }.into()),
    ]);
    doc! { "$project": {
        "key": { "$switch": { "branches": branches, "default": double(&x) } },
        "value": { "$cond": [{ "$and": [is_number(&y)] }, double(&y), Bson::Null] },
    } }
}

fn grouped() -> Document {
    doc! { "$group": {
        "_id": "$key",
        "n": { "$sum": 1 },
        "mean": { "$avg": "$value" },
        "spread": { "$stdDevPop": "$value" },
        "min": { "$min": "$value" },
        "max": { "$max": "$value" },
        "example": { "$first": "$$ROOT._id" },
    } }
}
