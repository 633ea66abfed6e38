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
    /// Whether any document had the field.
    has: [bool; 2],
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
    has: [bool; 2],
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
        for name in settings.iter().map(|setting| setting.name).chain(DETAILS.map(|(name, _)| name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let meaning = |name: &&str| Meaning {
            is_factor: *name == columns.factor,
            is_metric: *name == columns.metric,
            setting: settings.iter().position(|setting| setting.name == *name),
            detail: DETAILS.into_iter().find(|(known, _)| known == name).map(|(_, detail)| detail),
        };
        Self {
            meanings: names.iter().map(meaning).collect(),
            fields: Fields::of(names.iter().copied()),
            columns: columns.clone(),
            location: location.clone(),
            factor: Vec::new(),
            metric: Vec::new(),
            details: Details::default(),
            final_loss: columns.want_final_loss(),
            ledger: RowLedger::default(),
            settings,
            has: [false; 2],
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
        let Found { factor, metric, extra } = found;
        let excluded = match (factor, metric) {
            (Field::Number(factor), Field::Number(metric)) => match Exclusion::of(factor).or(Exclusion::of(metric)) {
                None => {
                    self.note_digest([factor, metric]);
                    extra.push(&mut self.details, self.final_loss);
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

    fn table_of(&self, factor: Vec<f64>, metric: Vec<f64>, details: Details) -> Result<RunTable> {
        let label = self.location.to_string();
        let path = Path::new(&label);
        for (has, column) in self.has.into_iter().zip([&self.columns.factor, &self.columns.metric]) {
            if !has {
                let available = self.available.clone();
                return Err(Error::MissingColumn { path: path.into(), column: column.clone(), available });
            }
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
