//! A sweep described in a file, through the real binary.

use crate::harness::{Folder, initsweep};

const SMALL: &str = "hidden-std-dev = \"lin:0.3:1:5\"\nruns = 4\nepochs = 50\nquiet = true\n";

#[test]
fn a_file_makes_the_same_sweep_as_the_options() {
    let folder = Folder::with("sweep.toml", format!("{SMALL}out = \"a\"\n[reference]\nmine = 0.5\n"));
    initsweep("run sweep.toml").in_folder(&folder).run().succeeds();
    let words = "run --hidden-std-dev lin:0.3:1:5 --runs 4 --epochs 50 --quiet --out b --reference mine=0.5";
    initsweep(words).in_folder(&folder).run().succeeds();
    for name in ["runs.csv", "summary.csv", "loss-vs-std-dev.svg"] {
        assert_eq!(folder.bytes(&format!("a/{name}")), folder.bytes(&format!("b/{name}")), "{name}");
    }
    initsweep("run sweep.toml --runs 2 --out c").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("c/runs.csv").lines().count(), 1 + 2 * 5, "the command line wins");
    assert!(folder.text("c/summary.json").contains("\"mine\""));
}

#[test]
fn a_goal_can_stand_in_a_file() {
    let text = "until = \"minimum<=15%\"\nmax-runs = 400_000\nhidden-std-dev = \"log:0.2:2:15\"\nquiet = true\n";
    let folder = Folder::with("sweep.toml", format!("{text}out = \"a\"\n"));
    initsweep("run sweep.toml").in_folder(&folder).run().succeeds();
    let words = "run --max-runs 400000 --hidden-std-dev log:0.2:2:15 --quiet --out b --until minimum<=15%";
    initsweep(words).in_folder(&folder).run().succeeds();
    assert_eq!(folder.bytes("a/runs.csv"), folder.bytes("b/runs.csv"));
    assert!(folder.text("a/summary.json").contains("\"goal\": \"minimum<=15%\""));
    // The command line wins, and what it makes unreachable is told.
    let limited = initsweep("run sweep.toml --max-runs 1600 --until minimum<=0.1% --out c").in_folder(&folder).run();
    limited.fails_with(1).says("minimum<=0.1% is not reached");
    folder.write("wrong.toml", "seed = 1\nuntil = \"minimum<2%\"\n");
    initsweep("run wrong.toml").in_folder(&folder).run().fails_with(2).says("wrong.toml, line 2").says("minimum<=2%");
}

#[test]
fn runs_can_go_into_a_store_of_their_own() {
    let folder = Folder::with("sweep.toml", format!("{SMALL}to = \"mine.parquet\"\n"));
    initsweep("run sweep.toml").in_folder(&folder).run().succeeds();
    assert!(folder.names(".").contains(&"mine.parquet".into()) && !folder.names("output").contains(&"runs.csv".into()));
    // Another sweep does not replace it.
    initsweep("run sweep.toml --seed 9").in_folder(&folder).run().fails_with(1).says("holds another sweep");
}

#[test]
fn init_writes_a_file_that_runs_and_never_overwrites_one() {
    let folder = Folder::new();
    initsweep("init").in_folder(&folder).run().succeeds().says("initsweep run sweep.toml");
    let text = folder.text("sweep.toml");
    initsweep("init").in_folder(&folder).run().fails_with(2).says("--force");
    folder.write("sweep.toml", "mine");
    initsweep("init sweep.toml --force").in_folder(&folder).run().succeeds();
    assert_eq!(folder.text("sweep.toml"), text);
    let few = "--runs 2 --epochs 20 --hidden-std-dev 0.5,1 --quiet";
    initsweep(format!("run sweep.toml {few}")).in_folder(&folder).run().succeeds();
}

#[test]
fn a_wrong_file_is_wrong_usage() {
    let folder = Folder::with("sweep.toml", "runs = 4\nrunns = 5\n");
    let wrong = initsweep("run sweep.toml").in_folder(&folder).run().fails_with(2);
    wrong.says("sweep.toml, line 2: unknown key 'runns'; did you mean 'runs'?");
    initsweep("run missing.toml").in_folder(&folder).run().fails_with(2).says("cannot read missing.toml");
}
