//! Fills two columns from documents: one walk over each, numbers and what is kept besides.
//!
//! Accepted numbers: Double, Int32, Int64, Decimal128 (rounded to the nearest double). A missing or null field is empty; a
//! field of any other type is counted as such, with the `_id` of the first.
//!
//! **Digest.** The SHA-256 of a collection is that of level and metric of every run used, each 8 bytes (little-endian), in the
//! order of `_id`: the same with and without a projection, and a sixth of the bytes of the documents, whose hashing would be the
//! largest part of reading them.

use std::collections::BTreeMap;
use std::path::Path;

use ::mongodb::bson::Bson;
use ::mongodb::bson::raw::{RawBsonRef, RawDocument};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::blocks::{CANDIDATES, NO_BLOCK, OF_THE_TRAINER, key_of_number, key_of_whole};
use crate::store::csv::key_of_cell;
use crate::store::mongodb::Location;
use crate::store::mongodb::fields::Fields;
use crate::store::schema::{Columns, Details, Exclusion, Pairing, RowLedger, RunTable, SettingValues};
use crate::sweep::FINAL_LOSS;

/// What a field holds, as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Field {
    #[default]
    Missing,
    Number(f64),
    WrongType,
}

impl Field {
    fn of(value: RawBsonRef) -> Self {
        match value {
            RawBsonRef::Double(number) => Self::Number(number),
            RawBsonRef::Int32(number) => Self::Number(f64::from(number)),
            RawBsonRef::Int64(number) => Self::Number(number as f64),
            // Its text is a number, NaN, Infinity or -Infinity, all of which Rust reads.
            RawBsonRef::Decimal128(number) => number.to_string().parse().map_or(Self::WrongType, Self::Number),
            RawBsonRef::Null | RawBsonRef::Undefined => Self::Missing,
            _ => Self::WrongType,
        }
    }
}

/// The key of the block that a field names: any number or text, or what stands for a text. The same as in a file of these runs.
fn key_of(value: RawBsonRef) -> u64 {
    match value {
        RawBsonRef::Double(number) => key_of_number(number),
        RawBsonRef::Int32(number) => key_of_whole(number.into()),
        RawBsonRef::Int64(number) => key_of_whole(number.into()),
        RawBsonRef::Decimal128(number) => key_of_cell(number.to_string().as_bytes()),
        RawBsonRef::String(text) => key_of_cell(text.as_bytes()),
        RawBsonRef::ObjectId(id) => key_of_cell(id.to_hex().as_bytes()),
        RawBsonRef::Boolean(is_so) => key_of_cell(is_so.to_string().as_bytes()),
        _ => NO_BLOCK,
    }
}

/// Names of the first fields of `document`, for messages.
pub(super) fn field_names(document: &RawDocument) -> String {
    let keys = document.iter_elements().take(20).flatten();
    keys.map(|element| format!("'{}'", excerpt(element.key().as_str()))).collect::<Vec<_>>().join(", ")
}

/// Rows for which room is made beforehand, at most.
const MOST_RESERVED: u64 = 1 << 25;

/// The columns that are being filled.
pub(super) struct Rows {
    columns: Columns,
    location: Location,
    factor: Vec<f64>,
    metric: Vec<f64>,
    details: Details,
    /// Whether the loss of the last epoch is wanted.
    final_loss: bool,
    ledger: RowLedger,
    settings: Vec<Setting>,
    fields: Fields,
    /// Of the wanted fields, by their numbers.
    meanings: Vec<Meaning>,
    /// Whether any document had the field of the factor, of the metric, of the blocks.
    has: [bool; 3],
    /// Names of the fields of the first document, for messages.
    available: String,
    digest: Sha256,
    bytes: u64,
}

/// How far [`Rows`] have come, so that they can go back there.
pub(super) struct Place {
    used: usize,
    ledger: RowLedger,
    settings: Vec<Setting>,
    has: [bool; 3],
    available: String,
    digest: Sha256,
    bytes: u64,
}

impl Place {
    /// Documents before it.
    pub(super) fn read(&self) -> u64 {
        self.ledger.read
    }
}

/// A setting column: its values hardly ever change, so one comparison a document.
#[derive(Clone)]
struct Setting {
    name: &'static str,
    seen: Option<u64>,
    values: SettingValues,
    exists: bool,
}

impl Rows {
    pub(super) fn of(columns: &Columns, location: &Location) -> Self {
        let setting = |name| Setting { name, seen: None, values: SettingValues::default(), exists: false };
        let settings: Vec<Setting> = columns.settings().map(setting).collect();
        let mut names = vec![columns.factor.as_str(), &columns.metric];
        // Whether the trainer made the runs, every document says for itself.
        let blocks = columns.blocks(|name| name != OF_THE_TRAINER[1]);
        let further = settings.iter().map(|setting| setting.name).chain(DETAILS.map(|(name, _)| name));
        for name in further.chain(columns.pair.as_deref()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let meaning = |name: &&str| Meaning {
            is_factor: *name == columns.factor,
            is_metric: *name == columns.metric,
            setting: settings.iter().position(|setting| setting.name == *name),
            detail: DETAILS.into_iter().find(|(known, _)| known == name).map(|(_, detail)| detail),
            block: blocks.columns().iter().position(|column| column.name == *name),
            is_of_the_trainer: OF_THE_TRAINER.contains(name),
        };
        Self {
            meanings: names.iter().map(meaning).collect(),
            fields: Fields::of(names.iter().copied()),
            columns: columns.clone(),
            location: location.clone(),
            factor: Vec::new(),
            metric: Vec::new(),
            details: Details { blocks, ..Details::default() },
            final_loss: columns.want_final_loss(),
            ledger: RowLedger::default(),
            settings,
            has: [false; 3],
            available: String::new(),
            digest: Sha256::new(),
            bytes: 0,
        }
    }

    /// Makes room for `documents`, so that the columns need not be moved as they grow. Room that is not used costs nothing.
    pub(super) fn reserve(&mut self, documents: u64) {
        let rows = documents.min(MOST_RESERVED) as usize;
        self.factor.reserve_exact(rows);
        self.metric.reserve_exact(rows);
    }

    /// The fields that are looked at.
    pub(super) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.fields.wanted().iter().map(String::as_str)
    }

    /// Documents so far.
    pub(super) fn read(&self) -> u64 {
        self.ledger.read
    }

    /// Where it is now.
    pub(super) fn place(&self) -> Place {
        Place {
            used: self.factor.len(),
            ledger: self.ledger.clone(),
            settings: self.settings.clone(),
            has: self.has,
            available: self.available.clone(),
            digest: self.digest.clone(),
            bytes: self.bytes,
        }
    }

    /// Forgets all documents after `place`.
    pub(super) fn go_back_to(&mut self, place: Place) {
        self.factor.truncate(place.used);
        self.metric.truncate(place.used);
        self.details.truncate(place.used);
        let Place { used: _, ledger, settings, has, available, digest, bytes } = place;
        *self = Self {
            factor: std::mem::take(&mut self.factor),
            metric: std::mem::take(&mut self.metric),
            details: std::mem::take(&mut self.details),
            ledger,
            settings,
            has,
            available,
            digest,
            bytes,
            ..Self::of(&self.columns, &self.location)
        };
    }

    /// Adds a document.
    pub(super) fn take(&mut self, document: &RawDocument) -> Result<()> {
        self.ledger.read += 1;
        if self.ledger.read == 1 {
            self.available = field_names(document);
        }
        let mut fields = std::mem::take(&mut self.fields);
        let mut found = Found::default();
        if fields.walk(document, |number, value| self.note(&mut found, number, value)).is_none() {
            found = self.found_by_library(&fields, document)?;
        }
        self.fields = fields;
        let Found { factor, metric, extra, blocks, of_the_trainer } = found;
        if of_the_trainer == OF_THE_TRAINER.len() {
            self.details.blocks.forget_candidates();
        }
        let excluded = match (factor, metric) {
            (Field::Number(factor), Field::Number(metric)) => match Exclusion::of(factor).or(Exclusion::of(metric)) {
                None => {
                    self.note_digest([factor, metric]);
                    extra.push(&mut self.details, self.final_loss);
                    self.details.blocks.push(|column| blocks[column].unwrap_or(NO_BLOCK));
                    self.factor.push(factor);
                    self.metric.push(metric);
                    return Ok(());
                }
                Some(reason) => reason,
            },
            (Field::WrongType, _) | (_, Field::WrongType) => Exclusion::WrongType,
            _ => Exclusion::Empty,
        };
        self.ledger.exclude(excluded, 1, || {
            let id = document.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
            format!("{}, _id {}", self.location.namespace(), id.map_or("absent".into(), |id| excerpt(&id.to_string())))
        });
        Ok(())
    }

    /// The wanted fields of a document of any kind.
    fn found_by_library(&mut self, fields: &Fields, document: &RawDocument) -> Result<Found> {
        let place = self.location.to_string();
        let damaged = |reason: String| Error::Database { place: place.clone(), reason };
        let mut found = Found::default();
        for element in document.iter_elements() {
            let element = element.map_err(|e| damaged(e.to_string()))?;
            if let Some(number) = fields.number_of(element.key().as_str()) {
                self.note(&mut found, number, element.value().map_err(|e| damaged(e.to_string()))?);
            }
        }
        Ok(found)
    }

    /// Notes the value of the wanted field `number`.
    fn note(&mut self, found: &mut Found, number: usize, value: RawBsonRef) {
        let meaning = self.meanings[number];
        if meaning.is_factor {
            found.factor = Field::of(value);
            self.has[0] = true;
        }
        if meaning.is_metric {
            found.metric = Field::of(value);
            self.has[1] = true;
        }
        if let Some(place) = meaning.block {
            found.blocks[place] = Some(key_of(value));
            self.has[2] = true;
        }
        found.of_the_trainer += usize::from(meaning.is_of_the_trainer);
        if let Some(place) = meaning.setting {
            self.settings[place].note(value);
        }
        if let Some(detail) = meaning.detail {
            found.extra.note(detail, value);
        }
    }

    /// Adds the numbers of a run to what identifies the input.
    fn note_digest(&mut self, [factor, metric]: [f64; 2]) {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&factor.to_le_bytes());
        bytes[8..].copy_from_slice(&metric.to_le_bytes());
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The table of all of them.
    pub(super) fn finish(mut self) -> Result<RunTable> {
        let (factor, metric) = (std::mem::take(&mut self.factor), std::mem::take(&mut self.metric));
        let details = std::mem::take(&mut self.details);
        self.table_of(factor, metric, details)
    }

    /// The same, when more may come.
    pub(super) fn table(&self) -> Result<RunTable> {
        self.table_of(self.factor.clone(), self.metric.clone(), self.details.clone())
    }

    fn table_of(&self, factor: Vec<f64>, metric: Vec<f64>, mut details: Details) -> Result<RunTable> {
        let label = self.location.to_string();
        let path = Path::new(&label);
        let needed = [&self.columns.factor, &self.columns.metric].into_iter().chain(&self.columns.pair);
        for (has, column) in self.has.into_iter().zip(needed) {
            if !has {
                let available = self.available.clone();
                return Err(Error::MissingColumn { path: path.into(), column: column.clone(), available });
            }
        }
        if self.columns.pair.is_none() {
            details.blocks.forget_empty();
        }
        let settings = self.settings.iter().filter(|setting| setting.exists);
        Ok(RunTable {
            frame: RunTable::frame_of(&self.columns, factor, metric, path)?,
            details,
            columns: self.columns.clone(),
            ledger: self.ledger.clone(),
            settings: settings.map(|s| (s.name.to_string(), s.values.clone())).collect::<BTreeMap<_, _>>(),
            inputs: vec![InputDigest::new(path, self.bytes, self.digest.clone())],
            warnings: Vec::new(),
        })
    }
}

/// What a wanted field is for: a column may be a setting and the factor, for example.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    is_factor: bool,
    is_metric: bool,
    /// Its place among the settings.
    setting: Option<usize>,
    detail: Option<Detail>,
    /// Its place among the columns of blocks.
    block: Option<usize>,
    /// Whether it is one of those that only runs of the trainer have all.
    is_of_the_trainer: bool,
}

/// What is kept of a run besides level, metric and settings.
#[derive(Debug, Clone, Copy)]
enum Detail {
    Draw,
    Replicate,
    Seed,
    FinalLoss,
}

const DETAILS: [(&str, Detail); 4] =
    [("draw", Detail::Draw), ("replicate", Detail::Replicate), ("seed", Detail::Seed), (FINAL_LOSS, Detail::FinalLoss)];

/// What one document holds.
#[derive(Default)]
struct Found {
    factor: Field,
    metric: Field,
    extra: Extra,
    /// Keys of blocks, by the places of their columns.
    blocks: [Option<u64>; CANDIDATES.len()],
    /// Fields that only runs of the trainer have all.
    of_the_trainer: usize,
}

/// What a run is besides level and metric.
#[derive(Default)]
struct Extra {
    final_loss: Option<f64>,
    draw: Option<u64>,
    replicate: Option<u64>,
    seed: Option<u64>,
}

impl Extra {
    fn note(&mut self, detail: Detail, value: RawBsonRef) {
        let whole = |value| match value {
            RawBsonRef::Int32(number) => u64::try_from(number).ok(),
            RawBsonRef::Int64(number) => u64::try_from(number).ok(),
            _ => None,
        };
        match detail {
            Detail::Draw => self.draw = whole(value),
            Detail::Replicate => self.replicate = whole(value),
            Detail::Seed => self.seed = whole(value),
            Detail::FinalLoss => {
                self.final_loss = match Field::of(value) {
                    Field::Number(number) => Some(number),
                    _ => None,
                };
            }
        }
    }

    /// Adds it as that of the next run.
    fn push(&self, details: &mut Details, final_loss: bool) {
        if final_loss {
            details.final_loss.push(self.final_loss.unwrap_or(f64::NAN));
        }
        if details.pairing.is_possible() {
            let seed = self.seed.unwrap_or(0);
            details.pairing.push(self.draw, self.replicate.map(|replicate| Pairing::replicate(seed, replicate)));
        }
    }
}

impl Setting {
    fn note(&mut self, value: RawBsonRef) {
        self.exists = true;
        // The same form as in a CSV file: the shortest text that reads back as the same number.
        let (bits, text) = match value {
            RawBsonRef::Double(number) => (Some(number.to_bits()), None),
            RawBsonRef::Int32(number) => (Some((1 << 63) ^ number as u64), None),
            RawBsonRef::Int64(number) => (Some((1 << 63) ^ number as u64), None),
            RawBsonRef::Null | RawBsonRef::Undefined => return,
            RawBsonRef::String(text) => (None, Some(text.to_string())),
            other => (None, Bson::try_from(other).ok().map(|value| value.to_string())),
        };
        if bits.is_some() && bits == self.seen {
            return;
        }
        self.seen = bits;
        let text = text.or(match value {
            RawBsonRef::Double(number) => Some(format!("{number:?}")),
            RawBsonRef::Int32(number) => Some(number.to_string()),
            RawBsonRef::Int64(number) => Some(number.to_string()),
            _ => None,
        });
        text.into_iter().for_each(|text| self.values.note(&text));
    }
}

#[cfg(test)]
mod tests {
    use ::mongodb::bson::rawdoc;

    use super::*;
    use crate::store::blocks::key_of_text;
    use crate::store::mongodb::Choice;

    fn rows(pair: Option<&str>) -> Rows {
        let columns = Columns { factor: "dropout".into(), metric: "loss".into(), pair: pair.map(Into::into) };
        Rows::of(&columns, &Location::of("mongodb://localhost", &Choice::default()).unwrap())
    }

    /// The columns of blocks with their keys.
    fn blocks(rows: Rows) -> Vec<(String, Vec<u64>)> {
        let table = rows.finish().unwrap();
        table.details.blocks.columns().iter().map(|column| (column.name.clone(), column.keys.clone())).collect()
    }

    #[test]
    fn keys_are_those_of_a_file_of_the_same_runs() {
        let mut rows = rows(Some("host"));
        for document in [
            rawdoc! { "dropout": 0.1, "loss": 1.0, "host": 7 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": 7.0 },
            rawdoc! { "dropout": 0.1, "loss": f64::NAN, "host": "left out" },
            rawdoc! { "host": " a ", "dropout": 0.1, "loss": 2.0 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": null },
            rawdoc! { "dropout": 0.1, "loss": 2.0 },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": i64::MAX },
            rawdoc! { "dropout": 0.1, "loss": 2.0, "host": [1] },
        ] {
            rows.take(&document).unwrap();
        }
        let place = rows.place();
        rows.take(&rawdoc! { "dropout": 0.1, "loss": 2.0, "host": "later" }).unwrap();
        rows.go_back_to(place);
        let [seven, a, largest] = ["7", "a", "9223372036854775807"].map(key_of_text);
        let keys = vec![seven, seven, a, NO_BLOCK, NO_BLOCK, largest, NO_BLOCK];
        assert_eq!(blocks(rows), [("host".to_string(), keys)]);
    }

    #[test]
    fn candidates_are_kept_where_some_document_has_them_and_none_is_of_the_trainer() {
        let foreign = rawdoc! { "dropout": 0.1, "loss": 1.0, "seed": "s", "hidden_std_dev": 0.5 };
        let mut some = rows(None);
        some.take(&foreign).unwrap();
        assert_eq!(blocks(some), [("seed".to_string(), vec![key_of_text("s")])]);
        let mut mixed = rows(None);
        mixed.take(&foreign).unwrap();
        mixed.take(&rawdoc! { "dropout": 0.1, "loss": 1.0, "seed": 1, "hidden_std_dev": 0.5, "draw": 3 }).unwrap();
        mixed.take(&foreign).unwrap();
        assert_eq!(blocks(mixed), []);
    }

    #[test]
    fn a_named_field_that_no_document_has_is_missing() {
        let mut rows = rows(Some("host"));
        rows.take(&rawdoc! { "dropout": 0.1, "loss": 1.0 }).unwrap();
        let error = rows.finish().unwrap_err();
        assert!(error.to_string().contains("no column named 'host'; it has 'dropout', 'loss'"), "{error}");
    }
}
