//! Which of the missing runs a process makes next, so that several processes that write to one collection share them.
//!
//! They do not talk to each other: each takes a block of runs at random, asks the collection, and makes it if none of its runs is
//! there yet; blocks of which some are there, because another process is at them or was killed, come last. Two processes are at the
//! same block only if both took it within the moments before the first runs of it are stored, and in the end, when no other block is
//! left. That costs time, never a wrong or a second run: a run's numbers and its `_id` do not depend on who makes it. Why at random and
//! not from a counter on the server: a counter would have to know which processes are still alive.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use crate::error::Result;
use crate::sweep::SweepPlan;

/// Epochs of all runs of a block together: some seconds on two cores, so that asking costs little beside.
const BLOCK: u64 = 2_000_000_000;
/// Runs of a block at least: as many as are sent to a server at once.
const FEWEST_RUNS: u64 = 10_000;

/// The blocks that are left.
#[derive(Debug)]
pub struct Blocks {
    untouched: Vec<Range<u64>>,
    /// Some of their runs are stored.
    begun: Vec<Range<u64>>,
    /// Stretches of the block taken last, the next one at the end.
    taken: Vec<Range<u64>>,
    /// Runs that others have made.
    by_others: u64,
    random: RandomState,
}

impl Blocks {
    /// All of `missing`, in their order, for a process that is alone.
    pub fn in_order(mut missing: Vec<Range<u64>>) -> Self {
        missing.reverse();
        Self { untouched: Vec::new(), begun: Vec::new(), taken: missing, by_others: 0, random: RandomState::new() }
    }

    /// Cuts the places `missing` into blocks.
    pub fn of(missing: Vec<Range<u64>>, plan: &SweepPlan) -> Self {
        let epochs = plan.epochs.iter().copied().max().map_or(1, u64::from);
        let size = (BLOCK / epochs.max(1)).max(FEWEST_RUNS);
        let cut = |range: Range<u64>| {
            let end = range.end;
            range.step_by(size as usize).map(move |start| start..end.min(start + size))
        };
        Self { untouched: missing.into_iter().flat_map(cut).collect(), ..Self::in_order(Vec::new()) }
    }

    /// The places to make next; `missing` gives those of a block that are not stored. Nothing at the end.
    ///
    /// # Errors
    /// Those of `missing`.
    pub fn next(
        &mut self,
        mut missing: impl FnMut(&Range<u64>) -> Result<Vec<Range<u64>>>,
    ) -> Result<Option<Range<u64>>> {
        while self.taken.is_empty() {
            let is_last = self.untouched.is_empty();
            let from = if is_last { &mut self.begun } else { &mut self.untouched };
            if from.is_empty() {
                return Ok(None);
            }
            let block = from.swap_remove(self.random.hash_one(from.len()) as usize % from.len());
            let left = missing(&block)?;
            let there = length(&block) - left.iter().map(length).sum::<u64>();
            if there > 0 && !is_last {
                self.begun.push(block);
            } else {
                self.by_others += there;
                self.taken = left.into_iter().rev().collect();
            }
        }
        Ok(self.taken.pop())
    }

    /// Runs found stored by others since this was last asked.
    pub fn take_by_others(&mut self) -> u64 {
        std::mem::take(&mut self.by_others)
    }
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Draws;

    /// The stretches of `places` that are not `stored`.
    fn missing(stored: &[bool], places: &Range<u64>) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for place in places.clone().filter(|place| !stored[*place as usize]) {
            match ranges.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => ranges.push(place..place + 1),
            }
        }
        ranges
    }

    #[test]
    fn workers_share_what_is_missing() {
        // A run takes 1 moment, the first 2,000 of a stretch are stored together: 4 workers, one of whom comes late.
        const TOTAL: u64 = 600_000;
        const WAVE: u64 = 2_000;
        let mut stored = vec![false; TOTAL as usize];
        // What a killed worker left.
        stored[25_000..31_000].fill(true);
        let plan = SweepPlan {
            hidden_std_dev: vec![0.5],
            output_std_dev: vec![0.8],
            learning_rate: vec![0.1],
            epochs: vec![(BLOCK / 10_000) as u32],
            runs: TOTAL as u32,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        let whole = || Blocks::of(missing(&[false; TOTAL as usize], &(0..TOTAL)), &plan);
        let mut workers: Vec<(Blocks, Range<u64>)> = (0..4).map(|_| (whole(), 0..0)).collect();
        let (mut made, mut by_others, mut rounds) = (0, 0, 0);
        loop {
            let mut is_over = true;
            for (number, (blocks, now)) in workers.iter_mut().enumerate() {
                if number == 3 && rounds < 20 {
                    continue;
                }
                if now.is_empty() {
                    let Some(next) = blocks.next(|block| Ok(missing(&stored, block))).unwrap() else { continue };
                    *now = next;
                }
                is_over = false;
                let end = now.end.min(now.start + WAVE);
                stored[now.start as usize..end as usize].fill(true);
                made += end - now.start;
                now.start = end;
                by_others += blocks.take_by_others();
            }
            rounds += 1;
            if is_over && rounds > 20 {
                break;
            }
        }
        assert!(stored.iter().all(|stored| *stored), "nobody leaves a gap");
        assert!((TOTAL - 6_000..TOTAL + TOTAL / 5).contains(&made), "{made} runs made instead of {TOTAL}");
        assert!(by_others > TOTAL, "three workers in four find what another has made: {by_others}");
    }
}
