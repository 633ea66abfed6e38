//! Rows between files: nothing lost, nothing turned into something else.

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
    for copied in ["c.csv", "d.csv"] {
        assert_eq!(folder.text(copied), "x,y,who\n1,,NA\n2,,ann\n3,,\n4,0.5,null\n", "{copied}");
    }
    for source in ["a.csv", "b.parquet", "c.csv"] {
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
