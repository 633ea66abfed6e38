//! Is it settled where the optimum is, and if not, what would settle it?
//!
//! By the first rule that applies; the margin is what does not matter:
//!
//! 1. `flat`: no two levels differ by more than the margin, shown for all pairs at once
//!    (Bonferroni).
//! 2. `not_unimodal`: the levels contradict a single dip ([`crate::stats::optimum::bracket`]); the
//!    dips are named.
//! 3. `at_edge`: 1 − α of the draws have their least place at the same end of the sweep. Of two or
//!    three levels, through which no curves are drawn: the level at the end is significantly better
//!    than its neighbour.
//! 4. `located`: the interval lies inside the sweep, the curve does not contradict its levels, and
//!    in 1 − α of the draws nothing in the interval is worse than the margin allows: any choice in
//!    it costs less than what matters (indifference zone, Bechhofer 1954).
//! 5. `coarse`: the neighbours of the least level are so much worse (five standard errors on the
//!    geometric average) that more runs would hardly narrow the interval: it is the levels that are
//!    too far apart. The middles of the gaps that the interval touches are to be added. Also at a
//!    cusp, whose value nothing bounds.
//! 6. `unresolved`: more runs. Until the neighbours are five standard errors worse n (5 / r)² are
//!    needed at each level of the interval and one beyond; there levels help more.

use serde::Serialize;

use crate::stats::interval::student_t_quantile;
use crate::stats::optimum::{Optimum, Span, Tolerance};
use crate::stats::quantile::quantile;
use crate::stats::smooth::Edge;
use crate::stats::sort;

/// Rise to the neighbours, in standard errors, from which on more levels tell more than more runs.
const COARSE: f64 = 5.0;

/// Whether it is settled where the optimum is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// It lies inside the range, and anywhere in its interval the metric is within the margin of
    /// its best.
    Located,
    /// The levels are too far apart.
    Coarse {
        /// Places where levels would help most, ascending.
        add: Vec<f64>,
    },
    /// It lies at an end of the range or beyond.
    AtEdge {
        /// Which end.
        edge: Edge,
    },
    /// No two levels differ by more than the margin.
    Flat,
    /// The curve has more than one dip.
    NotUnimodal {
        /// The least level of each dip, ascending.
        dips: Vec<usize>,
    },
    /// The data do not say.
    Unresolved {
        /// About how many more runs at each of `levels` would narrow the interval; absent where
        /// nothing can be said.
        more_runs: Option<u64>,
        /// The levels that need them, at least one.
        levels: Vec<usize>,
    },
}

impl Optimum {
    /// The verdict at `tolerance`; `runs` is the number at each level.
    pub fn verdict(&self, tolerance: Tolerance, runs: &[f64]) -> Verdict {
        if self.is_flat(tolerance) {
            return Verdict::Flat;
        }
        if !self.bracket.is_unimodal {
            return Verdict::NotUnimodal { dips: self.dips() };
        }
        let Some(local) = &self.local else { return self.verdict_without_curves(runs) };
        if let Some(edge) = local.edge {
            return Verdict::AtEdge { edge };
        }
        let span = local.place.span;
        if self.is_located(tolerance) {
            return Verdict::Located;
        }
        if local.value.is_none() || self.rise_to_neighbours() >= COARSE {
            return Verdict::Coarse { add: self.levels_to_add(span) };
        }
        self.unresolved(span, runs)
    }

    /// Of two or three levels: never `located`.
    fn verdict_without_curves(&self, runs: &[f64]) -> Verdict {
        let last = self.means.len() - 1;
        let is_better = |level: usize, than: usize| {
            let error = libm::sqrt(self.noise.variances[level] + self.noise.variances[than]);
            self.means[than] - self.means[level] > self.quantile * error
        };
        match super::convex::index_of_least(&self.means) {
            0 if is_better(0, 1) => Verdict::AtEdge { edge: Edge::Low },
            least if least == last && is_better(last, last - 1) => Verdict::AtEdge { edge: Edge::High },
            least if least > 0 && least < last && self.rise_to_neighbours() >= COARSE => {
                Verdict::Coarse { add: self.levels_to_add(self.convex) }
            }
            _ => self.unresolved(self.convex, runs),
        }
    }

    /// Whether the interval is as narrow as matters, and the curve is one to be believed.
    fn is_located(&self, tolerance: Tolerance) -> bool {
        const NEAR: f64 = 0.02;
        let Some(local) = self.local.as_ref().filter(|local| local.value.is_some()) else { return false };
        let (last, span) = (self.x.len() - 1, local.place.span);
        let is_inside = span.lower > self.x[0] + NEAR * (self.x[1] - self.x[0])
            && span.upper < self.x[last] - NEAR * (self.x[last] - self.x[last - 1]);
        is_inside
            && !local.lack_of_fit.is_some_and(|fit| fit.is_significant())
            && self.excess(span, tolerance).is_some_and(|excess| excess <= 0.0)
    }

    /// By how much the curve exceeds the greatest value that does not matter in `span`, at its
    /// upper bound. `None` where no draw reaches.
    fn excess(&self, span: Span, tolerance: Tolerance) -> Option<f64> {
        let local = self.local.as_ref()?;
        let places = &local.draws.x;
        let (first, end) = (
            places.partition_point(|x| *x < span.lower).saturating_sub(1),
            (places.partition_point(|x| *x <= span.upper) + 1).min(places.len()),
        );
        let greatest = |curve: &Vec<f64>| curve[first..end].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut excess: Vec<f64> = local
            .draws
            .curves
            .iter()
            .zip(&local.values)
            .map(|(curve, least)| greatest(curve) - tolerance.limit(*least))
            .collect();
        sort::ascending(&mut excess);
        Some(quantile(&excess, 1.0 - self.alpha))
    }

    /// Whether every |y_i − y_j| + t SE is within the tolerance of the least mean.
    fn is_flat(&self, tolerance: Tolerance) -> bool {
        let count = self.means.len() as f64;
        let pairs = count * (count - 1.0) / 2.0;
        let quantile = student_t_quantile(1.0 - self.alpha / pairs, self.noise.degrees_of_freedom);
        let least = self.means.iter().copied().fold(f64::INFINITY, f64::min);
        let margin = tolerance.margin(least);
        // The extremes decide: no pair is further apart than the farthest reaches of two levels.
        let near = |i: usize, j: usize| {
            let error = libm::sqrt(self.noise.variances[i] + self.noise.variances[j]);
            (self.means[i] - self.means[j]).abs() + quantile * error <= margin
        };
        (0..self.means.len()).all(|i| (0..i).all(|j| near(i, j)))
    }

    /// The geometric average of the rises from the least level to its neighbours, in standard
    /// errors of the difference.
    fn rise_to_neighbours(&self) -> f64 {
        let least = super::convex::index_of_least(&self.means);
        let beside = [least.checked_sub(1), Some(least + 1).filter(|at| *at < self.means.len())];
        let rises: Vec<f64> = beside
            .into_iter()
            .flatten()
            .map(|at| {
                let error = libm::sqrt(self.noise.variances[least] + self.noise.variances[at]);
                (self.means[at] - self.means[least]) / error
            })
            .collect();
        libm::exp(rises.iter().map(|rise| libm::log(rise.max(f64::MIN_POSITIVE))).sum::<f64>() / rises.len() as f64)
    }

    /// The middles of the gaps that `span` touches by more than a tenth of them, at most four:
    /// those nearest to its middle.
    fn levels_to_add(&self, span: Span) -> Vec<f64> {
        const TOUCHED: f64 = 0.1;
        const MOST: usize = 4;
        let centre = (span.lower + span.upper) / 2.0;
        let touched = |[from, to]: &[f64; 2]| {
            let common = span.upper.min(*to) - span.lower.max(*from);
            (common > TOUCHED * (to - from)).then_some((from + to) / 2.0)
        };
        let mut middles: Vec<f64> = self.x.array_windows().filter_map(touched).collect();
        middles.sort_by(|a, b| (a - centre).abs().total_cmp(&(b - centre).abs()));
        middles.truncate(MOST);
        middles.sort_by(f64::total_cmp);
        middles
    }

    fn unresolved(&self, span: Span, runs: &[f64]) -> Verdict {
        let mut levels: Vec<usize> = self.around(span).collect();
        if let Some(before) = levels.first().and_then(|first| first.checked_sub(1)) {
            levels.insert(0, before);
        }
        levels.extend(levels.last().map(|last| last + 1).filter(|after| *after < self.x.len()));
        let each = levels.iter().map(|level| runs[*level]).sum::<f64>() / levels.len() as f64;
        let rise = self.rise_to_neighbours().max(1.0);
        let factor = (COARSE / rise) * (COARSE / rise);
        Verdict::Unresolved { more_runs: rounded_runs(each * (factor - 1.0).max(1.0)), levels }
    }

    /// The least levels of the dips that a single one does not explain: the deepest, and those that
    /// are significantly lower than the highest level between, for all levels at once if that
    /// leaves two.
    fn dips(&self) -> Vec<usize> {
        let count = self.means.len() as f64;
        let simultaneous = student_t_quantile(1.0 - self.alpha / count, self.noise.degrees_of_freedom);
        let dips = self.dips_at(simultaneous);
        if dips.len() > 1 { dips } else { self.dips_at(self.quantile) }
    }

    /// The same, levels differing from where their intervals with this quantile do not meet.
    fn dips_at(&self, quantile: f64) -> Vec<usize> {
        let lower = |level: usize| self.means[level] + quantile * self.noise.standard_error(level);
        let upper = |level: usize| self.means[level] - quantile * self.noise.standard_error(level);
        let mut dips: Vec<usize> = Vec::new();
        // Walk from dip to dip: a new one begins once a level has been significantly higher than
        // the dip before.
        let (mut least, mut highest) = (0, 0);
        for level in 1..self.means.len() {
            if self.means[level] > self.means[highest] {
                highest = level;
            }
            if lower(level) < upper(highest) && upper(highest) > lower(least) {
                dips.push(least);
                (least, highest) = (level, level);
            } else if self.means[level] < self.means[least] {
                (least, highest) = (level, level);
            }
        }
        dips.push(least);
        dips
    }
}

/// A number of runs to two significant digits: more would promise too much. `None` for a number
/// beyond all sense.
pub fn rounded_runs(runs: f64) -> Option<u64> {
    const SENSIBLE: f64 = 1e15;
    let unit = libm::pow(10.0, (libm::log10(runs.max(1.0)) - 1.0).floor().max(0.0));
    (runs < SENSIBLE).then(|| (libm::ceil(runs / unit) * unit).max(1.0) as u64)
}
