//! The statistics against base R (`tests/fixtures/make_statistics.R`), which shares no code with SciPy or statsmodels.

use initsweep::stats::compare::{Measured, holm, mann_whitney, welch, wilson};
use initsweep::stats::interval::student_t_quantile;
use initsweep::stats::quantile::quantile;
use initsweep::stats::smooth::{LevelMean, Smoother};
use serde_json::Value;

use crate::harness::fixture;

fn json(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows<'a>(r: &'a Value, table: &str) -> impl Iterator<Item = impl Fn(&str) -> f64 + 'a> {
    r[table].as_array().unwrap().iter().map(|row| |key: &str| row[key].as_f64().unwrap())
}

fn sorted(value: &Value) -> Vec<f64> {
    let mut values = numbers(value);
    values.sort_by(f64::total_cmp);
    values
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64, relative: f64) {
    assert!((ours - theirs).abs() <= relative * theirs.abs(), "{ours} {theirs}");
}

#[test]
fn factors_of_student_equal_r_up_to_ten_million_degrees() {
    for row in rows(&json("statistics-r.json"), "student") {
        assert_close(student_t_quantile(row("confidence"), row("freedom")), row("quantile"), 1e-11);
    }
}

#[test]
fn the_curve_equals_loess() {
    let sample = &json("statistics.json")["smooth"];
    let [x, means, errors] = ["x", "mean", "standard_error"].map(|key| numbers(&sample[key]));
    let level = |i: usize| LevelMean { x: x[i], mean: means[i], variance: errors[i] * errors[i], n: 1.0, freedom: 1e9 };
    let levels: Vec<LevelMean> = (0..x.len()).map(level).collect();
    for row in rows(&json("statistics-r.json"), "loess") {
        let smoother = Smoother::new(&levels, row("bandwidth")).unwrap();
        // loess leaves out what lies beyond 0.999 of the reach, where our kernel is 3e-8.
        assert_close(smoother.row(row("at")).apply(&means), row("value"), 1e-7);
    }
}

#[test]
fn tests_shares_and_quantiles_equal_r() {
    let (r, sample) = (json("statistics-r.json"), &json("statistics.json")["compare"]);
    let [skewed, other] = ["skewed", "other"].map(|key| sorted(&sample[key]));
    for row in rows(&r, "quantiles") {
        assert_close(quantile(&skewed, row("p")), row("value"), 1e-14);
    }
    for row in rows(&r, "wilson") {
        let interval = wilson(row("successes") as u64, row("n") as u64, 0.95).unwrap().interval.unwrap();
        assert_close(interval.lower, row("lower"), 1e-12);
        assert_close(interval.upper, row("upper"), 1e-12);
    }
    let [a, b] = [&skewed, &other].map(|values| Measured::mean_of(values).unwrap());
    let (ours, number) = (welch(&a, &b, 0.95).unwrap(), |key: &str| r["welch"][key].as_f64().unwrap());
    assert_close(ours.p_value, number("p_value"), 1e-11);
    let interval = ours.estimate.interval.unwrap();
    assert_close(interval.lower, number("lower"), 1e-11);
    assert_close(interval.upper, number("upper"), 1e-11);
    assert_close(mann_whitney(&skewed, &other).unwrap().p_value, r["mann_whitney"].as_f64().unwrap(), 1e-11);
    for (ours, theirs) in holm(&numbers(&sample["p_values"])).iter().zip(numbers(&r["holm"])) {
        assert_close(*ours, theirs, 1e-15);
    }
}
