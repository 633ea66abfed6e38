//! Files of several writers, as they are and mutated. The fixtures, and what pyarrow, polars and
//! DuckDB read in them, come from `tests/fixtures/formats/make_formats.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::PathBuf;

use super::*;
use crate::random::Stream;
use crate::store::formats::ipc::IpcFile;
use crate::store::formats::parquet::ParquetFile;

/// The cells of every column by its name; `None` stands for null.
type Cells = BTreeMap<String, Vec<Option<String>>>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

fn expected() -> BTreeMap<String, Cells> {
    serde_json::from_str(&fs::read_to_string(fixtures().join("expected.json")).unwrap()).unwrap()
}

fn open(bytes: &[u8], name: &str) -> Result<Box<dyn Columns>> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    open_file(file, name)
}

fn open_file(file: File, name: &str) -> Result<Box<dyn Columns>> {
    let path = Path::new(name);
    Ok(if name.ends_with(".parquet") {
        Box::new(ParquetFile::open(file, path)?)
    } else {
        Box::new(IpcFile::open(file, path)?)
    })
}

fn shown(cell: Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(format!("'{}", String::from_utf8_lossy(text))),
        Cell::Absent | Cell::Missing => None,
        other => Some(other.text()),
    }
}

/// Every cell of every column, or why that cannot be.
fn cells(columns: &dyn Columns) -> Result<Cells> {
    // Two of them may have the same name.
    let names: Vec<String> = BTreeSet::from_iter(columns.names()).into_iter().collect();
    let mut cells: Cells = names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for (block, rows) in columns.blocks().into_iter().enumerate() {
        let parts = columns.read(block, &names)?;
        check_lengths(&parts, rows, &names, columns.path())?;
        for (name, part) in names.iter().zip(&parts) {
            let column = cells.get_mut(name).unwrap();
            column.extend((0..rows).map(|row| shown(part.cell(row))));
        }
    }
    Ok(cells)
}

/// Whether a cell is the one that another program read: numbers are compared as doubles, to the
/// last bit.
fn is_same(found: &Option<String>, expected: &Option<String>) -> bool {
    let number = |text: &str| text.parse::<f64>().map(|number| (number.to_bits(), number.is_nan()));
    match (found, expected) {
        (Some(found), Some(expected)) => {
            let same = |(a, b): ((u64, bool), (u64, bool))| a == b || a.1 && b.1;
            let is_whole = |text: &str| text.parse::<i128>().is_ok();
            let are_wholes = is_whole(found) && is_whole(expected);
            found == expected || !are_wholes && number(found).ok().zip(number(expected).ok()).is_some_and(same)
        }
        (found, expected) => found == expected,
    }
}

#[test]
fn every_type_of_every_writer_is_read_as_its_own_program_reads_it() {
    let expected = expected();
    assert!(expected.len() > 30);
    for (name, expected) in expected {
        let file = File::open(fixtures().join(&name)).unwrap();
        let found = cells(open_file(file, &name).unwrap().as_ref()).unwrap();
        assert!(found.keys().eq(expected.keys()), "{name}: {:?} {:?}", found.keys(), expected.keys());
        for (column, found) in &found {
            let expected = &expected[column];
            assert_eq!(found.len(), expected.len(), "{name}, {column}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(is_same(found, expected), "{name}, {column}: {found:?} instead of {expected:?}");
            }
        }
    }
}

#[test]
fn a_literal_name_comes_before_a_path_and_lists_have_no_numbers() {
    for name in ["pyarrow_nested.parquet", "pyarrow_nested.arrow"] {
        let columns = open_file(File::open(fixtures().join(name)).unwrap(), name).unwrap();
        let cell = |column: &str| columns.read(0, &[column.into()]).unwrap().remove(0);
        assert_eq!(cell("config.lr").cell(0), Cell::Whole(7), "{name}");
        assert_eq!(cell("config.model.depth").cell(0), Cell::Whole(3), "{name}");
        assert_eq!(cell("config.model.depth").cell(1), Cell::Missing, "{name}");
        assert_eq!(cell("config").cell(0), Cell::Other("a group of columns"), "{name}");
        assert_eq!(["config.lr", "config", "config.model", "loss"].map(|name| columns.times(name)), [1, 1, 0, 1]);
        assert!(columns.read(0, &["absent".into()]).is_err(), "{name}");
    }
    let columns = open_file(File::open(fixtures().join("duckdb.parquet")).unwrap(), "duckdb.parquet").unwrap();
    let tags = columns.read(0, &["tags".into()]).unwrap().remove(0);
    assert_eq!((tags.cell(0), tags.rows()), (Cell::Other("a list"), 5));
}

#[test]
fn a_damaged_column_that_nobody_asks_for_is_no_error() {
    let name = "pyarrow_zstd_1.parquet";
    let mut bytes = fs::read(fixtures().join(name)).unwrap();
    // The pages of the first column begin after the mark.
    bytes[8..40].fill(0xff);
    let columns = open(&bytes, name).unwrap();
    let error = columns.read(0, &["x".into()]).unwrap_err();
    assert!(error.to_string().contains("column 'x': "), "{error}");
    let others: Vec<String> = ["y", "seed", "name"].map(Into::into).to_vec();
    assert_eq!(columns.read(0, &others).unwrap().len(), 3);
}

/// A file as chance damages it: bits flipped, bytes overwritten, cut off, moved, left out or
/// repeated.
fn mutated(seed: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let (from, to) = (random.below(bytes.len()), random.below(bytes.len()));
    let length = random.below(64).min(bytes.len() - from.max(to));
    let part = bytes[from..from + length].to_vec();
    match random.below(10) {
        0..=4 => {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                bytes[at] ^= 1 << random.below(8);
            }
        }
        5 => bytes[at_most(from, 8, seed.len())].fill([0, 0x7f, 0x80, 0xff][random.below(4)]),
        6 => bytes.truncate(from),
        7 => bytes[to..to + length].copy_from_slice(&part),
        8 => drop(bytes.drain(from..from + length)),
        _ => drop(bytes.splice(from..from, part)),
    }
    bytes
}

fn at_most(from: usize, length: usize, end: usize) -> std::ops::Range<usize> {
    from..end.min(from + length)
}

/// Mutants of each fixture.
const MUTANTS: u64 = 60;
/// What a fixture may decode to: bytes for each of its own, several times what any of them does.
const MOST_CELLS_PER_BYTE: usize = 8;

#[test]
fn no_damage_makes_a_reader_panic_or_give_columns_of_different_length() {
    let (mut refused, mut read) = (0, 0);
    for name in expected().into_keys() {
        let seed = fs::read(fixtures().join(&name)).unwrap();
        for replicate in 0..MUTANTS {
            let bytes = mutated(&seed, &mut Stream::new(seed.len() as u64, 1, replicate));
            let found = open(&bytes, &name).and_then(|columns| cells(columns.as_ref()));
            match found {
                Err(error) => {
                    assert!(error.to_string().starts_with(&name), "{error}");
                    assert_eq!(error.exit_code(), 3, "{error}");
                    refused += 1;
                }
                Ok(cells) => {
                    let rows = cells.values().map(Vec::len).max().unwrap_or(0);
                    assert!(cells.values().all(|column| column.len() == rows), "{name}, mutant {replicate}");
                    assert!(rows <= MOST_CELLS_PER_BYTE * seed.len(), "{name}, mutant {replicate}: {rows} rows");
                    read += 1;
                }
            }
        }
    }
    // Damage of names, statistics and paddings is not seen, most of the rest is.
    assert!(refused > read, "{refused} refused, {read} read");
}

#[test]
fn with_checksums_no_flipped_bit_of_a_page_changes_a_number() {
    for name in ["pyarrow_none_1.parquet", "pyarrow_none_2.parquet", "pyarrow_zstd_1.parquet", "pyarrow_zstd_2.parquet"]
    {
        let whole = fs::read(fixtures().join(name)).unwrap();
        let right = cells(open(&whole, name).unwrap().as_ref()).unwrap();
        let footer = u32::from_le_bytes(*whole[..whole.len() - 4].last_chunk().unwrap()) as usize;
        let (mut refused, end) = (0, whole.len() - 8 - footer);
        for at in (4..end).step_by(3) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            match open(&bytes, name).and_then(|columns| cells(columns.as_ref())) {
                Ok(found) => assert_eq!(found, right, "{name}, byte {at}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused * 2 > end / 3, "{name}: {refused} of {}", end / 3);
    }
}

#[test]
fn rows_that_no_file_of_that_size_has_are_refused() {
    assert!(!are_too_many(1_000_000, 400));
    assert!(are_too_many(1_000_000_000, 3_000));
    // A page of a kilobyte may become what harms nobody, or so much for each of its values.
    assert_eq!(most_unpacked(1000, 10, Some(8)), HARMLESS as usize);
    assert_eq!(most_unpacked(1 << 20, 10, None), 500 << 20);
    assert_eq!(most_unpacked(1000, 100_000_000, Some(8)), 1_200_004_096);
}
