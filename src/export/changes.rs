//! What changed since an earlier report, for programs: the key `changes` of `summary.json`.

use serde::Serialize;

use crate::baseline::{Changes, LevelChange, Relation, Shift};
use crate::export::json::WireEstimate;

/// `changes`.
#[derive(Serialize)]
pub(super) struct WireChanges<'a> {
    baseline: &'a str,
    relation: &'static str,
    runs: Pair<u64>,
    levels_added: usize,
    levels_gone: usize,
    verdict_before: &'a str,
    place: Option<WireShift>,
    value: Option<WireShift>,
    levels: Vec<WireLevel>,
}

#[derive(Serialize)]
struct Pair<T> {
    before: T,
    now: T,
}

impl<T: Copy> Pair<T> {
    fn of([before, now]: [T; 2]) -> Self {
        Self { before, now }
    }
}

#[derive(Serialize)]
struct WireShift {
    before: WireEstimate,
    now: WireEstimate,
    change: WireEstimate,
}

impl WireShift {
    fn of(shift: &Shift) -> Self {
        let [before, now, change] = [&shift.before, &shift.now, &shift.change].map(WireEstimate::of);
        Self { before, now, change }
    }
}

#[derive(Serialize)]
struct WireLevel {
    level: f64,
    runs: Pair<u64>,
    mean: Pair<f64>,
    difference: Option<WireEstimate>,
    p_value: Option<f64>,
}

impl WireLevel {
    fn of(change: &LevelChange) -> Self {
        Self {
            level: change.level,
            runs: Pair::of(change.runs),
            mean: Pair::of(change.means),
            difference: change.difference.as_ref().map(WireEstimate::of),
            p_value: change.p_value,
        }
    }
}

impl<'a> WireChanges<'a> {
    pub(super) fn of(changes: &'a Changes) -> Self {
        Self {
            baseline: &changes.path,
            relation: match changes.relation {
                Relation::Same => "same",
                Relation::Extended => "extended",
                Relation::Separate => "separate",
            },
            runs: Pair::of(changes.runs),
            levels_added: changes.levels_added,
            levels_gone: changes.levels_gone,
            verdict_before: &changes.verdict_before,
            place: changes.place.as_ref().map(WireShift::of),
            value: changes.value.as_ref().map(WireShift::of),
            levels: changes.levels.iter().map(WireLevel::of).collect(),
        }
    }
}
