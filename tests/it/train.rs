//! One network: against NumPy's 96 trainings, and against the runs of a sweep.

use std::f64::consts::LN_2;

use serde_json::{Value, json};

use crate::harness::{Folder, fixture, initsweep, relative_difference};

/// The issue's demand for the total loss. The largest difference seen is 1.3e-10.
const TOTAL: f64 = 1e-9;
/// The state after the last of 10,000 steps: each multiplies the rounding of those before, most where a network is just
/// leaving a plateau. Relative to the largest of the vector's numbers, the largest difference seen is 3.1e-10.
const STATE: f64 = 1e-9;

fn numbers(value: &Value, into: &mut Vec<f64>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| numbers(item, into)),
        Value::Object(items) => items.values().for_each(|item| numbers(item, into)),
        _ => into.push(value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))),
    }
}

/// The largest difference between two equal shapes of numbers, relative to the largest number expected.
fn difference(actual: &Value, expected: &Value) -> f64 {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    numbers(actual, &mut a);
    numbers(expected, &mut b);
    assert_eq!(a.len(), b.len(), "{actual} and {expected}");
    let size = b.iter().fold(0.0, |size: f64, number| size.max(number.abs()));
    a.iter().zip(&b).fold(0.0, |worst: f64, (a, b)| worst.max((a - b).abs() / size))
}

#[test]
fn all_trainings_by_numpy_are_reproduced() {
    let golden: Vec<Value> = serde_json::from_slice(&std::fs::read(fixture("numpy-golden.json")).unwrap()).unwrap();
    assert_eq!(golden.len(), 96);
    let folder = Folder::new();
    let (mut worst_total, mut worst_state) = (0f64, 0f64);
    for vector in &golden {
        folder.write("init.json", vector["init"].to_string());
        let words = format!(
            "train --init init.json --format json --epochs {} --learning-rate {}",
            vector["epochs"], vector["learning_rate"]
        );
        let ours = initsweep(words).in_folder(&folder).run().succeeds().json();
        let total = relative_difference(ours["total_loss"].as_f64().unwrap(), vector["total_loss"].as_f64().unwrap());
        worst_total = worst_total.max(total);
        for key in ["final_loss", "predicted", "final"] {
            worst_state = worst_state.max(difference(&ours[key], &vector[key]));
        }
    }
    assert!(worst_total <= TOTAL, "total loss is off by {worst_total:e}");
    assert!(worst_state <= STATE, "final state is off by {worst_state:e}");
}

/// Every parameter 0: each prediction is ½ and every gradient vanishes, so that the network stays there.
const ZERO: &str = r#"{"hidden_weights":[[0,0],[0,0]],"hidden_bias":[0,0],"output_weights":[0,0],"output_bias":[0]}"#;

#[test]
fn a_network_that_knows_nothing_loses_ln_2_an_epoch() {
    // A thousand additions of a rounded ln 2.
    const SUMMED: f64 = 1e-13;
    let folder = Folder::with("init.json", ZERO);
    let ours =
        initsweep("train --init init.json --format json --epochs 1000").in_folder(&folder).run().succeeds().json();
    assert!(relative_difference(ours["total_loss"].as_f64().unwrap(), 1000.0 * LN_2) <= SUMMED, "{ours}");
    assert!(relative_difference(ours["final_loss"].as_f64().unwrap(), LN_2) <= SUMMED, "{ours}");
    for predicted in ours["predicted"].as_array().unwrap() {
        assert!(relative_difference(predicted.as_f64().unwrap(), 0.5) <= SUMMED, "{ours}");
    }
    assert_eq!(difference(&json!([1, ours["final"]]), &json!([1, serde_json::from_str::<Value>(ZERO).unwrap()])), 0.0);
}

#[test]
fn the_final_parameters_are_a_start_for_more_epochs() {
    let folder = Folder::with("init.json", ZERO.replacen("[0,0]", "[0.3,-0.2]", 1).replace("[0]", "[0.1]"));
    let train =
        |words: &str| initsweep(format!("train --format json {words}")).in_folder(&folder).run().succeeds().json();
    let first = train("--init init.json --epochs 300");
    folder.write("middle.json", first["final"].to_string());
    let second = train("--init middle.json --epochs 400");
    let whole = train("--init init.json --epochs 700");
    // Every digit is printed and read back; the kernel's own unit costs a rounding, which a few hundred steps carry on.
    const ROUNDED: f64 = 1e-12;
    assert!(difference(&second["final"], &whole["final"]) <= ROUNDED, "{second} and {whole}");
    assert!(difference(&second["predicted"], &whole["predicted"]) <= ROUNDED, "{second} and {whole}");
}

#[test]
fn the_text_has_the_lines_of_the_article() {
    let text = initsweep("train --epochs 1600 --hidden-std-dev 1/sqrt(2) --seed 3").run().succeeds().text();
    let lines: Vec<&str> = text.lines().collect();
    for (line, epoch) in lines.iter().zip([0, 500, 1000, 1500]) {
        let loss = line.strip_prefix(&format!("Epoch {epoch}, Loss: ")).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(loss.split_once('.').map(|(_, decimals)| decimals.len()), Some(4), "{line}");
    }
    assert_eq!(lines[4], "Predicted output:");
    for (line, pattern) in lines[5..9].iter().zip(["0 xor 0", "0 xor 1", "1 xor 0", "1 xor 1"]) {
        assert!(line.contains(pattern), "{line}");
        let prediction: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((0.0..=1.0).contains(&prediction), "{line}");
    }
    assert_eq!(initsweep("train").run().succeeds().text().matches("Epoch ").count(), 20, "10,000 epochs by default");
}

#[test]
fn a_run_of_a_sweep_can_be_made_again_alone() {
    // Sweeps may use a faster kernel than `train`; a later one makes them equal bit for bit.
    const KERNELS: f64 = 1e-9;
    let folder = Folder::new();
    let words = "--hidden-std-dev 0.3,1/sqrt(2),4 --output-std-dev 0.8165,1 --epochs 2000,300 --learning-rate 0.1,0.5";
    initsweep(format!("sweep --to x.csv {words} --runs 3 --seed 9")).in_folder(&folder).run().succeeds();
    let text = folder.text("x.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let mut rows = 0;
    for record in reader.records() {
        let record = record.unwrap();
        let cell = |name: &str| &record[header.iter().position(|other| other == name).unwrap()];
        let options = ["hidden_std_dev", "output_std_dev", "epochs", "learning_rate", "replicate", "seed"];
        let options: String =
            options.iter().map(|name| format!(" --{}={}", name.replace('_', "-"), cell(name))).collect();
        let alone = initsweep(format!("train --format json{options}")).run().succeeds().json();
        for (own, stored) in [("total_loss", "loss"), ("final_loss", "final_loss")] {
            let off = relative_difference(alone[own].as_f64().unwrap(), cell(stored).parse().unwrap());
            assert!(off <= KERNELS, "{stored} of {record:?} is off by {off:e}");
        }
        rows += 1;
    }
    assert_eq!(rows, 3 * 2 * 2 * 2 * 3);
}

#[test]
fn stored_runs_can_be_verified_and_replayed() {
    let folder = Folder::new();
    for (target, words) in [("x.csv", ""), ("x.parquet", ""), ("paired.csv", "--paired --solved-below 0.2")] {
        let plan = "--hidden-std-dev 0.3,2 --epochs 700 --runs 20";
        initsweep(format!("sweep --to {target} {plan} {words}")).in_folder(&folder).run().succeeds();
        initsweep(format!("verify {target}")).in_folder(&folder).run().succeeds().prints("40 runs of 40");
        initsweep(format!("verify {target} --sample 7")).in_folder(&folder).run().succeeds().prints("7 runs of 40");
        let replay = initsweep(format!("replay {target} --level 2 --replicate 3")).in_folder(&folder).run().succeeds();
        replay.prints("row 8").prints("The same to the last bit");
    }
}

#[test]
fn a_stored_loss_that_was_changed_in_its_last_digit_is_found() {
    let folder = Folder::new();
    initsweep("sweep --to x.csv --hidden-std-dev 0.3,2 --epochs 700 --runs 20").in_folder(&folder).run().succeeds();
    let text = folder.text("x.csv");
    let row = text.lines().nth(5).unwrap();
    let loss: f64 = row.split(',').nth(2).unwrap().parse().unwrap();
    let changed = row.replacen(&loss.to_string(), &loss.next_up().to_string(), 1);
    assert_ne!(changed, row);
    folder.write("x.csv", text.replacen(row, &changed, 1));
    initsweep("verify x.csv").in_folder(&folder).run().fails_with(1).says("row 5");
    initsweep("replay x.csv --row 5").in_folder(&folder).run().fails_with(1).says("row 5");
    initsweep("replay x.csv --row 4").in_folder(&folder).run().succeeds();
    initsweep("replay x.csv --row 41").in_folder(&folder).run().fails_with(2).says("there are 40 rows");
    initsweep("replay x.csv --level 0.5").in_folder(&folder).run().fails_with(2).says("the nearest level is 0.3");
}

#[test]
fn a_bad_file_of_parameters_is_refused_by_name() {
    let cases = [
        ("", "no parameters"),
        ("{}", "hidden_weights"),
        (&ZERO.replace(r#","output_bias":[0]"#, ""), "output_bias"),
        (&ZERO.replace("[[0,0],[0,0]]", "[[0,0],[0]]"), "line 1"),
        (&ZERO.replace("[[0,0],[0,0]]", "[[0,0],[0,0],[0,0]]"), "line 1"),
        (&ZERO.replace("[[0,0],[0,0]]", "[0,0,0,0]"), "line 1"),
        (&ZERO.replace("[0]", "0"), "line 1"),
        (&ZERO.replace("[0]", "[NaN]"), "line 1"),
        (&ZERO.replace("[0]", "[null]"), "line 1"),
        (&ZERO.replace("[0]", "[1e999]"), "line 1"),
        (&ZERO.replace("[0]", "[\"0\"]"), "line 1"),
        (&ZERO.replace("output_bias", "output_biases"), "output_bias"),
        (&format!("{ZERO}{ZERO}"), "line 1"),
    ];
    for (content, reason) in cases {
        let folder = Folder::with("init.json", content);
        initsweep("train --init init.json").in_folder(&folder).run().fails_with(3).says("init.json").says(reason);
    }
    initsweep("train --init gone.json").in_folder(&Folder::new()).run().fails_with(4).says("cannot read gone.json");
}

#[test]
fn parameters_come_from_a_file_or_from_a_seed_not_both() {
    let folder = Folder::with("init.json", ZERO);
    for option in ["--seed 1", "--hidden-std-dev 1", "--output-std-dev 1", "--replicate 1"] {
        initsweep(format!("train --init init.json {option}")).in_folder(&folder).run().fails_with(2);
    }
}

#[test]
fn settings_that_a_sweep_refuses_are_refused_for_one_network_too() {
    for words in [
        "--epochs 0",
        "--learning-rate 0",
        "--learning-rate=-1",
        "--hidden-std-dev=-1",
        "--output-std-dev=-1",
        "--epochs 1.5",
    ] {
        initsweep(format!("train {words}")).run().fails_with(2);
    }
}
