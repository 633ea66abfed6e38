//! Which files a source is, and those of Parquet.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;
use serde_json::json;

use crate::harness::{Finished, Folder, good_csv, initsweep};
use crate::sources::{assert_ledger, stats_on};

#[test]
fn a_folder_contributes_its_csv_and_parquet_files_and_nothing_else() {
    let folder = Folder::new();
    folder.write("runs/a.csv", "hidden_std_dev,loss\n0.5,1\n");
    folder.write("runs/b.TSV", "loss\thidden_std_dev\n2\t0.5\n");
    parquet(&folder.path("runs/c.parquet"), df!("hidden_std_dev" => [0.5], "loss" => [6.0]).unwrap());
    for ignored in [".hidden.csv", "d.csv.part", "notes.md", "old.csv.bak"] {
        folder.write(&format!("runs/{ignored}"), "not a table");
    }
    folder.write("runs/deeper.csv/e.csv", "not a table");
    let stats = initsweep("stats runs --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!((&stats["rows"]["read"], &stats["groups"][0]["mean"]), (&json!(3), &json!(3.0)));
    let inputs = stats["provenance"]["inputs"].as_array().unwrap();
    let paths: Vec<_> = inputs.iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["runs/a.csv", "runs/b.TSV", "runs/c.parquet"]);
}

#[test]
fn a_folder_may_be_called_like_a_file() {
    let folder = Folder::with("x.csv/runs.csv", good_csv());
    initsweep("stats x.csv").in_folder(&folder).run().succeeds().prints("6 read = 6 used");
}

#[test]
fn an_empty_folder_and_one_without_data_are_unreachable_sources() {
    let folder = Folder::new();
    initsweep("stats .").in_folder(&folder).run().fails_with(4).says("holds no file of runs; it is empty");
    folder.write("notes.md", "x");
    initsweep("stats .").in_folder(&folder).run().fails_with(4).says("it has notes.md");
}

#[test]
fn a_glob_is_expanded_by_the_program() {
    let folder = Folder::with("a1.csv", "hidden_std_dev,loss\n0.5,1\n");
    folder.write("a2.csv", "hidden_std_dev,loss\n0.5,3\n");
    folder.write("b.csv", "not a table");
    let stats = initsweep("stats a?.csv --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(stats["groups"][0]["mean"], 2.0);
    initsweep("stats c*.csv").in_folder(&folder).run().fails_with(4).says("the pattern c*.csv");
    initsweep("stats [.csv").in_folder(&folder).run().fails_with(2).says("[.csv");
}

#[test]
fn a_file_whose_name_looks_like_a_glob_is_that_file() {
    let folder = Folder::with("runs[1].csv", good_csv());
    initsweep("stats runs[1].csv").in_folder(&folder).run().succeeds();
}

#[test]
fn a_file_named_twice_is_read_once_and_said_so() {
    let folder = Folder::with("runs.csv", good_csv());
    let stats = initsweep("stats runs.csv ./runs.csv *.csv --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(stats["rows"]["read"], 6);
    let kinds: Vec<_> = stats["warnings"].as_array().unwrap().iter().map(|warning| &warning["kind"]).collect();
    assert_eq!(kinds[..2], ["duplicate_input", "duplicate_input"]);
}

#[test]
fn a_file_that_is_not_there_is_an_unreachable_source() {
    let folder = Folder::with("runs.csv", good_csv());
    let finished = initsweep("stats runs.csv gone.csv").in_folder(&folder).run();
    finished.fails_with(4).says("cannot read gone.csv: No such file").says("check the path");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_never_skipped() {
    // Opening this one works, reading fails, even for root.
    const UNREADABLE: &str = "/proc/self/mem";
    initsweep("stats").arg(UNREADABLE).run().fails_with(4).says("cannot read /proc/self/mem");
    let folder = Folder::with("a.csv", good_csv());
    std::os::unix::fs::symlink(UNREADABLE, folder.path("b.csv")).unwrap();
    initsweep("stats .").in_folder(&folder).run().fails_with(4).says("b.csv");
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_in_a_folder_is_never_skipped() {
    let folder = Folder::with("a.csv", good_csv());
    std::os::unix::fs::symlink("gone.csv", folder.path("b.csv")).unwrap();
    initsweep("stats .").in_folder(&folder).run().fails_with(4).says("b.csv");
}

#[test]
fn standard_input_is_read_once_and_joins_files() {
    let folder = Folder::with("a.csv", "hidden_std_dev,loss\n0.5,1\n");
    let run = |words: &str| initsweep(words).in_folder(&folder).stdin("hidden_std_dev,loss\n0.5,5\n").run();
    let stats = run("stats - a.csv --format json").succeeds().json();
    assert_eq!(stats["groups"][0]["mean"], 3.0);
    assert_eq!(stats["provenance"]["inputs"][0]["path"], "-");
    run("stats - -").fails_with(2).says("standard input");
    initsweep("stats -").run().fails_with(3).says("empty");
}

// Parquet

fn parquet(path: &Path, mut frame: DataFrame) {
    ParquetWriter::new(File::create(path).unwrap()).finish(&mut frame).unwrap();
}

/// Runs `stats` on one Parquet file.
fn stats_on_parquet(frame: DataFrame) -> Finished {
    let folder = Folder::new();
    parquet(&folder.path("runs.parquet"), frame);
    initsweep("stats runs.parquet --format json").in_folder(&folder).run()
}

#[test]
fn parquet_columns_of_whole_numbers_nulls_and_nan_are_read() {
    let frame = df!(
        "hidden_std_dev" => [1i64, 1, 1, 2, 2],
        "loss" => [Some(4.0f32), None, Some(6.0), Some(f32::NAN), Some(9.0)],
        "note" => ["a", "b", "c", "d", "e"],
    );
    let stats = stats_on_parquet(frame.unwrap()).succeeds().json();
    // The run without a finite loss has failed.
    assert_eq!(stats["rows"]["failed"], 1);
    assert_ledger(&stats, 5, 3, &[("empty", 1)]);
    assert_eq!(stats["groups"][0]["mean"], 5.0);
    assert_eq!(stats["rows"]["first_excluded"]["empty"], "runs.parquet, row 2");
}

#[test]
fn parquet_text_counts_where_it_is_a_number_and_is_refused_where_it_is_not() {
    let frame = |losses: [&str; 2]| df!("hidden_std_dev" => [1.0, 1.0], "loss" => losses).unwrap();
    assert_eq!(stats_on_parquet(frame(["5", " 7 "])).succeeds().json()["groups"][0]["mean"], 6.0);
    stats_on_parquet(frame(["5", "161ms"]))
        .fails_with(3)
        .says("runs.parquet, row 2, column 'loss': '161ms'")
        .says("161");
    let solved = df!("hidden_std_dev" => [1.0, 1.0], "loss" => [true, false]).unwrap();
    assert_eq!(stats_on_parquet(solved).succeeds().json()["groups"][0]["mean"], 0.5);
}

#[test]
fn a_missing_parquet_column_is_named_together_with_those_that_are_there() {
    let frame = df!("hidden_std_dev" => [1.0], "score" => [5.0]).unwrap();
    stats_on_parquet(frame).fails_with(3).says("no column named 'loss'").says("'score'");
}

#[test]
fn a_parquet_file_without_rows_is_no_run() {
    let none: [f64; 0] = [];
    stats_on_parquet(df!("hidden_std_dev" => none, "loss" => none).unwrap()).fails_with(3).says("there are no rows");
}

#[test]
fn a_cut_parquet_file_is_refused_at_any_length() {
    let folder = Folder::new();
    let rows: Vec<f64> = (0..1000).map(f64::from).collect();
    parquet(&folder.path("runs.parquet"), df!("hidden_std_dev" => &rows, "loss" => &rows).unwrap());
    let whole = folder.bytes("runs.parquet");
    for length in [4, 5, 100, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        stats_on("runs.parquet", &whole[..length]).fails_with(3).says("runs.parquet");
    }
    // Damage in the middle, with the footer intact.
    let mut damaged = whole.clone();
    damaged[8..200].fill(0xff);
    stats_on("runs.parquet", damaged).fails_with(3).says("runs.parquet");
}

#[test]
fn the_content_decides_what_a_file_is() {
    let folder = Folder::new();
    parquet(&folder.path("runs.csv"), df!("hidden_std_dev" => [1.0], "loss" => [5.0]).unwrap());
    initsweep("stats runs.csv").in_folder(&folder).run().succeeds();
    stats_on("runs.parquet", good_csv()).fails_with(3).says("does not begin like one");
}
