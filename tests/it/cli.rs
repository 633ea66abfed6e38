//! The manners of a command-line program.

use crate::harness::{Folder, Invocation, fixture, good_csv, initsweep};

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

#[test]
fn no_password_shows_wherever_a_uri_stands() {
    for uri in [
        "mongodb://ann:s3cr3t@127.0.0.1:1/x",
        "mongodb://ann:s3cr3t",
        "mongodb:/ann:s3cr3t@127.0.0.1:1/x",
        "mongodb://ann:a#s3cr3t@127.0.0.1:1/x",
        "mongodb://ann:a s3cr3t@127.0.0.1:1/x",
        "mongodb://127.0.0.1:1/x?tls=true&tlsCertificateKeyFile=/x.pem&tlsCertificateKeyFilePassword=s3cr3t",
        "mongodb://127.0.0.1:1/x?proxyHost=h&proxyPassword=s3cr3t",
        "mongodb://127.0.0.1:1/x?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:s3cr3t",
    ] {
        let folder = Folder::new();
        let shows_nothing = |finished: crate::harness::Finished| {
            assert!(!finished.status.success(), "{uri}");
            assert!(!format!("{}{}", finished.stderr, finished.text()).contains("s3cr3t"), "{}", finished.stderr);
        };
        for words in ["", "stats --timeout 0.2", "sweep --runs 1 --timeout 0.2 --to", "plot --theme", "stats --threads"]
        {
            shows_nothing(initsweep(words).arg(uri).in_folder(&folder).run());
        }
        shows_nothing(initsweep("stats --timeout 0.2").env("MONGODB_URI", uri).run());
    }
    let key = "mongodb://h/?tls=true&tlsCertificateKeyFile=/x.pem&tlsCertificateKeyFilePassword=s3cr3t";
    initsweep("stats").arg(key).run().fails_with(2).says("encrypted client keys");
    initsweep("stats mongodb:/h").run().fails_with(2).says("two slashes");
}

/// The password must not be in what is stored either.
#[test]
fn no_password_is_stored_with_a_report() {
    let folder = Folder::with("runs.csv", good_csv());
    let title = "see mongodb://ann:s3 cr3t@host/?proxyPassword=hidd3n";
    initsweep("report runs.csv --y-label loss --title").arg(title).in_folder(&folder).run().succeeds();
    let json: serde_json::Value = serde_json::from_str(&folder.text("output/summary.json")).unwrap();
    let command = json["provenance"]["command"].as_str().unwrap();
    assert!(command.contains("***") && !command.contains("cr3t") && !command.contains("hidd3n"), "{command}");
}

#[test]
fn nothing_from_outside_steers_the_terminal() {
    let evil = "e\u{1b}[31m\n\u{9b}x";
    let folder = Folder::with(&format!("{evil}.csv"), format!("{evil}\u{7},loss\n\"1\",NA\n1,5\n1,6\n2,3\n2,5\n"));
    folder.write("good.csv", good_csv());
    let quoted = folder.text(&format!("{evil}.csv")).replace(&format!("{evil}\u{7}"), &format!("\"{evil}\u{7}\""));
    folder.write(&format!("{evil}.csv"), quoted);
    let run = |words: &str, more: &[&str]| {
        let call = more.iter().fold(initsweep(words), Invocation::arg);
        call.in_folder(&folder).run()
    };
    let (file, column) = (&*format!("{evil}.csv"), &*format!("{evil}\u{7}"));
    for words in ["stats --format json", "compare --format json", "plan --budget 10 --strategy ocba --format json"] {
        let files = if words.starts_with("compare") { vec![file; 2] } else { vec![file] };
        let json = run(words, &[files, vec!["--x", column]].concat()).succeeds().json();
        assert_eq!(json["factor"], column, "as it was, in {words}");
    }
    for finished in [
        run("stats", &[file]).fails_with(3),
        run("stats", &["no-such\u{1b}c.csv"]).fails_with(4),
        run("stats", &[file, "--x", column, "--reference", &format!("{evil}=1.5")]).succeeds(),
        run("plan --budget 10 --strategy ocba", &[file, "--x", column]).succeeds(),
        run("compare", &[file, file, "--x", column]).succeeds(),
        run("copy --to c.csv", &[file]).succeeds(),
        run("stats good.csv --format", &[evil]),
    ] {
        let shown = format!("{}{}", finished.stderr, finished.text());
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        assert!(!shown.contains("[31m\n"), "{shown}");
    }
}
