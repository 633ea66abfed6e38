//! Which of the missing runs a process makes next, so that several processes that write to one collection share them.
//!
//! They do not talk to each other: each takes a block of runs at random, asks the collection, and makes it if none of its runs is
//! there yet; blocks of which some are there, because another process is at them or was killed, come last. Two processes are at the
//! same block only if both took it within the moments before the first runs of it are stored, and in the end, when no other block is
//! left. That costs time, never a wrong or a second run: a run's numbers and its `_id` do not depend on who makes it. Why at random and
//! not from a counter on the server: a counter would have to know which processes are still alive.

use std::ops::Range;

use crate::error::Result;
use crate::random::Stream;
use crate::sweep::SweepPlan;

/// Epochs of all runs of a block together: some seconds on two cores, so that asking costs little beside.
const BLOCK: u64 = 2_000_000_000;
/// Runs of a block at least: as many as are sent to a server at once.
const FEWEST_RUNS: u64 = 10_000;
/// Marks this use of a seed.
const PURPOSE: u32 = 0x7368_6172;

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
    /// In which order this process takes them.
    order: Stream,
}

impl Blocks {
    /// All of `missing`, in their order, for a process that is alone.
    pub fn in_order(mut missing: Vec<Range<u64>>) -> Self {
        missing.reverse();
        Self {
            untouched: Vec::new(),
            begun: Vec::new(),
            taken: missing,
            by_others: 0,
            order: Stream::new(0, PURPOSE, 0),
        }
    }

    /// Cuts the places `missing` into blocks, which every `worker` takes in an order of its own.
    pub fn shared(missing: Vec<Range<u64>>, plan: &SweepPlan, worker: u64) -> Self {
        let epochs = plan.epochs.iter().copied().max().map_or(1, u64::from);
        let size = (BLOCK / epochs.max(1)).max(FEWEST_RUNS);
        let cut = |range: Range<u64>| {
            let end = range.end;
            range.step_by(size as usize).map(move |start| start..end.min(start + size))
        };
        let order = Stream::new(worker, PURPOSE, 0);
        Self { untouched: missing.into_iter().flat_map(cut).collect(), order, ..Self::in_order(Vec::new()) }
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
            let block = from.swap_remove(self.order.below(from.len()));
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
        const TOTAL: u64 = 600_000;
        for seed in 0..50 {
            let [made, by_others] = share(TOTAL, seed);
            // 6,000 were there; some are made twice in the end.
            assert!((TOTAL - 6_000..TOTAL + TOTAL / 5).contains(&made), "seed {seed}: {made} made instead of {TOTAL}");
            // Each of four sees what it made itself, what was there, and what the three others made.
            assert!(by_others > 2 * TOTAL, "seed {seed}: {by_others} found made by others");
        }
    }

    /// How many of `total` runs 4 workers made, the last of whom comes late, and how many they found made by others.
    /// A run takes 1 moment, the first 2,000 of a stretch are stored together.
    fn share(total: u64, seed: u64) -> [u64; 2] {
        const WAVE: u64 = 2_000;
        let mut stored = vec![false; total as usize];
        // What a killed worker left.
        stored[25_000..31_000].fill(true);
        let plan = SweepPlan {
            hidden_std_dev: vec![0.5],
            output_std_dev: vec![0.8],
            learning_rate: vec![0.1],
            epochs: vec![(BLOCK / 10_000) as u32],
            runs: total as u32,
            seed: 1,
            draws: Draws::Independent,
            solved_below: 0.1,
        };
        let nothing = vec![false; total as usize];
        let whole = |worker| Blocks::shared(missing(&nothing, &(0..total)), &plan, seed << 8 | worker);
        let mut workers: Vec<(Blocks, Range<u64>)> = (0..4).map(|worker| (whole(worker), 0..0)).collect();
        let (mut made, mut by_others) = (0, 0);
        for round in 0.. {
            let mut is_over = round > 20;
            for (number, (blocks, now)) in workers.iter_mut().enumerate() {
                if number == 3 && round < 20 {
                    continue;
                }
                if now.is_empty() {
                    *now = blocks.next(|block| Ok(missing(&stored, block))).unwrap().unwrap_or(0..0);
                    by_others += blocks.take_by_others();
                }
                is_over &= now.is_empty();
                let end = now.end.min(now.start + WAVE);
                stored[now.start as usize..end as usize].fill(true);
                made += end - now.start;
                now.start = end;
            }
            if is_over {
                break;
            }
        }
        assert!(stored.iter().all(|stored| *stored), "nobody leaves a gap");
        [made, by_others]
    }
}
