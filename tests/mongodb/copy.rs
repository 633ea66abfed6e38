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
fn what_a_table_does_not_have_goes_through() {
    let server = Server::given_or_started();
    let uri = server.own_database();
    let text = "{\"_id\":\"a\",\"lr\":0.1,\"n\":7,\"code\":\"007\",\"ok\":true,\"config\":{\"depth\":[1,2.5],\"name\":\"x\"}}\n\
                {\"_id\":\"b\",\"lr\":NaN,\"n\":18446744073709551615,\"code\":\"+5\",\"ok\":null}\n";
    let folder = Folder::with("a.jsonl", text);
    let copy = |words: &str| initsweep(format!("copy {words}")).in_folder(&folder).run().succeeds();
    copy(&format!("a.jsonl --to {uri}")).says("2 rows");
    let first = &server::all(&uri)[0];
    assert_eq!(first.get_document("config").unwrap(), &doc! { "depth": [1, 2.5], "name": "x" });
    assert_eq!((first.get_str("code").unwrap(), first.get_bool("ok").unwrap()), ("007", true));
    copy(&format!("{uri} --to b.jsonl"));
    assert_eq!(folder.text("b.jsonl"), text);
    copy(&format!("{uri} --to c.csv"));
    let expected = "_id,lr,n,code,ok,config\n\
                    a,0.1,7,007,true,\"{\"\"depth\"\":[1,2.5],\"\"name\"\":\"\"x\"\"}\"\n\
                    b,NaN,18446744073709551615,+5,,\n";
    assert_eq!(folder.text("c.csv"), expected);
    // Of CSV, a column is of numbers or of texts; `1.10` is no number as programs write one.
    folder.write("d.csv", "_id,x,y\na,1e-05,1.10\nb,2,2\n");
    let other = server.own_database();
    copy(&format!("d.csv --to {other}"));
    assert_eq!(server::all(&other)[1], doc! { "_id": "b", "x": 2i64, "y": "2" });
    assert_eq!(server::all(&other)[0], doc! { "_id": "a", "x": 1e-5, "y": "1.10" });
    // Moments are text, decimals keep their digits.
    let moment = mongodb::bson::DateTime::from_millis(1_709_208_000_500);
    let exact: mongodb::bson::Decimal128 = "3.14159265358979323846".parse().unwrap();
    let third = server.own_database();
    server::insert(&third, &[doc! { "_id": 1, "at": moment, "exact": exact }]);
    copy(&format!("{third} --to e.jsonl"));
    assert_eq!(
        folder.text("e.jsonl"),
        "{\"_id\":1,\"at\":\"2024-02-29T12:00:00.5Z\",\"exact\":3.14159265358979323846}\n"
    );
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
