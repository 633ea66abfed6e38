//! The contract of every format: the same runs give the same numbers, whatever they are stored in and however they come; what
//! cannot be read is refused by name. The files of `tests/fixtures/cases` were written by pyarrow, DuckDB and openpyxl.

use std::io::Write;

use polars::prelude::*;
use serde_json::Value;

use crate::harness::{Folder, fixture, initsweep};

const LEVELS: [f64; 7] = [0.1, 0.1, 0.2, 0.2, 0.2, 0.4, 0.4];
const LOSSES: [f64; 7] = [3.0, 3.5, 1.25, 1.0, 1.5, 2.0, 2.5];
const WORDS: &str = "--x lr --y loss --format json";

fn lines(row: impl Fn(f64, f64) -> String) -> String {
    LEVELS.iter().zip(LOSSES).map(|(level, loss)| row(*level, loss)).collect()
}

/// The runs in every format, by the name of a file.
fn all() -> Vec<(&'static str, Vec<u8>)> {
    let csv = format!("lr,loss\n{}", lines(|level, loss| format!("{level},{loss}\n")));
    let tsv = csv.replace(',', "\t");
    let wide: Vec<u8> = format!("\u{feff}{csv}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let objects = lines(|level, loss| format!("{{\"lr\": {level}, \"loss\": {loss}}}\n"));
    let list = format!("[{}]", objects.trim_end().replace('\n', ",\n"));
    let mut parquet = Vec::new();
    ParquetWriter::new(&mut parquet).finish(&mut df!("lr" => LEVELS, "loss" => LOSSES).unwrap()).unwrap();
    vec![
        ("runs.csv", csv.into_bytes()),
        ("runs.tsv", tsv.into_bytes()),
        ("wide.csv", wide),
        ("runs.jsonl", objects.into_bytes()),
        ("runs.json", list.into_bytes()),
        ("runs.parquet", parquet),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn groups(stats: &Value) -> Value {
    stats["groups"].clone()
}

#[test]
fn the_same_runs_give_the_same_numbers_in_every_format_and_way() {
    let mut expected = None;
    for (name, bytes) in all() {
        let packed = [
            (String::new(), bytes.clone()),
            (".gz".into(), gzip(&bytes)),
            (".zst".into(), { zstd::encode_all(bytes.as_slice(), 3).unwrap() }),
        ];
        for (ending, bytes) in packed {
            let name = format!("{name}{ending}");
            let folder = Folder::with(&name, &bytes);
            for source in [name.as_str(), "-"] {
                let command = initsweep(format!("stats {source} {WORDS}")).stdin(bytes.clone());
                let stats = command.in_folder(&folder).run().succeeds().json();
                assert_eq!(stats["rows"]["used"], 7, "{name} {source}");
                let expected = expected.get_or_insert_with(|| groups(&stats));
                assert_eq!(groups(&stats), *expected, "{name} {source}");
                let digest = &stats["provenance"]["inputs"][0];
                assert_eq!(digest["bytes"], bytes.len(), "{name}: what lies there is hashed");
            }
        }
    }
}

#[test]
fn what_is_cut_short_is_refused_or_counted_and_never_read_as_whole() {
    for (name, bytes) in all() {
        for packed in [gzip(&bytes), zstd::encode_all(bytes.as_slice(), 3).unwrap()] {
            let folder = Folder::with(name, &packed[..packed.len() - 3]);
            initsweep(format!("stats {name} {WORDS}")).in_folder(&folder).run().fails_with(3).says(name);
        }
        let folder = Folder::with(name, &bytes[..bytes.len() - 2]);
        let finished = initsweep(format!("stats {name} {WORDS}")).in_folder(&folder).run();
        if finished.status.code() == Some(0) {
            // Text whose last number is shorter by a digit is a number too: it is used with a warning.
            let stats = finished.json();
            let warned = stats["warnings"].to_string().contains("unterminated_line");
            assert!(warned || stats["rows"]["excluded"]["torn_line"] == 1, "{name}: {stats}");
        } else {
            finished.fails_with(3).says(name);
        }
    }
}

#[test]
fn the_types_of_other_programs_are_numbers() {
    for (name, metric, expected) in [
        ("duckdb_default.parquet", "val_loss", [2.15, 1.55, 3.05]),
        ("decimal.parquet", "loss", [3.25, 1.125, 2.25]),
        ("x_uint8.parquet", "loss", [3.25, 1.125, 2.25]),
        ("x_float16.parquet", "loss", [3.25, 1.125, 2.25]),
        ("y_int16.parquet", "loss", [3.5, 1.0, 2.5]),
        ("feather.feather", "loss", [3.25, 1.125, 2.25]),
    ] {
        let path = fixture(&format!("cases/{name}"));
        let stats = initsweep(format!("stats {path} --x lr --y {metric} --format json")).run().succeeds().json();
        for (group, expected) in stats["groups"].as_array().unwrap().iter().zip(expected) {
            let mean = group["mean"].as_f64().unwrap();
            assert!((mean - expected).abs() < 1e-15 * expected.max(4.0), "{name}: {mean} and not {expected}");
        }
    }
    let array = fixture("cases/array.json");
    let stats = initsweep(format!("stats {array} --x lr --y loss --format json")).run().succeeds().json();
    assert_eq!((&stats["groups"][0]["mean"], &stats["groups"][1]["mean"]), (&3.0.into(), &1.0.into()));
}

#[test]
fn what_is_not_read_is_refused_by_name_with_a_way_out() {
    let damaged = fixture("cases/damaged_zstd.parquet");
    initsweep(format!("stats {damaged}")).run().fails_with(3).says("damaged");
    let excel = fixture("cases/excel.xlsx");
    initsweep(format!("stats {excel} --x lr --y loss")).run().fails_with(3).says("Excel").says("CSV");
    for (start, words) in [
        (&b"\x89HDF\r\n\x1a\n"[..], "HDF5"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x93NUMPY\x01\0", "NumPy"),
        (b"FEA1\0\0\0\0", "Feather"),
        (b"%PDF-1.7\n", "PDF"),
    ] {
        let folder = Folder::with("runs.bin", [start, &[0; 100]].concat());
        initsweep("stats runs.bin").in_folder(&folder).run().fails_with(3).says(words);
    }
    let folder = Folder::with("runs.parquet", "lr,loss\n0.1,1\n");
    initsweep("stats runs.parquet").in_folder(&folder).run().fails_with(3).says("named like a Parquet file");
}

#[test]
fn a_line_that_never_ends_is_refused_before_it_takes_the_memory() {
    let folder = Folder::with("runs.csv", vec![b'7'; 80 << 20]);
    initsweep("stats runs.csv").in_folder(&folder).run().fails_with(3).says("runs.csv");
}

#[test]
fn the_path_of_a_file_gives_columns_and_its_history_one_run() {
    let folder = Folder::new();
    for (lr, base) in [("0.1", 3.0), ("0.01", 1.0), ("0.001", 2.0)] {
        for seed in 1..=2 {
            let last = base + f64::from(seed) / 10.0;
            let history = format!("epoch,loss\n1,9\n2,{}\n3,{last}\n4,\n", base / 2.0);
            folder.write(&format!("out/width64_seed{seed}_lr{lr}/log.csv"), history);
        }
        folder.write(&format!("out/width128_seed1_lr{lr}/log.csv"), "epoch,loss\n1,5\n");
    }
    let stats = |more: &str| {
        let words = "stats out/width{width}_seed{seed}_lr{lr}/log.csv --x lr --y loss --format json --where width=64";
        initsweep(format!("{words} {more}")).in_folder(&folder).run()
    };
    let means = |stats: &Value| -> Vec<f64> {
        stats["groups"].as_array().unwrap().iter().map(|group| group["mean"].as_f64().unwrap()).collect()
    };
    let last = stats("--per-file last").succeeds().json();
    assert_eq!(means(&last), [(2.1 + 2.2) / 2.0, 1.15, (3.1 + 3.2) / 2.0]);
    assert_eq!(last["rows"]["used"], 6);
    assert_eq!(last["rows"]["excluded"]["filtered"], 3);
    assert_eq!(last["rows"]["excluded"]["history"], 18);
    assert_eq!(last["blocks"]["column"], "seed", "seeds of the path pair the runs");
    assert_eq!(means(&stats("--per-file min").succeeds().json()), [1.0, 0.5, 1.5]);
    assert_eq!(means(&stats("--per-file max").succeeds().json()), [9.0, 9.0, 9.0]);
    assert_eq!(means(&stats("--per-file mean-last:2").succeeds().json())[1], (0.5 + 1.15) / 2.0);
    stats("--per-file first").fails_with(2).says("mean-last:K");
    let epochs = initsweep("stats out/width64_seed1_lr0.1/log.csv --x epoch --y loss --per-file last");
    epochs.in_folder(&folder).run().fails_with(3).says("'epoch' is both 1 and 2");
    initsweep("stats out/{a}{b}.csv").in_folder(&folder).run().fails_with(2).says("between two names");
    initsweep("stats out/{a}_none/log.csv").in_folder(&folder).run().fails_with(4).says("the pattern");
}

#[test]
fn other_columns_are_warned_of_with_what_to_type() {
    let text = "lr,optimizer,State,loss\n0.1,adam,finished,2.5\n0.1,sgd,finished,2.6\n0.2,adam,finished,2.1\n0.2,sgd,crashed,0\n\
                0.4,adam,crashed,0\n0.4,sgd,finished,2.4\n";
    let folder = Folder::with("runs.csv", text);
    let warnings = |more: &str| {
        let run = initsweep(format!("stats runs.csv {WORDS} {more}")).in_folder(&folder).run().succeeds();
        run.json()["warnings"].to_string()
    };
    let all = warnings("");
    for words in ["--where optimizer=adam", "--failed 'State!=finished'", "--failed loss=0"] {
        assert!(all.contains(words), "{words} in {all}");
    }
    let fewer = warnings("--where optimizer=adam --failed State!=finished");
    for kind in ["mixed_groups", "unfinished_runs", "sentinel"] {
        assert!(all.contains(kind) && !fewer.contains(kind), "{kind}");
    }
}

#[test]
fn levels_that_only_rounding_tells_apart_are_shown_apart_and_pooled_if_wanted() {
    let text = "lr,loss\n0.1,3\n0.10000000149011612,4\n0.2,1\n0.2,2\n9007199254740993,5\n";
    let folder = Folder::with("runs.csv", text);
    let table = initsweep("stats runs.csv --x lr --y loss").in_folder(&folder).run().succeeds();
    let table = table.prints("0.10000000149011612").prints("--pool-levels").prints("integers beyond 2^53");
    drop(table);
    let pooled = initsweep(format!("stats runs.csv {WORDS} --pool-levels")).in_folder(&folder).run().succeeds().json();
    assert_eq!((&pooled["groups"][0]["level"], &pooled["groups"][0]["n"]), (&0.1.into(), &2.into()));
}

#[test]
fn the_same_runs_in_two_files_are_used_once() {
    let all = all();
    let folder = Folder::with("runs.csv", &all[0].1);
    folder.write("runs.parquet", &all[5].1);
    let stats = initsweep(format!("stats . {WORDS}")).in_folder(&folder).run().succeeds().json();
    assert_eq!(stats["rows"]["used"], 7);
    assert!(stats["warnings"].to_string().contains("same_runs"));
}
