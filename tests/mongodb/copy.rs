//! Rows of files as documents: as many as there are, each once.

use mongodb::bson::{Bson, doc};

use crate::harness::{Folder, initsweep};
use crate::server::{self, Server};
use crate::sweep;

#[test]
fn a_batch_that_ends_with_the_file_is_the_last() {
    let server = Server::given_or_started();
    for rows in [0, 9_999, 10_000, 20_000] {
        let uri = server.own_database();
        let lines: String = (0..rows).map(|row| format!("{row},0.5\n")).collect();
        let folder = Folder::with("a.csv", format!("x,y\n{lines}"));
        initsweep(format!("copy a.csv --to {uri}")).in_folder(&folder).run().succeeds();
        assert_eq!(server::count(&uri), rows);
    }
}

#[test]
fn the_same_runs_are_there_once_whatever_file_they_come_from() {
    let server = Server::given_or_started();
    let (uri, folder) = (server.own_database(), Folder::new());
    let copy = |words: &str| initsweep(format!("copy {words}")).in_folder(&folder).run().succeeds();
    for to in ["a.csv", "b.parquet"] {
        sweep(to, "--runs 3").in_folder(&folder).run().succeeds();
        copy(&format!("{to} --to {uri}")).says("300 rows");
        assert_eq!(server::count(&uri), 300, "{to}");
    }
    // In the order of the plan, so that a copy of the copy is the file again.
    copy(&format!("{uri} --to back.csv"));
    let losses = |name: &str| -> Vec<String> {
        let text = folder.text(name);
        let place = text.lines().next().unwrap().split(',').position(|name| name == "loss").unwrap();
        text.lines().map(|line| line.split(',').nth(place).unwrap().to_string()).collect()
    };
    assert_eq!(losses("back.csv"), losses("a.csv"));
    // More replicates of the same sweep are more runs.
    sweep("c.parquet", "--runs 4").in_folder(&folder).run().succeeds();
    copy(&format!("c.parquet --to {uri}")).says("400 rows");
    assert_eq!(server::count(&uri), 400);
    // A row that is there twice is told.
    let text = folder.text("a.csv");
    folder.write("twice.csv", format!("{text}{}", text.split_once('\n').unwrap().1));
    copy(&format!("twice.csv --to {}", server.own_database())).says("300 rows from").says("300 rows left out");
}

#[test]
fn identifiers_that_come_twice_are_counted() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let folder = Folder::with("a.csv", "_id,loss\na,1\nb,NA\na,3\n");
    for _ in 0..2 {
        let copied = initsweep(format!("copy a.csv --to {uri}")).in_folder(&folder).run().succeeds();
        copied.says("2 rows from").says("1 row left out").says("row 3, _id a");
    }
    // An empty cell is null, so that the column survives.
    assert_eq!(server::all(&uri), [doc! { "_id": "a", "loss": 1i64 }, doc! { "_id": "b", "loss": Bson::Null }]);
}

#[test]
fn nothing_is_written_of_a_file_that_is_wrong_further_down() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let lines: String = (0..10_000).map(|row| format!("{row},0.5\n")).collect();
    let folder = Folder::with("a.csv", format!("x,y\n{lines}1\n"));
    initsweep(format!("copy a.csv --to {uri}")).in_folder(&folder).run().fails_with(3).says("line 10002");
    assert_eq!(server::count(&uri), 0);
}
