//! `--goal`: whether the least or the greatest value is the best; `--margin`: as a share or in the metric's unit.
//!
//! The greatest value of a metric is the least of its negation, so that every answer about the one must be that about the
//! other, to the last bit.

use serde_json::{Value, json};

use crate::harness::{Folder, Sequence, fixture, initsweep, sample};

/// Accuracies of five runs at each of four learning rates, best at 0.1.
const ACCURACY: &str = "lr,accuracy
0.001,69.06\n0.001,70.22\n0.001,71.29\n0.001,71.53\n0.001,71.18
0.01,78.69\n0.01,79.54\n0.01,79.76\n0.01,80.05\n0.01,80.33
0.1,83.95\n0.1,84.68\n0.1,84.91\n0.1,85.25\n0.1,85.94
1,57.73\n1,59.42\n1,59.91\n1,60.04\n1,60.48
";

fn accuracy() -> Folder {
    Folder::with("accuracy.csv", ACCURACY)
}

fn stats(folder: &Folder, words: &str) -> Value {
    initsweep(format!("stats {words} --format json")).in_folder(folder).run().succeeds().json()
}

fn kinds(json: &Value) -> Vec<&str> {
    json["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

/// `text` with every number of the column `name` negated.
fn negated(text: &str, name: &str) -> String {
    let (header, rows) = text.split_once('\n').unwrap();
    let place = header.split(',').position(|head| head == name).unwrap();
    let row = |row: &str| {
        let mut cells: Vec<String> = row.split(',').map(String::from).collect();
        cells[place] = match cells[place].strip_prefix('-') {
            Some(size) => size.into(),
            None => format!("-{}", cells[place]),
        };
        cells.join(",") + "\n"
    };
    format!("{header}\n{}", rows.lines().map(row).collect::<String>())
}

/// The JSON with every estimate turned round: numbers negated, lower and upper ends exchanged.
fn turned(estimate: &Value) -> Value {
    let minus = |key: &str| estimate[key].as_f64().map_or(Value::Null, |number| json!(-number));
    json!([minus("estimate"), estimate["standard_error"], minus("ci_upper"), minus("ci_lower")])
}

fn plain(estimate: &Value) -> Value {
    json!([estimate["estimate"], estimate["standard_error"], estimate["ci_lower"], estimate["ci_upper"]])
}

/// Checks that `max`, with `--goal max`, says of the values what `min`, of the negated ones, says with `--goal min`.
fn assert_mirrored(max: &Value, min: &Value) {
    assert_eq!((max["goal"].as_str(), min["goal"].as_str()), (Some("max"), Some("min")));
    let [ours, theirs] = [max, min].map(|json| &json["minimum"]);
    for key in ["confidence_set", "margin", "verdict", "edge", "more_runs_per_level", "undecided_levels"] {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    for key in ["level", "ci_lower", "ci_upper", "value_standard_error"] {
        assert_eq!(ours["fitted"][key], theirs["fitted"][key], "{key}");
    }
    let minus = |value: &Value| json!(-value.as_f64().unwrap());
    for (ours_key, theirs_key) in
        [("value", "value"), ("value_ci_lower", "value_ci_upper"), ("value_ci_upper", "value_ci_lower")]
    {
        assert_eq!(ours["fitted"][ours_key], minus(&theirs["fitted"][theirs_key]), "{ours_key}");
    }
    assert_eq!(plain(&ours["cross_fitted"]), turned(&theirs["cross_fitted"]));
    assert_eq!(ours["observed"]["level"], theirs["observed"]["level"]);
    assert_eq!(ours["observed"]["mean"], minus(&theirs["observed"]["mean"]));
    assert_eq!(
        ours["observed"]["levels_with_overlapping_interval"],
        theirs["observed"]["levels_with_overlapping_interval"]
    );
    assert_eq!(max["paired"], min["paired"]);
    for (ours, theirs) in max["groups"].as_array().unwrap().iter().zip(min["groups"].as_array().unwrap()) {
        assert_eq!((&ours["p_best"], &ours["in_confidence_set"]), (&theirs["p_best"], &theirs["in_confidence_set"]));
    }
    let differences = |json: &Value| -> Vec<Value> {
        let to_minimum = json["references"].as_array().unwrap().iter().map(|one| one["difference_to_minimum"].clone());
        let pairs = json["reference_pairs"].as_array().unwrap().iter().map(|pair| pair["difference"].clone());
        to_minimum.chain(pairs).collect()
    };
    let (ours, theirs) = (differences(max), differences(min));
    assert!(!ours.is_empty() && ours.len() == theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(plain(ours), turned(theirs));
        for key in ["percent", "percent_ci_lower", "percent_ci_upper", "p_value", "verdict", "variance_reduction"] {
            assert_eq!(ours[key], theirs[key], "{key}");
        }
    }
}

/// Checks the same of a file, and of words besides.
fn assert_mirrored_in(folder: &Folder, name: &str, words: &str) -> Value {
    folder.write("negated.csv", negated(&folder.text(name), "loss"));
    let max = stats(folder, &format!("{name} --goal max {words}"));
    let min = stats(folder, &format!("negated.csv --goal min {words}"));
    assert_mirrored(&max, &min);
    max
}

/// Twelve levels with 30 runs each, whose mean is highest at 1.
fn hill() -> String {
    let mut numbers = Sequence(3);
    let mut run = |level: u32| {
        let x = 0.25 * f64::from(level);
        let noise = (0..4).map(|_| numbers.below(1000) as f64 / 1000.0).sum::<f64>() - 2.0;
        format!("{x},{:.3}\n", 80.0 - 20.0 * x.ln().powi(2) + 2.0 * noise)
    };
    let rows: String = (1..=12).flat_map(|level| (0..30).map(move |_| level)).map(&mut run).collect();
    format!("hidden_std_dev,loss\n{rows}")
}

#[test]
fn the_greatest_accuracy_is_the_best() {
    let folder = accuracy();
    let found = stats(&folder, "accuracy.csv --x lr --y accuracy --goal max");
    assert_eq!((&found["goal"], &found["minimum"]["observed"]["level"]), (&json!("max"), &json!(0.1)));
    let mean = found["minimum"]["observed"]["mean"].as_f64().unwrap();
    assert!((mean - 84.946).abs() < 1e-9, "{mean}");
    assert!(kinds(&found).is_empty(), "{found}");
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert!(keys.contains(&&"goal".to_string()));
    let table = initsweep("stats accuracy.csv --x lr --y accuracy --goal max").in_folder(&folder).run().succeeds();
    let text = table.prints("The mean accuracy is highest at lr = ").prints("greatest observed mean: 84.9").text();
    assert!(!text.contains("lowest") && !text.contains("least") && !text.contains("minimum"), "{text}");
}

#[test]
fn a_goal_that_was_not_given_is_asked_for_where_the_name_suggests_one() {
    let folder = accuracy();
    let found = stats(&folder, "accuracy.csv --x lr --y accuracy");
    assert_eq!((&found["goal"], &found["minimum"]["observed"]["level"]), (&json!("min"), &json!(1.0)));
    assert_eq!(kinds(&found), ["goal_not_given", "minimum_at_edge"]);
    let warning = &found["warnings"][0];
    assert_eq!(
        warning["message"],
        "the metric accuracy looks like one to be maximised, and its least value was taken as the best"
    );
    assert_eq!(warning["advice"], "say --goal max, or --goal min to silence this");
    assert_eq!(kinds(&stats(&folder, "accuracy.csv --x lr --y accuracy --goal min")), ["minimum_at_edge"]);
    folder.write("loss.csv", ACCURACY.replace("accuracy", "val_loss"));
    assert_eq!(kinds(&stats(&folder, "loss.csv --x lr --y val_loss")), ["minimum_at_edge"]);
    // The commands that show no other warning show this one.
    let words = "accuracy.csv --x lr --y accuracy";
    for (command, more) in [("plan", "--budget 10 --strategy ocba"), ("compare accuracy.csv", "")] {
        let run =
            |goal: &str| initsweep(format!("{command} {words} {more} {goal}")).in_folder(&folder).run().succeeds();
        run("").says("looks like one to be maximised").says("say --goal max");
        assert_eq!(run("--goal max").stderr, "");
        assert_eq!(run("--quiet").stderr, "");
    }
    initsweep(format!("stats {words} --goal most")).in_folder(&folder).run().fails_with(2).says("min, max");
}

#[test]
fn the_greatest_value_is_the_least_of_the_negated() {
    let folder = Folder::with("hill.csv", hill());
    let references = "--reference a=0.5 --reference b=1.3";
    let found = assert_mirrored_in(&folder, "hill.csv", references);
    let level = found["minimum"]["fitted"]["level"].as_f64().unwrap();
    assert!((level - 1.0).abs() < 0.1, "the truth is 1: {level}");
    assert!(found["minimum"]["cross_fitted"]["estimate"].as_f64().unwrap() > 70.0);
    let far = found["references"].as_array().unwrap().iter().find(|reference| reference["name"] == "a").unwrap();
    assert_eq!(far["difference_to_minimum"]["verdict"], "worse", "a fall from 80 to 70");
    let percent = far["difference_to_minimum"]["percent"].as_f64().unwrap();
    assert!((-13.0..-11.0).contains(&percent), "{percent}: from 80 to 70");
    let pair = &found["reference_pairs"].as_array().unwrap().last().unwrap();
    assert!(pair["difference"]["percent"].as_f64() > Some(10.0), "from 70 to 78 and more: {pair}");
    // The other way round, of a metric that is above 0, and with another margin and confidence.
    assert_mirrored_in(&folder, "hill.csv", &format!("{references} --margin 3% --confidence 80%"));
    // Without a curve: two levels.
    folder.write("two.csv", "hidden_std_dev,loss\n0.5,3\n0.5,4\n0.5,3.5\n2,7\n2,7.5\n2,6.5\n");
    let max = stats(&folder, "two.csv --goal max --reference a=0.5 --reference b=2");
    folder.write("negated.csv", negated(&folder.text("two.csv"), "loss"));
    let min = stats(&folder, "negated.csv --goal min --reference a=0.5 --reference b=2");
    assert_eq!((&max["minimum"]["verdict"], &max["minimum"]["edge"]), (&json!("at_edge"), &json!("high")));
    for key in ["verdict", "edge", "margin", "confidence_set"] {
        assert_eq!(max["minimum"][key], min["minimum"][key], "{key}");
    }
    // The last pair is that of the two named ones.
    let pair = |json: &Value| json["reference_pairs"].as_array().unwrap().last().unwrap()["difference"].clone();
    assert_eq!(plain(&pair(&max)), turned(&pair(&min)));
    assert_eq!((&pair(&max)["verdict"], &pair(&min)["verdict"]), (&json!("better"), &json!("better")));
}

#[test]
fn paired_and_refined_runs_are_turned_too() {
    let folder = Folder::new();
    let sweep = "sweep --quiet --paired --to paired.csv --hidden-std-dev log:0.2:2:9 --runs 40 --epochs 2000";
    initsweep(sweep).in_folder(&folder).run().succeeds();
    // Of the negated loss the greatest is the best: a maximum within the levels.
    folder.write("up.csv", negated(&folder.text("paired.csv"), "loss"));
    let found = assert_mirrored_in(&folder, "up.csv", "");
    assert_eq!(found["paired"]["replicates"], 40);
    let sweep = initsweep("sweep --quiet --to refined.csv --epochs 3000").arg("--until").arg("minimum<=12%");
    sweep.in_folder(&folder).run().succeeds();
    folder.write("up.csv", negated(&folder.text("refined.csv"), "loss"));
    let max = assert_mirrored_in(&folder, "up.csv", "");
    let plain = stats(&folder, "refined.csv");
    assert_eq!(max["minimum"]["fitted"]["level"], plain["minimum"]["fitted"]["level"]);
    assert!(max["minimum"]["cross_fitted"].is_null(), "a refined design has no cross-fitted value");
    // The history of the estimate and the curve of the figure go the same way.
    initsweep("plot history up.csv --goal max --format svg").in_folder(&folder).run().succeeds();
    let history = folder.text("output/history.svg");
    assert!(history.contains("the maximum is at") && history.contains("fitted maximum"), "{history}");
}

#[test]
fn other_statistics_have_a_goal_too() {
    let folder = Folder::with("hill.csv", hill());
    for statistic in ["median", "trimmed"] {
        let found = stats(&folder, &format!("hill.csv --goal max --statistic {statistic}"));
        let level = found["minimum"]["fitted"]["level"].as_f64().unwrap();
        assert!((level - 1.0).abs() < 0.1, "{statistic}: the truth is 1: {level}");
    }
    let runs = fixture("xor-25k.csv");
    let of = |goal: &str| stats(&folder, &format!("{runs} --statistic solved-share {goal}"));
    let (usual, most, least) = (of(""), of("--goal max"), of("--goal min"));
    assert_eq!((&usual["goal"], &usual["minimum"]), (&json!("max"), &most["minimum"]));
    let share = |json: &Value| json["minimum"]["observed"]["value"]["estimate"].as_f64().unwrap();
    let all: Vec<f64> = usual["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["solved_share"]["estimate"].as_f64().unwrap())
        .collect();
    assert_eq!(share(&most), all.iter().copied().fold(0.0, f64::max));
    assert_eq!(share(&least), all.iter().copied().fold(1.0, f64::min));
    let told = initsweep(format!("stats {runs} --statistic solved-share --goal min")).run().succeeds();
    told.prints("The lowest share of solved runs is").prints("least observed share of solved runs");
    // Of a share that is greatest in the middle there is a least one at either end.
    assert_eq!(least["minimum"]["verdict"], "not_unimodal");
    let dips: Vec<f64> = least["minimum"]["dips"].as_array().unwrap().iter().map(|dip| dip.as_f64().unwrap()).collect();
    assert!(dips.len() >= 2 && dips[0] < 0.1 && dips[dips.len() - 1] > 10.0, "{dips:?}");
    assert!(dips.iter().all(|dip| !(0.15..2.0).contains(dip)), "{dips:?}");
}

#[test]
fn reports_and_figures_speak_of_the_maximum() {
    let folder = accuracy();
    let words = "accuracy.csv --x lr --y accuracy --goal max --reference low=0.01";
    initsweep(format!("report {words} --format html,md")).in_folder(&folder).run().succeeds();
    let report = folder.text("output/report.md").replace("mean without the least and the greatest tenth", "");
    for word in
        ["highest", "place of the maximum", "greatest observed mean", "against the maximum", "tends to be too high"]
    {
        assert!(report.contains(word), "{word} is missing in {report}");
    }
    for word in ["lowest", "minimum", "least", "too low"] {
        assert!(!report.contains(word), "{word} is in {report}");
    }
    let svg = folder.text("output/loss-vs-std-dev.svg");
    assert!(svg.contains("maximum 0.06") && !svg.contains("minimum"), "{svg}");
    folder.write("grid.csv", "a,b,acc\n1,1,5\n1,2,6\n2,1,9\n2,2,7\n");
    for (goal, said) in [("max", "highest: 9 at 2, 1"), ("min", "lowest: 5 at 1, 1")] {
        let words = format!("plot heatmap grid.csv --x a --by b --y acc --format svg --goal {goal}");
        initsweep(words).in_folder(&folder).run().succeeds();
        assert!(folder.text("output/heatmap.svg").contains(said), "{said}");
    }
}

#[test]
fn plans_put_runs_at_the_greatest() {
    let folder = Folder::with("hill.csv", hill());
    folder.write("negated.csv", negated(&hill(), "loss"));
    for strategy in ["ocba", "minimum", "neyman", "relative-error"] {
        let plan = |words: &str| {
            let words = format!("plan {words} --budget 5000 --strategy {strategy} --format json");
            initsweep(words).in_folder(&folder).run().succeeds().json()
        };
        let (max, min) = (plan("hill.csv --goal max"), plan("negated.csv"));
        assert_eq!((&max["goal"], &min["goal"]), (&json!("max"), &json!("min")));
        assert_eq!((&max["allocation"], &max["minimum"]), (&min["allocation"], &min["minimum"]), "{strategy}");
    }
    let told = initsweep("plan hill.csv --goal max --budget 100 --strategy ocba").in_folder(&folder).run().succeeds();
    told.prints("The maximum, hidden_std_dev = ");
    let rising = "level,mean,std_dev,n\n1,1,0.1,50\n2,2,0.1,50\n3,3,0.1,50\n4,4,0.1,50\n5,5,0.1,50\n";
    folder.write("rising.csv", rising);
    let words = "plan rising.csv --goal max --budget 10 --strategy minimum";
    initsweep(words).in_folder(&folder).run().fails_with(3).says("the maximum lies at the end");
}

#[test]
fn worse_is_lower_where_the_greatest_is_the_best() {
    let folder = Folder::with("a.csv", hill());
    let lower = |row: &str| match row.split_once(',') {
        Some((level, value)) if level != "hidden_std_dev" => {
            format!("{level},{}\n", value.parse::<f64>().unwrap() - 3.0)
        }
        _ => format!("{row}\n"),
    };
    folder.write("b.csv", hill().lines().map(lower).collect::<String>());
    let run = |words: &str, condition: &str| {
        initsweep(format!("compare a.csv b.csv {words} --fail-on")).arg(condition).in_folder(&folder).run()
    };
    for subject in ["minimum", "mean", "level"] {
        run("--goal max", &format!("{subject} worse")).fails_with(1).prints("maximum, hidden_std_dev");
        run("--goal max", &format!("{subject} better")).succeeds();
    }
    for subject in ["mean", "level"] {
        run("", &format!("{subject} better")).fails_with(1).prints("minimum, hidden_std_dev");
        run("", &format!("{subject} worse")).succeeds();
    }
    run("--goal max", "maximum worse").fails_with(1);
    run("--goal max", "maximum moved").succeeds();
    run("", "maximum worse").fails_with(2).says("--goal max");
    let json = initsweep("compare a.csv b.csv --goal max --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(json["goal"], "max");
    let change = json["value"]["difference"]["estimate"].as_f64().unwrap();
    assert!((change + 3.0).abs() < 1e-6, "{change}");
}

#[test]
fn an_earlier_report_without_a_goal_sought_the_minimum() {
    let folder = Folder::with("hill.csv", hill());
    let report = |words: &str| initsweep(format!("report hill.csv {words}")).in_folder(&folder).run();
    report("--goal max --out high").succeeds();
    report("--out low").succeeds();
    let old = folder.text("low/summary.json").replace("  \"goal\": \"min\",\n", "");
    assert!(!old.contains("\"goal\""));
    folder.write("old.json", old);
    report("--baseline old.json").succeeds();
    report("--baseline high/summary.json --goal max").succeeds().prints("The runs are the same");
    for baseline in ["old.json", "low/summary.json"] {
        let refused = report(&format!("--baseline {baseline} --goal max")).fails_with(3);
        refused.says("it is about the minimum, not the maximum").says("--goal");
    }
    report("--baseline high/summary.json").fails_with(3).says("it is about the maximum, not the minimum");
    // The share of solved runs was maximised before there was a goal.
    let share = |out: &str| format!("report {} --statistic solved-share {out}", sample());
    initsweep(share("--out share")).in_folder(&folder).run().succeeds();
    folder.write("old.json", folder.text("share/summary.json").replace("  \"goal\": \"max\",\n", ""));
    initsweep(share("--baseline old.json")).in_folder(&folder).run().succeeds().prints("The runs are the same");
}

#[test]
fn a_sweep_and_its_file_take_a_goal_and_a_margin() {
    let folder = Folder::with("sweep.toml", "goal = \"max\"\nmargin = 20\nquiet = true\n");
    let few = "--hidden-std-dev lin:0.3:1:5 --runs 4 --epochs 50";
    initsweep(format!("run sweep.toml {few}")).in_folder(&folder).run().succeeds();
    let summary: Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    assert_eq!((&summary["goal"], &summary["minimum"]["margin"]), (&json!("max"), &json!(20.0)));
    folder.write("wrong.toml", "seed = 1\nmargin = \"most\"\n");
    initsweep("run wrong.toml").in_folder(&folder).run().fails_with(2).says("wrong.toml, line 2").says("--margin");
    folder.write("wrong.toml", "goal = \"most\"\n");
    initsweep("run wrong.toml").in_folder(&folder).run().fails_with(2).says("one of min, max");
    initsweep("sweep --to x.csv --goal max").in_folder(&folder).run().fails_with(2).says("--until");
    // The loss is greatest at an end of these levels: there is nothing to refine around.
    let words = "sweep --to x.csv --goal max --margin 5 --epochs 200 --hidden-std-dev log:0.5:2:9";
    let sought = initsweep(words).arg("--until").arg("minimum<=10%").in_folder(&folder).run();
    sought.fails_with(3).says("maximum at ").says("the maximum lies at the end of the sweep");
}

#[test]
fn a_margin_is_a_share_or_a_number_in_the_unit_of_the_metric() {
    let folder = Folder::with("hill.csv", hill());
    let words = "hill.csv --goal max --reference a=0.5 --reference b=1.1";
    let usual = stats(&folder, words);
    let number = |json: &Value, key: &str| json["minimum"][key].as_f64().unwrap();
    let best = usual["minimum"]["fitted"]["value"].as_f64().unwrap();
    assert_eq!(number(&usual, "margin"), 0.01 * best, "1 % of the best value");
    // Both go the same way but for what they are called.
    let answers = |json: &Value| {
        ["minimum", "references", "reference_pairs", "steps", "groups", "warnings"].map(|key| json[key].clone())
    };
    for (share, as_number) in [("1%", 0.01), ("0.5%", 0.005), ("10%", 0.1)] {
        let relative = stats(&folder, &format!("{words} --margin {share}"));
        let absolute = stats(&folder, &format!("{words} --margin {:?}", as_number * best));
        assert_eq!(answers(&relative), answers(&absolute), "{share}");
    }
    assert_eq!(answers(&stats(&folder, &format!("{words} --margin 1%"))), answers(&usual), "the default");
    let said = |margin: &str| initsweep(format!("stats {words} --margin {margin}")).in_folder(&folder).run().succeeds();
    said("5%").prints("more than 5 % below its maximum").prints("worse by more than 5 %");
    said("2.5").prints("more than 2.5 below its maximum").prints("worse by more than 2.5").prints("within 2.5");
    assert_eq!(number(&stats(&folder, &format!("{words} --margin 5/2")), "margin"), 2.5);
    initsweep(format!("report {words} --margin 2.5 --format md")).in_folder(&folder).run().succeeds();
    let report = folder.text("output/report.md");
    assert!(report.contains("against a margin of 2.5 (two one-sided tests"), "{report}");
    initsweep(format!("report {words} --format md")).in_folder(&folder).run().succeeds();
    assert!(folder.text("output/report.md").contains("against a margin of 1 % of the maximum (two"));
    for margin in ["0", "0%", "100%", "-1", "x", "1/0"] {
        let refused = initsweep(format!("stats {words} --margin={margin}")).in_folder(&folder).run();
        refused.fails_with(2).says("such as 1%").says("such as 0.02");
    }
}
