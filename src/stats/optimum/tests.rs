//! The layers together, on curves whose answer is known; how often they are right is simulated in `tests/coverage.rs`.

use super::verdict::Verdict;
use super::*;

const MARGIN: Tolerance = Tolerance { share: 0.01, amount: 0.0 };

/// Levels at 0, 1, 2, … with these means, a standard deviation of a run and `n` runs each.
fn levels(means: &[f64], std_dev: f64, n: f64) -> Vec<LevelMean> {
    let level = |(x, mean): (u32, &f64)| LevelMean {
        x: f64::from(x),
        mean: *mean,
        variance: std_dev * std_dev,
        n,
        freedom: n - 1.0,
    };
    (0..).zip(means).map(level).collect()
}

fn optimum(means: &[f64], std_dev: f64, n: f64) -> Optimum {
    let levels = levels(means, std_dev, n);
    let noise = Noise::new(&levels).unwrap();
    Optimum::new(&levels, noise, 0.05)
}

fn verdict(optimum: &Optimum, tolerance: Tolerance) -> Verdict {
    optimum.verdict(tolerance, &vec![3.0; optimum.x.len()])
}

/// A parabola with its minimum 100 at `at`.
fn parabola(count: u32, at: f64) -> Vec<f64> {
    (0..count).map(|x| 100.0 + (f64::from(x) - at) * (f64::from(x) - at)).collect()
}

#[test]
fn a_clear_parabola_is_located_within_a_margin_that_it_meets() {
    let found = optimum(&parabola(9, 4.2), 0.3, 3.0);
    let local = found.local.as_ref().unwrap();
    assert!(local.place.span.contains(4.2) && local.place.span.upper - local.place.span.lower < 1.5);
    assert!(local.value.unwrap().span.contains(100.0));
    assert!(!local.lack_of_fit.is_some_and(|fit| fit.is_significant()));
    assert_eq!(verdict(&found, Tolerance { share: 0.05, amount: 0.0 }), Verdict::Located);
    // An amount is as good as the share that it is.
    assert_eq!(verdict(&found, Tolerance { share: 0.0, amount: 5.0 }), Verdict::Located);
    let safe = found.safe_range(Tolerance { share: 0.05, amount: 0.0 }).unwrap();
    assert!(safe.lower >= 4.2 - 5.0f64.sqrt() && safe.upper <= 4.2 + 5.0f64.sqrt() && safe.upper - safe.lower > 2.0);
}

#[test]
fn levels_too_far_apart_are_called_coarse_and_the_ones_to_add_are_named() {
    // The rise to the next level is a hundredth of the value and twenty standard errors: no run would help.
    let found = optimum(&[140.0, 110.0, 100.0, 112.0, 145.0], 0.5, 3.0);
    let Verdict::Coarse { add } = verdict(&found, MARGIN) else { panic!("{:?}", verdict(&found, MARGIN)) };
    assert!(add.contains(&1.5) && add.contains(&2.5), "{add:?}");
}

#[test]
fn ends_flat_curves_and_two_dips_are_told_apart() {
    let edge = optimum(&[100.0, 110.0, 120.0, 130.0, 140.0, 150.0], 1.0, 5.0);
    assert_eq!(verdict(&edge, MARGIN), Verdict::AtEdge { edge: Edge::Low });
    let flat = optimum(&[100.0; 5], 0.1, 5.0);
    assert_eq!(verdict(&flat, MARGIN), Verdict::Flat);
    let two = optimum(&[130.0, 100.0, 130.0, 130.0, 101.0, 130.0], 1.0, 5.0);
    assert_eq!(verdict(&two, MARGIN), Verdict::NotUnimodal { dips: vec![1, 4] });
}

#[test]
fn noise_asks_for_more_runs_at_levels_that_there_are() {
    let found = optimum(&parabola(7, 3.0), 4.0, 3.0);
    let Verdict::Unresolved { more_runs: Some(more), levels } = verdict(&found, MARGIN) else {
        panic!("{:?}", verdict(&found, MARGIN))
    };
    assert!(more > 0 && !levels.is_empty() && levels.iter().all(|level| *level < 7));
}

#[test]
fn a_reference_that_may_be_the_optimum_is_said_to_be() {
    let found = optimum(&parabola(9, 4.2), 0.3, 3.0);
    let near = found.against_optimum(4.2).unwrap();
    assert!(near.may_be_optimum && near.p_value == 1.0 && near.difference.span.lower == 0.0);
    let far = found.against_optimum(7.0).unwrap();
    assert!(!far.may_be_optimum && far.p_value < 0.001 && far.difference.span.contains(2.8 * 2.8));
    assert!(far.relative.unwrap().span.contains(0.0784));
    let outside = found.against_optimum(0.0).unwrap();
    assert!(outside.difference.span.contains(4.2 * 4.2));
    assert!(found.against_optimum(8.5).is_none() && found.between([2.0, 8.5]).is_none());
    // Two levels by their own means, whatever the curve: 16 − 9 with √2 standard errors.
    let between = found.between([1.0, 8.0]).unwrap().difference;
    assert!((between.point - (3.8 * 3.8 - 3.2 * 3.2)).abs() < 1e-9);
}

#[test]
fn three_levels_have_a_bracket_and_no_curve() {
    let found = optimum(&[2.0, 1.0, 2.0], 0.1, 3.0);
    assert!(found.local.is_none() && (found.bracket.first, found.bracket.last) == (0, 2));
    assert!(found.safe_range(MARGIN).is_none() && found.against_optimum(1.0).is_none());
    assert_ne!(verdict(&found, MARGIN), Verdict::Located);
}

#[test]
fn many_levels_that_lie_on_one_parabola_are_symmetric_and_a_kink_is_not() {
    let curve = |right: f64| -> Vec<f64> {
        (0..60)
            .map(|x| {
                let v = f64::from(x) - 29.3;
                // A little of everything that is not a parabola.
                100.0 + 0.05 * if v < 0.0 { v * v } else { right * v * v } + 0.2 * (f64::from(x) * 2.7).sin()
            })
            .collect()
    };
    let p = |right: f64| {
        let found = optimum(&curve(right), 10.0, 100.0);
        assert!(found.window().count() > 20);
        found.symmetry(29.3).unwrap()
    };
    assert!(p(1.0) > 0.5 && p(4.0) < 0.01, "{} {}", p(1.0), p(4.0));
}

#[test]
fn the_same_numbers_give_the_same_bits_and_a_shift_only_shifts() {
    let means = parabola(7, 2.7);
    let (once, again) = (optimum(&means, 1.0, 3.0), optimum(&means, 1.0, 3.0));
    assert_eq!(once.local.as_ref().unwrap().place, again.local.as_ref().unwrap().place);
    let shifted: Vec<f64> = means.iter().map(|mean| mean + 1024.0).collect();
    let moved = optimum(&shifted, 1.0, 3.0);
    let (a, b) = (once.local.unwrap().place, moved.local.unwrap().place);
    assert!((a.point - b.point).abs() < 1e-6 && (a.span.lower - b.span.lower).abs() < 1e-6);
}
