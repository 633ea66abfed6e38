//! The parts against independent programs: `tests/fixtures/make_optimum.py` (NumPy, SciPy, scikit-learn, statsmodels) and
//! `make_optimum.R` (base R, mgcv, multcomp, DoseFinding), whose versions are in the files that they make.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::blocks::{BlockFit, BlockRun, inflation};
use super::fit::{chi_squared_tail, f_tail};
use super::noise::{NoiseSource, Trend, bartlett};
use super::process::{Combination, Kernel, Kriging, Levels, Smoothness};
use super::*;
use crate::random::Stream;

/// Sums of a few dozen terms, in another order.
const ROUNDING: f64 = 1e-10;

fn python<T: DeserializeOwned>() -> T {
    serde_json::from_str(include_str!("../../../tests/fixtures/optimum-python.json")).unwrap()
}

fn r<T: DeserializeOwned>() -> T {
    serde_json::from_str(include_str!("../../../tests/fixtures/optimum-r.json")).unwrap()
}

/// |ours / expected − 1|, and |ours| where 0 is expected.
fn relative(ours: f64, expected: f64) -> f64 {
    if expected == 0.0 { ours.abs() } else { (ours / expected - 1.0).abs() }
}

fn errors_of(variances: &[f64]) -> Vec<f64> {
    variances.iter().map(|variance| variance.sqrt()).collect()
}

/// Levels with these runs, means and variances of a run.
fn level_means(x: &[f64], n: &[f64], means: &[f64], variances: &[f64]) -> Vec<LevelMean> {
    let level = |i: usize| LevelMean { x: x[i], mean: means[i], variance: variances[i], n: n[i], freedom: n[i] - 1.0 };
    (0..means.len()).map(level).collect()
}

mod bracket {
    use super::super::bracket::{critical_value, misfits, null_draws};
    use super::*;

    #[derive(Deserialize)]
    struct Misfits {
        means: Vec<f64>,
        #[serde(default)]
        precisions: Vec<f64>,
        misfits: Vec<f64>,
        #[serde(default)]
        programme: Vec<f64>,
    }

    fn assert_close(ours: &[f64], expected: &[f64]) {
        assert_eq!(ours.len(), expected.len());
        assert!(ours.iter().zip(expected).all(|(a, b)| (a - b).abs() < ROUNDING * b.max(1.0)), "{ours:?} {expected:?}");
    }

    #[test]
    fn misfits_equal_scikit_learn_scipy_and_isoreg() {
        #[derive(Deserialize)]
        struct Python {
            bracket: Vec<Misfits>,
        }
        #[derive(Deserialize)]
        struct R {
            isotonic: Vec<Misfits>,
        }
        for case in python::<Python>().bracket {
            let ours = misfits(&case.means, &case.precisions);
            assert_close(&ours, &case.misfits);
            assert_close(&ours, &case.programme);
        }
        for case in r::<R>().isotonic {
            assert_close(&misfits(&case.means, &vec![1.0; case.means.len()]), &case.misfits);
        }
    }

    #[test]
    fn critical_values_are_those_of_a_simulation() {
        #[derive(Deserialize)]
        struct Case {
            precisions: Vec<f64>,
            degrees_of_freedom: f64,
            draws: f64,
            quantiles: Vec<f64>,
        }
        #[derive(Deserialize)]
        struct Python {
            critical: Vec<Case>,
        }
        const ALPHA: f64 = 0.01;
        /// In standard errors: one in 16,000 is further off, and there are 21 gaps.
        const FAR: f64 = 4.0;
        for case in python::<Python>().critical {
            let draws = null_draws(&case.precisions, case.degrees_of_freedom, ALPHA);
            // The share of our draws beyond NumPy's quantile: both are counts out of their draws.
            let error = (ALPHA * (1.0 - ALPHA) * (1.0 / draws.len() as f64 + 1.0 / case.draws)).sqrt();
            for (gap, quantile) in case.quantiles.iter().enumerate() {
                let beyond = draws.iter().filter(|draw| draw[gap] > *quantile).count() as f64 / draws.len() as f64;
                assert!((beyond - ALPHA).abs() < FAR * error, "gap {gap}: {beyond}");
                // And our quantile leaves as many of our draws beyond as it promises.
                let ours = critical_value(&draws, gap, 0.0, ALPHA);
                let left = draws.iter().filter(|draw| draw[gap] > ours).count() as f64 / draws.len() as f64;
                assert!(left <= ALPHA && left > 0.9 * ALPHA, "gap {gap}: {left}");
            }
        }
    }
}

mod process {
    use super::super::process::places;
    use super::*;

    #[derive(Deserialize, Clone, Copy)]
    #[serde(rename_all = "snake_case")]
    enum Name {
        Matern32,
        Matern52,
        Infinite,
    }

    impl From<Name> for Smoothness {
        fn from(name: Name) -> Self {
            match name {
                Name::Matern32 => Self::Matern32,
                Name::Matern52 => Self::Matern52,
                Name::Infinite => Self::Infinite,
            }
        }
    }

    /// What the posterior at the places is by scikit-learn.
    #[derive(Deserialize)]
    struct Fit {
        smoothness: Name,
        length: f64,
        variance: f64,
        factor: f64,
        mean: Vec<f64>,
        std_dev: Vec<f64>,
        /// Standard deviation of the difference from the place `anchor`.
        apart: Vec<f64>,
    }

    #[derive(Deserialize)]
    struct Likelihood {
        smoothness: Name,
        length: f64,
        variance: f64,
        factor: f64,
        value: f64,
    }

    #[derive(Deserialize)]
    struct Case {
        x: Vec<f64>,
        heights: Vec<f64>,
        variances: Vec<f64>,
        #[serde(default)]
        places: Vec<f64>,
        #[serde(default)]
        anchor: usize,
        #[serde(default)]
        fits: Vec<Fit>,
        likelihoods: Vec<Likelihood>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        process: Vec<Case>,
    }

    /// Places of ours for each of the fixture's.
    const STEP: usize = 4;

    impl Case {
        fn fits_agree(&self) {
            let all = places(&self.x);
            assert!(all.iter().step_by(STEP).zip(&self.places).all(|(a, b)| (a - b).abs() < ROUNDING));
            for fit in &self.fits {
                self.fit_agrees(fit, &all);
            }
        }

        fn fit_agrees(&self, fit: &Fit, all: &[f64]) {
            /// scikit-learn's flat prior is a variance of a million times the data's range squared.
            const FLAT: f64 = 1e-5;
            const DRAWS: u64 = 20_000;
            /// In standard errors: the draws are correlated over the places, and of 18 fits none should fail.
            const FAR: f64 = 4.5;
            let (heights, variances) = (&self.heights, &self.variances);
            let kernel = Kernel::new(fit.smoothness.into(), fit.length, [&self.x, all], &errors_of(variances));
            let combination = Combination { kernel: 0, variance: fit.variance, factor: fit.factor, weight: 1.0 };
            let levels = Levels { heights, variances, stride: 2 * STEP };
            let kriging = Kriging::new(&kernel, combination, &levels);
            let exact = kriging.moved(vec![0.0; all.len()], heights.clone());
            let scale = fit.variance.sqrt();
            for (ours, mean) in exact.iter().step_by(STEP).zip(&fit.mean) {
                assert!((ours - mean).abs() < FLAT * scale, "{ours} {mean}");
            }
            let curves: Vec<Vec<f64>> = (0..DRAWS)
                .map(|number| kriging.draw(&mut Stream::new(3, 0, number)).into_iter().step_by(STEP).collect())
                .collect();
            let spread = |of: &dyn Fn(&Vec<f64>) -> f64, expected: [f64; 2]| {
                let [mean, std_dev] = expected;
                let count = DRAWS as f64;
                let average = curves.iter().map(of).sum::<f64>() / count;
                let square = curves.iter().map(|curve| (of(curve) - mean).powi(2)).sum::<f64>() / count;
                assert!((average - mean).abs() < FAR * std_dev / count.sqrt() + FLAT * scale, "{average} {mean}");
                // The standard error of a normal's standard deviation.
                let error = std_dev / (2.0 * count).sqrt();
                assert!((square.sqrt() - std_dev).abs() < FAR * error + FLAT * scale, "{} {std_dev}", square.sqrt());
            };
            let anchor = self.anchor;
            for at in 0..self.places.len() {
                spread(&|curve| curve[at], [fit.mean[at], fit.std_dev[at]]);
                if at != anchor {
                    spread(&|curve| curve[at] - curve[anchor], [fit.mean[at] - fit.mean[anchor], fit.apart[at]]);
                }
            }
        }

        /// The greatest difference of the differences between two combinations' likelihoods.
        fn likelihoods_differ_by(&self) -> f64 {
            let errors = errors_of(&self.variances);
            let offset = |expected: &Likelihood| {
                let kernel = Kernel::new(expected.smoothness.into(), expected.length, [&self.x, &self.x], &errors);
                let turned = kernel.turned(&self.heights, &errors);
                kernel.log_likelihood(&turned, expected.variance, expected.factor) - expected.value
            };
            let offsets: Vec<f64> = self.likelihoods.iter().map(offset).collect();
            offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                - offsets.iter().copied().fold(f64::INFINITY, f64::min)
        }
    }

    #[test]
    fn draws_of_a_combination_are_those_of_scikit_learn() {
        python::<Fixture>().process.iter().for_each(Case::fits_agree);
    }

    #[test]
    fn likelihoods_are_those_of_dense_matrices_and_of_mgcv() {
        for case in python::<Fixture>().process.iter().chain(&r::<Fixture>().process) {
            assert!(case.likelihoods_differ_by() < ROUNDING, "{}", case.likelihoods_differ_by());
        }
    }
}

mod blocks {
    use super::*;

    /// R's lm(value ~ level + block).
    #[derive(Deserialize)]
    struct Design {
        name: String,
        level: Vec<usize>,
        block: Vec<Option<u64>>,
        values: Vec<f64>,
        /// Of the levels from the first.
        differences: Vec<f64>,
        /// Pairs of levels.
        first: Vec<usize>,
        second: Vec<usize>,
        /// Standard errors of their differences.
        errors: Vec<f64>,
        degrees_of_freedom: f64,
        residual_variance: f64,
        alone: f64,
        p_value: f64,
        shared: f64,
        left_out: usize,
        weights: Vec<f64>,
    }

    impl Design {
        fn fit(&self) -> BlockFit {
            let mut levels = vec![Vec::new(); self.differences.len()];
            for ((level, block), value) in self.level.iter().zip(&self.block).zip(&self.values) {
                levels[*level].push(BlockRun { block: block.unwrap_or(u64::MAX), value: *value });
            }
            BlockFit::new(&levels).unwrap()
        }

        /// The least and the greatest ratio of our standard error of a difference to R's.
        fn ratios(&self, fit: &BlockFit) -> Span {
            let ours = |i: usize| (fit.noise.variances[self.first[i]] + fit.noise.variances[self.second[i]]).sqrt();
            let ratios = (0..self.errors.len()).map(|i| ours(i) / self.errors[i]);
            let none = Span { lower: f64::INFINITY, upper: 0.0 };
            ratios.fold(none, |span, ratio| Span { lower: span.lower.min(ratio), upper: span.upper.max(ratio) })
        }
    }

    #[derive(Deserialize)]
    struct R {
        blocks: Vec<Design>,
    }

    #[test]
    fn least_squares_and_tests_are_those_of_lm() {
        /// The alternating least squares stop at steps of 1e-13; in a chain of 20 levels a step is a hundredth of what is left.
        const SOLVED: f64 = 1e-9;
        /// Of a p value near 1e-24.
        const TAIL: f64 = 1e-7;
        for design in r::<R>().blocks {
            let (fit, name) = (design.fit(), &design.name);
            for (mean, difference) in fit.means.iter().zip(&design.differences) {
                let ours = mean - fit.means[0];
                assert!((ours - difference).abs() < SOLVED * design.alone.sqrt(), "{name}: {ours} {difference}");
            }
            assert_eq!(fit.noise.degrees_of_freedom, design.degrees_of_freedom, "{name}");
            assert_eq!(fit.left_out, design.left_out, "{name}");
            let reduction = 1.0 - design.residual_variance / design.alone;
            assert!((fit.variance_reduction - reduction).abs() < SOLVED, "{name}");
            assert!(relative(fit.p_value, design.p_value) < TAIL, "{name}: {} {}", fit.p_value, design.p_value);
            let inflated = design.shared * inflation(fit.blocks as f64, fit.noise.degrees_of_freedom);
            assert!(relative(fit.noise.shared, inflated) < SOLVED, "{name}");
        }
    }

    #[test]
    fn errors_of_differences_are_exact_or_as_good_as_said() {
        for design in r::<R>().blocks {
            let (fit, name) = (design.fit(), design.name.as_str());
            let Span { lower, upper } = design.ratios(&fit);
            // One variance a level cannot give every pair its own covariance. It does where blocks are complete, where one run is
            // missing, and where there are two or three levels; otherwise pairs are off by what is written here. In a chain, whose blocks
            // tie nothing but neighbours, neighbours are far better known than is said, and the two ends less well.
            let (least, greatest) = match name {
                "a third missing" => (0.95, 1.06),
                "lopsided" => (0.98, 1.02),
                "chain of 12" => (0.78, 2.8),
                "chain of 20" => (0.76, 3.7),
                _ => (1.0 - 1e-9, 1.0 + 1e-9),
            };
            assert!(lower > least && upper < greatest, "{name}: {lower} {upper}");
        }
    }

    #[test]
    fn a_wall_counts_less() {
        let designs = r::<R>().blocks;
        let wall = designs.iter().find(|design| design.name == "a wall").unwrap();
        assert!(wall.weights[0] < 0.1 && wall.weights[1..].iter().all(|weight| *weight == 1.0));
    }

    #[test]
    fn complete_blocks_are_scipys_and_statsmodels_analysis_of_variance() {
        #[derive(Deserialize)]
        struct Case {
            runs: Vec<Vec<f64>>,
            means: Vec<f64>,
            residual_variance: f64,
            p_value: f64,
            shared: f64,
            paired_error: Option<f64>,
        }
        #[derive(Deserialize)]
        struct Python {
            blocks: Vec<Case>,
        }
        for case in python::<Python>().blocks {
            let level =
                |runs: &Vec<f64>| (0..).zip(runs).map(|(block, value)| BlockRun { block, value: *value }).collect();
            let levels: Vec<Vec<BlockRun>> = case.runs.iter().map(level).collect();
            let fit = BlockFit::new(&levels).unwrap();
            let blocks = case.runs[0].len() as f64;
            assert!(fit.means.iter().zip(&case.means).all(|(a, b)| (a - b).abs() < ROUNDING));
            assert!(
                fit.noise.variances.iter().all(|v| relative(*v, case.residual_variance / blocks) < ROUNDING),
                "{:?} {}",
                fit.noise.variances,
                case.residual_variance / blocks
            );
            let inflated = case.shared * inflation(blocks, fit.noise.degrees_of_freedom);
            assert!(relative(fit.p_value, case.p_value) < 1e-9 && relative(fit.noise.shared, inflated) < ROUNDING);
            if let Some(error) = case.paired_error {
                let ours = (fit.noise.variances[0] + fit.noise.variances[1]).sqrt();
                assert!(relative(ours, error) < ROUNDING, "{ours} {error}");
            }
        }
    }
}

mod fit {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Tail {
        statistic: f64,
        degrees: Vec<f64>,
        p_value: f64,
    }

    #[derive(Deserialize)]
    struct Tails {
        #[serde(default)]
        chi_squared: Vec<Tail>,
        f: Vec<Tail>,
    }

    #[test]
    fn tails_are_those_of_scipy_and_r() {
        /// What statrs keeps at a million degrees of freedom; else it is 1e-9.
        const NEAR: f64 = 1e-8;
        let python = python::<Tails>();
        for tail in &python.chi_squared {
            let ours = chi_squared_tail(tail.statistic, tail.degrees[0]);
            assert!(relative(ours, tail.p_value) < NEAR, "{tail:?} {ours}");
        }
        for tail in python.f.iter().chain(&r::<Tails>().f) {
            let ours = f_tail(tail.statistic, tail.degrees[0], tail.degrees[1]);
            // Where 1 + statistic is 1 to rounding, so is the share of the beta law that statrs takes: a p value of 0.999 becomes 1.
            let most = if tail.statistic < 1e-6 { 1e-3 } else { NEAR };
            assert!(relative(ours, tail.p_value) < most, "{tail:?} {ours}");
        }
    }

    #[test]
    fn symmetry_is_rs_analysis_of_variance() {
        #[derive(Deserialize)]
        struct Case {
            x: Vec<f64>,
            means: Vec<f64>,
            variances: Vec<f64>,
            at: f64,
            degrees_of_freedom: f64,
            p_value: f64,
        }
        #[derive(Deserialize)]
        struct R {
            symmetry: Vec<Case>,
        }
        for case in r::<R>().symmetry {
            let levels = level_means(&case.x, &vec![1.0; case.x.len()], &case.means, &case.variances);
            let noise = Noise {
                variances: case.variances,
                degrees_of_freedom: case.degrees_of_freedom,
                source: NoiseSource::Pooled,
                shared: 0.0,
            };
            let found = Optimum::new(&levels, noise, 0.05);
            assert_eq!(found.window(), 0..=levels.len() - 1);
            let ours = found.symmetry(case.at).unwrap();
            assert!(relative(ours, case.p_value) < 1e-9, "{ours} {}", case.p_value);
        }
    }
}

mod noise {
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        n: Vec<f64>,
        means: Vec<f64>,
        variances: Vec<f64>,
        bartlett: f64,
        slope: f64,
        t: f64,
        p_value: f64,
        /// Variance of a run at each level by the trend, before it is made right on average.
        fitted: Vec<f64>,
    }

    #[derive(Deserialize)]
    struct Python {
        noise: Vec<Case>,
    }

    #[test]
    fn equal_variances_are_tested_as_scipy_does_and_the_trend_as_statsmodels() {
        /// The bias of a logarithm is known to 1e-5.
        const BIAS: f64 = 1e-4;
        for case in python::<Python>().noise {
            let x: Vec<f64> = (0..).map(f64::from).take(case.n.len()).collect();
            let levels = level_means(&x, &case.n, &case.means, &case.variances);
            let known: Vec<&LevelMean> = levels.iter().collect();
            let degrees: f64 = levels.iter().map(|level| level.freedom).sum();
            let pooled = levels.iter().map(|level| level.freedom * level.variance).sum::<f64>() / degrees;
            let ours = bartlett(&known, pooled);
            assert!(relative(ours, case.bartlett) < 1e-9, "{ours} {}", case.bartlett);
            let (trend, t) = Trend::regression(&known, pooled);
            assert!(relative(t, case.t) < BIAS && relative(trend.slope, case.slope) < BIAS, "{t} {}", case.t);
            for (mean, fitted) in case.means.iter().zip(&case.fitted) {
                assert!(relative(trend.variance(*mean), *fitted) < BIAS);
            }
            let noise = Noise::new(&levels).unwrap();
            let lost = if case.p_value < 0.05 { 2.0 } else { 0.0 };
            assert_eq!(noise.degrees_of_freedom, degrees - lost);
            let is_own = case.n.iter().all(|n| *n >= 30.0) && lost == 0.0 && case.bartlett < 0.001;
            assert_eq!(noise.source, if is_own { NoiseSource::Runs } else { NoiseSource::Pooled });
        }
    }
}

mod difference {
    use super::*;

    #[test]
    fn the_simultaneous_quantile_is_hardly_above_dunnetts() {
        #[derive(Deserialize)]
        struct Case {
            levels: usize,
            runs: f64,
            quantile: f64,
        }
        #[derive(Deserialize)]
        struct R {
            dunnett: Vec<Case>,
        }
        /// multcomp integrates to 2e-4 in the probability, whose slope is above a tenth.
        const INTEGRATION: f64 = 2e-3;
        /// What Bonferroni's inequality costs.
        const MOST: f64 = 1.06;
        for case in r::<R>().dunnett {
            let x: Vec<f64> = (0..).map(f64::from).take(case.levels).collect();
            let n = vec![case.runs; case.levels];
            // Equal but for the one that is compared, so that the bracket holds all and the error is that of two means.
            let mut means = vec![0.0; case.levels];
            means[0] = 0.1;
            let levels = level_means(&x, &n, &means, &vec![1.0; case.levels]);
            let found = Optimum::new(&levels, Noise::new(&levels).unwrap(), 0.05);
            assert_eq!((found.bracket.first, found.bracket.last), (0, case.levels - 1));
            let ours = (0.1 - found.above_least(0).0) / (2.0 / case.runs).sqrt();
            assert!(ours > case.quantile - INTEGRATION && ours < MOST * case.quantile, "{ours} {}", case.quantile);
        }
    }

    #[derive(Deserialize)]
    struct Pair {
        from: usize,
        to: usize,
        difference: f64,
        lower: f64,
        upper: f64,
        p_value: f64,
    }

    #[derive(Deserialize)]
    struct Case {
        n: Vec<f64>,
        means: Vec<f64>,
        variances: Vec<f64>,
        pairs: Vec<Pair>,
    }

    #[derive(Deserialize)]
    struct R {
        between: Vec<Case>,
    }

    #[test]
    fn two_levels_are_compared_by_rs_pooled_t_test() {
        for case in r::<R>().between {
            let x: Vec<f64> = (0..).map(f64::from).take(case.n.len()).collect();
            let levels = level_means(&x, &case.n, &case.means, &case.variances);
            let noise = Noise::new(&levels).unwrap();
            assert_eq!(noise.source, NoiseSource::Pooled);
            let found = Optimum::new(&levels, noise, 0.05);
            for pair in case.pairs {
                let ours = found.between([x[pair.from], x[pair.to]]).unwrap();
                let Known { point, span } = ours.difference;
                let all = [(point, pair.difference), (span.lower, pair.lower), (span.upper, pair.upper)];
                assert!(all.iter().all(|(a, b)| relative(*a, *b) < 1e-9), "{all:?}");
                assert!(relative(ours.p_value, pair.p_value) < 1e-8, "{} {}", ours.p_value, pair.p_value);
            }
        }
    }
}

mod doses {
    use super::*;

    #[test]
    fn optima_of_fitted_dose_response_curves_lie_in_the_intervals() {
        #[derive(Deserialize)]
        struct Dose {
            name: String,
            x: Vec<f64>,
            means: Vec<f64>,
            variances: Vec<f64>,
            n: f64,
            place: f64,
            value: f64,
        }
        #[derive(Deserialize)]
        struct R {
            doses: Vec<Dose>,
        }
        for dose in r::<R>().doses {
            let levels = level_means(&dose.x, &vec![dose.n; dose.x.len()], &dose.means, &dose.variances);
            let found = Optimum::new(&levels, Noise::new(&levels).unwrap(), 0.05);
            let local = found.local.as_ref().unwrap();
            let Span { lower, upper } = local.place.span;
            assert!(local.place.span.contains(dose.place), "{}: {} {lower} {upper}", dose.name, dose.place);
            assert!(local.value.unwrap().span.contains(dose.value), "{}: {}", dose.name, dose.value);
        }
    }
}
