//! `compare` against SciPy and statsmodels (tests/fixtures/make_compare.py), and its exit codes.

use serde_json::Value;

use crate::harness::{Finished, Folder, assert_close, csv_of, fixture, good_csv, initsweep};

/// Student's t by us and by SciPy, both good to about 1e-12; intervals near 0 lose some of that.
const ROUNDING: f64 = 1e-9;

fn compared(more: &str) -> Finished {
    initsweep(format!("compare {} {} {more}", fixture("compare_a.csv"), fixture("compare_b.csv"))).run()
}

fn fails_on(condition: &str) -> Finished {
    initsweep(format!("compare {} {} --fail-on", fixture("compare_a.csv"), fixture("compare_b.csv")))
        .arg(condition)
        .run()
}

#[test]
fn levels_and_their_mean_equal_scipy_and_statsmodels() {
    let ours = compared("--format json").succeeds().json();
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(fixture("compare.json")).unwrap()).unwrap();
    let levels = ours["levels"].as_array().unwrap();
    assert_eq!(levels.len(), 5);
    for (level, expected) in levels.iter().zip(expected["levels"].as_array().unwrap()) {
        let number = |key: &str| expected[key].as_f64().unwrap();
        let what = format!("level {}", level["level"]);
        assert_eq!(level["level"], expected["level"]);
        assert_close(&level["difference"]["estimate"], number("difference"), ROUNDING, &what);
        assert_close(&level["difference"]["ci_lower"], number("ci_lower"), ROUNDING, &what);
        assert_close(&level["difference"]["ci_upper"], number("ci_upper"), ROUNDING, &what);
        assert_close(&level["p_value"], number("p_value"), ROUNDING, &what);
        assert_close(&level["adjusted_p"], number("adjusted_p"), ROUNDING, &what);
        assert_eq!(level["changed"], Value::Bool(number("adjusted_p") < 0.05), "{what}");
    }
    let mean = &ours["mean"]["difference"];
    for (ours, key) in [("estimate", "difference"), ("ci_lower", "ci_lower"), ("ci_upper", "ci_upper")] {
        assert_close(&mean[ours], expected["mean"][key].as_f64().unwrap(), ROUNDING, key);
    }
    assert_eq!(ours["sources"]["a"]["only_levels"], serde_json::json!([0.125]));
    assert_eq!(ours["sources"]["b"]["only_levels"], serde_json::json!([8.0]));
}

#[test]
fn tables_of_levels_will_do() {
    let table = |rows: &str| format!("level,mean,std_dev,n\n{rows}");
    let folder = Folder::with("a.csv", table("0.25,30,4,10\n0.5,12,3,20\n1,15,2,15\n2,25,5,12\n"));
    folder.write("b.csv", table("0.25,31,4,30\n0.5,14.5,2,25\n1,15.2,3,10\n2,25,4,40\n"));
    let ours = initsweep("compare a.csv b.csv --format json").in_folder(&folder).run().succeeds().json();
    // SciPy 1.17.1: ttest_ind_from_stats(b, a, equal_var=False), the interval by t with Welch's degrees of freedom; Holm by hand.
    let scipy = [
        [1.0, -2.1050200386443807, 4.105020038644381, 0.503694137953454, 1.0],
        [2.5, 0.9085865898298535, 4.091413410170146, 0.0031065115045022683, 0.012426046018009073],
        [0.1999999999999993, -2.1118532327684743, 2.511853232768473, 0.8556981805856652, 1.0],
        [0.0, -3.3500232512844907, 3.3500232512844907, 1.0, 1.0],
    ];
    let levels = ours["levels"].as_array().unwrap();
    assert_eq!(levels.len(), scipy.len());
    for (level, [difference, lower, upper, p, adjusted]) in levels.iter().zip(scipy) {
        let what = format!("level {}", level["level"]);
        for (key, expected) in [("estimate", difference), ("ci_lower", lower), ("ci_upper", upper)] {
            assert_close(&level["difference"][key], expected, ROUNDING, &what);
        }
        assert_close(&level["p_value"], p, ROUNDING, &what);
        assert_close(&level["adjusted_p"], adjusted, ROUNDING, &what);
    }
    initsweep("compare a.csv b.csv --fail-on").arg("level worse").in_folder(&folder).run().fails_with(1);
}

#[test]
fn a_proven_condition_ends_with_1_and_says_what_was_found() {
    fails_on("mean worse").fails_with(1).says("the condition 'mean worse' holds: ").prints("only in A");
    fails_on("level worse").fails_with(1).says("of 5 common levels changed");
    fails_on("mean +1%").fails_with(1);
    for unproven in ["mean +50%", "mean better", "mean -1%", "level better", "Xavier +20%"] {
        fails_on(unproven).succeeds();
    }
    // The second of two decides as well.
    initsweep(format!("compare {} {} --fail-on", fixture("compare_a.csv"), fixture("compare_b.csv")))
        .arg("mean better")
        .arg("--fail-on=mean worse")
        .run()
        .fails_with(1);
}

#[test]
fn the_same_runs_have_not_moved() {
    let same = |condition: &str| {
        let path = fixture("compare_a.csv");
        initsweep(format!("compare {path} {path} --fail-on")).arg(condition).run()
    };
    for condition in ["minimum moved", "minimum worse", "mean moved", "level moved", "Xavier moved", "mean +0.001%"] {
        same(condition).succeeds().prints("0 of 6 common levels changed");
    }
}

#[test]
fn a_minimum_that_moved_far_is_seen() {
    let parabola = |centre: f64| {
        let runs: Vec<(f64, f64)> = (0..30)
            .flat_map(|level| (0..20).map(move |run| (0.2 + 0.05 * f64::from(level), f64::from(run % 5))))
            .map(|(level, noise)| (level, 50.0 + 300.0 * (level - centre).powi(2) + noise))
            .collect();
        csv_of(&runs)
    };
    let folder = Folder::with("a.csv", parabola(0.7));
    folder.write("b.csv", parabola(1.2));
    let run = |condition: &str| initsweep("compare a.csv b.csv --fail-on").arg(condition).in_folder(&folder).run();
    run("minimum moved").fails_with(1).says("holds: 0.7");
    let json = initsweep("compare a.csv b.csv --format json").in_folder(&folder).run().succeeds().json();
    let shift = json["minimum"]["difference"]["estimate"].as_f64().unwrap();
    assert!((shift - 0.5).abs() < 0.02, "the truth is 0.5: {shift}");
}

#[test]
fn what_cannot_be_told_is_an_error_and_never_a_pass() {
    let folder = Folder::with("a.csv", csv_of(&[(1.0, 2.0), (2.0, 3.0)]));
    let run = |condition: &str| initsweep("compare a.csv a.csv --fail-on").arg(condition).in_folder(&folder).run();
    run("minimum moved").fails_with(3).says("no fitted minimum");
    run("mean worse").fails_with(3).says("two runs or more");
    run("Xavier worse").fails_with(3).says("outside the levels");
    run("nobody worse").fails_with(2).says("--reference nobody=EXPR");
    run("mean nonsense").fails_with(2);
}

#[test]
fn markdown_is_a_table_that_any_name_fits_into() {
    let folder = Folder::with("a|b.csv", csv_of(&[(1.0, 2.0), (1.0, 3.0), (2.0, 9.0)]));
    let text = initsweep("compare a|b.csv a|b.csv --format markdown").in_folder(&folder).run().succeeds().text();
    assert!(text.contains("| A | a\\|b.csv (3 runs at 2 levels) |"), "{text}");
    assert!(text.lines().all(|line| line.starts_with('|')), "{text}");
}

#[test]
fn rows_left_out_are_told_of_either_side() {
    let folder = Folder::with("a.csv", format!("{}2,NA\n", good_csv()));
    folder.write("b.csv", good_csv());
    let told = initsweep("compare a.csv b.csv").in_folder(&folder).run().succeeds();
    told.prints("7 read = 6 used + 1 left out: 1 empty (first: a.csv, line 8)").prints("6 read = 6 used");
    let json = initsweep("compare a.csv b.csv --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(json["sources"]["a"]["rows"]["excluded"]["empty"], 1);
    assert_eq!(json["sources"]["b"]["rows"]["used"], 6);
}

#[test]
fn runs_have_not_changed_against_their_own_summary() {
    let folder = Folder::new();
    let sweep = "sweep --quiet --paired --to a.csv --hidden-std-dev log:0.2:2:15 --runs 60 --epochs 2000";
    initsweep(sweep).in_folder(&folder).run().succeeds();
    initsweep("report a.csv --quiet").in_folder(&folder).run().succeeds();
    for sides in ["output/summary.json a.csv", "a.csv output/summary.csv"] {
        let json = initsweep(format!("compare {sides} --format json")).in_folder(&folder).run().succeeds().json();
        for what in ["minimum", "value"] {
            let found = &json[what];
            assert!(
                found.is_object() && found["difference"]["estimate"].as_f64().unwrap().abs() < 1e-9,
                "{what} {json}"
            );
        }
    }
}

#[test]
fn a_summary_of_a_report_is_a_side() {
    let folder = Folder::with("a.csv", good_csv());
    initsweep("report a.csv --quiet").in_folder(&folder).run().succeeds();
    let compare = |side: &str| {
        let words = format!("compare {side} a.csv --format json");
        let json = initsweep(words).in_folder(&folder).run().succeeds().json();
        assert_eq!(json["sources"]["a"]["runs"], 6, "{side}");
        json["levels"].to_string()
    };
    assert_eq!(compare("output/summary.json"), compare("output/summary.csv"));
    initsweep("compare output/summary.json a.csv --y other").in_folder(&folder).run().fails_with(3).says("'loss'");
    folder.write("other.json", "{\"a\": 1}");
    initsweep("compare other.json a.csv").in_folder(&folder).run().fails_with(3).says("no summary.json of a report");
}
