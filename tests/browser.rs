//! The report in a real browser: what a reader sees, points at, presses and saves, on a desk, a phone, paper, and without
//! scripts. Expected numbers are pandas' and SciPy's (`tests/fixtures/xor-25k-reference.json`) or those of `summary.csv`.

// A test says what failed by panicking.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "browser/access.rs"]
mod access;
#[path = "support/browser.rs"]
mod browser;
#[path = "browser/figure.rs"]
mod figure;
#[allow(dead_code)]
#[path = "it/harness.rs"]
mod harness;
#[path = "browser/layout.rs"]
mod layout;
#[path = "browser/levels.rs"]
mod levels;
#[path = "browser/safety.rs"]
mod safety;

use std::fs;

use serde_json::Value;

use browser::Browser;
use harness::{Folder, fixture, initsweep};

/// 400 levels of 64 runs, the article's; its minimum is unresolved.
fn article() -> Vec<u8> {
    fs::read(fixture("xor-25k.csv")).unwrap()
}

/// The report on `csv` in a fresh folder.
fn report_on(csv: impl AsRef<[u8]>, words: &str) -> Folder {
    let folder = Folder::with("runs.csv", csv);
    initsweep(format!("report runs.csv {words}")).in_folder(&folder).run().succeeds();
    folder
}

/// A browser that shows the report in `folder`.
fn reading(folder: &Folder) -> Browser {
    let browser = Browser::start();
    browser.open(&folder.path("output/report.html"));
    browser
}

/// What pandas and SciPy say of the level nearest to `level`.
fn expected_near(level: f64) -> Value {
    let text = fs::read_to_string(fixture("xor-25k-reference.json")).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let distance = |group: &Value| (group["hidden_std_dev"].as_f64().unwrap() - level).abs();
    let Value::Array(groups) = json["groups_table"].take() else { panic!("a list of groups") };
    groups.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
}

/// Numbers in `text`, in their order, minus signs and thousands' commas understood.
fn numbers(text: &str) -> Vec<f64> {
    let plain = text.replace('−', "-").replace(',', "");
    plain.split(|c: char| !(c.is_ascii_digit() || "-.e".contains(c))).filter_map(|word| word.parse().ok()).collect()
}
