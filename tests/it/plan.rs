//! `plan`: where the next runs should go.

use serde_json::Value;

use crate::harness::{Folder, initsweep, sample};

/// The levels of R SPOT's example of OCBA; the standard deviations are the roots of its variances.
const SPOT: &str = "level,mean,std_dev,n
1,1.2,1.816590212458495,12
2,2.1,1.4142135623730951,6
3,3.4,2.1213203435596424,5
4,4.87,2.302172886644268,5
5,6.05,2.6267851073127395,4
";

fn plan(folder: &Folder, words: &str) -> Value {
    initsweep(format!("plan {words} --format json")).in_folder(folder).run().succeeds().json()
}

fn column(plan: &Value, name: &str) -> Vec<u64> {
    plan["allocation"].as_array().unwrap().iter().map(|level| level[name].as_u64().unwrap()).collect()
}

#[test]
fn ocba_of_a_summary_gives_the_published_answer() {
    let folder = Folder::with("spot.csv", SPOT);
    let planned = plan(&folder, "spot.csv --strategy ocba --budget 100");
    let adds = column(&planned, "add");
    assert!(adds.iter().zip([48u64, 38, 11, 2, 1]).all(|(ours, theirs)| ours.abs_diff(theirs) <= 1), "{adds:?}");
    assert_eq!(column(&planned, "n"), [12, 6, 5, 5, 4]);
    assert_eq!((planned["strategy"].as_str(), planned["budget"].as_u64()), (Some("ocba"), Some(100)));
    let first = &planned["allocation"][0];
    let (now, then) = (first["standard_error"].as_f64().unwrap(), first["expected_standard_error"].as_f64().unwrap());
    assert!((now / then - ((12 + adds[0]) as f64 / 12.0).sqrt()).abs() < 1e-12, "{first}");
}

#[test]
fn every_strategy_gives_out_the_budget_exactly() {
    let folder = Folder::with("spot.csv", SPOT);
    for strategy in ["uniform", "relative-error", "neyman", "ocba"] {
        for budget in [1, 7, 100, 12_345] {
            let planned = plan(&folder, &format!("spot.csv --strategy {strategy} --budget {budget}"));
            assert_eq!(column(&planned, "add").iter().sum::<u64>(), budget, "{strategy}");
        }
    }
    // 32 runs and 43 more are 15 at each of 5 levels.
    let even = plan(&folder, "spot.csv --strategy uniform --budget 43");
    assert_eq!(column(&even, "add"), [3, 9, 10, 10, 11]);
}

#[test]
fn the_minimum_is_refined_where_it_is() {
    let source = sample();
    let planned = plan(&Folder::new(), &format!("{source} --budget 20001"));
    assert_eq!(column(&planned, "add").iter().sum::<u64>(), 20_001);
    let levels = planned["allocation"].as_array().unwrap();
    let new: Vec<f64> = levels
        .iter()
        .filter(|level| level["add"].as_u64() > Some(0))
        .map(|level| level["level"].as_f64().unwrap())
        .collect();
    let minimum = &planned["minimum"];
    let place = minimum["level"].as_f64().unwrap();
    assert!(new.len() == 4 && new[1] < place && place < new[2], "{new:?} {place}");
    assert!(levels.array_windows().all(|[a, b]| a["level"].as_f64() < b["level"].as_f64()), "ascending");
    let (now, then) = (minimum["half_width"].as_f64().unwrap(), minimum["expected_half_width"].as_f64().unwrap());
    assert!(then < now / 1.5, "{now} {then}");
    let more = plan(&Folder::new(), &format!("{source} --budget 2000000"));
    let far = more["minimum"]["expected_half_width"].as_f64().unwrap();
    // A hundred times the runs tell a hundred times as much more than is known.
    let told = |width: f64| 1.0 / (width * width) - 1.0 / (now * now);
    assert!((told(far) / told(then) / 100.0 - 1.0).abs() < 0.05, "{now} {then} {far}");
    let few =
        plan(&Folder::new(), &format!("{source} --budget 100"))["minimum"]["expected_half_width"].as_f64().unwrap();
    assert!(then < few && few < now, "few runs take no knowledge away: {now} {few} {then}");
}

#[test]
fn levels_that_are_too_far_apart_get_others_between_them() {
    // A fall to a wall, known so well that more runs would not tell where between the levels the minimum is.
    let wall = "level,mean,std_dev,n\n0.001,2.1,0.05,10\n0.003,2.0,0.05,10\n0.01,1.9,0.05,10\n0.03,4.5,0.05,10\n0.1,7.2,0.05,10\n";
    let folder = Folder::with("wall.csv", wall);
    let found = initsweep("stats wall.csv --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(found["minimum"]["verdict"], "coarse", "{}", found["minimum"]);
    for strategy in ["minimum", "uniform", "relative-error", "neyman", "ocba"] {
        let planned = plan(&folder, &format!("wall.csv --budget 101 --strategy {strategy}"));
        let levels = planned["allocation"].as_array().unwrap();
        let new: Vec<Value> =
            levels.iter().filter(|level| level["add"] != 0).map(|level| level["level"].clone()).collect();
        assert_eq!(Value::Array(new), found["minimum"]["add_levels"], "{strategy}");
        assert_eq!(column(&planned, "add").iter().sum::<u64>(), 101, "{strategy}");
        assert!(levels.iter().all(|level| (level["n"] == 0) == (level["add"] != 0)), "{strategy}: {levels:?}");
    }
    let text = initsweep("plan wall.csv --budget 100").in_folder(&folder).run().succeeds().text();
    for level in found["minimum"]["add_levels"].as_array().unwrap() {
        let shown = format!("{:.3}", level.as_f64().unwrap());
        assert!(text.contains(shown.trim_end_matches('0')), "{shown} is missing in {text}");
    }
}

#[test]
fn the_table_says_what_to_expect() {
    let folder = Folder::with("spot.csv", SPOT);
    let finished = initsweep("plan spot.csv --strategy ocba --budget 100").in_folder(&folder).run().succeeds();
    finished.prints("standard error").prints("100 runs by ocba").prints("expected then");
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let folder = Folder::with("spot.csv", SPOT);
    let refused = |words: &str| initsweep(format!("plan {words}")).in_folder(&folder).run();
    refused("spot.csv").fails_with(2).says("--budget");
    refused("spot.csv --budget 0").fails_with(2);
    refused("spot.csv --budget 10 --strategy best").fails_with(2).says("relative-error").says("ocba");
    // The least mean is at the end: there is nothing to refine around.
    folder.write("rising.csv", "level,mean,std_dev,n\n1,1,0.1,50\n2,2,0.1,50\n3,3,0.1,50\n4,4,0.1,50\n5,5,0.1,50\n");
    refused("rising.csv --budget 10 --strategy minimum").fails_with(3).says("extend the sweep");
    // Two dips, of which nobody knows which is meant.
    let two = "level,mean,std_dev,n\n1,13,0.1,50\n2,10,0.1,50\n3,13,0.1,50\n4,13,0.1,50\n5,10,0.1,50\n6,13,0.1,50\n";
    folder.write("two.csv", two);
    refused("two.csv --budget 10 --strategy minimum").fails_with(3).says("lie lowest near 2, 5");
    refused("missing.csv --budget 10").fails_with(4).says("missing.csv");
}

#[test]
fn rows_left_out_are_told() {
    let text = "hidden_std_dev,loss\n1,5\n1,6\n2,3\n2,3\n2,\n";
    let folder = Folder::with("a.csv", text);
    let plan = |more: &str| {
        initsweep(format!("plan a.csv --budget 10 --strategy neyman {more}")).in_folder(&folder).run().succeeds()
    };
    plan("")
        .prints("Rows: 5 read = 4 used + 1 left out: 1 empty (first: a.csv, line 6)")
        .prints("1 other level gets none");
    assert_eq!(plan("--format json").json()["rows"]["excluded"]["empty"], 1);
}
