//! One axis for the fit and the figures: logarithmic over decades, with a level 0 beside it,
//! otherwise linear.

use roxmltree::Document;
use serde_json::Value;

use crate::harness::{Folder, initsweep};
use crate::svg::{ROUNDED, Words, assert_sound, number, words_of};

/// Five runs at each of some weight decays. Level 0 is far worse than its neighbour: as a place
/// near it, it would bend the curve.
const WEIGHT_DECAY: &str = "weight_decay,val_loss
0,1.18034\n0,1.19360\n0,1.19225\n0,1.17490\n0,1.17702
1e-05,1.07473\n1e-05,1.08570\n1e-05,1.07944\n1e-05,1.08747\n1e-05,1.06153
0.0001,1.03567\n0.0001,1.01904\n0.0001,1.02680\n0.0001,1.01863\n0.0001,1.01621
0.001,1.00463\n0.001,1.00825\n0.001,0.99797\n0.001,0.99847\n0.001,1.00686
0.01,1.01130\n0.01,1.00486\n0.01,1.02395\n0.01,1.01329\n0.01,1.00080
0.1,1.07186\n0.1,1.07532\n0.1,1.06807\n0.1,1.06508\n0.1,1.08037
";
const WORDS: &str = "--x weight_decay --y val_loss";

/// Level 0 beside others that are close enough for a curve between them.
const HALF_DECADES: [f64; 7] = [0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Runs of y at levels of x, two at each: `mean` of it and 0.1 to either side.
fn runs(levels: &[f64], mean: impl Fn(f64) -> f64) -> String {
    let rows = levels.iter().flat_map(|x| [-0.1, 0.1].map(|off| format!("{x},{}\n", mean(*x) + off)));
    ["x,y\n".to_string()].into_iter().chain(rows).collect()
}

fn stats(csv: &str, words: &str) -> Value {
    let folder = Folder::with("runs.csv", csv);
    initsweep(format!("stats runs.csv --format json {words}")).in_folder(&folder).run().succeeds().json()
}

fn fitted(stats: &Value) -> f64 {
    stats["minimum"]["fitted"]["level"].as_f64().unwrap()
}

#[test]
fn level_zero_beside_decades_does_not_bend_the_fit() {
    let with_zero = stats(WEIGHT_DECAY, WORDS);
    let without_zero: String =
        WEIGHT_DECAY.lines().filter(|row| !row.starts_with("0,")).fold(String::new(), |a, b| a + b + "\n");
    let without_zero = stats(&without_zero, WORDS);
    assert_eq!((&with_zero["x_scale"], &without_zero["x_scale"]), (&"log".into(), &"log".into()));
    assert_eq!(with_zero["minimum"]["fitted"], without_zero["minimum"]["fitted"]);
    assert!((0.0005..0.003).contains(&fitted(&with_zero)), "{}", with_zero["minimum"]);
    // It is a level like any other where levels are compared one by one.
    let groups = with_zero["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 6);
    assert_eq!((&groups[0]["level"], &groups[0]["in_confidence_set"]), (&0.0.into(), &false.into()));
    assert!(groups.iter().map(|group| group["p_best"].as_f64().unwrap()).sum::<f64>() > 1.0 - 1e-9);
    assert_eq!(with_zero["warnings"].as_array().unwrap().len(), 0, "{}", with_zero["warnings"]);
}

#[test]
fn places_of_undecided_levels_count_level_zero() {
    // Nothing is settled between the three levels above 0; 0 itself is out of the question.
    let mean = |x: f64| if x == 0.0 { 9.0 } else { 1.0 + 0.01 * (x - 1.0) };
    let found = stats(&runs(&[0.0, 0.1, 1.0, 10.0], mean), "--x x --y y");
    let undecided: Vec<f64> =
        found["minimum"]["undecided_levels"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    assert!(!undecided.is_empty() && undecided.iter().all(|level| [0.1, 1.0, 10.0].contains(level)), "{undecided:?}");
}

#[test]
fn less_than_a_decade_is_fitted_linearly() {
    let parabola = runs(&[1.0, 2.0, 3.0, 4.0, 5.0], |x| 1.0 + (x - 3.0) * (x - 3.0));
    let usual = stats(&parabola, "--x x --y y");
    assert_eq!(usual["x_scale"], "linear");
    // The middle of curves that are drawn at random.
    assert!((fitted(&usual) - 3.0).abs() < 0.01, "{}", usual["minimum"]);
    let asked = stats(&parabola, "--x x --y y --x-scale log");
    assert_eq!(asked["x_scale"], "log");
    assert!((fitted(&asked) - 3.0).abs() > 0.05, "{}", asked["minimum"]);
    let keys: Vec<&String> = usual.as_object().unwrap().keys().collect();
    let at = keys.iter().position(|key| *key == "confidence").unwrap();
    // Readers that show the document's order see it there; this one may sort.
    assert!(keys.is_sorted() || keys[at + 1] == "x_scale", "{keys:?}");
}

#[test]
fn a_parabola_in_the_logarithm_is_found_on_a_logarithmic_axis() {
    let levels = [0.01, 0.1, 1.0, 10.0, 100.0];
    let found = stats(&runs(&levels, |x| 1.0 + x.ln() * x.ln()), "--x x --y y");
    // The middle of curves that are drawn at random, between levels that are a decade apart.
    assert!(fitted(&found).ln().abs() < 0.02, "{}", found["minimum"]);
    let linear = stats(&runs(&levels, |x| 1.0 + x.ln() * x.ln()), "--x x --y y --x-scale linear");
    assert!(fitted(&linear).ln().abs() > 0.5, "{}", linear["minimum"]);
}

#[test]
fn a_level_below_zero_is_refused_on_a_logarithmic_axis() {
    let folder = Folder::with("runs.csv", runs(&[-2.5, 0.0, 1.0, 100.0], |x| x));
    for command in ["stats", "plot", "report", "plan --budget 9 --strategy uniform"] {
        let finished = initsweep(format!("{command} runs.csv --x x --y y --x-scale log")).in_folder(&folder).run();
        finished.fails_with(2).says("'x' has levels below 0 (−2.5)").says("--x-scale linear");
        // Unless it is asked for, such a sweep is linear.
        initsweep(format!("{command} runs.csv --x x --y y")).in_folder(&folder).run().succeeds();
    }
    let compare = "compare runs.csv runs.csv --x x --y y";
    initsweep(format!("{compare} --x-scale log")).in_folder(&folder).run().fails_with(2).says("below 0");
    initsweep(compare).in_folder(&folder).run().succeeds();
}

#[test]
fn a_reference_at_zero_is_compared_by_its_own_mean() {
    let found = stats(WEIGHT_DECAY, &format!("{WORDS} --reference none=0 --reference tiny=5e-6"));
    let (none, tiny) = (&found["references"][0], &found["references"][1]);
    // (1.18034 + 1.19360 + 1.19225 + 1.17490 + 1.17702) / 5.
    assert!((none["mean"].as_f64().unwrap() - 1.183_622).abs() < 1e-9, "{none}");
    let difference = &none["difference_to_minimum"];
    let expected = 1.183_622 - found["minimum"]["fitted"]["value"].as_f64().unwrap();
    assert!((difference["estimate"].as_f64().unwrap() - expected).abs() < 1e-9, "{difference}");
    assert_eq!(difference["verdict"], "worse");
    // The mean of level 0 is known to t(0.975; 4) = 2.776 of its own standard error of 0.0039. The curve is known less well.
    let [own, curve] = [2.776 * 0.0039, 0.025];
    let half = ["ci_upper", "ci_lower"].map(|key| (difference[key].as_f64().unwrap() - expected).abs());
    assert!(half.iter().all(|half| (own..curve).contains(half)), "{difference}");
    // Between 0 and the first level nothing is interpolated.
    assert_eq!((&tiny["mean"], &tiny["difference_to_minimum"]), (&Value::Null, &Value::Null));
    let linear = stats(WEIGHT_DECAY, &format!("{WORDS} --x-scale linear --reference tiny=5e-6"));
    assert!(linear["references"][0]["mean"].is_f64());
}

#[test]
fn level_zero_can_be_the_best() {
    let folder = Folder::with("runs.csv", runs(&HALF_DECADES, |x| if x == 0.0 { 2.0 } else { 5.0 + x.ln() * x.ln() }));
    let words = "runs.csv --x x --y y";
    let found = initsweep(format!("stats {words} --format json")).in_folder(&folder).run().succeeds().json();
    assert_eq!(
        (&found["minimum"]["observed"]["level"], &found["minimum"]["verdict"]),
        (&0.0.into(), &"at_edge".into())
    );
    assert_eq!(found["minimum"]["confidence_set"], serde_json::json!([0.0]));
    assert_eq!(found["warnings"].as_array().unwrap().len(), 0, "nothing can be extended: {}", found["warnings"]);
    let finished = initsweep(format!("stats {words}")).in_folder(&folder).run().succeeds();
    finished
        .prints("The lowest mean y is 2.0 ±")
        .prints("at x = 0 (n = 2)")
        .prints("It lies at x = 0, beside the axis.");
    initsweep(format!("report {words}")).in_folder(&folder).run().succeeds();
    assert!(folder.text("output/report.html").contains("curve’s minimum"));
}

#[test]
fn level_zero_that_may_be_the_best_leaves_the_question_open() {
    // Runs scatter by 0.1 around means that differ by 0.02.
    let mean = |x: f64| if x == 0.0 { 4.98 } else { 5.0 + x.ln() * x.ln() };
    let found = stats(&runs(&HALF_DECADES, mean), "--x x --y y --margin 0.1%");
    assert_eq!(found["minimum"]["verdict"], "unresolved");
    assert_eq!(found["minimum"]["undecided_levels"], serde_json::json!([0.0, 1.0]));
    // Where it cannot be better by more than what matters, the minimum of the curve stands.
    let found = stats(&runs(&HALF_DECADES, mean), "--x x --y y --margin 60%");
    assert_eq!(found["minimum"]["verdict"], "located", "{}", found["minimum"]);
}

#[test]
fn paired_runs_at_zero_are_compared_in_pairs() {
    let folder = Folder::new();
    let sweep = "sweep --to runs.csv --hidden-std-dev 0,0.05,0.2,0.6,2,8 --paired --runs 25 --epochs 200";
    initsweep(sweep).in_folder(&folder).run().succeeds();
    let ask = "stats runs.csv --reference none=0 --format json";
    let found = initsweep(ask).in_folder(&folder).run().succeeds().json();
    assert_eq!((&found["x_scale"], &found["paired"]["replicates"]), (&"log".into(), &25.into()));
    let difference = &found["references"][0]["difference_to_minimum"];
    assert!(difference["variance_reduction"].is_f64(), "{difference}");
    assert!(fitted(&found) >= 0.05);
}

#[test]
fn every_command_that_asks_takes_the_scale() {
    let folder = Folder::with("runs.csv", runs(&[1.0, 2.0, 3.0, 4.0, 5.0], |x| (x - 3.0) * (x - 3.0)));
    for scale in ["auto", "log", "linear"] {
        initsweep(format!("plan runs.csv --x x --y y --budget 9 --x-scale {scale}"))
            .in_folder(&folder)
            .run()
            .succeeds();
        initsweep(format!("plot all runs.csv --x x --y y --x-scale {scale}")).in_folder(&folder).run().succeeds();
    }
    initsweep("sweep --to x.csv --x-scale log").in_folder(&folder).run().fails_with(2).says("--until");
    let sweep = "sweep --to sweep.csv --hidden-std-dev 0,0.1,0.3,0.6,1,2 --epochs 50 --until se<=90% --max-runs 500";
    initsweep(format!("{sweep} --x-scale log")).in_folder(&folder).run().succeeds();
    initsweep("run --hidden-std-dev 0,0.1,0.3,0.6,1,2 --epochs 50 --runs 3 --x-scale linear")
        .in_folder(&folder)
        .run()
        .succeeds();
    assert!(folder.text("output/summary.json").contains("\"x_scale\": \"linear\""));
}

#[test]
fn a_plan_around_the_minimum_leaves_level_zero_alone() {
    let folder = Folder::with("runs.csv", WEIGHT_DECAY);
    let plan = format!("plan runs.csv {WORDS} --budget 1000 --format json");
    let found = initsweep(plan).in_folder(&folder).run().succeeds().json();
    let levels = found["allocation"].as_array().unwrap();
    let added: Vec<f64> =
        levels.iter().filter(|level| level["add"] != 0).map(|level| level["level"].as_f64().unwrap()).collect();
    assert!(added.len() >= 4 && added.iter().all(|level| (1e-5..=0.1).contains(level)), "{added:?}");
    assert!(levels[0]["level"] == 0.0 && levels[0]["add"] == 0, "{}", levels[0]);
    let ocba = format!("plan runs.csv {WORDS} --budget 1000 --strategy ocba --format json");
    let found = initsweep(ocba).in_folder(&folder).run().succeeds().json();
    assert!(found["minimum"]["expected_half_width"].is_f64(), "{}", found["minimum"]);
}

/// Lines of `svg` in soft ink that stand aslant: the strokes of an axis break.
fn breaks(document: &Document<'_>) -> usize {
    let points = document.descendants().filter_map(|node| node.attribute("points"));
    let corners = points.map(|points| points.split([' ', ',']).filter_map(|part| part.parse().ok()).collect());
    let is_stroke = |at: &Vec<f64>| {
        at.len() == 4 && (at[0] - at[2]).abs() > 3.0 && (at[1] - at[3]).abs() > 8.0 && (at[1] - at[3]).abs() < 15.0
    };
    corners.filter(is_stroke).count()
}

/// The label of level 0 below the plot.
fn zero(words: &[Words]) -> &Words {
    let lowest = words.iter().filter(|word| word.text == "0" && word.anchor == "middle");
    lowest.max_by(|a, b| a.at.1.total_cmp(&b.at.1)).unwrap()
}

#[test]
fn figures_show_level_zero_beside_the_axis() {
    let folder = Folder::with("runs.csv", WEIGHT_DECAY);
    for look in ["", "--size one-column --theme dark", "--size slide"] {
        let words = format!("plot loss-vs-std-dev precision runs.csv {WORDS} --reference none=0 {look}");
        initsweep(words).in_folder(&folder).run().succeeds();
        for name in ["loss-vs-std-dev", "precision"] {
            let svg = folder.text(&format!("output/{name}.svg"));
            assert_sound(&svg);
            let document = Document::parse(&svg).unwrap();
            let words = words_of(&document);
            assert_eq!(breaks(&document), 2, "{name} {look}: two strokes");
            assert!(
                words.iter().any(|word| word.text.contains("6 levels") && word.text.contains("30 runs")),
                "{words:?}"
            );
            let first =
                words.iter().filter(|word| word.text == "10⁻⁵").map(|word| word.at.0).fold(f64::INFINITY, f64::min);
            let circles = document.descendants().filter(|node| node.has_tag_name("circle"));
            let at_zero = circles.filter(|dot| (number(*dot, "cx") - zero(&words).at.0).abs() <= ROUNDED).count();
            assert!(at_zero > 0 && zero(&words).at.0 < first, "{name} {look}: a point at 0, left of {first}");
        }
    }
    // A linear axis has a place for 0, and is not broken.
    initsweep(format!("plot runs.csv {WORDS} --x-scale linear")).in_folder(&folder).run().succeeds();
    assert_eq!(breaks(&Document::parse(&folder.text("output/loss-vs-std-dev.svg")).unwrap()), 0);
}

#[test]
fn most_runs_at_zero_are_in_the_figure_and_in_its_caption() {
    let counts = [(0.0, 40), (0.1, 2), (0.3, 2), (0.5, 2), (1.0, 10)];
    let rows =
        counts.iter().flat_map(|(x, n)| (0..*n).map(move |i| format!("{x},{}\n", 22.0 + 0.1 * f64::from(i % 7))));
    let folder = Folder::with("runs.csv", ["frac,ppl\n".to_string()].into_iter().chain(rows).collect::<String>());
    initsweep("plot runs.csv --x frac --y ppl").in_folder(&folder).run().succeeds();
    let svg = folder.text("output/loss-vs-std-dev.svg");
    assert!(svg.contains("5 levels, n = 2 to 40 runs each; 56 runs in all<"), "{svg}");
    assert_sound(&svg);
}

#[test]
fn the_band_of_many_levels_does_not_reach_level_zero() {
    let levels: Vec<f64> = [0.0].into_iter().chain((0..200).map(|i| 0.01 * 1.05f64.powi(i))).collect();
    let folder = Folder::with("runs.csv", runs(&levels, |x| 3.0 + (x + 0.001).ln().abs()));
    initsweep("plot runs.csv --x x --y y --error-bars se").in_folder(&folder).run().succeeds();
    let svg = folder.text("output/loss-vs-std-dev.svg");
    assert_sound(&svg);
    let document = Document::parse(&svg).unwrap();
    let words = words_of(&document);
    let polygons = document.descendants().filter(|node| node.has_tag_name("polygon"));
    let points = polygons.filter_map(|node| node.attribute("points")).flat_map(str::split_whitespace);
    let left = points.filter_map(|pair| pair.split_once(',')?.0.parse::<f64>().ok()).fold(f64::INFINITY, f64::min);
    assert!(zero(&words).at.0 + 10.0 < left, "the band begins at {left}, right of {:?}", zero(&words));
}
