//! Which runs of a plan one process makes: all of them, or one of several shards.
//!
//! A shard is a stretch of the plan, so that the shards' files, one after the other, are the whole sweep's file, and a
//! shard is itself a sweep of every level. Which process makes a run does not change a bit of it.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::sweep::SweepPlan;

/// Shard `number` of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
}

impl Shard {
    /// Reads `K/N`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything but whole numbers with 1 ≤ K ≤ N.
    pub fn parse(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').map(|(number, count)| (number.trim().parse(), count.trim().parse()));
        match numbers {
            Some((Ok(number), Ok(count))) if (1..=count).contains(&number) => Ok(Self { number, count }),
            _ => {
                let reason = "expected K/N with whole numbers and 1 ≤ K ≤ N, such as 2/5".into();
                Err(Error::Usage { what: "shard", given: text.into(), reason })
            }
        }
    }
}

/// A plan and the places in it that one process makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The plan.
    pub plan: SweepPlan,
    /// The places.
    pub places: Range<u64>,
}

impl Part {
    /// Every run of `plan`.
    pub fn whole(plan: SweepPlan) -> Self {
        let places = 0..plan.total();
        Self { plan, places }
    }

    /// The runs of `plan` that fall to `shard`; the sizes of shards differ by at most 1.
    ///
    /// # Errors
    /// [`Error::Usage`] for more shards than runs.
    pub fn of(plan: SweepPlan, shard: Shard) -> Result<Self> {
        if u64::from(shard.count) > plan.total() {
            let reason = format!("there are {} runs only", plan.total());
            return Err(Error::Usage { what: "shard", given: format!("{}/{}", shard.number, shard.count), reason });
        }
        let cut = |shards: u32| (u128::from(plan.total()) * u128::from(shards) / u128::from(shard.count)) as u64;
        let places = cut(shard.number - 1)..cut(shard.number);
        Ok(Self { plan, places })
    }

    /// Whether it is every run of the plan.
    pub fn is_whole(&self) -> bool {
        self.places == (0..self.plan.total())
    }

    /// Its number of runs.
    pub fn total(&self) -> u64 {
        self.places.end - self.places.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Draws;

    #[test]
    fn shards_are_the_plan_one_after_the_other() {
        let plan = SweepPlan {
            hidden_std_dev: vec![0.5, 1.0, 2.0],
            output_std_dev: vec![0.1],
            learning_rate: vec![0.1],
            epochs: vec![10],
            runs: 1 << 30,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        for count in [1, 2, 7, 3 << 30] {
            let place = |number| Part::of(plan.clone(), Shard { number, count }).unwrap().places;
            assert_eq!((place(1).start, place(count).end), (0, plan.total()));
            for number in 1..count.min(50) {
                assert_eq!(place(number).end, place(number + 1).start);
                let size = place(number).end - place(number).start;
                assert!(size.abs_diff(plan.total() / u64::from(count)) <= 1, "{number} of {count}: {size}");
            }
        }
        assert!(Part::of(plan.clone(), Shard::parse("1/1").unwrap()).unwrap().is_whole());
        let few = SweepPlan { runs: 1, ..plan };
        assert!(Part::of(few, Shard { number: 1, count: 4 }).is_err());
    }

    #[test]
    fn a_shard_is_two_whole_numbers() {
        assert_eq!(Shard::parse("2/5").unwrap(), Shard { number: 2, count: 5 });
        for text in ["", "2", "0/5", "6/5", "1/0", "-1/5", "1.5/2", "1/2/3", "a/b"] {
            assert!(matches!(Shard::parse(text), Err(Error::Usage { .. })), "{text}");
        }
    }
}
