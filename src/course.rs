//! In which order are runs made, where later ones depend on what earlier ones showed?
//!
//! A [`SweepPlan`] says from the start which runs there are. A [`Course`] is a list of batches, each some replicates of some levels
//! of one plan, and grows by rounds. What stands at a place never changes: a batch is only ever added at the end. A run's
//! numbers depend on its level and its replicate alone ([`RunIdentity`]), not on the round that asked for it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::sweep::part::Part;
use crate::sweep::{RunIdentity, SweepPlan};

/// Runs in a fixed order.
pub trait Sequence: Sync {
    /// How many.
    fn total(&self) -> u64;

    /// What the run at `place`, which is below [`Self::total`], is.
    fn run(&self, place: u64) -> RunIdentity;
}

impl Sequence for SweepPlan {
    fn total(&self) -> u64 {
        Self::total(self)
    }

    fn run(&self, place: u64) -> RunIdentity {
        Self::run(self, place)
    }
}

impl Sequence for Part {
    fn total(&self) -> u64 {
        Self::total(self)
    }

    fn run(&self, place: u64) -> RunIdentity {
        self.plan.run(self.places.start + place)
    }
}

/// Some replicates of some levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The swept factor's levels.
    pub levels: Vec<f64>,
    /// The replicates of each of them.
    pub replicates: Range<u32>,
}

impl Batch {
    /// Runs in it.
    pub fn total(&self) -> u64 {
        self.levels.len() as u64 * u64::from(self.replicates.end - self.replicates.start)
    }
}

/// How a sweep went on until its goal was reached, stored beside its runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What ends it: `minimum<=2%`.
    pub goal: String,
    /// How runs were shared out.
    pub strategy: String,
    /// The rounds, in their order.
    pub rounds: Vec<Round>,
}

/// One round: what was run, and what was seen then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// What was run.
    pub batches: Vec<Batch>,
    /// What was seen then; absent while it is being run.
    pub look: Option<Look>,
}

/// What was seen after a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Runs in all.
    pub runs: u64,
    /// Place of the minimum, where one was found.
    pub minimum: Option<f64>,
    /// Lower end of its interval.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Level of the interval: higher than that of the report, to make up for looking often.
    pub confidence: f64,
    /// What the goal is compared with: a share, where the goal is one.
    pub width: Option<f64>,
    /// The goal is reached.
    pub reached: bool,
}

impl History {
    /// Runs that were looked at.
    pub fn runs(&self) -> u64 {
        self.rounds.iter().rev().find_map(|round| round.look.as_ref()).map_or(0, |look| look.runs)
    }

    /// Its runs, in their order.
    pub fn course(&self, plan: &SweepPlan, factor: &'static str) -> Course {
        let mut course = Course::new(plan, factor);
        self.rounds.iter().flat_map(|round| &round.batches).for_each(|batch| course.push(batch));
        course
    }
}

/// The batches of a growing sweep of one factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    plan: SweepPlan,
    factor: &'static str,
    /// Each batch as a plan of its own with the first of its places that belongs to the batch, and where the batch ends.
    batches: Vec<Placed>,
}

#[derive(Debug, Clone, PartialEq)]
struct Placed {
    plan: SweepPlan,
    first: u64,
    begin: u64,
    end: u64,
}

impl Course {
    /// An empty course of `plan` along `factor`, a column of [`SweepPlan::swept`].
    pub fn new(plan: &SweepPlan, factor: &'static str) -> Self {
        Self { plan: plan.clone(), factor, batches: Vec::new() }
    }

    /// Its batches: which of its places each takes, and as a part of which plan.
    pub fn parts(&self) -> impl Iterator<Item = (Range<u64>, Part)> {
        self.batches.iter().map(|batch| {
            let (places, plan) = (batch.first..batch.first + batch.end - batch.begin, batch.plan.clone());
            (batch.begin..batch.end, Part { plan, places })
        })
    }

    /// Adds `batch` at the end.
    pub fn push(&mut self, batch: &Batch) {
        let begin = self.total();
        let plan = SweepPlan { runs: batch.replicates.end, ..self.plan.along(self.factor, &batch.levels) };
        let first = batch.levels.len() as u64 * u64::from(batch.replicates.start);
        self.batches.push(Placed { plan, first, begin, end: begin + batch.total() });
    }
}

impl Sequence for Course {
    fn total(&self) -> u64 {
        self.batches.last().map_or(0, |batch| batch.end)
    }

    fn run(&self, place: u64) -> RunIdentity {
        let batch = &self.batches[self.batches.partition_point(|batch| batch.end <= place)];
        batch.plan.run(batch.first + place - batch.begin)
    }
}

/// Joins additions to levels into batches: for each level its first new replicate and the one after its last. Levels with equal
/// replicates share a batch, in the order of their first.
pub fn batches_of(additions: &[(f64, Range<u32>)]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for (level, replicates) in additions.iter().filter(|(_, replicates)| !replicates.is_empty()) {
        match batches.iter_mut().find(|batch| batch.replicates == *replicates) {
            Some(batch) => batch.levels.push(*level),
            None => batches.push(Batch { levels: vec![*level], replicates: replicates.clone() }),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Draws;

    fn plan() -> SweepPlan {
        SweepPlan {
            hidden_std_dev: vec![0.5, 1.0, 2.0],
            output_std_dev: vec![0.8],
            learning_rate: vec![0.1],
            epochs: vec![10],
            runs: 4,
            seed: 1,
            draws: Draws::Paired,
            solved_below: 0.1,
        }
    }

    #[test]
    fn a_course_of_one_part_is_the_plan() {
        let plan = plan();
        let mut course = Course::new(&plan, "hidden_std_dev");
        course.push(&Batch { levels: plan.hidden_std_dev.clone(), replicates: 0..4 });
        assert_eq!(Sequence::total(&course), 12);
        assert!((0..12).all(|place| course.run(place) == plan.run(place)));
    }

    #[test]
    fn parts_go_on_where_their_levels_stopped() {
        let mut course = Course::new(&plan(), "hidden_std_dev");
        course.push(&Batch { levels: vec![0.5, 1.0], replicates: 0..2 });
        let before: Vec<RunIdentity> = (0..4).map(|place| course.run(place)).collect();
        course.push(&Batch { levels: vec![0.7], replicates: 0..1 });
        course.push(&Batch { levels: vec![0.5, 1.0], replicates: 2..3 });
        let of = |place| (course.run(place).hidden_std_dev, course.run(place).replicate);
        let expected = [(0.5, 0), (1.0, 0), (0.5, 1), (1.0, 1), (0.7, 0), (0.5, 2), (1.0, 2)];
        assert_eq!((0..7).map(of).collect::<Vec<_>>(), expected);
        assert_eq!((0..4).map(|place| course.run(place)).collect::<Vec<_>>(), before);
        for (places, part) in course.parts() {
            let of_part: Vec<RunIdentity> = (0..part.total()).map(|place| Sequence::run(&part, place)).collect();
            assert_eq!(places.map(|place| course.run(place)).collect::<Vec<_>>(), of_part);
        }
    }

    #[test]
    fn equal_replicates_share_a_part() {
        let batches = batches_of(&[(1.0, 0..5), (2.0, 3..9), (3.0, 0..5), (4.0, 7..7)]);
        let expected =
            [Batch { levels: vec![1.0, 3.0], replicates: 0..5 }, Batch { levels: vec![2.0], replicates: 3..9 }];
        assert_eq!(batches, expected);
    }
}
