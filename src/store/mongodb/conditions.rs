//! Conditions on documents, in the server's words: exactly what [`Condition`] says of their fields.
//!
//! A database knows types, so that a number is compared with numbers and a text with texts, letter by letter. Lists are neither.
//!
//! A name with a dot means a field of that very name, or else the path into documents. A query can only ask for paths; an
//! expression can ask for either.

use ::mongodb::bson::oid::ObjectId;
use ::mongodb::bson::{Bson, Document, doc};

use crate::condition::{Condition, Operator};
use crate::data::cell::MISSING;

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
    !name.contains(['.', '$'])
}

/// The value of the field `name`, in an expression.
pub(super) fn field(name: &str) -> Bson {
    if is_plain(name) {
        return Bson::String(format!("${name}"));
    }
    let literal = doc! { "$getField": { "$literal": name } };
    if name.contains('$') || name.split('.').any(str::is_empty) {
        return literal.into();
    }
    let is_absent = doc! { "$eq": [{ "$type": literal.clone() }, "missing"] };
    doc! { "$cond": [is_absent, format!("${name}"), literal] }.into()
}

/// The documents for which `condition` holds.
pub(super) fn query(condition: &Condition) -> Document {
    let name = &condition.column;
    if !is_plain(name) {
        return doc! { "$expr": expression(condition) };
    }
    // A query looks into lists, which are no values.
    let no_list = |query: Document| doc! { "$and": [query, { name: { "$not": { "$type": "array" } } }] };
    if let Some(sign) = order(condition.operator) {
        return no_list(doc! { name: { sign: condition.number.unwrap_or(f64::NAN) } });
    }
    let equal = no_list(doc! { name: { "$in": values(condition) } });
    if condition.operator == Operator::Equal {
        equal
    } else {
        doc! { "$nor": [equal] }
    }
}

/// Whether `condition` holds, in an expression.
pub(super) fn expression(condition: &Condition) -> Bson {
    let field = field(&condition.column);
    if let Some(sign) = order(condition.operator) {
        let number = condition.number.unwrap_or(f64::NAN);
        let types = ["double", "int", "long", "decimal"].as_slice();
        let is_number = doc! { "$in": [{ "$type": field.clone() }, types] };
        // In an expression NaN is less than every number.
        let is_nan = doc! { "$eq": [field.clone(), f64::NAN] };
        return doc! { "$and": [is_number, { "$not": [is_nan] }, { sign: [field, number] }] }.into();
    }
    // A field that is not there equals null only so.
    let value = doc! { "$ifNull": [field, Bson::Null] };
    let equal = doc! { "$in": [value, values(condition)] };
    if condition.operator == Operator::Equal { equal.into() } else { doc! { "$not": [equal] }.into() }
}

fn order(operator: Operator) -> Option<&'static str> {
    match operator {
        Operator::Less => Some("$lt"),
        Operator::LessOrEqual => Some("$lte"),
        Operator::Greater => Some("$gt"),
        Operator::GreaterOrEqual => Some("$gte"),
        Operator::Equal | Operator::Unequal => None,
    }
}

/// What equals the condition's value.
fn values(condition: &Condition) -> Vec<Bson> {
    let text = condition.text.as_str();
    if text.is_empty() {
        return MISSING.iter().map(|text| Bson::from(*text)).chain([Bson::Null]).collect();
    }
    let mut values: Vec<Bson> = condition.number.into_iter().map(Bson::Double).collect();
    values.push(text.into());
    values.extend(text.parse::<bool>().ok().map(Bson::Boolean));
    values.extend(ObjectId::parse_str(text).ok().map(Bson::ObjectId));
    values
}
