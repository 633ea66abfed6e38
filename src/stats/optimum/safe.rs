//! At which levels is the metric shown to be within the margin of its best?
//!
//! **By levels.** The run of neighbouring levels around the least whose upper bounds lie within the margin of the least value that a
//! convex curve can have ([`crate::stats::optimum::convex`]). One dip makes everything between two such levels safe. Nothing is assumed of
//! the curve's shape otherwise, and it holds at walls; on a coarse grid there often is none.
//!
//! **By curves**, where the first gives fewer than two levels: the range around the place that most draws call safe, grown by the neighbour
//! that keeps most draws as long as 1 − α/5 of them are within the margin in **all** of it. Covers 94 % and less at walls that
//! the noise hides.
//!
//! A range is what a practitioner needs more often than the place: any level in it does.

use crate::stats::optimum::convex::index_of_least;
use crate::stats::optimum::{Optimum, Span, Tolerance};

impl Optimum {
    /// Where the curve is shown to be within `tolerance` of its least value. `None` if nowhere is.
    pub fn safe_range(&self, tolerance: Tolerance) -> Option<Span> {
        self.local.as_ref()?.value?;
        let by_levels = self.safe_levels(tolerance);
        by_levels
            .filter(|(first, last)| last > first)
            .map(|(first, last)| self.span_of(first, last))
            .or_else(|| self.safe_by_curves(tolerance))
    }

    fn span_of(&self, first: usize, last: usize) -> Span {
        Span { lower: self.x[first], upper: self.x[last] }
    }

    /// The first and the last of the levels around the least that are safe by their own means.
    fn safe_levels(&self, tolerance: Tolerance) -> Option<(usize, usize)> {
        let limit = tolerance.limit(self.bounds.least_value(self.alpha / 2.0));
        let is_safe = |level: usize| self.means[level] + self.quantile * self.noise.standard_error(level) <= limit;
        let least = index_of_least(&self.means);
        if !is_safe(least) {
            return None;
        }
        let first = (0..least).rev().take_while(|level| is_safe(*level)).last().unwrap_or(least);
        let last = (least + 1..self.x.len()).take_while(|level| is_safe(*level)).last().unwrap_or(least);
        Some((first, last))
    }

    fn safe_by_curves(&self, tolerance: Tolerance) -> Option<Span> {
        let local = self.local.as_ref()?;
        let (draws, count) = (&local.draws, local.draws.curves.len());
        let needed = ((1.0 - self.alpha / 5.0) * count as f64).ceil() as usize;
        let is_safe = |draw: usize, place: usize| draws.curves[draw][place] <= tolerance.limit(local.values[draw]);
        let kept_at = |among: &[usize], place: usize| -> Vec<usize> {
            among.iter().copied().filter(|draw| is_safe(*draw, place)).collect()
        };
        let all: Vec<usize> = (0..count).collect();
        let best = (0..draws.x.len()).max_by_key(|place| (kept_at(&all, *place).len(), draws.x.len() - place))?;
        let (mut first, mut last, mut kept) = (best, best, kept_at(&all, best));
        if kept.len() < needed {
            return None;
        }
        loop {
            let grown = [first.checked_sub(1), Some(last + 1).filter(|place| *place < draws.x.len())];
            let candidates = grown.into_iter().flatten().map(|place| (kept_at(&kept, place), place));
            let Some((still, place)) = candidates.max_by_key(|(still, place)| (still.len(), *place < first)) else {
                break;
            };
            if still.len() < needed {
                break;
            }
            (first, last, kept) = (first.min(place), last.max(place), still);
        }
        (last > first).then(|| Span { lower: draws.x[first], upper: draws.x[last] })
    }
}
