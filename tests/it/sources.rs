//! Whatever a source holds: a clear error, a counted exclusion, or the right numbers. Never a wrong one, never a panic.

use serde_json::{Value, json};

use crate::harness::{Finished, Folder, Invocation, Sequence, assert_close, csv_of, good_csv, initsweep, stats_of};

/// Means of two or three short decimals: a few roundings of 2⁻⁵³ each.
const ROUNDING: f64 = 1e-15;

/// Runs `stats` on one file with this content.
pub fn stats_on(name: &str, content: impl AsRef<[u8]>) -> Finished {
    initsweep("stats --format json").arg(name).in_folder(&Folder::with(name, content)).run()
}

/// Checks that the source is refused as invalid, saying `reason`.
#[track_caller]
fn assert_refused(content: impl AsRef<[u8]>, reason: &str) {
    stats_on("runs.csv", content).fails_with(3).says("runs.csv").says(reason);
}

/// Checks that the text `oops` in the column `loss` is found in `line`, with one thread and with several.
#[track_caller]
fn assert_found_in_line(content: impl AsRef<[u8]>, line: usize) {
    let folder = Folder::with("runs.csv", content);
    for threads in [1, 4] {
        initsweep(format!("stats runs.csv --threads {threads}"))
            .in_folder(&folder)
            .run()
            .fails_with(3)
            .says(&format!("runs.csv, line {line}, column 'loss': 'oops' is not a number"));
    }
}

/// Checks that `content` means the same as [`good_csv`].
#[track_caller]
fn assert_good(content: impl AsRef<[u8]>) {
    let (actual, expected) = (stats_of(content), stats_of(good_csv()));
    assert_eq!(actual["groups"], expected["groups"]);
    assert_eq!(actual["rows"], expected["rows"]);
}

/// Counts of the ledger: read, used, and the exclusions that occurred. Checks that it adds up.
pub fn ledger(stats: &Value) -> (u64, u64, Vec<(String, u64)>) {
    let rows = &stats["rows"];
    let all = rows["excluded"].as_object().unwrap();
    let excluded: Vec<_> =
        all.iter().map(|(reason, n)| (reason.clone(), n.as_u64().unwrap())).filter(|(_, n)| *n > 0).collect();
    let (read, used) = (rows["read"].as_u64().unwrap(), rows["used"].as_u64().unwrap());
    let failed = rows["failed"].as_u64().unwrap_or(0);
    assert_eq!(read, used + failed + excluded.iter().map(|(_, n)| n).sum::<u64>(), "{rows}");
    let in_groups: u64 = stats["groups"].as_array().unwrap().iter().map(|group| group["n"].as_u64().unwrap()).sum();
    assert_eq!(used, in_groups);
    (read, used, excluded)
}

#[track_caller]
pub fn assert_ledger(stats: &Value, read: u64, used: u64, excluded: &[(&str, u64)]) {
    let excluded: Vec<_> = excluded.iter().map(|(reason, n)| (reason.to_string(), *n)).collect();
    assert_eq!(ledger(stats), (read, used, excluded));
}

// Columns

#[test]
fn a_missing_column_is_named_together_with_those_that_are_there() {
    stats_on("runs.csv", "width,accuracy\n1,2\n")
        .fails_with(3)
        .says("runs.csv: no column named 'hidden_std_dev'; it has 'width', 'accuracy'")
        .says("--x");
    stats_on("runs.csv", "hidden_std_dev,Loss\n1,2\n").fails_with(3).says("no column named 'loss'").says("'Loss'");
}

#[test]
fn other_columns_can_be_chosen_and_the_rest_is_ignored() {
    let folder = Folder::with("trials.csv", "note,dropout,val loss\n\"a, b\",0.1,3\nx,0.1,5\n,0.2,1\n");
    let stats = initsweep("stats trials.csv --format json --x dropout --y")
        .arg("val loss")
        .in_folder(&folder)
        .run()
        .succeeds()
        .json();
    assert_eq!((&stats["factor"], &stats["metric"]), (&json!("dropout"), &json!("val loss")));
    assert_eq!(stats["groups"][0]["mean"], 4.0);
    assert_eq!(stats["references"], json!([]), "Xavier means nothing for a dropout");
}

#[test]
fn column_names_may_be_unicode_or_markup() {
    for name in ["σ (Größe) 初期", "<b>&amp;\"x\"</b>", "a,b", "a\nb", "😀"] {
        let folder = Folder::with("t.csv", format!("\"{}\",loss\n1,5\n", name.replace('"', "\"\"")));
        let stats = initsweep("stats t.csv --format json --x").arg(name).in_folder(&folder).run().succeeds().json();
        assert_eq!(stats["factor"], name);
    }
}

#[test]
fn one_column_cannot_be_both_axes() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("stats runs.csv --x loss --y loss").in_folder(&folder).run().fails_with(2).says("'loss'");
}

#[test]
fn a_repeated_column_name_matters_only_where_it_is_wanted() {
    assert_refused("hidden_std_dev,loss,loss\n1,2,3\n", "the column name 'loss' appears 2 times");
    let stats = stats_of("a,a,hidden_std_dev,loss,a\n9,9,1,2,9\n");
    assert_eq!(stats["groups"][0]["mean"], 2.0);
}

// Text where a number should be

#[test]
fn text_in_a_number_column_is_found_by_file_line_column_and_value() {
    assert_found_in_line("hidden_std_dev,loss\n1,2\n1,oops\n1,3\n", 3);
}

#[test]
fn lines_are_counted_right_with_crlf() {
    assert_found_in_line("hidden_std_dev,loss\r\n1,2\r\n1,oops\r\n1,3\r\n", 3);
}

#[test]
fn lines_are_counted_right_with_cr_alone() {
    assert_found_in_line("hidden_std_dev,loss\r1,2\r1,oops\r1,3\r", 3);
}

#[test]
fn lines_are_counted_right_after_line_breaks_in_quotes() {
    assert_found_in_line("note,hidden_std_dev,loss\n\"one\ntwo\nthree\",1,2\n\"x\r\ny\",1,2\nz,1,oops\n", 7);
    assert_found_in_line("\"no\nte\",hidden_std_dev,loss\n\"one\ntwo\",1,2\nz,1,oops\n", 5);
}

#[test]
fn lines_are_counted_right_after_blank_lines_and_a_byte_order_mark() {
    assert_found_in_line("\u{feff}hidden_std_dev,loss\n\n1,2\n\n\n1,oops\n", 6);
    assert_found_in_line("hidden_std_dev,loss\r\n\r\n1,2\r\n\r\n1,oops\r\n", 5);
    assert_found_in_line("\n\nhidden_std_dev,loss\n1,oops\n", 4);
}

#[test]
fn lines_are_counted_right_deep_in_a_file_of_many_blocks() {
    // The reader works in blocks of 2 MiB: this is eight of them, with a line break in quotes every thousand rows.
    const ROWS: usize = 800_000;
    for end in ["\n", "\r\n"] {
        let mut text = format!("note,hidden_std_dev,loss{end}");
        let mut line = 2;
        for row in 0..ROWS {
            let broken = row % 1000 == 999;
            text.push_str(if broken { "\"two\nlines\"" } else { "one line" });
            text.push_str(if row + 3 == ROWS { ",0.5,oops" } else { ",0.5,123.25" });
            text.push_str(end);
            if row + 3 < ROWS {
                line += 1 + usize::from(broken);
            }
        }
        assert!(text.len() > 7 * (2 << 20));
        assert_found_in_line(text, line);
    }
}

#[test]
fn the_first_of_several_bad_cells_is_reported_whatever_the_threads() {
    let mut text = csv_of(&vec![(0.5, 1.0); 700_000]);
    let early = text.len() / 2;
    let early = early + text[early..].find('\n').unwrap() + 1;
    text.insert_str(early, "0.5,oops\n");
    text.push_str("0.5,late\n");
    let line = text[..early].lines().count() + 1;
    assert_found_in_line(text, line);
}

#[test]
fn a_decimal_comma_is_explained() {
    stats_on("runs.csv", "hidden_std_dev;loss\n0,5;12,25\n").fails_with(3).says("'0,5'").says("decimal point");
}

#[test]
fn a_control_character_in_a_bad_cell_does_not_reach_the_terminal() {
    let finished = stats_on("runs.csv", "hidden_std_dev,loss\n1,\u{1b}[31mred\n").fails_with(3).says("line 2");
    assert!(!finished.stderr.contains('\u{1b}'), "{:?}", finished.stderr);
}

// Numbers that cannot be used

#[test]
fn runs_with_nan_infinite_and_overflowing_losses_have_failed() {
    let losses = ["NaN", "nan", "-NaN", "inf", "-inf", "Infinity", "1e999", "-1e999", "7"];
    let rows: String = losses.iter().map(|loss| format!("1,{loss}\n")).collect();
    let stats = stats_of(format!("hidden_std_dev,loss\n{rows}2,9\n"));
    assert_ledger(&stats, 10, 2, &[]);
    assert_eq!(stats["rows"]["failed"], 8);
    assert_eq!(stats["groups"][0]["mean"], 7.0);
}

#[test]
fn a_level_that_is_no_number_is_counted_too() {
    let stats = stats_of("hidden_std_dev,loss\nNaN,1\ninf,2\n,3\n4,5\n");
    assert_ledger(&stats, 4, 1, &[("empty", 1), ("infinite", 1), ("nan", 1)]);
}

#[test]
fn empty_cells_in_every_spelling_are_counted() {
    let cells = ["", " ", "\"\"", "\" \"", "NA", "N/A", "null", "NULL", "None"];
    let rows: String = cells.iter().map(|cell| format!("1,{cell}\n")).collect();
    let stats = stats_of(format!("hidden_std_dev,loss\n{rows}1,8\n"));
    assert_ledger(&stats, cells.len() as u64 + 1, 1, &[("empty", cells.len() as u64)]);
}

#[test]
fn the_ledger_is_the_same_in_json_terminal_and_report() {
    let folder = Folder::with("runs.csv", good_csv() + "1,NaN\n1,NaN\n1,inf\nNaN,1\n,3\n1,\n1,NA\n0.25,");
    let stats = initsweep("stats runs.csv --format json").in_folder(&folder).run().succeeds().json();
    let (read, used, excluded) = ledger(&stats);
    assert_eq!((read, used), (14, 6));
    assert_eq!(stats["rows"]["failed"], 3);
    let count = |reason: &str| excluded.iter().find(|(name, _)| name == reason).map_or(0, |(_, n)| *n);
    assert_eq!((count("nan"), count("infinite"), count("empty") + count("torn_line")), (1, 0, 4));

    let words = [("empty", "empty"), ("nan", "NaN"), ("infinite", "infinite"), ("torn_line", "torn last line")];
    let parts: String = words
        .iter()
        .filter(|(reason, _)| count(reason) > 0)
        .map(|(reason, word)| format!(" + {} {word}", count(reason)))
        .collect();
    let line = format!("Rows: {read} read = {used} used + 3 failed{parts}");
    initsweep("stats runs.csv").in_folder(&folder).run().succeeds().prints(&line);
    initsweep("stats runs.csv --format markdown").in_folder(&folder).run().succeeds().prints(&line);
    initsweep("report runs.csv").in_folder(&folder).run().succeeds().prints(&line);
    let html = folder.text("output/report.html");
    assert!(html.contains(&line));
    for (reason, word) in words {
        assert!(
            html.contains(&format!(">{word}</td><td data-label=\"rows\" class=\"number\">{}</td>", count(reason))),
            "{word}"
        );
    }
}

#[test]
fn sources_without_a_usable_run_say_why() {
    initsweep("stats runs.csv")
        .in_folder(&Folder::with("runs.csv", "hidden_std_dev,loss\n1,NaN\n1,\n"))
        .run()
        .fails_with(3)
        .says("no usable run in runs.csv")
        .says("2 rows read")
        .says("1 failed (first: runs.csv, line 2), 1 empty (first: runs.csv, line 3)");
}

#[test]
fn huge_values_keep_their_mean() {
    let stats = stats_of("hidden_std_dev,loss\n1,1e308\n1,1.5e308\n1,1.7e308\n2,-1e308\n2,1e308\n");
    assert_close(&stats["groups"][0]["mean"], 1.4e308, ROUNDING, "mean of sums beyond the largest double");
    assert_eq!(stats["groups"][1]["mean"], 0.0);
    assert_close(&stats["groups"][1]["std_dev"], 2f64.sqrt() * 1e308, ROUNDING, "std_dev");
}

#[test]
fn numbers_that_no_double_holds_are_null_in_the_json_and_never_break_it() {
    // The interval of these two reaches beyond the largest double.
    let stats = stats_of("hidden_std_dev,loss\n1,-1.7e308\n1,1.7e308\n2,1e-300\n2,2e-300\n");
    assert_eq!(stats["groups"][0]["ci_upper"], Value::Null);
    assert_eq!(stats["groups"][0]["max"], 1.7e308);
}

#[test]
fn subnormal_values_keep_their_mean_and_spread() {
    let stats = stats_of("hidden_std_dev,loss\n1,4e-320\n1,8e-320\n");
    // One unit of the last place of a subnormal number, 5e-324, relative to 6e-320.
    const SUBNORMAL: f64 = 1e-4;
    assert_close(&stats["groups"][0]["mean"], 6e-320, SUBNORMAL, "mean");
    assert_close(&stats["groups"][0]["std_dev"], 8f64.sqrt() * 1e-320, SUBNORMAL, "std_dev");
}

#[test]
fn extreme_values_give_a_figure_or_a_reason() {
    for rows in
        ["1,1e308\n2,-1e308\n", "1,4e-320\n20,8e-320\n", "1e-320,1\n1e308,2\n", "1,5\n1,5\n", "-1e308,1\n1e308,2\n"]
    {
        let folder = Folder::with("runs.csv", format!("hidden_std_dev,loss\n{rows}"));
        let finished = initsweep("plot runs.csv").in_folder(&folder).run();
        if finished.status.success() {
            let svg = folder.text("output/loss-vs-std-dev.svg");
            assert!(!svg.contains("NaN") && !svg.contains("inf,") && !svg.contains("2147483647"), "{rows}");
        } else {
            finished.fails_with(3).says("cannot draw");
        }
    }
}

#[test]
fn a_level_with_one_run_has_no_spread_instead_of_none_measured() {
    let folder = Folder::with("runs.csv", csv_of(&[(1.0, 5.0), (2.0, 6.0), (2.0, 8.0)]));
    let stats = initsweep("stats runs.csv --format json").in_folder(&folder).run().succeeds().json();
    let single = &stats["groups"][0];
    for key in ["std_dev", "standard_error", "ci_lower", "ci_upper"] {
        assert_eq!(single[key], Value::Null, "{key}");
    }
    assert_eq!((&single["n"], &single["mean"], &single["q25"]), (&json!(1), &json!(5.0), &json!(5.0)));
    assert_eq!(stats["warnings"][0]["kind"], "single_runs");
    let csv = initsweep("stats runs.csv --format csv").in_folder(&folder).run().succeeds();
    csv.prints("\n1,1,5,,,,,5,5,5,5,5,").says("1 level with a single run");
    initsweep("report runs.csv --error-bars sd").in_folder(&folder).run().succeeds();
}

#[test]
fn a_single_level_is_described_and_drawn() {
    let folder = Folder::with("runs.csv", csv_of(&[(0.5, 5.0), (0.5, 7.0)]));
    initsweep("report runs.csv").in_folder(&folder).run().succeeds().prints("It is the only level");
}

#[test]
fn negative_and_zero_levels_are_kept_and_shown_on_a_linear_axis() {
    let folder = Folder::with("runs.csv", csv_of(&[(-1.0, 9.0), (0.0, 8.0), (-0.0, 6.0), (0.1, 3.0), (10.0, 5.0)]));
    let stats = initsweep("stats runs.csv --format json").in_folder(&folder).run().succeeds().json();
    let levels: Vec<_> = stats["groups"].as_array().unwrap().iter().map(|group| group["level"].as_f64()).collect();
    assert_eq!(levels, [Some(-1.0), Some(0.0), Some(0.1), Some(10.0)], "-0 is 0");
    assert_eq!(stats["x_scale"], "linear", "-1 has no logarithm");
    initsweep("plot runs.csv").in_folder(&folder).run().succeeds();
    assert!(folder.text("output/loss-vs-std-dev.svg").contains("4 levels, n = 1 to 2 runs each; 5 runs in all"));
}

#[test]
fn a_logarithmic_axis_without_a_level_above_zero_is_refused() {
    let folder = Folder::with("runs.csv", csv_of(&[(0.0, 9.0), (0.0, 8.0)]));
    initsweep("plot runs.csv").in_folder(&folder).run().succeeds();
    let finished = initsweep("plot runs.csv --x-scale log").in_folder(&folder).run();
    finished.fails_with(2).says("no level of 'hidden_std_dev' is above 0").says("--x-scale linear");
}

#[test]
fn ten_million_distinct_levels_are_refused_with_a_count() {
    const LEVELS: usize = 10_000_000;
    let mut text = String::with_capacity(11 * LEVELS);
    text.push_str("hidden_std_dev,loss\n");
    for level in 0..LEVELS {
        // Seven digits, written by hand because a formatter takes seconds.
        let mut digits = *b"0000000,1\n";
        let mut rest = level;
        for digit in digits[..7].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        text.push_str(std::str::from_utf8(&digits).unwrap());
    }
    initsweep("stats -")
        .stdin(text)
        .run()
        .fails_with(3)
        .says("column 'hidden_std_dev' has 10000000 distinct values")
        .says("--x");
}

// Files that are not whole

#[test]
fn an_empty_file_is_called_empty() {
    assert_refused("", "empty");
}

#[test]
fn a_header_without_rows_is_no_run() {
    for content in ["hidden_std_dev,loss\n", "hidden_std_dev,loss", "\u{feff}hidden_std_dev,loss\r\n\r\n"] {
        assert_refused(content, "there are no rows");
    }
}

#[test]
fn blanks_alone_are_no_table() {
    for content in ["\n", "  \n\t\n ", "\r\n\r\n", "\u{feff}", "\u{feff}\n"] {
        stats_on("runs.csv", content).fails_with(3).says("runs.csv");
    }
}

/// Losses as long as the trainer writes them; a cut is then visible.
const LONG: &str = "hidden_std_dev,loss\n0.5,1234.567890123\n0.5,1334.567890123\n";

#[test]
fn a_last_line_cut_at_a_field_boundary_is_left_out() {
    for tail in ["0.5,", "0.5", "0.", "-", "\"0.5\",\""] {
        let stats = stats_of(format!("{LONG}{tail}"));
        assert_ledger(&stats, 3, 2, &[("torn_line", 1)]);
        assert_eq!(stats["rows"]["first_excluded"]["torn_line"], "runs.csv, line 4");
    }
}

#[test]
fn a_last_line_cut_inside_a_number_is_left_out() {
    for tail in ["0.5,1", "0.5,14", "0.5,1434.", "0.5,1434.5", "0.5,1e", "0.5,-"] {
        let stats = stats_of(format!("{LONG}{tail}"));
        assert_ledger(&stats, 3, 2, &[("torn_line", 1)]);
    }
}

#[test]
fn a_last_line_cut_inside_quotes_is_left_out() {
    let stats = stats_of("hidden_std_dev,loss\n\"0.5\",\"123.25\"\n\"0.5\",\"12");
    assert_ledger(&stats, 2, 1, &[("torn_line", 1)]);
}

#[test]
fn a_complete_last_line_without_a_line_break_is_used_with_a_warning() {
    let stats = stats_of(format!("{LONG}0.5,1434.567890123"));
    assert_ledger(&stats, 3, 3, &[]);
    assert_eq!(stats["warnings"][0]["kind"], "unterminated_line");
    assert!(stats["warnings"][0]["message"].as_str().unwrap().contains("1434.567890123"));
    // One that is bad in the middle of a file is still an error.
    assert_refused(format!("{LONG}0.5,oops\n0.5,1"), "'oops'");
}

#[test]
fn a_lost_closing_quote_does_not_swallow_rows() {
    let rows = "a,0.5,1\n".repeat(50);
    for end in ["", "\n"] {
        let text = format!("note,hidden_std_dev,loss\n{rows}\"a,0.5,1\n{rows}a,0.5,1{end}");
        stats_on("runs.csv", text).fails_with(3).says("line 52");
    }
}

#[test]
fn a_row_of_another_length_is_an_error_with_its_line() {
    assert_refused("a,hidden_std_dev,loss\n1,2,3\n1,2\n1,2,3\n", "line 3: 2 fields where the header has 3");
    assert_refused("a,hidden_std_dev,loss\n1,2,3\n1,2,3\n1,2,3,4\n", "line 4: 4 fields where the header has 3");
}

// Encodings and dialects

#[test]
fn line_ends_marks_blanks_and_quotes_do_not_change_the_numbers() {
    let good = good_csv();
    assert_good(format!("\u{feff}{good}"));
    assert_good(good.replace('\n', "\r\n"));
    assert_good(good.replace('\n', "\r"));
    assert_good(format!("\u{feff}{}", good.replace('\n', "\r\n")));
    assert_good(good.replace('\n', "\n\n"));
    assert_good(good.replace(',', " , "));
    let quoted = |line: &str| line.split(',').map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",") + "\n";
    assert_good(good.lines().map(quoted).collect::<String>());
    assert_good(format!("\u{feff}{}", good.lines().map(quoted).collect::<String>()));
}

#[test]
fn separators_are_recognised() {
    for separator in [";", "\t", "|"] {
        assert_good(good_csv().replace(',', separator));
    }
    // Other separators in other columns' names and cells do not mislead.
    let widened = |line: (usize, &str)| {
        let note = if line.0 == 0 { "a,b|c,d" } else { "x,y,z,1|2" };
        format!("{note};{}\n", line.1.replace(',', ";"))
    };
    assert_good(good_csv().lines().enumerate().map(widened).collect::<String>());
}

#[test]
fn utf_16_is_read_and_other_encodings_are_named() {
    let expected = stats_of(good_csv())["groups"].clone();
    let units: Vec<u16> = format!("\u{feff}{}", good_csv()).encode_utf16().collect();
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        assert_eq!(stats_of(units.iter().flat_map(|unit| bytes(*unit)).collect::<Vec<_>>())["groups"], expected);
    }
    let odd: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).chain([0]).collect();
    assert_refused(odd, "UTF-16");
    assert_refused(&b"\xff\xfe\0\0h\0\0\0"[..], "UTF-32");
    let latin = stats_on("runs.csv", &b"gr\xf6\xdfe,loss\n1,2\n"[..]).fails_with(3);
    latin.says("not UTF-8").says("iconv");
}

#[test]
fn text_in_another_encoding_does_not_matter_in_other_columns() {
    let mut text = b"n\xf6te,hidden_std_dev,loss\n".to_vec();
    text.extend_from_slice(b"gr\xf6\xdfe,0.5,4\n");
    assert_eq!(stats_of(text)["groups"][0]["mean"], 4.0);
}

#[test]
fn compressed_files_are_read_wherever_they_come_from() {
    let expected = stats_of(good_csv())["groups"].clone();
    let gzip = gzipped(good_csv().as_bytes());
    let folder = Folder::with("runs.csv.gz", &gzip);
    folder.write("more.tsv.zst", zstd::encode_all(good_csv().as_bytes(), 3).unwrap());
    let groups = |words: &str| {
        let run = initsweep(format!("stats {words} --format json")).stdin(gzip.clone()).in_folder(&folder).run();
        run.succeeds().json()["groups"].clone()
    };
    for words in ["runs.csv.gz", "more.tsv.zst", "-"] {
        assert_eq!(groups(words), expected, "{words}");
    }
    // In a folder they are the same runs twice, and used once.
    assert_eq!(groups("."), expected);
    // The digest is that of the file as it lies there.
    let stats = initsweep("stats runs.csv.gz --format json").in_folder(&folder).run().succeeds().json();
    assert_eq!(stats["provenance"]["inputs"][0]["bytes"], gzip.len());
    for end in [20, gzip.len() - 5] {
        folder.write("cut.csv.gz", &gzip[..end]);
        initsweep("stats cut.csv.gz").in_folder(&folder).run().fails_with(3).says("cut.csv.gz").says("damaged");
    }
}

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn text_that_means_a_number_is_refused_with_what_to_do() {
    for (cell, advice) in [
        ("161ms", "write the number alone: 161"),
        ("'-0.5", "take the quotation mark away"),
        ("\"1,234\"", "write it without commas: 1234"),
        ("\"1,5\"", "decimal point"),
        ("diverged", "--failed 'loss=diverged'"),
        ("2 layers", "a column of text cannot be --x or --y"),
    ] {
        stats_on("runs.csv", format!("hidden_std_dev,loss\n1,{cell}\n")).fails_with(3).says("line 2").says(advice);
    }
}

#[test]
fn only_rows_for_which_all_conditions_hold_count() {
    let text = "lr,opt,val loss,epoch\n1,adam,5,1\n1,sgd,oops,1\n1,adam,7,2\n2,adam,,2\n2,adam,9,2\n2,,1,2\n";
    let stats = |more: &[&str]| {
        let command = initsweep("stats runs.csv --x lr --format json --y").arg("val loss");
        let command = more.iter().fold(command, Invocation::arg);
        command.in_folder(&Folder::with("runs.csv", text)).run()
    };
    stats(&[]).fails_with(3).says("line 3").says("'oops'");
    let found = stats(&["--where", "opt=adam"]).succeeds().json();
    assert_ledger(&found, 6, 3, &[("empty", 1), ("filtered", 2)]);
    assert_eq!(found["groups"][0]["mean"], 6.0);
    let found = stats(&["--where", "opt=adam", "--where", "epoch>=4/2", "--where", "\"val loss\"<8"]).succeeds().json();
    assert_ledger(&found, 6, 1, &[("filtered", 5)]);
    stats(&["--where", "optim=adam"]).fails_with(3).says("no column named 'optim'");
    stats(&["--where", "opt>1"]).fails_with(3).says("'adam' is not a number");
    stats(&["--where", "opt~1"]).fails_with(2).says("COLUMN OP VALUE");
}

#[test]
fn a_condition_can_say_which_runs_failed() {
    let text = "lr,State,loss\n1,finished,5\n1,crashed,\n1,finished,oops\n2,finished,12\n2,finished,inf\n2,running,1\n3,finished,2\n";
    let found = initsweep(
        "stats runs.csv --x lr --y loss --format json --failed State!=finished --failed loss=oops --failed loss>10",
    );
    let found = found.in_folder(&Folder::with("runs.csv", text)).run().fails_with(3);
    found.says("'oops' is not a number");
    let found = initsweep("stats runs.csv --x lr --y loss --format json --failed State!=finished --failed loss=oops");
    let found = found.in_folder(&Folder::with("runs.csv", text)).run().succeeds().json();
    assert_eq!(found["rows"]["failed"], 4);
    assert_ledger(&found, 7, 3, &[]);
}

#[test]
fn random_bytes_are_refused_whatever_they_are_called() {
    let mut sequence = Sequence(1);
    for name in ["runs.csv", "runs.parquet", "runs.txt"] {
        for start in [&b""[..], b"PAR1", b"\xef\xbb\xbf", b"hidden_std_dev,loss\n"] {
            let noise = (0..10_000).map(|_| sequence.below(256) as u8);
            let bytes: Vec<u8> = start.iter().copied().chain(noise).collect();
            stats_on(name, bytes).fails_with(3).says(name);
        }
    }
}
