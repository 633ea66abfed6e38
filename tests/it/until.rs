//! `--until`: sweeps that go on until a question is answered.

use serde_json::Value;

use crate::harness::{Finished, Folder, Running, initsweep, size_of, wait_until};

/// A goal that takes a fraction of a second.
const QUICK: &str = "minimum<=10%";

fn sweep(folder: &Folder, goal: &str, words: &str) -> Finished {
    initsweep(format!("sweep --quiet --to {words}")).arg("--until").arg(goal).in_folder(folder).run()
}

/// A fresh sweep to `x.csv`.
fn made(goal: &str, words: &str) -> Folder {
    let folder = Folder::new();
    sweep(&folder, goal, &format!("x.csv {words}")).succeeds();
    assert_eq!(folder.names("."), ["x.csv", "x.csv.sweep.json"], "nothing else stays");
    folder
}

fn record(folder: &Folder, target: &str) -> Value {
    serde_json::from_str(&folder.text(&format!("{target}.sweep.json"))).unwrap()
}

fn rounds(folder: &Folder) -> Vec<Value> {
    record(folder, "x.csv")["history"]["rounds"].as_array().unwrap().clone()
}

fn stats(folder: &Folder, words: &str) -> Value {
    initsweep(format!("stats x.csv --format json {words}")).in_folder(folder).run().succeeds().json()
}

#[test]
fn the_rule_and_the_statistics_agree() {
    let folder = made(QUICK, "");
    let rounds = rounds(&folder);
    let looks: Vec<&Value> = rounds.iter().map(|round| &round["look"]).collect();
    let (last, earlier) = looks.split_last().unwrap();
    assert!(last["reached"] == true && earlier.iter().all(|look| look["reached"] == false), "{looks:?}");
    // The rule's own level is higher, to make up for looking often.
    let confidence = last["confidence"].as_f64().unwrap();
    assert!(confidence > 0.95, "{confidence}");
    let found = stats(&folder, &format!("--confidence {confidence}"));
    let fitted = &found["minimum"]["fitted"];
    assert_eq!(
        [&fitted["level"], &fitted["ci_lower"], &fitted["ci_upper"]],
        [&last["minimum"], &last["lower"], &last["upper"]]
    );
    let [level, lower, upper] = ["level", "ci_lower", "ci_upper"].map(|key| fitted[key].as_f64().unwrap());
    assert!((upper - lower) / 2.0 / level <= 0.1 && lower < level && level < upper, "{fitted}");
    let rows = folder.text("x.csv").lines().count() as u64 - 1;
    assert_eq!((last["runs"].as_u64(), found["rows"]["used"].as_u64()), (Some(rows), Some(rows)));
    let groups = found["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["n"].as_u64() >= Some(30)), "at least 30 runs a level");
    // The history is part of what is known of the input.
    assert_eq!(found["provenance"]["inputs"][0]["histories"][0], record(&folder, "x.csv")["history"]);
}

#[test]
fn neither_threads_nor_instructions_change_a_byte() {
    let one = made(QUICK, "--threads 1");
    for words in ["--threads 3", "--simd scalar"] {
        let other = made(QUICK, words);
        assert_eq!(one.text("x.csv"), other.text("x.csv"), "{words}");
        assert_eq!(rounds(&one), rounds(&other), "{words}");
    }
    assert_ne!(one.text("x.csv"), made(QUICK, "--seed 2").text("x.csv"));
}

#[test]
fn runs_are_those_of_any_paired_sweep() {
    let folder = made(QUICK, "");
    let rows = folder.text("x.csv");
    let row = rows.lines().last().unwrap();
    let cells: Vec<&str> = row.split(',').collect();
    let runs = cells[3].parse::<u32>().unwrap() + 1;
    let plain = Folder::new();
    let words = format!("sweep --to y.csv --paired --hidden-std-dev {} --runs {runs}", cells[0]);
    initsweep(words).in_folder(&plain).run().succeeds();
    assert_eq!(plain.text("y.csv").lines().last(), Some(row));
    initsweep("verify x.csv --sample 200").in_folder(&folder).run().succeeds();
}

/// A sweep that is stopped in some round after the first by `stop`.
fn stopped(stop: impl Fn(Running)) -> Folder {
    // Longer and longer, until the sweep does not end before it is stopped.
    for epochs in [10_000, 40_000, 160_000] {
        let folder = Folder::new();
        let words = format!("sweep --quiet --to x.csv --threads 1 --epochs {epochs}");
        let mut running = initsweep(words).arg("--until").arg(QUICK).in_folder(&folder).start();
        let part = folder.path("x.csv.part");
        let mut ended = false;
        // The first round has 2500 rows of at least 60 bytes.
        wait_until("the second round is begun", || {
            ended = running.has_ended();
            ended || size_of(&part) > 2600 * 60
        });
        if ended {
            continue;
        }
        stop(running);
        if folder.path("x.csv").exists() {
            continue;
        }
        let kept = folder.text("x.csv.part");
        sweep(&folder, QUICK, &format!("x.csv --epochs {epochs}")).succeeds();
        let whole = kept.rsplit_once('\n').unwrap().0;
        assert!(folder.text("x.csv").starts_with(whole) && whole.lines().count() > 2000, "stored rows are kept");
        let undisturbed = made(QUICK, &format!("--epochs {epochs}"));
        assert_eq!(folder.text("x.csv"), undisturbed.text("x.csv"));
        assert_eq!(rounds(&folder), rounds(&undisturbed));
        return folder;
    }
    panic!("the sweep always ended before it could be stopped");
}

#[test]
#[cfg(unix)]
fn killed_and_run_again_is_undisturbed() {
    stopped(|running| {
        running.signal("KILL");
        running.wait();
    });
}

#[test]
#[cfg(unix)]
fn stopped_by_ctrl_c_and_run_again_is_undisturbed() {
    stopped(|running| {
        running.signal("INT");
        running.wait();
    });
}

#[test]
fn a_finished_sweep_stays_and_a_narrower_goal_goes_on() {
    let folder = made(QUICK, "");
    let (before, record_before) = (folder.text("x.csv"), record(&folder, "x.csv")["history"].clone());
    sweep(&folder, QUICK, "x.csv").succeeds();
    assert_eq!((folder.text("x.csv"), &record(&folder, "x.csv")["history"]), (before.clone(), &record_before));
    sweep(&folder, "minimum<=4%", "x.csv").succeeds();
    let after = folder.text("x.csv");
    assert!(after.starts_with(&before) && after.len() > before.len());
    // Parquet holds the same rows, and goes on as well.
    sweep(&folder, QUICK, "y.parquet").succeeds();
    sweep(&folder, "minimum<=4%", "y.parquet").succeeds();
    initsweep("copy y.parquet --to y.csv").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("y.csv"), after);
    // Another sweep's runs are refused.
    sweep(&folder, QUICK, "x.csv --seed 2").fails_with(1).says("holds another sweep");
    assert_eq!(folder.text("x.csv"), after);
    sweep(&folder, QUICK, "x.csv --seed 2 --fresh").succeeds();
}

#[test]
fn limits_end_a_sweep_and_are_told() {
    let folder = Folder::new();
    let ended = sweep(&folder, "minimum<=0.1%", "x.csv --max-runs 12000").fails_with(1);
    ended.says("minimum<=0.1% is not reached").says("12,000 runs").says("--max-runs").says("goes on");
    assert_eq!(folder.text("x.csv").lines().count(), 12_001);
    sweep(&folder, QUICK, "x.csv --max-runs 100000").succeeds();
    // The limit holds exactly, whatever the goal and the strategy.
    for (goal, words) in [("se<=0.5%", ""), ("minimum<=0.5%", "--strategy uniform"), ("minimum<=0.5%", "")] {
        let folder = Folder::new();
        sweep(&folder, goal, &format!("x.csv --hidden-std-dev log:0.2:2:9 --max-runs 5003 {words}")).fails_with(1);
        assert_eq!(folder.text("x.csv").lines().count(), 5004, "{goal}");
    }
    let folder = Folder::new();
    sweep(&folder, "minimum<=0.01%", "x.csv --max-time 0.5s").fails_with(1).says("--max-time");
    assert!(folder.path("x.csv").exists());
}

#[test]
fn a_sweep_that_goes_on_finds_its_speed_before_it_trusts_the_clock() {
    let folder = Folder::new();
    sweep(&folder, QUICK, "x.csv --max-runs 2500").fails_with(1).says("--max-runs");
    sweep(&folder, QUICK, "x.csv --max-time 1h").succeeds();
    let size = |round: &Value| -> u64 {
        let batches = round["batches"].as_array().unwrap().iter();
        let runs = |batch: &Value| {
            let replicates = ["end", "start"].map(|end| batch["replicates"][end].as_u64().unwrap());
            (replicates[0] - replicates[1]) * batch["levels"].as_array().unwrap().len() as u64
        };
        batches.map(runs).sum()
    };
    let sizes: Vec<u64> = rounds(&folder).iter().map(size).collect();
    // A round may have three times the runs that are there, but not while nobody knows how long that takes.
    assert!(sizes.len() > 1 && sizes[..2] == [2500, 2500], "{sizes:?}");
}

#[test]
fn every_level_reaches_its_standard_error() {
    let levels = "--hidden-std-dev 0.3,0.6,1,3";
    let folder = made("se<=2%", levels);
    let found = stats(&folder, "");
    let groups = found["groups"].as_array().unwrap();
    let [n, mean, error] = ["n", "mean", "standard_error"]
        .map(|key| groups.iter().map(|group| group[key].as_f64().unwrap()).collect::<Vec<f64>>());
    assert!((0..4).all(|i| error[i] <= 0.02 * mean[i] && n[i] >= 30.0), "{groups:?}");
    // Levels stop when they are done: none has twice what it needs.
    assert!((0..4).all(|i| (error[i] / mean[i] / 0.02).powi(2) > 0.2), "{groups:?}");
    assert!(n.iter().any(|runs| *runs != n[0]), "{n:?}");
    for strategy in ["uniform", "neyman", "ocba"] {
        made("se<=4%", &format!("{levels} --strategy {strategy}"));
    }
}

#[test]
fn no_level_stops_below_30_runs() {
    // Goals that a run or two would reach.
    let widths = "--hidden-std-dev log:0.3:3:9 --epochs 100";
    // Where one level is a hundred times better than others, few runs locate it to such a margin.
    let rates = "--sweep learning_rate=log:0.05:10:9 --epochs 300 --margin 500 --max-runs 5000";
    for (goal, levels, strategy, x) in [
        ("se<=50%", widths, "relative-error", ""),
        ("se<=50%", widths, "ocba", ""),
        ("minimum<=90%", rates, "uniform", "--x learning_rate"),
    ] {
        let folder = made(goal, &format!("{levels} --strategy {strategy}"));
        let found = stats(&folder, x);
        let groups = found["groups"].as_array().unwrap();
        assert!(groups.len() == 9 && groups.iter().all(|group| group["n"] == 30), "{goal} {groups:?}");
    }
}

#[test]
fn a_reference_is_decided() {
    let folder = made("reference 1 decided", "--margin 5%");
    let found = stats(&folder, "--margin 5%");
    let references = found["references"].as_array().unwrap();
    let one = references.iter().find(|reference| reference["name"] == "1").unwrap();
    assert_ne!(one["difference_to_minimum"]["verdict"], "undecided", "{one}");
    // By its own runs, as many as the levels next to the minimum have.
    let n = |group: &Value| group["n"].as_u64();
    let groups = found["groups"].as_array().unwrap();
    let at_one = groups.iter().find(|group| group["level"] == 1.0).and_then(n);
    assert_eq!(at_one, groups.iter().filter_map(n).max(), "{groups:?}");
    assert!(one["difference_to_minimum"]["estimate"].as_f64() > Some(0.0) && at_one > Some(1000), "{one}");
    // Each look has a level of its own: 1 − 0.05/2, 1 − 0.05/6, …
    for (place, round) in rounds(&folder).iter().enumerate() {
        let (look, alpha) = (place as f64 + 1.0, 1.0 - round["look"]["confidence"].as_f64().unwrap());
        assert!((alpha * look * (look + 1.0) - 0.05).abs() < 1e-9, "{round}");
    }
}

#[test]
fn other_strategies_find_the_minimum_too() {
    for strategy in ["uniform", "relative-error", "neyman", "ocba"] {
        let words = "--hidden-std-dev log:0.2:2:15 --margin 40% --max-runs 100000";
        let folder = made("minimum<=40%", &format!("--strategy {strategy} {words}"));
        let last = rounds(&folder).last().unwrap()["look"].clone();
        let found = stats(&folder, &format!("--margin 40% --confidence {}", last["confidence"]));
        let minimum = &found["minimum"];
        let fitted = &minimum["fitted"];
        let [level, lower, upper] = ["level", "ci_lower", "ci_upper"].map(|key| fitted[key].as_f64().unwrap());
        assert!((upper - lower) / 2.0 / level <= 0.4, "{strategy} {fitted}");
        assert!(lower < 0.599 && 0.599 < upper, "{strategy} {fitted}");
        assert_eq!(minimum["verdict"], "located", "{strategy}");
    }
}

#[test]
fn a_goal_is_reached_only_where_the_minimum_is_located() {
    // The interval is soon as narrow, but what lies within it costs far more than a margin of 1 %.
    let folder = Folder::new();
    let words = "x.csv --hidden-std-dev log:0.2:2:9 --strategy uniform --max-runs 3000";
    sweep(&folder, "minimum<=90%", words).fails_with(1).says("minimum<=90% is not reached").says("--max-runs");
    assert_eq!(folder.text("x.csv").lines().count(), 3001);
    let looks: Vec<Value> = rounds(&folder).iter().map(|round| round["look"].clone()).collect();
    let last = looks.last().unwrap();
    assert!(last["width"].as_f64() < Some(0.9) && last["reached"] == false, "{last}");
    // What is missing is told by the verdict, not by the width: rounds stay few.
    assert!(looks.len() < 8, "{looks:?}");
}

#[test]
fn levels_that_are_too_far_apart_get_others_between_them() {
    const LEVELS: usize = 9;
    let words = "--sweep learning_rate=log:0.05:10:9 --epochs 300 --margin 100 --max-runs 20000 --strategy";
    for strategy in ["uniform", "neyman"] {
        let folder = made("minimum<=50%", &format!("{words} {strategy}"));
        let batches: Vec<Value> = rounds(&folder).iter().map(|round| round["batches"].clone()).collect();
        let levels_of = |round: &Value| -> Vec<f64> {
            let levels = round.as_array().unwrap().iter().flat_map(|batch| batch["levels"].as_array().unwrap());
            levels.map(|level| level.as_f64().unwrap()).collect()
        };
        let (first, second) = (levels_of(&batches[0]), levels_of(&batches[1]));
        assert_eq!(first.len(), LEVELS);
        assert!(!second.is_empty() && second.iter().all(|level| !first.contains(level)), "{second:?}");
        let found = stats(&folder, "--x learning_rate --margin 100");
        assert!(found["groups"].as_array().unwrap().len() > LEVELS, "{}", found["groups"]);
        assert_eq!(found["minimum"]["verdict"], "located", "{strategy} {}", found["minimum"]);
    }
}

#[test]
fn a_place_that_no_run_would_tell_ends_the_sweep() {
    for (words, reason) in [
        ("--hidden-std-dev log:0.3:3:9 --epochs 100 --margin 50%", "no two levels differ by more than 50 %"),
        ("--hidden-std-dev log:1:50:9 --margin 1%", "the minimum lies at the end of the sweep"),
    ] {
        let folder = Folder::new();
        let ended = sweep(&folder, "minimum<=10%", &format!("x.csv {words} --strategy uniform --max-runs 20000"));
        ended.fails_with(3).says("minimum<=10% cannot be reached").says(reason).says("are stored");
        assert!(folder.path("x.csv").exists(), "the runs are kept");
    }
}

#[test]
fn run_reports_how_it_got_there() {
    let folder = Folder::new();
    let finished = initsweep("run").arg("--until").arg(QUICK).in_folder(&folder).run().succeeds();
    finished
        .says("round 1: 2,500 runs")
        .says("is reached")
        .prints("minimum<=10% by the strategy minimum: reached with");
    let report = folder.text("output/report.html");
    assert!(report.contains("minimum&#60;=10%") || report.contains("minimum&lt;=10%"), "the goal is in the report");
    assert!(report.contains("How it got there") && report.contains("<td>2,500</td><td>25</td>"), "the rounds are, too");
    let summary: Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    assert_eq!(summary["provenance"]["inputs"][0]["histories"][0]["goal"], "minimum<=10%");
    // At a limit there is a report as well.
    let folder = Folder::new();
    let words = "run --quiet --max-runs 5000";
    initsweep(words).arg("--until").arg("minimum<=1%").in_folder(&folder).run().fails_with(1).says("not reached");
    assert!(folder.path("output/report.html").exists());
}

#[test]
fn nonsense_is_refused() {
    let folder = Folder::new();
    for goal in ["", "minimum", "minimum<1%", "minimum<=0%", "minimum<=200%", "se<=x", "best<=1%", "reference decided"]
    {
        let refused = sweep(&folder, goal, "x.csv").fails_with(2);
        refused.says("minimum<=2%").says("se<=0.5%").says("reference NAME decided");
    }
    for (goal, words, reason) in [
        ("reference Bengio decided", "", "there are: 1, Xavier"),
        ("se<=1%", "--strategy minimum", "about the minimum alone"),
        ("minimum<=2%", "--hidden-std-dev 0.5,1", "at least 5 levels"),
        ("minimum<=2%", "--hidden-std-dev 0.5", "one swept setting"),
        ("minimum<=2%", "--sweep hidden_std_dev=0.5,1 --sweep output_std_dev=0.5,1", "one swept setting"),
        ("minimum<=2%", "--runs 5", "--runs"),
        ("minimum<=2%", "--max-runs 0", "--max-runs"),
        ("minimum<=2%", "--max-time soon", "90s"),
    ] {
        sweep(&folder, goal, &format!("x.csv {words}")).fails_with(2).says(reason);
    }
    initsweep("sweep --to x.csv --max-runs 5").in_folder(&folder).run().fails_with(2).says("--until");
    assert!(folder.names(".").is_empty(), "{:?}", folder.names("."));
}
