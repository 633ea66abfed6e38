//! Plans and runs of the trainer as documents.
//!
//! A run's `_id` is `PLAN-REPLICATE-LEVEL` in hexadecimal, where PLAN is the beginning of a SHA-256 over what defines the plan (not the
//! number of replicates, so that a sweep can be extended). The order of `_id` is the order of the plan.

use std::ops::Range;

use ::mongodb::bson::raw::{CStr, RawBson, RawBsonRef, RawDocument, RawDocumentBuf, cstr};
use ::mongodb::bson::{Bson, Document, doc};
use sha2::{Digest, Sha256};

use crate::store::record::SweepRecord;
use crate::sweep::part::Part;
use crate::sweep::{Draws, Run, SweepPlan};

/// The `_id`s of the runs of a part of a plan.
pub(super) struct Ids {
    pub(super) part: Part,
    pub(super) plan_id: String,
}

impl Ids {
    pub(super) fn of(part: &Part) -> Self {
        Self { plan_id: plan_id(&part.plan), part: part.clone() }
    }

    /// Which documents stand at `places`.
    pub(super) fn between(&self, places: &Range<u64>) -> Document {
        doc! { "_id": { "$gte": self.at(places.start), "$lt": self.at(places.end) } }
    }

    /// Which documents are of this sweep, of a longer one too.
    pub(super) fn of_plan(&self) -> Document {
        // '.' follows '-'.
        doc! { "_id": { "$gte": format!("{}-", self.plan_id), "$lt": format!("{}.", self.plan_id) } }
    }

    pub(super) fn at(&self, place: u64) -> String {
        let levels = self.part.plan.levels();
        let width = if levels > u64::from(u32::MAX) { 16 } else { 8 };
        format!("{}-{:08x}-{:0width$x}", self.plan_id, place / levels, place % levels)
    }

    pub(super) fn place_of(&self, id: &str) -> Option<u64> {
        let (replicate, level) = id.strip_prefix(&self.plan_id)?.strip_prefix('-')?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        number(replicate)?.checked_mul(self.part.plan.levels())?.checked_add(number(level)?)
    }
}

/// `plan` as it is stored, without its number of runs.
pub(super) fn plan_document(plan: &SweepPlan) -> Document {
    let text = serde_json::to_string(plan).unwrap_or_default();
    let mut document: Document = serde_json::from_str(&text).unwrap_or_default();
    document.remove("runs");
    document.insert("seed", whole(plan.seed));
    document
}

/// The process that `record` describes, as it is stored with a plan.
pub(super) fn made_by(record: &SweepRecord) -> Document {
    let SweepRecord { version, command, instruction_set, threads, .. } = record;
    doc! { "version": version, "command": command, "instruction_set": instruction_set, "threads": *threads as i64 }
}

/// The beginning of a SHA-256 over everything that defines the runs of `plan` but their number.
pub fn plan_id(plan: &SweepPlan) -> String {
    let SweepPlan { hidden_std_dev, output_std_dev, learning_rate, epochs, seed, draws, solved_below, runs: _ } = plan;
    let mut digest = Sha256::new();
    digest.update(b"initsweep plan 1");
    let epochs: Vec<f64> = epochs.iter().map(|epochs| f64::from(*epochs)).collect();
    for levels in [hidden_std_dev, output_std_dev, learning_rate, &epochs, &vec![*solved_below]] {
        digest.update((levels.len() as u64).to_be_bytes());
        // −0 and 0 are the same level.
        levels.iter().for_each(|level| digest.update((level + 0.0).to_bits().to_be_bytes()));
    }
    digest.update(seed.to_be_bytes());
    digest.update([u8::from(*draws == Draws::Paired)]);
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// `run` under the identifier `id`.
pub(super) fn of_run(id: &str, run: &Run) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("_id"), id);
    document.append(cstr!("hidden_std_dev"), run.hidden_std_dev);
    document.append(cstr!("output_std_dev"), run.output_std_dev);
    document.append(cstr!("loss"), run.loss);
    document.append(cstr!("replicate"), i64::from(run.replicate));
    append_whole(&mut document, cstr!("seed"), run.seed);
    document.append(cstr!("final_loss"), run.final_loss);
    document.append(cstr!("epochs"), i64::from(run.epochs));
    document.append(cstr!("learning_rate"), run.learning_rate);
    append_whole(&mut document, cstr!("draw"), run.draw);
    // Null rather than absent, so that copies have the column even if no run was solved.
    document
        .append(cstr!("solved_epoch"), run.solved_epoch.map_or(RawBson::Null, |epoch| RawBson::Int64(epoch.into())));
    document.append(cstr!("solved_below"), run.solved_below);
    document
}

/// The run that [`of_run`] wrote; nothing for any other document.
pub(super) fn run_of(document: &RawDocument) -> Option<Run> {
    let value = |name: &str| document.get(name).ok().flatten();
    let number = |name| match value(name)? {
        RawBsonRef::Double(number) => Some(number),
        _ => None,
    };
    let whole = |name| match value(name)? {
        RawBsonRef::Int64(number) => u64::try_from(number).ok(),
        RawBsonRef::Decimal128(number) => number.to_string().parse().ok(),
        _ => None,
    };
    let short = |name| whole(name).and_then(|number| u32::try_from(number).ok());
    Some(Run {
        hidden_std_dev: number("hidden_std_dev")?,
        output_std_dev: number("output_std_dev")?,
        loss: number("loss")?,
        replicate: short("replicate")?,
        seed: whole("seed")?,
        final_loss: number("final_loss")?,
        epochs: short("epochs")?,
        learning_rate: number("learning_rate")?,
        draw: whole("draw")?,
        solved_epoch: match value("solved_epoch")? {
            RawBsonRef::Null => None,
            _ => Some(short("solved_epoch")?),
        },
        solved_below: number("solved_below")?,
    })
}

fn append_whole(document: &mut RawDocumentBuf, key: impl AsRef<CStr>, value: u64) {
    match whole(value) {
        Bson::Int64(value) => document.append(key, value),
        Bson::Decimal128(value) => document.append(key, value),
        _ => {}
    }
}

/// A whole number as an Int64, or, beyond its range, as a Decimal128, which holds every u64 exactly.
pub(super) fn whole(value: u64) -> Bson {
    match i64::try_from(value) {
        Ok(value) => Bson::Int64(value),
        Err(_) => value.to_string().parse().map_or(Bson::Null, Bson::Decimal128),
    }
}

/// `name` with only those characters that every file system takes.
pub fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_id_depends_on_what_defines_the_runs() {
        let plan = SweepPlan {
            hidden_std_dev: vec![0.1, 0.7],
            output_std_dev: vec![0.8165],
            learning_rate: vec![0.1],
            epochs: vec![3],
            runs: 2,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        let id = plan_id(&plan);
        assert_eq!(id.len(), 16);
        assert_eq!(plan_id(&SweepPlan { runs: 5000, ..plan.clone() }), id);
        for other in [
            SweepPlan { seed: 2, ..plan.clone() },
            SweepPlan { draws: Draws::Paired, ..plan.clone() },
            SweepPlan { epochs: vec![4], ..plan.clone() },
            SweepPlan { hidden_std_dev: vec![0.1], output_std_dev: vec![0.7, 0.8165], ..plan.clone() },
            SweepPlan { solved_below: 0.2, ..plan.clone() },
        ] {
            assert_ne!(plan_id(&other), id, "{other:?}");
        }
    }

    #[test]
    fn runs_come_back_as_they_went() {
        let run = Run {
            hidden_std_dev: 0.1 + 0.2,
            output_std_dev: -0.0,
            loss: f64::INFINITY,
            replicate: u32::MAX,
            seed: u64::MAX,
            final_loss: 1e-300,
            epochs: 7,
            learning_rate: 0.1,
            draw: 1 << 60,
            solved_epoch: Some(0),
            solved_below: 0.1,
        };
        for run in [run, Run { solved_epoch: None, ..run }] {
            assert_eq!(run_of(&of_run("x", &run)), Some(run));
        }
        assert_eq!(run_of(&::mongodb::bson::rawdoc! { "loss": 1.0 }), None);
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        assert_eq!(whole(7), Bson::Int64(7));
        assert_eq!(whole(u64::MAX).to_string(), u64::MAX.to_string());
    }
}
