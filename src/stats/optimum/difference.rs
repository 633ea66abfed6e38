//! What does a place cost against the optimum, and against another place?
//!
//! **Against the optimum.** In the window the draws' height at the place above their least value;
//! at a level outside of it the level's mean, with Student's t, above that least value; between two
//! levels outside, or where the curve steps far more between them than beside them, anything from
//! the lower of the two to the higher, which one dip gives. The upper end is the 1 − α/10 quantile.
//! The least of several means is too low (the winner's curse), so that at a level the lower end is
//! at most y − min y − t √2 SE as well, t two-sided for as many comparisons as the bracket has
//! other levels (Hsu 1981, with Bonferroni's quantile). With 20 levels or more in the window the
//! draws alone decide. It is 0 where the place lies in the interval of the optimum: it may be the
//! optimum itself. p belongs to that lower end: the least α at which it is above 0.
//!
//! **Of two places.** Levels are compared by their own means, with the one error model and its
//! degrees of freedom: no shape is assumed. A place between two levels is taken from the draws if
//! they reach it, and else from the straight line between its levels, widened to both of them.
//!
//! Ratios are taken draw by draw, and only where the best value's interval is on one side of 0.

use crate::random::Stream;
use crate::stats::compare::Verdict;
use crate::stats::interval::{student_t_probability, student_t_quantile};
use crate::stats::optimum::{Known, Optimum, SEED, Span, Tolerance};
use crate::stats::quantile::quantile;
use crate::stats::sort;

/// Marks the use of the seed.
const PURPOSE: u32 = 0x6469_6666;

/// How the value at one place differs from that at another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaceDifference {
    /// The difference.
    pub difference: Known,
    /// Second / first − 1; absent where the first may be 0.
    pub relative: Option<Known>,
    /// The probability of so large a difference if there is none.
    pub p_value: f64,
    /// Whether the second place may be the optimum itself.
    pub may_be_optimum: bool,
}

impl Optimum {
    /// The value at `x` less that at the optimum. `None` outside the levels, and where nothing is
    /// known of the value.
    pub fn against_optimum(&self, x: f64) -> Option<PlaceDifference> {
        let local = self.local.as_ref()?;
        local.value?;
        let heights = self.heights(x)?;
        let level = self.level_at(x).filter(|_| !self.is_dense());
        let may_be_optimum = local.place.span.contains(x);
        let mut differences: Vec<f64> =
            heights.iter().zip(&local.values).map(|(height, least)| (height - least).max(0.0)).collect();
        let mut ratios: Vec<f64> =
            differences.iter().zip(&local.values).map(|(difference, least)| difference / least.abs()).collect();
        let is_signed = local.values.iter().all(|least| *least > 0.0) || local.values.iter().all(|least| *least < 0.0);
        sort::ascending(&mut differences);
        sort::ascending(&mut ratios);
        let drawn_p = share_of_draws(differences.partition_point(|d| *d <= 0.0), differences.len());
        let (own_lower, own_p) = level.map_or((f64::INFINITY, 0.0), |level| self.above_least(level));
        let known = |sorted: &[f64], unit: f64| {
            let lower = quantile(sorted, self.alpha / 10.0).min(own_lower / unit).max(0.0);
            let lower = if may_be_optimum { 0.0 } else { lower };
            let upper = quantile(sorted, 1.0 - self.alpha / 10.0).max(lower);
            Known { point: quantile(sorted, 0.5).clamp(lower, upper), span: Span { lower, upper } }
        };
        let best = local.value?.point;
        Some(PlaceDifference {
            difference: known(&differences, 1.0),
            relative: if is_signed { self.ratio(known(&ratios, best.abs()), best) } else { None },
            p_value: if may_be_optimum { 1.0 } else { drawn_p.max(own_p) },
            may_be_optimum,
        })
    }

    /// The value at the second place less that at the first. `None` outside the levels.
    pub fn between(&self, [from, to]: [f64; 2]) -> Option<PlaceDifference> {
        let quantile_of_t = self.quantile;
        if let (Some(from), Some(to)) = (self.level_at(from), self.level_at(to)) {
            let point = self.means[to] - self.means[from];
            let error = libm::sqrt(self.noise.variances[from] + self.noise.variances[to]);
            let half = quantile_of_t * error;
            let p_value = student_t_probability(point / error, self.noise.degrees_of_freedom);
            let difference = Known { point, span: Span { lower: point - half, upper: point + half } };
            let base = self.means[from].abs();
            // The error of the base, its shared part too, moves a ratio by the ratio's own share of
            // it.
            let base_error = quantile_of_t * libm::sqrt(self.noise.variances[from] + self.noise.shared);
            let ratio_half = libm::hypot(half, point / base * base_error) / base;
            let clear = base > 2.0 * base_error;
            let ratio = point / base;
            let relative = Known { point: ratio, span: Span { lower: ratio - ratio_half, upper: ratio + ratio_half } };
            return Some(PlaceDifference {
                difference,
                relative: clear.then(|| signed(relative, self.means[from])),
                p_value,
                may_be_optimum: false,
            });
        }
        let (a, b) = (self.heights(from)?, self.heights(to)?);
        let mut differences: Vec<f64> = b.iter().zip(&a).map(|(b, a)| b - a).collect();
        sort::ascending(&mut differences);
        let base = quantile(&sorted(a), 0.5);
        let known = |unit: f64| {
            let (lower, upper) =
                (quantile(&differences, self.alpha / 10.0), quantile(&differences, 1.0 - self.alpha / 10.0));
            let point = quantile(&differences, 0.5);
            Known { point: point / unit, span: Span { lower: lower / unit, upper: upper / unit } }
        };
        let not_above = differences.partition_point(|d| *d <= 0.0);
        let count = differences.len();
        let rarer = share_of_draws(not_above.min(count - not_above), count);
        let difference = known(1.0);
        Some(PlaceDifference {
            difference,
            relative: if base == 0.0 { None } else { self.ratio(known(base.abs()), base) },
            p_value: (2.0 * rarer).min(1.0),
            may_be_optimum: false,
        })
    }

    /// A difference as a share of the size of `base` turned into second / first − 1, with the error
    /// of `base` that all levels share, which no draw knows. `None` where that may make it 0.
    fn ratio(&self, share: Known, base: f64) -> Option<Known> {
        let error = self.quantile * libm::sqrt(self.noise.shared) / base.abs();
        let Known { point, span: Span { lower, upper } } = share;
        let half = point.abs() * error;
        let span =
            Span { lower: point - libm::hypot(point - lower, half), upper: point + libm::hypot(upper - point, half) };
        (error < 0.5).then_some(signed(Known { point, span }, base))
    }

    /// The verdict on a difference: beyond the tolerance of the best value, within it, or neither.
    pub fn judge(&self, found: &PlaceDifference, tolerance: Tolerance) -> Verdict {
        let best = self.local.as_ref().and_then(|local| local.value);
        let margin = |best: f64| tolerance.margin(best);
        let (most, least) = best.map_or((0.0, 0.0), |value| {
            let ends = [margin(value.span.lower), margin(value.point), margin(value.span.upper)];
            (ends.into_iter().fold(0.0, f64::max), ends.into_iter().fold(f64::INFINITY, f64::min))
        });
        let Span { lower, upper } = found.difference.span;
        if lower > most {
            Verdict::Worse
        } else if upper < -most {
            Verdict::Better
        } else if -least < lower && upper < least {
            Verdict::Equivalent
        } else {
            Verdict::Undecided
        }
    }

    /// The level that lies at `x`, but for rounding.
    pub fn level_at(&self, x: f64) -> Option<usize> {
        const ROUNDING: f64 = 1e-9;
        let range = self.x[self.x.len() - 1] - self.x[0];
        self.x.iter().position(|level| (level - x).abs() <= ROUNDING * range)
    }

    /// The height at `x` in every draw; by a level's own mean, or those of its neighbours, where
    /// the curves do not reach. `None` outside the levels.
    fn heights(&self, x: f64) -> Option<Vec<f64>> {
        let local = self.local.as_ref()?;
        let draws = &local.draws;
        let (first, last) = (draws.x[0], draws.x[draws.x.len() - 1]);
        let count = draws.curves.len();
        let error_of = |level: usize, number: usize| {
            let mut stream = Stream::new(SEED, PURPOSE ^ level as u32, number as u64);
            self.noise.standard_error(level) * stream.student_t(self.noise.degrees_of_freedom.max(1.0))
        };
        let after = self.x.partition_point(|place| *place < x);
        let level = self.level_at(x);
        if (first..=last).contains(&x) && (level.is_some() || !self.is_wall(after)) {
            let to = draws.x.partition_point(|place| *place < x).clamp(1, draws.x.len() - 1);
            let share = (x - draws.x[to - 1]) / (draws.x[to] - draws.x[to - 1]);
            return Some(draws.curves.iter().map(|c| c[to - 1] + share * (c[to] - c[to - 1])).collect());
        }
        if let Some(level) = level {
            return Some((0..count).map(|number| self.means[level] + error_of(level, number)).collect());
        }
        if after == 0 || after == self.x.len() {
            return None;
        }
        let (a, b) = (self.means[after - 1], self.means[after]);
        let end = |number: usize| {
            let error = error_of(after, number).abs();
            if number.is_multiple_of(2) { a.min(b) - error } else { a.max(b) + error }
        };
        Some((0..count).map(end).collect())
    }

    /// Whether the curve between level `after` − 1 and level `after` steps far more than in the
    /// gaps beside it: where in the gap it does, nobody can say.
    fn is_wall(&self, after: usize) -> bool {
        const STEEPER: f64 = 3.0;
        let step = |to: usize| {
            let from = to.checked_sub(1)?;
            Some((self.means.get(to)? - self.means[from]).abs())
        };
        let error = self.quantile * libm::sqrt(self.noise.variances.iter().copied().fold(0.0, f64::max));
        let beside = [after.checked_sub(1).and_then(step), step(after + 1)].into_iter().flatten().fold(0.0, f64::max);
        step(after).is_some_and(|step| step > STEEPER * beside.max(0.35 * error))
    }

    /// The lower end of a level's mean above that of the best level, and its p value: simultaneous
    /// over the levels of the bracket.
    pub(super) fn above_least(&self, level: usize) -> (f64, f64) {
        let rivals = (self.bracket.first..=self.bracket.last).filter(|rival| *rival != level);
        let comparisons = rivals.clone().count().max(1) as f64;
        let best = rivals.min_by(|a, b| self.means[*a].total_cmp(&self.means[*b])).unwrap_or(level);
        let error = libm::sqrt(self.noise.variances[level] + self.noise.variances[best]);
        let above = self.means[level] - self.means[best];
        let t = student_t_quantile(1.0 - self.alpha / comparisons, self.noise.degrees_of_freedom);
        let p = if above > 0.0 {
            (comparisons * student_t_probability(above / error, self.noise.degrees_of_freedom)).min(1.0)
        } else {
            1.0
        };
        (above - t * error, p)
    }
}

/// A difference as a share of the size of `base` as second / first − 1, which falls where negative
/// values rise.
fn signed(share: Known, base: f64) -> Known {
    let Known { point, span: Span { lower, upper } } = share;
    if base < 0.0 { Known { point: -point, span: Span { lower: -upper, upper: -lower } } } else { share }
}

/// The probability that `some` of `all` draws show: never 0, for there are only so many (Davison
/// and Hinkley 1997, 4.2).
fn share_of_draws(some: usize, all: usize) -> f64 {
    (some + 1) as f64 / (all + 1) as f64
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    sort::ascending(&mut values);
    values
}
