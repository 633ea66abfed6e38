//! Where the runs were put around the minimum, what do they say of it? Where not, where should they be put, and how much is gained?
//!
//! Runs that share their draws and form a refined design ([`crate::stats::refined`]) decide where the minimum is, how deep it is,
//! and what a reference between them costs; the curve through all levels is then left for the rest. Paired runs at levels with
//! equally many runs are no such design.

use crate::analysis::along::Along;
use crate::analysis::curve::{Curve, CurveContrast, relative};
use crate::analysis::goal::Goal;
use crate::analysis::statistic::Statistic;
use crate::group::Sample;
use crate::stats::compare::Difference;
use crate::stats::interval::Method;
use crate::stats::paired::Numbered;
use crate::stats::refined::{Cubic, Level, OFF_CENTRE, designs, levels_of};
use crate::stats::smooth::{Minimum, Row};

/// The places of the `samples` that hold most of the paired runs; nothing if none do, or what is minimised is not a mean.
pub fn design_of(statistic: Statistic, samples: &[Sample]) -> Option<Vec<usize>> {
    levels_of(&runs_of(samples)).filter(|_| statistic == Statistic::Mean)
}

/// The cubic through the samples at those of the places `deep` that form a design around its minimum, else through all of them; nothing if
/// it has no minimum between them. Values have the sign of the `goal`, so that lower is better.
pub fn cubic(along: Along, goal: Goal, samples: &[Sample], deep: &[usize]) -> Option<Cubic> {
    let runs: Vec<Vec<Numbered>> = deep.iter().map(|place| numbered(&samples[*place], goal)).collect();
    let x: Vec<f64> = samples.iter().map(|sample| along.place(sample.level)).collect();
    let levels: Vec<Level<'_>> = deep.iter().zip(&runs).map(|(place, runs)| Level { x: x[*place], runs }).collect();
    // Levels of earlier rounds that turned out to lie off the minimum, and references, would bend the cubic.
    let through = |design: [usize; 4]| {
        let is_in_design = |(place, _): &(&usize, &Level<'_>)| design.contains(place);
        let (inside, beside): (Vec<_>, Vec<_>) = deep.iter().zip(&levels).partition(is_in_design);
        let [inside, beside] =
            [inside, beside].map(|chosen| chosen.into_iter().map(|(_, level)| *level).collect::<Vec<_>>());
        Cubic::through(&inside, &beside).filter(|cubic| cubic.is_within(OFF_CENTRE))
    };
    designs(&x, &runs_of(samples)).into_iter().find_map(through).or_else(|| Cubic::through(&levels, &[]))
}

/// Paired runs of each sample.
fn runs_of(samples: &[Sample]) -> Vec<u64> {
    samples.iter().map(|sample| sample.replicate.len() as u64).collect()
}

impl Curve<'_> {
    /// The same with what a refined design, if there is one, says of the minimum.
    #[must_use]
    pub(super) fn refined(mut self, confidence: f64) -> Self {
        if let Some(cubic) = &self.objective.refined {
            let (location, value) = (cubic.location(confidence), cubic.value(confidence));
            self.fitted.minimum = Minimum { x: location.point, value: value.point, edge: None };
            (self.fitted.at_low_edge, self.fitted.at_high_edge) = (0.0, 0.0);
            self.fitted.rise = location
                .interval
                .map_or(self.fitted.rise, |interval| cubic.rise(interval.lower, interval.upper, confidence));
            (self.fitted.location, self.fitted.value) = (location, value);
        }
        self
    }

    /// How the cubic of a refined design differs between two places; nothing without one, or outside its levels.
    pub(super) fn refined_contrast(&self, [from, to]: [f64; 2], confidence: f64) -> Option<CurveContrast> {
        let cubic = self.objective.refined.as_ref()?;
        let difference = Difference::new(&cubic.difference(from, to)?, confidence, Method::CubicSlope)?;
        let [from, to] = [cubic.at(from)?, cubic.at(to)?];
        let relative = relative(&from, &to, difference.standard_error, confidence);
        Some(CurveContrast { difference, relative, variance_reduction: None })
    }

    /// How far from `at`, in units of the axis, the curve has risen by `share` of its value there, on the average of both sides; where it
    /// does not within the levels, their range.
    pub fn reach(&self, at: f64, share: f64) -> f64 {
        const STEPS: u32 = 400;
        let (Some(first), Some(last)) = (self.objective.levels.first(), self.objective.levels.last()) else {
            return 0.0;
        };
        let value = |x: f64| self.value(x.clamp(first.x, last.x));
        let (lowest, range) = (value(at), last.x - first.x);
        let rise = |distance: f64| (value(at - distance) + value(at + distance)) / 2.0 - lowest;
        let distances = (1..=STEPS).map(|step| range * f64::from(step) / f64::from(STEPS));
        distances.into_iter().find(|distance| rise(*distance) >= share * lowest.abs()).unwrap_or(range)
    }

    /// Standard error of the curve's slope at its minimum if its levels had `n` independent runs; nothing where their variances
    /// are not known.
    pub fn slope_error(&self, n: &[f64]) -> Option<f64> {
        let step = self.step();
        let at = self.fitted.minimum.x;
        let slope = self.fitted.curve.row(at + step).minus(&self.fitted.curve.row(at - step));
        let part = |(i, weight): (usize, &f64)| {
            weight * weight * self.objective.levels[slope.first + i].variance / n[slope.first + i]
        };
        let variance: f64 = slope.weights.iter().enumerate().map(part).sum();
        Some(libm::sqrt(variance) / (2.0 * step)).filter(|error| *error > 0.0 && error.is_finite())
    }

    /// The curve's second derivative at its minimum; nothing unless it is above 0.
    pub fn curvature(&self) -> Option<f64> {
        let (at, step) = (self.fitted.minimum.x, self.step());
        let second = self.value(at - step) - 2.0 * self.value(at) + self.value(at + step);
        Some(second / (step * step)).filter(|curvature| *curvature > 0.0)
    }

    pub(super) fn value(&self, x: f64) -> f64 {
        let row: Row = self.fitted.curve.row(x);
        row.weights.iter().zip(&self.objective.levels[row.first..]).map(|(weight, level)| weight * level.mean).sum()
    }

    /// Over which differences stand for derivatives: well inside the reach of the curve's parabola.
    fn step(&self) -> f64 {
        self.fitted.curve.bandwidth() / 8.0
    }
}

/// The runs by replicate, each replicate once: of several runs with one number none can be paired.
fn numbered(sample: &Sample, goal: Goal) -> Vec<Numbered> {
    let pairs = sample.replicate.iter().zip(&sample.sorted);
    let mut runs: Vec<Numbered> =
        pairs.map(|(replicate, value)| Numbered { replicate: *replicate, value: goal.sign() * value }).collect();
    runs.sort_unstable_by(|a, b| a.replicate.cmp(&b.replicate).then(a.value.total_cmp(&b.value)));
    runs.chunk_by(|a, b| a.replicate == b.replicate).filter(|same| same.len() == 1).map(|same| same[0]).collect()
}
