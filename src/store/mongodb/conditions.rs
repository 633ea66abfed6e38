//! Conditions on documents in the server's words: exactly what [`Condition`] says of the cells that
//! [`Rows`](super::fill::Rows) make of their fields.
//!
//! **Types.** A database knows them, so that a number is compared with numbers and a text with
//! texts, letter by letter. Lists and documents equal nothing.
//!
//! **Numbers** are compared as doubles, which hold neither every Int64 nor every Decimal128: the
//! decimal 0.1 is the double 0.1. The server compares by exact value, and says that they differ.
//! Fields of these types are therefore compared in an expression, after they became doubles; all
//! others in a query, which is quick and can use an index.
//!
//! **Names.** One with a dot means a field of that very name, or else the path into documents. A
//! query can only ask for paths; an expression can ask for either.

use ::mongodb::bson::oid::ObjectId;
use ::mongodb::bson::{Bson, Document, doc};

use crate::condition::{Condition, Operator};
use crate::data::cell::{MISSING, is_missing};
use crate::store::mongodb::fields::path_of;

/// The types of numbers.
pub(super) const NUMBERS: [&str; 4] = ["double", "int", "long", "decimal"];
/// What servers call the type of a field that is not there.
const ABSENT: [&str; 2] = ["missing", "undefined"];
/// The types of numbers that a double may have to round.
const ROUNDED: [&str; 2] = ["long", "decimal"];

/// The documents for which all `conditions` hold and that `filter` matches.
pub(super) fn all(filter: &Document, conditions: &[Condition]) -> Document {
    if conditions.is_empty() {
        return filter.clone();
    }
    let filter = (!filter.is_empty()).then(|| filter.clone());
    doc! { "$and": filter.into_iter().chain(conditions.iter().map(query)).collect::<Vec<_>>() }
}

/// Whether a query can ask for the field `name`.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '$'])
}

/// The documents that have the field `name`.
pub(super) fn exists(name: &str) -> Document {
    if is_plain(name) {
        return doc! { name: { "$exists": true } };
    }
    let literal = literal(name);
    let places = match path_of(name) {
        Some(path) => vec![is_there(&literal), meets_list(&path), is_there(&format!("${name}").into())],
        None => vec![is_there(&literal)],
    };
    doc! { "$expr": { "$or": places } }
}

/// The value of the field `name`, in an expression.
pub(super) fn field(name: &str) -> Bson {
    if is_plain(name) {
        return Bson::String(format!("${name}"));
    }
    let literal = literal(name);
    let Some(path) = path_of(name) else { return literal };
    // A list on the way is what is found. Servers go on in it, to lists of what they find, or of
    // nothing.
    doc! { "$switch": {
        "branches": [
            { "case": is_there(&literal), "then": &literal },
            { "case": meets_list(&path), "then": { "$literal": [] } },
        ],
        "default": format!("${name}"),
    } }
    .into()
}

/// The value of the field of this very name.
fn literal(name: &str) -> Bson {
    doc! { "$getField": { "$literal": name } }.into()
}

/// Whether `value` is that of a field that is there, if only null.
fn is_there(value: &Bson) -> Document {
    doc! { "$not": [{ "$in": [{ "$type": value }, ABSENT.as_slice()] }] }
}

/// Whether a list is on the way along `path`.
fn meets_list(path: &[String]) -> Document {
    let parents = (1..path.len()).map(|length| doc! { "$isArray": [format!("${}", path[..length].join("."))] });
    doc! { "$or": parents.collect::<Vec<_>>() }
}

/// A `number` of any type as the nearest double, in an expression: infinite beyond them, 0 below
/// them.
pub(super) fn double(number: &Bson) -> Document {
    let beyond = doc! { "$switch": {
        "branches": [
            { "case": { "$gt": [number, 1] }, "then": f64::INFINITY },
            { "case": { "$lt": [number, -1] }, "then": f64::NEG_INFINITY },
        ],
        "default": 0.0,
    } };
    doc! { "$convert": { "input": number, "to": "double", "onError": beyond } }
}

/// The documents for which `condition` holds.
pub(super) fn query(condition: &Condition) -> Document {
    let name = &condition.column;
    if !is_plain(name) {
        return doc! { "$expr": expression(condition) };
    }
    let of_type = |types: &[&str]| doc! { name: { "$type": types } };
    // A query looks into lists.
    let is_list = of_type(&["array"]);
    let is_value = |query: Document| doc! { "$and": [query, { "$nor": [is_list] }] };
    let Some(number) = condition.number else {
        let equal = is_value(doc! { name: { "$in": texts(condition) } });
        return if condition.operator == Operator::Equal {
            equal
        } else {
            doc! { "$nor": [equal] }
        };
    };
    // Whatever rounds to the number lies between its neighbours.
    let near = doc! { "$and": [of_type(&ROUNDED), { name: { "$gt": number.next_down(), "$lt": number.next_up() } }] };
    let mut equals = texts(condition);
    equals.push(number.into());
    let equal = doc! { name: { "$in": equals } };
    let at_least_those = match condition.operator {
        Operator::Equal => is_value(doc! { "$or": [equal, near] }),
        Operator::Unequal => doc! { "$nor": [is_value(equal)] },
        Operator::Less => is_value(doc! { name: { "$lt": number } }),
        Operator::Greater => is_value(doc! { name: { "$gt": number } }),
        Operator::LessOrEqual => is_value(doc! { "$or": [{ name: { "$lte": number } }, near] }),
        Operator::GreaterOrEqual => is_value(doc! { "$or": [{ name: { "$gte": number } }, near] }),
    };
    doc! { "$and": [
        at_least_those,
        { "$or": [{ "$nor": [of_type(&ROUNDED)] }, { "$expr": expression(condition) }] },
    ] }
}

/// Whether `condition` holds, in an expression.
pub(super) fn expression(condition: &Condition) -> Bson {
    let field = field(&condition.column);
    let is_number = doc! { "$in": [{ "$type": &field }, NUMBERS.as_slice()] };
    let compared = |sign: &str| {
        let double = double(&field);
        // In an expression NaN is less than every number.
        let is_nan = doc! { "$eq": [&double, f64::NAN] };
        let (not_nan, number) = (doc! { "$not": [is_nan] }, condition.number.unwrap_or(f64::NAN));
        // No conversion is tried where there is no number.
        doc! { "$cond": [&is_number, { "$and": [not_nan, { sign: [&double, number] }] }, false] }
    };
    match condition.operator {
        Operator::Less => compared("$lt").into(),
        Operator::LessOrEqual => compared("$lte").into(),
        Operator::Greater => compared("$gt").into(),
        Operator::GreaterOrEqual => compared("$gte").into(),
        Operator::Equal | Operator::Unequal => {
            // A field that is not there equals null only so.
            let value = doc! { "$ifNull": [&field, Bson::Null] };
            let mut equal = vec![Bson::from(doc! { "$in": [value, { "$literal": texts(condition) }] })];
            equal.extend(condition.number.map(|_| compared("$eq").into()));
            let equal = doc! { "$or": equal };
            if condition.operator == Operator::Equal { equal.into() } else { doc! { "$not": [equal] }.into() }
        }
    }
}

/// What equals the condition's value besides numbers.
fn texts(condition: &Condition) -> Vec<Bson> {
    let text = condition.text.as_str();
    if text.is_empty() {
        return MISSING.iter().map(|text| Bson::from(*text)).chain([Bson::Null]).collect();
    }
    // What says that there is nothing equals the empty value alone.
    let mut texts: Vec<Bson> =
        Some(text).filter(|text| !is_missing(text.as_bytes())).map(Bson::from).into_iter().collect();
    texts.extend(text.parse::<bool>().ok().map(Bson::Boolean));
    texts.extend(ObjectId::parse_str(text).ok().filter(|id| id.to_hex() == text).map(Bson::ObjectId));
    texts
}
