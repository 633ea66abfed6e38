//! Rows between files: nothing lost, nothing turned into something else.

use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{Folder, initsweep};

fn copy(folder: &Folder, words: &str) -> crate::harness::Finished {
    initsweep(format!("copy {words}")).in_folder(folder).run()
}

#[test]
fn every_separator_is_known_and_every_row_arrives() {
    for separator in [",", ";", "\t", "|"] {
        for rows in [0, 1, 9_999, 10_000, 20_000] {
            let lines: String = (0..rows).map(|row| format!("{row}{separator}0.5\r\n")).collect();
            let folder = Folder::with("a.csv", format!("\u{feff}x{separator}y\r\n{lines}"));
            copy(&folder, "a.csv --to b.parquet").succeeds().says("row");
            copy(&folder, "b.parquet --to c.csv").succeeds();
            let expected = format!("x,y\n{}", lines.replace(separator, ",").replace("\r\n", "\n"));
            assert!(folder.text("c.csv") == expected, "{rows} rows by '{separator}'");
        }
    }
}

#[test]
fn what_is_wrong_with_a_table_is_said_before_anything_is_written() {
    let good: String = (0..10_000).map(|row| format!("{row},1\n")).collect();
    for (text, message) in [
        ("x,y,x\n1,2,3\n".into(), "the column name 'x' appears 2 times"),
        (format!("x,y\n{good}3\n"), "a.csv, line 10002: 1 fields where the header has 2"),
        ("x,y\r\n1,2\r\n\r\n3,4,5\r\n".into(), "a.csv, line 4: 3 fields where the header has 2"),
        (String::new(), "no header line"),
    ] {
        let folder = Folder::with("a.csv", text);
        for to in ["b.csv", "b.parquet"] {
            copy(&folder, &format!("a.csv --to {to}")).fails_with(3).says(message);
            assert_eq!(folder.names("."), ["a.csv"]);
        }
    }
}

#[test]
fn missing_values_stay_missing_and_words_stay_words() {
    let folder = Folder::with("a.csv", "x,y,who\n1,NA,NA\n2,,ann\n3,null,\n4,0.5,null\n");
    copy(&folder, "a.csv --to b.parquet").succeeds();
    copy(&folder, "b.parquet --to c.csv").succeeds();
    copy(&folder, "a.csv --to d.csv").succeeds();
    assert_eq!(folder.text("c.csv"), "x,y,who\n1,,NA\n2,,ann\n3,,\n4,0.5,null\n");
    // Between files of text every cell stays as it stands.
    assert_eq!(folder.text("d.csv"), folder.text("a.csv"));
    copy(&folder, "a.csv --to e.jsonl").succeeds();
    for source in ["a.csv", "b.parquet", "c.csv", "d.csv", "e.jsonl"] {
        let stats = initsweep(format!("stats {source} --x x --y y --format json")).in_folder(&folder).run().succeeds();
        assert_eq!(stats.json()["rows"]["excluded"]["empty"], 3, "{source}");
    }
}

#[test]
fn a_target_says_what_it_is_by_its_ending() {
    let folder = Folder::with("a.csv", "x,y\n1,2\n");
    for target in ["b.txt", "b", "b.csv.gz", "b.tsv"] {
        copy(&folder, &format!("a.csv --to {target}")).fails_with(2).says(".csv, .parquet or .pq");
        initsweep(format!("sweep --runs 1 --to {target}"))
            .in_folder(&folder)
            .run()
            .fails_with(2)
            .says(".csv, .parquet");
    }
    copy(&folder, "a.csv --to ./a.csv").fails_with(2).says("the same file");
    copy(&folder, "a.csv --to b.csv --filter {}").fails_with(2).says("only documents of a collection");
    initsweep("stats a.csv --filter {}").in_folder(&folder).run().fails_with(2).says("only documents of a collection");
    assert_eq!(folder.names("."), ["a.csv"]);
}

#[test]
fn what_a_killed_copy_left_goes_with_the_next() {
    let folder = Folder::with("a.csv", "x,y\n1,2\n");
    folder.write(".initsweep-b.csv-Xy12ab", "x");
    folder.write(".initsweep-c.csv-Xy12ab", "another target's");
    copy(&folder, "a.csv --to b.csv").succeeds();
    assert_eq!(folder.names("."), [".initsweep-c.csv-Xy12ab", "a.csv", "b.csv"]);
}

/// The cells of a CSV file, row by row.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(Into::into).collect()).collect()
}

#[test]
fn texts_stay_what_they_are_on_every_way() {
    let texts = [
        "7e10123",
        "1.10",
        "+5",
        "007",
        "\" a \"",
        "\"a\"\"b\"",
        "\"1,5\"",
        "\"two\nlines\"",
        "größe",
        "-0",
        "1E5",
        "0x10",
    ];
    let rows: String = texts.iter().map(|text| format!("{text},1,{text}\n")).collect();
    let folder = Folder::with("a.csv", format!("name,n,again\n{rows}x,2,7\n"));
    for way in ["b.csv", "b.parquet", "b.jsonl"] {
        copy(&folder, &format!("a.csv --to {way}")).succeeds();
        for back in ["c.csv", "c.parquet", "c.jsonl"] {
            copy(&folder, &format!("{way} --to {back}")).succeeds();
            copy(&folder, &format!("{back} --to d.csv")).succeeds();
            assert_eq!(cells(&folder.text("d.csv")), cells(&folder.text("a.csv")), "{way}, {back}");
        }
    }
    let first: Value = serde_json::from_str(folder.text("b.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(first, serde_json::json!({"name": "7e10123", "n": 1, "again": "7e10123"}));
}

#[test]
fn integers_keep_every_digit_and_their_type() {
    let largest = u64::MAX;
    let beyond = "170141183460469231731687303715884105728";
    let folder = Folder::with("a.csv", format!("i,u,t,d\n-7,{largest},{beyond},9007199254740993\n8,0,1,0.5\n,1,2,\n"));
    copy(&folder, "a.csv --to b.parquet").succeeds();
    copy(&folder, "b.parquet --to c.jsonl").succeeds();
    copy(&folder, "c.jsonl --to d.csv").succeeds();
    assert_eq!(folder.text("d.csv"), folder.text("a.csv"));
    let text = folder.text("c.jsonl");
    // Where a double would lose digits, and beyond 128 bits, the column is text.
    let first = format!("{{\"i\":-7,\"u\":{largest},\"t\":\"{beyond}\",\"d\":\"9007199254740993\"}}");
    assert_eq!(text.lines().next().unwrap(), first);
    assert_eq!(text.lines().nth(2).unwrap(), "{\"i\":null,\"u\":1,\"t\":\"2\",\"d\":null}");
}

#[test]
fn json_goes_through_with_what_tables_do_not_have() {
    let text = "{\"lr\":0.1,\"ok\":true,\"config\":{\"a\":[1, 2.50]},\"note\":\"tab\\there\",\"id\":12345678901234567890123}\n\
                {\"lr\":NaN,\"ok\":null,\"id\":1,\"more\":\"1\",\"exact\":0.1000000000000000055}\n\
                {\"lr\":-Infinity,\"ok\":false,\"empty\":\"\"}\n";
    let folder = Folder::with("a.jsonl", text);
    copy(&folder, "a.jsonl --to b.jsonl").succeeds().says("3 rows");
    assert_eq!(folder.text("b.jsonl"), text);
    copy(&folder, "a.jsonl --to c.csv").succeeds();
    let expected = [
        ["lr", "ok", "config", "note", "id", "more", "exact", "empty"],
        ["0.1", "true", "{\"a\":[1, 2.50]}", "tab\there", "12345678901234567890123", "", "", ""],
        ["NaN", "", "", "", "1", "1", "0.1000000000000000055", ""],
        ["-inf", "false", "", "", "", "", "", ""],
    ];
    assert_eq!(cells(&folder.text("c.csv")), expected);
    copy(&folder, "a.jsonl --to d.parquet").succeeds();
    copy(&folder, "d.parquet --to e.jsonl").succeeds();
    let row = |line: usize| folder.text("e.jsonl").lines().nth(line).unwrap().to_string();
    assert!(row(0).contains("\"ok\":true,\"config\":\"{\\\"a\\\":[1, 2.50]}\""), "{}", row(0));
    assert!(row(2).ends_with("\"more\":null,\"exact\":null,\"empty\":\"\"}"), "an empty text is not null: {}", row(2));
    // A list of objects, packed, is a source as well.
    let listed = format!("[{}]", text.trim().replace('\n', ",\n"));
    folder.write("list.json.zst", zstd::encode_all(listed.as_bytes(), 1).unwrap());
    copy(&folder, "list.json.zst --to f.ndjson").succeeds();
    assert_eq!(folder.text("f.ndjson"), text);
    folder.write("packed.csv.zst", zstd::encode_all(folder.bytes("c.csv").as_slice(), 1).unwrap());
    copy(&folder, "packed.csv.zst --to g.csv").succeeds();
    assert_eq!(folder.text("g.csv"), folder.text("c.csv"));
}

#[test]
fn json_that_is_wrong_is_not_copied() {
    let row = "{\"a\":1}";
    for (text, message) in [
        (format!("{row}\n{{\"a\":1,\"a\":2}}\n"), "line 2, column 1: the name 'a' is there twice"),
        (format!("{row}\n{{\"a\":"), "line 2, column 1: the last line is not whole"),
        (format!("[{row},{row}"), "the list does not end"),
        (format!("{row}\n{{\"a\" 1}}\n"), "line 2, column 6: expected ':'"),
    ] {
        let folder = Folder::with("a.jsonl", text);
        for to in ["b.csv", "b.parquet", "b.jsonl"] {
            copy(&folder, &format!("a.jsonl --to {to}")).fails_with(3).says(message);
            assert_eq!(folder.names("."), ["a.jsonl"]);
        }
    }
}

#[test]
fn every_type_of_parquet_and_arrow_is_copied_or_refused_by_name() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/formats");
    let (mut copied, mut refused) = (0, 0);
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !["parquet", "arrow", "feather", "arrows"].contains(&path.extension().unwrap_or_default().to_str().unwrap())
        {
            continue;
        }
        let folder = Folder::new();
        let source = path.display().to_string();
        let found = copy(&folder, &format!("{source} --to a.csv"));
        if found.status.success() {
            copied += 1;
            // What is text there is the same text after every way.
            copy(&folder, &format!("{source} --to b.parquet")).succeeds();
            copy(&folder, &format!("{source} --to c.jsonl")).succeeds();
            copy(&folder, "b.parquet --to d.csv").succeeds();
            copy(&folder, "c.jsonl --to e.csv").succeeds();
            let [a, d, e] = ["a.csv", "d.csv", "e.csv"].map(|name| cells(&folder.text(name)));
            assert_eq!(d, a, "{name}");
            // JSON has one type of numbers: a decimal that is a double as well may come back in a shorter form.
            for (found, expected) in e.iter().flatten().zip(a.iter().flatten()) {
                let number = |text: &str| text.parse::<f64>().ok();
                let is_same = found == expected || number(found).is_some() && number(found) == number(expected);
                assert!(is_same, "{name}: {found} {expected}");
            }
        } else {
            refused += 1;
            let found = found.fails_with(3);
            let is_named = ["which a copy cannot take along", "the column name 'config.lr' appears 2 times"]
                .iter()
                .any(|reason| found.stderr.contains(reason));
            assert!(is_named, "{name}: {}", found.stderr);
            assert_eq!(folder.names("."), [""; 0]);
        }
    }
    assert!(copied > 10 && refused > 0, "{copied} {refused}");
}

/// A cell that every way must keep: no word for nothing, which is empty in a column of numbers, and no number in one of several forms.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ a-c0-9.,;\"'\n+\\-eE]{1,6}",
        "[-+]?[0-9]{1,20}",
        any::<i32>().prop_map(|whole| whole.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        "\\PC{1,6}",
        Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_cells_come_back(columns in prop::collection::vec(prop::collection::vec(cell(), 6), 2..4), is_uniform: bool) {
        let mut columns = columns;
        if is_uniform {
            // Columns of one kind, so that some are of numbers.
            columns.iter_mut().for_each(|cells| cells.iter_mut().for_each(|cell| *cell = cell.len().to_string()));
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record((0..columns.len()).map(|place| format!("c{place}"))).unwrap();
        for row in 0..6 {
            writer.write_record(columns.iter().map(|column| &column[row])).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let folder = Folder::with("a.csv", &text);
        for way in ["b.parquet", "b.jsonl"] {
            copy(&folder, &format!("a.csv --to {way}")).succeeds();
            copy(&folder, &format!("{way} --to c.csv")).succeeds();
            let (found, expected) = (cells(&folder.text("c.csv")), cells(&text));
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                // In a column of numbers an integer is one of them.
                let same = |found: &str, expected: &str| format!("{expected}.0") == found || matches!((found, expected), ("inf", _) | ("-inf", _) | ("NaN", _));
                prop_assert!(found == expected || same(found, expected), "{found:?} {expected:?}");
            }
            prop_assert_eq!(found.len(), expected.len());
        }
    }
}
