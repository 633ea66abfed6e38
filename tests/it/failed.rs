//! Failed runs are outcomes: every level keeps its row, and the best is sought among the levels
//! where runs do not fail.

use roxmltree::{Document, Node};
use serde_json::{Value, json};

use crate::harness::{Folder, initsweep};
use crate::svg::{assert_sound, lines_of};

/// Three runs at each of seven learning rates. The loss falls up to 0.03, where two runs diverge;
/// at 0.1 all do.
const LOSSES: &str = "lr,seed,val_loss
0.0001,0,1.00\n0.0001,1,1.02\n0.0001,2,0.98
0.0003,0,0.90\n0.0003,1,0.93\n0.0003,2,0.88
0.001,0,0.70\n0.001,1,0.69\n0.001,2,0.74
0.003,0,0.55\n0.003,1,0.58\n0.003,2,0.52
0.01,0,0.45\n0.01,1,0.44\n0.01,2,0.49
0.03,0,0.31\n0.03,1,nan\n0.03,2,inf
0.1,0,nan\n0.1,1,nan\n0.1,2,nan
";

fn losses() -> Folder {
    Folder::with("runs.csv", LOSSES)
}

fn stats(folder: &Folder, words: &str) -> Value {
    initsweep(format!("stats runs.csv --x lr --y val_loss --format json {words}"))
        .in_folder(folder)
        .run()
        .succeeds()
        .json()
}

fn table(folder: &Folder, words: &str) -> String {
    initsweep(format!("stats runs.csv --x lr --y val_loss {words}")).in_folder(folder).run().succeeds().text()
}

fn group(json: &Value, level: f64) -> &Value {
    json["groups"].as_array().unwrap().iter().find(|group| group["level"] == level).unwrap()
}

fn kinds(json: &Value) -> Vec<&str> {
    json["warnings"].as_array().unwrap().iter().map(|warning| warning["kind"].as_str().unwrap()).collect()
}

#[test]
fn the_best_level_is_one_where_no_run_failed() {
    let folder = losses();
    let json = stats(&folder, "");
    assert_eq!(json["minimum"]["observed"]["level"], 0.01);
    assert_eq!(json["rows"]["read"], 21);
    assert_eq!((&json["rows"]["used"], &json["rows"]["failed"]), (&json!(16), &json!(5)));
    let text = table(&folder, "");
    let finding = "among the levels where no run failed; from 0.03 on, 5 of 6 runs failed";
    assert!(text.contains(finding), "{text}");
    assert!(text.contains("Rows: 21 read = 16 used + 5 failed"), "{text}");
    assert!(text.contains("warning: 5 of 21 runs failed, at 2 levels: 0.03, 0.1"), "{text}");
}

#[test]
fn every_level_keeps_its_row_in_every_format() {
    let folder = losses();
    let json = stats(&folder, "");
    assert_eq!(json["groups"].as_array().unwrap().len(), 7);
    let partly = group(&json, 0.03);
    for (key, value) in
        [("runs", json!(3)), ("failed", json!(2)), ("n", json!(1)), ("mean", json!(0.31)), ("eligible", json!(false))]
    {
        assert_eq!(partly[key], value, "{key}");
    }
    // Wilson's interval of 2 of 3 by hand: 0.57308 ± 0.36542.
    let share = &partly["failed_share"];
    let near = |key: &str, expected: f64| (share[key].as_f64().unwrap() - expected).abs() < 5e-5;
    assert!(near("estimate", 0.66667) && near("ci_lower", 0.20766) && near("ci_upper", 0.93851), "{share}");
    let lost = group(&json, 0.1);
    assert_eq!((&lost["n"], &lost["failed"], &lost["failed_share"]["estimate"]), (&json!(0), &json!(3), &json!(1.0)));
    for key in ["mean", "std_dev", "median", "min", "max", "p_best", "in_confidence_set", "trimmed_mean"] {
        assert_eq!(lost[key], Value::Null, "{key}");
    }
    assert_eq!(group(&json, 0.01)["eligible"], true);

    let csv = table(&folder, "--format csv");
    let heads: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let cell = |line: &str, name: &str| {
        line.split(',').nth(heads.iter().position(|head| *head == name).unwrap()).unwrap().to_string()
    };
    let last = csv.lines().last().unwrap();
    let cells = ["level", "n", "mean", "runs", "failed", "failed_share", "eligible"].map(|name| cell(last, name));
    assert_eq!(cells, ["0.1", "0", "", "3", "3", "1", "0"]);
    assert_eq!(csv.lines().count(), 8);

    for format in ["table", "markdown"] {
        let text = table(&folder, &format!("--format {format}"));
        assert!(text.contains("2 of 3") && text.contains("3 of 3") && text.contains("67 % (21 … 94 %)"), "{text}");
    }
}

#[test]
fn without_failed_runs_nothing_is_said_of_them() {
    let folder = Folder::with("runs.csv", LOSSES.split("0.03,").next().unwrap());
    for format in ["table", "csv", "markdown"] {
        let text = table(&folder, &format!("--format {format} --failed-as 7 --max-failed 20%"));
        assert!(!text.contains("fail"), "{text}");
        assert_eq!(text, table(&folder, &format!("--format {format}")));
    }
    let json = stats(&folder, "");
    assert_eq!((&json["rows"]["failed"], &json["groups"][0]["failed"]), (&json!(0), &json!(0)));
}

#[test]
fn an_edge_where_runs_fail_is_no_free_edge() {
    let folder = losses();
    let json = stats(&folder, "");
    assert_eq!((&json["minimum"]["verdict"], &json["minimum"]["edge"]), (&json!("at_edge"), &json!("high")));
    assert!(!kinds(&json).contains(&"minimum_at_edge"), "{:?}", kinds(&json));
    let text = table(&folder, "");
    assert!(text.contains("or between 0.01 and 0.03: only levels there would tell more"), "{text}");
    assert!(!text.contains("extend the sweep"), "{text}");
    // A free edge is still one.
    let free = Folder::with("runs.csv", LOSSES.split("0.03,").next().unwrap());
    assert!(table(&free, "").contains("extend the sweep there"));
    let plan = initsweep("plan runs.csv --x lr --y val_loss --strategy minimum --budget 9").in_folder(&folder).run();
    plan.fails_with(3).says("make levels between 0.01 and 0.03");
}

#[test]
fn a_share_of_failed_runs_can_be_allowed() {
    let folder = losses();
    let json = stats(&folder, "--max-failed 2/3");
    assert_eq!((&json["minimum"]["observed"]["level"], &json["max_failed"]), (&json!(0.03), &json!(2.0 / 3.0)));
    assert_eq!(group(&json, 0.03)["eligible"], true);
    let text = table(&folder, "--max-failed 67%");
    let condition = "of the runs that did not fail, among the levels where at most 67 % of the runs failed";
    assert!(text.contains(condition), "{text}");
    for wrong in ["1.5", "-0.1", "nan"] {
        initsweep(format!("stats runs.csv --x lr --y val_loss --max-failed={wrong}"))
            .in_folder(&folder)
            .run()
            .fails_with(2)
            .says("expected a share from 0 to 1");
    }
}

#[test]
fn failed_runs_can_count_with_a_value() {
    let folder = losses();
    let json = stats(&folder, "--failed-as 3/2");
    // (0.31 + 1.5 + 1.5) / 3
    let partly = group(&json, 0.03);
    assert!((partly["mean"].as_f64().unwrap() - 3.31 / 3.0).abs() < 1e-12, "{partly}");
    assert_eq!((&partly["n"], &partly["failed"], &partly["eligible"]), (&json!(3), &json!(2), &json!(true)));
    assert_eq!((&group(&json, 0.1)["mean"], &json["failed_as"]), (&json!(1.5), &json!(1.5)));
    assert_eq!(json["minimum"]["observed"]["level"], 0.01);
    assert!(table(&folder, "--failed-as 1.5").contains("each failed run counted as 1.5"));
    // With a cap besides, the levels beyond it are out.
    let capped = stats(&folder, "--failed-as -3 --max-failed 0.5");
    assert_eq!(capped["minimum"]["observed"]["level"], 0.01);
    assert_eq!(stats(&folder, "--failed-as -3")["minimum"]["observed"]["level"], 0.1);
}

#[test]
fn a_median_ranks_failed_runs_worst() {
    let folder = Folder::with("runs.csv", LOSSES.replace("0.03,1,nan", "0.03,1,0.40"));
    let json = stats(&folder, "--statistic median");
    // The middle one of 0.31, 0.40 and a failed run.
    let partly = group(&json, 0.03);
    assert_eq!((&partly["median"], &partly["eligible"], &partly["n"]), (&json!(0.40), &json!(true), &json!(2)));
    assert_eq!((&partly["q25"], &partly["q75"]), (&json!(0.355), &Value::Null));
    assert_eq!(group(&json, 0.1)["eligible"], false);
    assert_eq!(json["minimum"]["observed"]["level"], 0.03);
    // Of a maximum the failed run is below all.
    let json = stats(&folder, "--statistic median --goal max");
    assert_eq!(group(&json, 0.03)["median"], 0.31);
    let barred = stats(&folder, "--statistic median --max-failed 0");
    assert_eq!(barred["minimum"]["observed"]["level"], 0.01);
    assert!(
        table(&folder, "--statistic median")
            .contains("failed runs ranked worst, among the levels where the median run did not fail")
    );
}

#[test]
fn one_or_two_levels_are_enough() {
    const LEVELS: [&str; 5] = ["0.0003", "0.001", "0.003", "0.01", "0.03"];
    for (whole, sentence) in [
        (
            2..3,
            "up to 0.001 and from 0.01 on, 4 of 12 runs failed. It is the only one of the levels where no run failed",
        ),
        (2..4, "up to 0.001 and at 0.03, 3 of 9 runs failed. Unresolved: 2 of 2 eligible levels cannot be excluded"),
    ] {
        let run = |place: usize, seed: usize| match (whole.contains(&place), seed) {
            (false, 0) => format!("{},0,nan\n", LEVELS[place]),
            _ => format!("{},{seed},{}\n", LEVELS[place], 1.0 + 0.01 * (seed + place) as f64),
        };
        let rows: String = (0..15).map(|row| run(row / 3, row % 3)).collect();
        let folder = Folder::with("runs.csv", format!("lr,seed,val_loss\n{rows}"));
        let text = table(&folder, "");
        assert!(text.contains(sentence), "{text}");
        initsweep("report runs.csv --x lr --y val_loss").in_folder(&folder).run().succeeds();
        initsweep("plan runs.csv --x lr --y val_loss --strategy neyman --budget 10")
            .in_folder(&folder)
            .run()
            .succeeds();
    }
}

#[test]
fn where_runs_failed_everywhere_there_is_no_best_level() {
    let folder = Folder::with("runs.csv", "lr,val_loss\n1,nan\n1,2\n1,3\n2,nan\n2,4\n");
    initsweep("stats runs.csv --x lr --y val_loss")
        .in_folder(&folder)
        .run()
        .fails_with(3)
        .says("at every level runs failed; the least share is 33.3 %, 1 of 3 at 1")
        .says("--failed-as EXPR");
    assert_eq!(stats(&folder, "--failed-as 9")["groups"][0]["n"], 3);
}

#[test]
fn a_reference_among_failing_levels_has_no_value() {
    let json =
        stats(&losses(), "--reference good=0.003 --reference at=0.03 --reference between=0.02 --reference beyond=1");
    let references = json["references"].as_array().unwrap();
    let known: Vec<bool> = references.iter().map(|reference| !reference["mean"].is_null()).collect();
    assert_eq!(known, [true, false, false, false]);
    let found: Vec<&str> = kinds(&json).into_iter().filter(|kind| kind.starts_with("reference")).collect();
    assert_eq!(found, ["reference_failed", "reference_failed", "reference_outside"]);
}

#[test]
fn the_report_shows_failed_runs() {
    let folder = losses();
    initsweep("report runs.csv --x lr --y val_loss --format html,md").in_folder(&folder).run().succeeds();
    let html = folder.text("output/report.html");
    for text in ["failed runs, %", "5 of 21 runs failed", "<td>2 of 3</td>", "\"failed\":[0,0,0,0,0,2,3]", "Wilson"] {
        assert!(html.contains(text), "{text}");
    }
    assert!(folder.text("output/report.md").contains("| 2 of 3 | 67 % (21 … 94 %) |"));
    let svg = folder.text("output/loss-vs-std-dev.svg");
    for text in ["failed runs", "of those that did not fail", "5 of them failed"] {
        assert!(svg.contains(text), "{text}");
    }
    // An earlier summary with failed levels can be compared with.
    initsweep("report runs.csv --x lr --y val_loss --baseline output/summary.json --out again")
        .in_folder(&folder)
        .run()
        .succeeds();
}

#[test]
fn levels_that_failed_on_one_side_are_not_new_on_the_other() {
    let folder = losses();
    folder.write("before.csv", LOSSES.replace("nan", "0.9").replace("inf", "0.8"));
    let text = initsweep("compare before.csv runs.csv --x lr --y val_loss").in_folder(&folder).run().succeeds().text();
    assert!(text.contains("5 failed") && !text.contains("2 levels: 0.03, 0.1"), "{text}");
}

/// Thirty levels over four decades, where from 0.05 on one run in two fails, and at the last three
/// all do.
fn thirty() -> String {
    let rows = (0..30).flat_map(|place| {
        let level = 10f64.powf(-4.0 + 4.0 * f64::from(place) / 29.0);
        (0..4).map(move |seed| {
            let failed = place > 26 || (place > 19 && seed % 2 == 0);
            let loss = 0.3 + 0.2 * (level.log10() + 2.5).powi(2) + 0.01 * f64::from(seed);
            let loss = if failed { "nan".to_string() } else { loss.to_string() };
            format!("{level},{seed},{loss}\n")
        })
    });
    format!("lr,seed,val_loss\n{}", rows.collect::<String>())
}

#[test]
fn every_level_with_failed_runs_has_a_cross_and_a_bar_below_the_plot() {
    // With 0 beside the axis all of its runs fail.
    let beside = LOSSES.replacen("0.0001,0", "0,0,nan\n0.0001,0", 1);
    let lone = "lr,val_loss\n1,2\n1,3\n2,nan\n2,4\n5,nan\n".to_string();
    for (runs, failing) in [(LOSSES.to_string(), 2), (thirty(), 10), (beside, 3), (lone, 2)] {
        let folder = Folder::with("runs.csv", runs);
        for (size, theme, colour) in [
            ("screen", "light", "#C41A2E"),
            ("slide", "dark", "#FF6B6B"),
            ("one-column", "light", "#C41A2E"),
            ("two-column", "dark", "#FF6B6B"),
        ] {
            let words =
                format!("plot runs.csv --x lr --y val_loss --size {size} --theme {theme} --format svg --out {size}");
            initsweep(words).in_folder(&folder).run().succeeds();
            let svg = folder.text(&format!("{size}/loss-vs-std-dev.svg"));
            assert_sound(&svg);
            let document = Document::parse(&svg).unwrap();
            // A cross is two strokes; one more stands in the legend.
            assert_eq!(lines_of(&document, colour).len(), 2 * (failing + 1), "{size}");
            let is_bar =
                |node: &Node<'_, '_>| node.tag_name().name() == "rect" && node.attribute("fill") == Some(colour);
            assert_eq!(document.descendants().filter(is_bar).count(), failing, "{size}");
        }
    }
}

#[test]
fn summaries_keep_what_they_say_of_failed_runs() {
    let folder = losses();
    let runs = stats(&folder, "");
    initsweep("report runs.csv --x lr --y val_loss").in_folder(&folder).run().succeeds();
    for name in ["summary.csv", "summary.json"] {
        let words = format!("stats output/{name} --x lr --y val_loss --format json");
        let levels = initsweep(words).in_folder(&folder).run().succeeds().json();
        for key in ["level", "runs", "failed", "failed_share", "eligible", "n", "mean"] {
            let of = |json: &Value| -> Vec<Value> {
                json["groups"].as_array().unwrap().iter().map(|group| group[key].clone()).collect()
            };
            assert_eq!(of(&levels), of(&runs), "{name}: {key}");
        }
        assert_eq!(levels["minimum"]["observed"]["level"], 0.01);
    }
}
