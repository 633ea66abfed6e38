//! The manners of a command-line program.

use crate::harness::{Folder, fixture, good_csv, initsweep};

const COMMANDS: [&str; 8] = ["run", "sweep", "replay", "verify", "report", "plot", "stats", "train"];

#[test]
fn help_of_every_command_has_examples_that_begin_with_it() {
    let help = initsweep("--help").run().succeeds();
    for command in COMMANDS {
        help.text().find(&format!("\n  {command} ")).unwrap_or_else(|| panic!("{command} is not listed"));
        let help = initsweep(format!("{command} --help")).run().succeeds().prints("Examples:");
        help.prints(&format!("\n  initsweep {command}")).prints("--quiet").prints("--threads");
    }
    help.prints("Examples:").prints("Exit codes:");
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = initsweep("--version").run().succeeds().text();
    assert_eq!(version, format!("initsweep {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    for words in [
        "",
        "frobnicate",
        "stats",
        "stats --frobnicate x.csv",
        "stats x.csv --format yaml",
        "plot x.csv --error-bars iqr",
    ] {
        let finished = initsweep(words).run();
        assert_eq!(finished.status.code(), Some(2), "'{words}': {}", finished.stderr);
        assert!(finished.stdout.is_empty());
    }
    for reference in ["0.5", "=1", "a=", "a=x", "a=1/0"] {
        initsweep("stats x.csv --reference").arg(reference).run().fails_with(2).says("--reference");
    }
}

#[test]
fn there_is_no_work_without_threads() {
    for threads in ["0", "-1", "x", "1.5"] {
        initsweep(format!("stats x.csv --threads={threads}")).run().fails_with(2).says("--threads");
    }
}

#[test]
fn more_threads_than_cores_are_fine() {
    let folder = Folder::with("runs.csv", good_csv());
    initsweep("stats runs.csv --threads 64").in_folder(&folder).run().succeeds();
}

#[test]
fn a_reader_that_stops_early_is_a_normal_end() {
    let folder = Folder::with("runs.csv", std::fs::read(fixture("xor-25k.csv")).unwrap());
    for words in ["stats runs.csv", "stats runs.csv --format json", "report runs.csv", "train --epochs 10", "--help"] {
        let finished = initsweep(words).in_folder(&folder).run_into_closed_pipe().succeeds();
        assert_eq!(finished.stderr, "", "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let folder = Folder::with("runs.csv", good_csv());
    for words in
        ["stats runs.csv", "stats runs.csv --format csv", "report runs.csv", "plot runs.csv", "train --epochs 10"]
    {
        initsweep(words)
            .in_folder(&folder)
            .run_into(crate::harness::full_disk())
            .fails_with(1)
            .says("cannot write to standard output: No space left");
    }
}

#[test]
fn quiet_prints_nothing_but_what_was_asked_for() {
    // Single runs give a warning, which is otherwise shown.
    let folder = Folder::with("runs.csv", "hidden_std_dev,loss\n1,2\n2,1\n3,2\n");
    for words in
        ["report runs.csv", "plot runs.csv", "sweep --to x.csv --runs 1 --epochs 10", "run --runs 1 --epochs 10"]
    {
        let finished = initsweep(format!("{words} --quiet")).in_folder(&folder).run().succeeds();
        assert_eq!((finished.text(), finished.stderr), (String::new(), String::new()), "{words}");
    }
    let loud = initsweep("stats runs.csv --format csv").in_folder(&folder).run().succeeds().says("warning: ");
    let quiet = initsweep("stats runs.csv --format csv -q").in_folder(&folder).run().succeeds();
    assert_eq!((quiet.text(), quiet.stderr), (loud.text(), String::new()));
    initsweep("stats gone.csv --quiet").in_folder(&folder).run().fails_with(4).says("gone.csv");
}

#[test]
fn nothing_is_coloured_or_drawn_over_when_nobody_watches() {
    let folder = Folder::with("runs.csv", good_csv());
    for words in ["stats runs.csv", "sweep --to x.csv --runs 2 --epochs 10", "report runs.csv", "--help"] {
        let finished = initsweep(words).in_folder(&folder).run().succeeds();
        let all = finished.text() + &finished.stderr;
        assert!(!all.contains('\u{1b}') && !all.contains('\r'), "{words}: {all:?}");
    }
}
