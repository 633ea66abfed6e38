//! Which runs belong together: the column of blocks, given or found, in every format.

use std::fs::File;

use polars::prelude::*;
use serde_json::{Value, json};

use crate::harness::{Finished, Folder, Sequence, good_csv, initsweep, sample};

const WORDS: &str = "stats runs.csv --format json --x dropout";

/// Runs `stats` on these rows of the column `name`.
fn stats_on(csv: &str, more: &str) -> Finished {
    initsweep(format!("{WORDS} {more}")).in_folder(&Folder::with("runs.csv", csv)).run()
}

/// The blocks that are found in `csv`.
fn blocks_in(csv: &str, more: &str) -> Value {
    found(&stats_on(csv, more).succeeds().json()["blocks"])
}

/// Which blocks there are, without what they gain, which must be of its type.
#[track_caller]
fn found(blocks: &Value) -> Value {
    let mut blocks = blocks.clone();
    if let Some(keys) = blocks.as_object_mut() {
        let (used, gain) = (keys.remove("used"), keys.remove("variance_reduction"));
        assert!(used.is_some_and(|used| used.is_boolean()), "{keys:?}");
        assert!(gain.is_some_and(|gain| gain.is_null() || gain.as_f64() <= Some(1.0)), "{keys:?}");
    }
    blocks
}

/// Three levels with a run for each of the `cells` of the column `name` at each.
fn table(name: &str, cells: [&[&str]; 3]) -> String {
    let rows = |(level, cells): (usize, &[&str])| {
        let row = |(run, cell): (usize, &&str)| format!("0.{},{},{cell}\n", level + 1, 10 + 7 * run * run + level);
        cells.iter().enumerate().map(row).collect::<String>()
    };
    let rows: String = cells.into_iter().enumerate().map(rows).collect();
    format!("dropout,loss,{name}\n{rows}")
}

fn alike(name: &str, cells: &[&str]) -> String {
    table(name, [cells; 3])
}

fn blocks(column: &str, given: bool, count: u64, complete: u64) -> Value {
    json!({ "column": column, "given": given, "count": count, "complete": complete })
}

#[test]
fn a_seed_that_every_level_shares_is_found() {
    let seeds = ["11", "12", "13", "14", "15"];
    assert_eq!(blocks_in(&alike("seed", &seeds), ""), blocks("seed", false, 5, 5));
    assert_eq!(blocks_in(&alike("replicate", &seeds), ""), blocks("replicate", false, 5, 5));
    assert_eq!(blocks_in(&alike("seed", &["a", "b"]), ""), blocks("seed", false, 2, 2));
    // Nobody says that this column is one of blocks.
    assert_eq!(blocks_in(&alike("host", &seeds), ""), Value::Null);
    assert_eq!(blocks_in(&alike("host", &seeds), "--pair host"), blocks("host", true, 5, 5));
}

#[test]
fn constant_and_unique_seeds_are_no_blocks_unless_they_are_named() {
    let constant = alike("seed", &["1", "1", "1"]);
    let unique = table("seed", [&["1", "2"], &["3", "4"], &["5", "6"]]);
    assert_eq!(blocks_in(&constant, ""), Value::Null);
    assert_eq!(blocks_in(&unique, ""), Value::Null);
    assert_eq!(blocks_in(&constant, "--pair seed"), blocks("seed", true, 1, 0));
    assert_eq!(blocks_in(&unique, "--pair seed"), blocks("seed", true, 6, 0));
    // A second seed column that is one of blocks is taken in its place.
    let both = "dropout,loss,seed,replicate\n0.1,5,1,0\n0.1,6,2,1\n0.2,7,3,0\n0.2,8,4,1\n";
    assert_eq!(blocks_in(both, ""), blocks("replicate", false, 2, 2));
}

#[test]
fn keys_are_numbers_by_value_or_text() {
    let cells: [&[&str]; 3] =
        [&["1", "a b", "18446744073709551615"], &["1.0", " a b ", "18446744073709551614"], &["+1", "b", "x"]];
    // 1 and its other forms; "a b"; two integers that differ beyond the digits of a double; b; x.
    assert_eq!(blocks_in(&table("key", cells), "--pair key"), blocks("key", true, 6, 1));
    let quoted = "dropout;loss;key\n0.1;5;\"a;\"\"b\"\n0.2;6;\"a;\"\"b\"\n0.1;7;ü\n0.2;9;ü\n";
    assert_eq!(blocks_in(quoted, "--pair key"), blocks("key", true, 2, 2));
}

#[test]
fn blocks_may_be_incomplete_and_runs_in_none() {
    let seeds: [&[&str]; 3] = [&["1", "2", "3", ""], &["1", "2", "3", "NA"], &["2", "3", "4", "5", "null"]];
    assert_eq!(blocks_in(&table("seed", seeds), "--pair seed"), blocks("seed", true, 5, 2));
    // At the last level only two of five runs have a seed that another level has too.
    assert_eq!(blocks_in(&table("seed", seeds), ""), Value::Null);
    let more: [&[&str]; 3] = [&["1", "2", "3", ""], &["1", "2", "3"], &["2", "3", "4"]];
    assert_eq!(blocks_in(&table("seed", more), ""), blocks("seed", false, 4, 2));
    // A run that is left out takes its key with it.
    let text = alike("seed", &["1", "2"]).replacen(",10,", ",NaN,", 1);
    assert_eq!(blocks_in(&text, ""), blocks("seed", false, 2, 1));
    assert_eq!(blocks_in(&alike("seed", &["", ""]), "--pair seed"), blocks("seed", true, 0, 0));
}

#[test]
fn a_missing_column_is_named_with_those_that_are_there() {
    let says = |finished: Finished| {
        finished.fails_with(3).says("no column named 'host'; it has 'dropout', 'loss', 'seed'").says("--pair");
    };
    says(stats_on(&alike("seed", &["1", "2"]), "--pair host"));
    let folder = Folder::new();
    let mut frame = df!("dropout" => [0.1], "loss" => [1.0], "seed" => [1]).unwrap();
    ParquetWriter::new(File::create(folder.path("runs.csv")).unwrap()).finish(&mut frame).unwrap();
    says(initsweep(format!("{WORDS} --pair host")).in_folder(&folder).run());
    let twice = "dropout,loss,seed,seed\n0.1,5,1,1\n0.1,6,2,2\n0.2,7,1,1\n0.2,8,2,2\n";
    stats_on(twice, "--pair seed").fails_with(3).says("the column name 'seed' appears 2 times");
    assert_eq!(blocks_in(twice, ""), Value::Null);
}

#[test]
fn what_cannot_come_in_blocks_is_wrong_usage() {
    let runs = alike("seed", &["1", "2"]);
    stats_on(&runs, "--pair loss").fails_with(2).says("'loss'");
    stats_on(&runs, "--pair dropout").fails_with(2).says("'dropout'");
    let levels = "level,mean,std_dev,n\n0.1,5,1,10\n0.2,6,1,10\n0.3,7,1,10\n";
    stats_on(levels, "--pair seed").fails_with(2).says("table of levels").says("the runs themselves");
    // Refused before anything is connected.
    let words = "stats mongodb://localhost:1 --timeout 1 --aggregate server --pair seed";
    initsweep(words).run().fails_with(2).says("--aggregate client");
}

#[test]
fn the_order_of_the_rows_does_not_matter() {
    // Many equal values, so that only keys tell some runs apart.
    let row = |i: usize| {
        format!(
            "0.{},{},{}\n",
            1 + i % 5,
            (i * i) % 7,
            if i.is_multiple_of(9) { String::new() } else { (i / 5).to_string() }
        )
    };
    let mut rows: Vec<String> = (0..100).map(row).collect();
    let text = |rows: &[String]| format!("dropout,loss,seed\n{}", rows.concat());
    let stats = |rows: &[String]| {
        let mut json = stats_on(&text(rows), "").succeeds().json();
        // Where the numbers come from, and the first few seeds in the order of the rows.
        for key in ["provenance", "settings"] {
            json.as_object_mut().unwrap().remove(key).unwrap();
        }
        json
    };
    let first = stats(&rows);
    assert_eq!(found(&first["blocks"]), blocks("seed", false, 20, 8));
    Sequence(3).shuffle(&mut rows);
    assert_eq!(stats(&rows), first);
}

#[test]
fn threads_and_blocks_of_text_do_not_matter() {
    // 3 MB, so that the text is parsed in two parts.
    let seeds = 90_000;
    let rows: String =
        (0..2 * seeds).map(|i| format!("0.{},{},seed-{}\n", 1 + i % 2, i * 7919 % 10_007, i / 2)).collect();
    let text = format!("dropout,loss,seed\n{rows}");
    assert!(text.len() > 3 << 20);
    for threads in ["--threads 1", "--threads 5"] {
        assert_eq!(blocks_in(&text, threads), blocks("seed", false, seeds, seeds));
    }
}

#[test]
fn parquet_gives_what_csv_gives() {
    let folder = Folder::new();
    let stats = |name: &str, more: &str| {
        let words = format!("stats {name} --format json --x dropout {more}");
        let json = initsweep(words).in_folder(&folder).run().succeeds().json();
        (json["blocks"].clone(), json["groups"].clone())
    };
    let (dropout, loss) = ([0.1, 0.1, 0.1, 0.2, 0.2, 0.2], [1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]);
    let write = |name: &str, frame: PolarsResult<DataFrame>, seeds: [&str; 6]| {
        ParquetWriter::new(File::create(folder.path(&format!("{name}.parquet"))).unwrap())
            .finish(&mut frame.unwrap())
            .unwrap();
        let row = |i: usize| format!("{},{},{}\n", dropout[i], loss[i], seeds[i]);
        folder.write(&format!("{name}.csv"), format!("dropout,loss,seed\n{}", (0..6).map(row).collect::<String>()));
    };
    let whole = [Some(1i64), Some(2), Some(3), Some(2), Some(1), None];
    let texts = ["1", "2", "3", "2", "1", ""];
    write("whole", df!("dropout" => dropout, "loss" => loss, "seed" => whole), texts);
    write("float", df!("dropout" => dropout, "loss" => loss, "seed" => whole.map(|n| n.map(|n| n as f64))), texts);
    write("text", df!("dropout" => dropout, "loss" => loss, "seed" => texts), texts);
    let large = [u64::MAX, u64::MAX - 1, 3, u64::MAX - 1, u64::MAX, 4];
    write(
        "large",
        df!("dropout" => dropout, "loss" => loss, "seed" => large),
        large.map(|n| n.to_string()).each_ref().map(String::as_str),
    );
    let halves = [0.1f32, 0.2, 0.3, 0.2, 0.1, 0.4];
    write(
        "single",
        df!("dropout" => dropout, "loss" => loss, "seed" => halves),
        ["0.1", "0.2", "0.3", "0.2", "0.1", "0.4"],
    );
    for name in ["whole", "float", "text", "large", "single"] {
        for (more, given) in [("", false), ("--pair seed", true)] {
            let parquet = stats(&format!("{name}.parquet"), more);
            assert_eq!(parquet, stats(&format!("{name}.csv"), more), "{name} {more}");
            let others = if name == "large" || name == "single" { 1 } else { 0 };
            assert_eq!(found(&parquet.0), blocks("seed", given, 2 + others, 2), "{name} {more}");
            // The two files hold the same runs, which are used once.
            let both = stats(&format!("{name}.csv {name}.parquet"), "--pair seed").0;
            assert_eq!(found(&both), blocks("seed", true, 2 + others, 2), "{name}");
        }
    }
    let mut lists = df!("dropout" => dropout, "loss" => loss, "seed" => whole).unwrap();
    let list = lists.column("seed").unwrap().implode().unwrap().into_series();
    let list = Series::new(
        "seed".into(),
        vec![list.explode(ExplodeOptions { empty_as_null: true, keep_nulls: true }).unwrap(); 6],
    );
    lists.replace("seed", list.into()).unwrap();
    ParquetWriter::new(File::create(folder.path("lists.parquet")).unwrap()).finish(&mut lists).unwrap();
    assert_eq!(stats("lists.parquet", "").0, Value::Null);
}

#[test]
fn sources_are_joined_by_what_all_of_them_have() {
    let folder = Folder::with("a.csv", "dropout,loss,seed\n0.1,5,1\n0.1,6,2\n");
    folder.write("b.csv", "seed,dropout,loss\n2,0.2,5\n1,0.2,6\n");
    folder.write("c.csv", "dropout,loss\n0.3,5\n0.3,6\n");
    let stats = |words: &str| initsweep(format!("stats {words} --format json --x dropout")).in_folder(&folder).run();
    assert_eq!(found(&stats("a.csv b.csv").succeeds().json()["blocks"]), blocks("seed", false, 2, 2));
    assert_eq!(stats("a.csv b.csv c.csv").succeeds().json()["blocks"], Value::Null);
    stats("a.csv b.csv c.csv --pair seed").fails_with(3).says("c.csv").says("no column named 'seed'");
}

#[test]
fn the_trainers_runs_keep_their_own_rule() {
    let stats = |words: &str| initsweep(format!("stats --format json {words}")).run().succeeds().json();
    assert_eq!(stats(&sample())["blocks"], Value::Null);
    let named = stats(&format!("{} --pair replicate", sample()));
    assert_eq!(found(&named["blocks"]), blocks("replicate", true, 25, 25));
    let folder = Folder::new();
    let sweep = "sweep --hidden-std-dev 0.3,0.6,1 --runs 24 --epochs 20 --paired --to runs.csv";
    initsweep(sweep).in_folder(&folder).run().succeeds();
    let stats = |more: &str| {
        initsweep(format!("stats runs.csv --format json {more}")).in_folder(&folder).run().succeeds().json()
    };
    let [own, named] = ["", "--pair replicate"].map(stats);
    assert_eq!((&own["blocks"], &own["paired"]["replicates"]), (&Value::Null, &json!(24)));
    let replicates = blocks("replicate", true, 24, 24);
    assert_eq!((found(&named["blocks"]), &named["paired"]["replicates"]), (replicates, &json!(24)));
}

#[test]
fn every_command_on_runs_takes_the_column() {
    let folder = Folder::with("runs.csv", alike("host", &["a", "b", "c"]));
    folder.write("good.csv", good_csv());
    for words in [
        "report runs.csv",
        "plot runs.csv",
        "stats runs.csv",
        "plan runs.csv --budget 10 --strategy ocba",
        "compare runs.csv runs.csv",
    ] {
        initsweep(format!("{words} --x dropout --pair host")).in_folder(&folder).run().succeeds();
        let other = words.replace("runs.csv", "good.csv");
        initsweep(format!("{other} --pair host")).in_folder(&folder).run().fails_with(3).says("no column named 'host'");
    }
    let summary: Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    assert_eq!(found(&summary["blocks"]), blocks("host", true, 3, 3));
}
