//! Sweeps: the same runs however they are made, and nothing lost when they are stopped.

use std::fs;

use crate::harness::{Finished, Folder, Running, initsweep, size_of, wait_until};

/// The article's columns first, then what it takes to make a run again.
const HEADER: &str =
    "hidden_std_dev,output_std_dev,loss,replicate,seed,final_loss,epochs,learning_rate,draw,solved_epoch,solved_below";

/// What a finished sweep leaves: the runs, and beside them how they were made.
const FINISHED: [&str; 2] = ["x.csv", "x.csv.sweep.json"];

/// Makes a sweep in `folder`; `words` come after `--to`.
fn sweep(folder: &Folder, words: &str) -> Finished {
    initsweep(format!("sweep --to {words}")).in_folder(folder).run()
}

/// The bytes of a fresh CSV of this sweep.
fn csv_of(words: &str) -> String {
    let folder = Folder::new();
    sweep(&folder, &format!("x.csv {words}")).succeeds();
    assert_eq!(folder.names("."), FINISHED, "nothing else stays");
    folder.text("x.csv")
}

const SMALL: &str = "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 3 --epochs 50";

#[test]
fn a_sweep_holds_every_run_in_the_order_of_its_plan() {
    let csv = csv_of(SMALL);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some(HEADER));
    let mut identities = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!([cells[1], cells[4], cells[6], cells[7]], ["0.8165", "1", "50", "0.1"], "{line}");
        let (loss, last): (f64, f64) = (cells[2].parse().unwrap(), cells[5].parse().unwrap());
        // The sum of 50 losses near ln 2, each at most some times that.
        assert!(10.0 < loss && loss < 200.0 && 0.1 < last && last < 5.0, "{line}");
        identities.push(format!("{} {}", cells[0], cells[3]));
    }
    let levels = ["0.5", "0.7071067811865475", "2.0"];
    let expected: Vec<String> = (0..3).flat_map(|run| levels.map(|level| format!("{level} {run}"))).collect();
    assert_eq!(identities.len(), 9);
    for (identity, expected) in identities.iter().zip(&expected) {
        let [(level, run), (wanted, wanted_run)] = [identity, expected].map(|text| text.split_once(' ').unwrap());
        // 1/√2 is rounded twice here, so that the last digit may differ from the constant.
        const LAST_DIGIT: f64 = 3e-16;
        let (level, wanted): (f64, f64) = (level.parse().unwrap(), wanted.parse().unwrap());
        assert!((level - wanted).abs() <= LAST_DIGIT * wanted && run == wanted_run, "{identity}, not {expected}");
    }
}

#[test]
fn threads_do_not_change_a_byte() {
    let words = "--hidden-std-dev lin:0.1:3:40 --runs 30 --epochs 50";
    assert_eq!(csv_of(&format!("{words} --threads 1")), csv_of(&format!("{words} --threads 4")));
}

#[test]
fn a_run_does_not_depend_on_other_levels_or_on_the_number_of_runs() {
    let few = csv_of("--hidden-std-dev 2,0.5 --runs 2 --epochs 50");
    let many = csv_of("--hidden-std-dev 0.1,0.5,1,2 --runs 5 --epochs 50");
    for line in few.lines() {
        assert!(many.lines().any(|other| other == line), "{line} is missing in\n{many}");
    }
    assert_eq!(few.lines().count(), 5);
    let other_seed = csv_of("--hidden-std-dev 2,0.5 --runs 2 --epochs 50 --seed 2");
    assert!(few.lines().skip(1).all(|line| !other_seed.contains(line)));
}

#[test]
fn every_setting_can_be_swept() {
    let csv = csv_of("--hidden-std-dev 0.5 --output-std-dev sqrt(2/3),1 --learning-rate 0.1,1 --epochs 10,20 --runs 1");
    let settings: Vec<String> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{} {} {}", &cells[1][..3], cells[7], cells[6])
        })
        .collect();
    let mut expected = Vec::new();
    for output in ["0.8", "1.0"] {
        for rate in ["0.1", "1.0"] {
            expected.extend(["10", "20"].map(|epochs| format!("{output} {rate} {epochs}")));
        }
    }
    assert_eq!(settings, expected);
}

#[test]
fn running_a_finished_sweep_again_changes_nothing() {
    let folder = Folder::new();
    for target in ["x.csv", "x.parquet"] {
        sweep(&folder, &format!("{target} {SMALL}")).succeeds().says("9 made");
        let before = folder.bytes(target);
        sweep(&folder, &format!("{target} {SMALL}")).succeeds().says("0 made");
        assert_eq!(folder.bytes(target), before);
    }
    assert_eq!(folder.names("."), ["x.csv", "x.csv.sweep.json", "x.parquet", "x.parquet.sweep.json"]);
}

#[test]
fn more_runs_extend_a_finished_sweep() {
    let folder = Folder::new();
    for target in ["x.csv", "x.parquet"] {
        let words = |runs: u32| format!("{target} --hidden-std-dev 0.5,2 --epochs 50 --runs {runs}");
        sweep(&folder, &words(2)).succeeds();
        sweep(&folder, &words(5)).succeeds().says("6 made").says("4 were there before");
        let fresh = Folder::new();
        sweep(&fresh, &words(5)).succeeds();
        assert_eq!(folder.bytes(target), fresh.bytes(target));
    }
}

#[test]
fn another_sweep_is_refused_and_its_file_untouched() {
    let folder = Folder::new();
    for target in ["x.csv", "x.parquet"] {
        sweep(&folder, &format!("{target} {SMALL}")).succeeds();
        let before = folder.bytes(target);
        for other in [
            "--hidden-std-dev 0.5,1,2 --runs 3 --epochs 50",
            "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 2 --epochs 50",
            "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 3 --epochs 51",
            "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 3 --epochs 50 --seed 2",
            "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 3 --epochs 50 --output-std-dev 1",
            "--hidden-std-dev 0.5,1/sqrt(2),2 --runs 3 --epochs 50 --learning-rate 0.2",
        ] {
            let refused = sweep(&folder, &format!("{target} {other}"));
            refused.fails_with(1).says(target).says("holds another sweep").says("--fresh");
            assert_eq!(folder.bytes(target), before);
            assert!(!folder.path(&format!("{target}.part")).exists(), "{:?}", folder.names("."));
        }
    }
}

#[test]
fn a_file_of_something_else_is_refused_and_untouched() {
    let folder = Folder::new();
    for content in ["hidden_std_dev,loss\n0.5,1\n", "my diary\nsecond line\n", "no line break", "\u{ff}\n\n"] {
        folder.write("x.csv", content);
        sweep(&folder, &format!("x.csv {SMALL}")).fails_with(1);
        assert_eq!(folder.text("x.csv"), content);
        assert_eq!(folder.names("."), ["x.csv"]);
    }
}

#[test]
fn fresh_starts_over() {
    let folder = Folder::new();
    sweep(&folder, "x.csv --hidden-std-dev 1 --runs 50 --epochs 10").succeeds();
    sweep(&folder, &format!("x.csv {SMALL} --fresh")).succeeds();
    assert_eq!(folder.text("x.csv"), csv_of(SMALL));
    folder.write("x.csv.part", "left over");
    sweep(&folder, &format!("x.csv {SMALL} --fresh")).succeeds();
    assert_eq!(folder.text("x.csv"), csv_of(SMALL));
    assert_eq!(folder.names("."), FINISHED);
}

#[test]
fn parquet_holds_the_values_of_the_csv_bit_for_bit() {
    let folder = Folder::new();
    let words = "--hidden-std-dev log:0.1:10:7 --runs 9 --epochs 50 --seed 18446744073709551615";
    sweep(&folder, &format!("x.csv {words}")).succeeds();
    sweep(&folder, &format!("x.parquet {words}")).succeeds();
    for column in ["loss", "final_loss", "replicate", "epochs", "learning_rate", "output_std_dev"] {
        let stats = |file: &str| {
            initsweep(format!("stats {file} --format csv --y {column}")).in_folder(&folder).run().succeeds().text()
        };
        assert_eq!(stats("x.csv"), stats("x.parquet"), "{column}");
    }
    let settings = |file: &str| {
        let json = initsweep(format!("stats {file} --format json")).in_folder(&folder).run().succeeds().json();
        json["settings"].clone()
    };
    assert_eq!(settings("x.parquet")["seed"][0], "18446744073709551615");
    assert_eq!(settings("x.csv")["seed"], settings("x.parquet")["seed"]);
}

#[test]
fn the_folder_of_the_target_is_made() {
    let folder = Folder::new();
    sweep(&folder, &format!("a/b/x.csv {SMALL}")).succeeds();
    assert_eq!(folder.text("a/b/x.csv"), csv_of(SMALL));
    folder.write("file", "");
    sweep(&folder, &format!("file/x.csv {SMALL}")).fails_with(1).says("cannot write file");
    folder.write("folder.csv/x", "");
    sweep(&folder, &format!("folder.csv {SMALL}")).fails_with(1);
    assert_eq!(folder.names("folder.csv"), ["x"]);
}

// Stopping and going on

/// Calls `test` with a sweep of 1024 runs of which some are stored and others still to come; `test` gives `None` if the
/// sweep ended before it was done with it. Runs get longer until that does not happen: how long one takes is the
/// machine's and the trainer's business.
fn halfway<T>(test: impl Fn(&Folder, Running, &str) -> Option<T>) -> T {
    let lengths = (0..9).map(|power| 20_000 * 3u64.pow(power));
    for epochs in lengths {
        let words = format!("x.csv --hidden-std-dev 0.5,1 --runs 512 --epochs {epochs} --threads 1");
        let folder = Folder::new();
        let mut running = initsweep(format!("sweep --to {words}")).in_folder(&folder).start();
        let part = folder.path("x.csv.part");
        let mut ended = false;
        wait_until("rows are stored", || {
            ended = running.has_ended();
            ended || size_of(&part) > 0
        });
        if !ended && let Some(result) = test(&folder, running, &words) {
            return result;
        }
    }
    panic!("the sweep always ended before it could be stopped");
}

/// What a stopped sweep left.
struct Stopped {
    folder: Folder,
    words: String,
}

impl Stopped {
    /// Checks that whole rows are stored: some, but not all.
    fn keeps_whole_rows(&self) {
        let text = self.folder.text("x.csv.part");
        assert!(text.starts_with(HEADER) && text.ends_with('\n'), "{text}");
        assert!((1..1024).contains(&(text.lines().count() - 1)), "{}", text.lines().count());
        assert!(text.lines().all(|line| line.split(',').count() == HEADER.split(',').count()));
    }

    /// Goes on to the end and compares with a sweep that was never stopped.
    fn goes_on(self) {
        assert!(!self.folder.path("x.csv").exists(), "an unfinished sweep has no finished name");
        let kept = self.folder.text("x.csv.part");
        let words = self.words.replace("--threads 1", "");
        sweep(&self.folder, &words).succeeds().says("were there before");
        let finished = self.folder.text("x.csv");
        assert_eq!(self.folder.names("."), FINISHED);
        assert!(finished.starts_with(kept.rsplit_once('\n').unwrap().0), "stored rows are kept");
        assert_eq!(finished, csv_of(words.strip_prefix("x.csv").unwrap()));
    }
}

/// A sweep stopped by `signal`, which must end with the exit code `code`, none if the signal itself ends it.
#[cfg(unix)]
fn stopped_by(signal: &str, code: Option<i32>) -> Stopped {
    halfway(|folder, running, words| {
        running.signal(signal);
        let finished = running.wait();
        if folder.path("x.csv").exists() {
            return None;
        }
        assert_eq!(finished.status.code(), code, "{}", finished.stderr);
        if code.is_some() {
            finished.says("error: stopped after").says("x.csv.part").says("run the same command again");
        }
        Some(Stopped { folder: folder.clone(), words: words.to_string() })
    })
}

#[cfg(unix)]
#[test]
fn a_killed_sweep_goes_on_as_if_nothing_had_happened() {
    stopped_by("KILL", None).goes_on();
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_keeps_whole_rows_and_goes_on() {
    let stopped = stopped_by("INT", Some(130));
    stopped.keeps_whole_rows();
    // What is there can be looked at already.
    initsweep("stats x.csv.part").in_folder(&stopped.folder).run().succeeds();
    stopped.goes_on();
}

#[test]
fn two_sweeps_cannot_write_the_same_file() {
    for more in ["", "--fresh"] {
        halfway(|folder, mut running, words| {
            let stored = size_of(&folder.path("x.csv.part"));
            let second = sweep(folder, &format!("{words} {more}"));
            let still_stored = size_of(&folder.path("x.csv.part"));
            // The first holds the file until it has its finished name.
            if folder.path("x.csv").exists() || running.has_ended() {
                return None;
            }
            second.fails_with(1).says("x.csv is being written by another process");
            assert!(still_stored >= stored, "what the first has stored is untouched");
            Some(())
        });
    }
}

#[test]
fn a_torn_tail_is_made_again() {
    let whole = csv_of(SMALL);
    let folder = Folder::new();
    // In the header, after it, in a row, right after a line break, before the last one.
    for length in [0, 10, HEADER.len() + 1, HEADER.len() + 30, whole.find("\n0.5").unwrap() + 1, whole.len() - 1] {
        folder.write("x.csv.part", &whole[..length]);
        sweep(&folder, &format!("x.csv {SMALL}")).succeeds();
        assert_eq!(folder.text("x.csv"), whole, "torn at {length}");
        assert_eq!(folder.names("."), FINISHED);
        fs::remove_file(folder.path("x.csv")).unwrap();
    }
}

#[test]
fn a_started_file_of_another_sweep_is_refused_and_untouched() {
    let folder = Folder::new();
    let part = csv_of(SMALL);
    folder.write("x.csv.part", &part);
    sweep(&folder, &format!("x.csv {SMALL} --seed 2")).fails_with(1).says("holds another sweep");
    assert_eq!(folder.text("x.csv.part"), part);
}

// Levels

/// The levels that `text` stands for, as a sweep stores them.
fn levels_of(text: &str) -> Vec<f64> {
    let folder = Folder::new();
    initsweep("sweep --to x.csv --runs 1 --epochs 1 --hidden-std-dev").arg(text).in_folder(&folder).run().succeeds();
    let first = |line: &str| line.split(',').next().unwrap().parse().unwrap();
    folder.text("x.csv").lines().skip(1).map(first).collect()
}

#[test]
fn levels_are_written_the_way_a_person_writes_them() {
    assert_eq!(levels_of("0.1,0.5,1"), [0.1, 0.5, 1.0]);
    assert_eq!(levels_of(" 1 , 0.5 "), [1.0, 0.5]);
    assert_eq!(levels_of("lin:0:1:5"), [0.0, 0.25, 0.5, 0.75, 1.0]);
    assert_eq!(levels_of("0"), [0.0]);
    // Even steps in the logarithm, computed with libm: one or two roundings.
    const ROUNDED: f64 = 1e-15;
    let close = |text: &str, expected: &[f64]| {
        let levels = levels_of(text);
        assert_eq!(levels.len(), expected.len(), "{levels:?}");
        for (level, expected) in levels.iter().zip(expected) {
            assert!((level - expected).abs() <= ROUNDED * expected, "{text}: {levels:?}");
        }
    };
    close("log:0.01:100:5", &[0.01, 0.1, 1.0, 10.0, 100.0]);
    close("1/sqrt(2)", &[std::f64::consts::FRAC_1_SQRT_2]);
    close(
        "sqrt(2/3),√2,2^-1,pi/4,1e-2",
        &[(2.0f64 / 3.0).sqrt(), std::f64::consts::SQRT_2, 0.5, std::f64::consts::FRAC_PI_4, 0.01],
    );
    let article = levels_of("log:exp(-3):exp(4):400");
    assert_eq!(article.len(), 400);
    assert!((article[0] - (-3f64).exp()).abs() < 1e-16 && (article[399] - 4f64.exp()).abs() < 1e-13);
}

#[test]
fn what_means_nothing_is_wrong_usage() {
    let folder = Folder::new();
    for levels in [
        "",
        "a",
        "1,,2",
        "1,1",
        "0,-0",
        "-1",
        "1/0",
        "sqrt(-1)",
        "nan",
        "inf",
        "1e999",
        "log:0:1:5",
        "log:1:2",
        "lin:0:1:0",
        "lin:0:1:2.5",
        "geo:1:2:3",
        "lin:1:1:3",
        "1;2",
        "0x10",
        "foo(2)",
        "(1",
    ] {
        let argument = format!("--hidden-std-dev={levels}");
        let finished = initsweep("sweep --to x.csv --runs 1 --epochs 1").arg(argument).in_folder(&folder).run();
        assert_eq!(finished.status.code(), Some(2), "'{levels}': {}", finished.stderr);
        finished.fails_with(2);
    }
    for words in [
        "--runs 0",
        "--runs -1",
        "--runs 1.5",
        "--epochs 0",
        "--epochs 1.5",
        "--epochs=-1",
        "--learning-rate 0",
        "--learning-rate=-0.1",
        "--output-std-dev=-1",
        "--seed -1",
        "--seed x",
        "--epochs 5000000000",
    ] {
        initsweep(format!("sweep --to x.csv {words}")).in_folder(&folder).run().fails_with(2);
    }
    initsweep("sweep").in_folder(&folder).run().fails_with(2).says("--to");
    assert!(folder.names(".").is_empty(), "nothing is made");
}

// Several processes that share a sweep

#[test]
fn shards_one_after_the_other_are_the_whole_sweep() {
    let folder = Folder::new();
    let words = "--hidden-std-dev 0.5,1,2 --runs 7 --epochs 50";
    let whole = csv_of(words);
    let shard = |to: &str, shard: &str| {
        initsweep(format!("sweep --quiet {words} --to {to} --shard {shard}")).in_folder(&folder).run()
    };
    let mut joined = String::new();
    for number in 1..=4 {
        shard(&format!("parts/{number}.csv"), &format!("{number}/4")).succeeds();
        let rows = folder.text(&format!("parts/{number}.csv"));
        joined.push_str(if number == 1 { &rows } else { rows.split_once('\n').unwrap().1 });
    }
    assert_eq!(joined, whole);
    // Read together, by way of any format, they are the same numbers to the last bit.
    folder.write("whole.csv", &whole);
    let stats = |source: &str| {
        let csv = initsweep(format!("stats {source} --format csv")).in_folder(&folder).run().succeeds().text();
        assert!(csv.lines().count() == 4, "{csv}");
        csv
    };
    assert_eq!(stats("parts"), stats("whole.csv"));
    shard("mixed/1.parquet", "1/2").succeeds();
    shard("mixed/2.csv", "2/2").succeeds();
    assert_eq!(stats("mixed"), stats("whole.csv"));
    initsweep("verify mixed/1.parquet").in_folder(&folder).run().succeeds();
    // A shard that was stopped goes on.
    let second = folder.text("parts/2.csv");
    let stopped: String = second.lines().take(3).map(|line| format!("{line}\n")).collect();
    folder.write("again/2.csv.part", stopped);
    shard("again/2.csv", "2/4").succeeds();
    assert_eq!(folder.text("again/2.csv"), second);
    // Another shard, or the whole, is another sweep.
    shard("again/2.csv", "3/4").fails_with(1).says("holds another sweep");
    initsweep(format!("sweep {words} --to again/2.csv")).in_folder(&folder).run().fails_with(1);
    for bad in ["0/4", "5/4", "4", "1/22"] {
        shard("bad.csv", bad).fails_with(2).says("shard");
    }
}

// Sweep and report in one

#[test]
fn run_makes_the_sweep_and_reports_on_it() {
    let folder = Folder::new();
    let words = "--hidden-std-dev 0.5,1,2 --runs 4 --epochs 50 --seed 3";
    let finished = initsweep(format!("run {words} --out results")).in_folder(&folder).run().succeeds();
    finished.prints("mean loss is").prints("results/report.html").prints("12 read = 12 used");
    assert_eq!(folder.text("results/runs.csv"), csv_of(words));
    let reported = folder.text("results/summary.csv");
    initsweep("report results/runs.csv --out again").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("again/summary.csv"), reported);
    // Another sweep replaces it: it is fresh by definition.
    initsweep("run --hidden-std-dev 1,3 --runs 2 --epochs 50 --out results").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("results/runs.csv").lines().count(), 5);
}

#[test]
fn a_stopped_run_goes_on_and_another_plan_starts_over() {
    let folder = Folder::new();
    let words = "--hidden-std-dev 0.5,1,2 --runs 4 --epochs 50";
    let whole = csv_of(words);
    // The journal of a run that was stopped after five rows, each marked so that it can be told from a new one.
    let stopped: String = whole.lines().take(6).map(|line| format!("{line}\n")).collect();
    let marked = stopped.replacen(whole.lines().nth(1).unwrap().split(',').nth(2).unwrap(), "12345", 1);
    folder.write("output/runs.csv.part", &marked);
    initsweep(format!("run {words}")).in_folder(&folder).run().succeeds();
    let rows = folder.text("output/runs.csv");
    assert!(rows.contains(",12345,"), "the stored rows are kept");
    assert_eq!(rows.lines().skip(2).collect::<Vec<_>>(), whole.lines().skip(2).collect::<Vec<_>>());
    folder.write("output/runs.csv.part", &marked);
    initsweep(format!("run {words} --seed 2")).in_folder(&folder).run().succeeds();
    assert!(!folder.text("output/runs.csv").contains(",12345,"), "those of another plan are not");
}

#[test]
fn run_takes_the_swept_setting_as_its_axis() {
    let folder = Folder::new();
    initsweep("run --hidden-std-dev 0.6 --learning-rate 0.1,1 --runs 2 --epochs 50 --quiet")
        .in_folder(&folder)
        .run()
        .succeeds();
    assert!(folder.text("output/summary.json").contains("\"factor\": \"learning_rate\""));
}
