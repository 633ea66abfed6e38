//! `watch` of a collection: documents that come, early and late; a server that goes and comes back.

use std::ops::Range;
use std::thread::sleep;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use serde_json::Value;

use crate::harness::{Folder, initsweep, wait_until};
use crate::proxy::{Proxy, error};
use crate::server::{self, Server};

fn documents(range: Range<u32>) -> Vec<Document> {
    range.map(|i| doc! { "hidden_std_dev": f64::from(i % 7) + 1.0, "loss": f64::from(i * i % 1009) }).collect()
}

fn json(folder: &Folder, name: &str) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(folder.path(name)).ok()?).ok()
}

/// Rows in the report that is there, 0 without one.
fn rows(folder: &Folder) -> u64 {
    json(folder, "live/summary.json").map_or(0, |json| json["rows"]["read"].as_u64().unwrap())
}

/// Holds the live results against those of a full reading with `more` words, the collection's
/// digest included.
#[track_caller]
fn is_as_a_full_computation(uri: &str, more: &str, folder: &Folder) {
    initsweep(format!("report {uri} {more} --quiet --out full")).in_folder(folder).run().succeeds();
    for name in ["summary.csv", "loss-vs-std-dev.svg"] {
        assert_eq!(folder.bytes(&format!("live/{name}")), folder.bytes(&format!("full/{name}")), "{name}");
    }
    let inputs = |name: &str| {
        let input = &json(folder, name).unwrap()["provenance"]["inputs"][0];
        (input["sha256"].clone(), input["bytes"].clone(), input["histories"].clone())
    };
    assert_eq!(inputs("live/summary.json"), inputs("full/summary.json"));
    let counts = |name: &str| {
        let mut rows = json(folder, name).unwrap()["rows"].clone();
        // The first of those that were filtered out is known only if the server told of it.
        rows.as_object_mut().unwrap().remove("first_excluded");
        rows
    };
    assert_eq!(counts("live/summary.json"), counts("full/summary.json"));
}

/// Most documents meet them, and some runs fail at every level.
const CONDITIONS: &str = "--where loss<900 --where hidden_std_dev!=3 --failed loss>800 --max-failed 0.5";

/// What a server without a replica set says to a change stream.
fn no_change_streams() -> Document {
    error(40573, "The $changeStream stage is only supported on replica sets")
}

#[test]
fn a_collection_that_grows_is_followed_by_its_change_stream_and_survives_the_server() {
    let server = Server::start();
    let uri = server.own_database();
    a_collection_that_grows_is_followed(server, &uri, "");
}

#[test]
fn a_collection_that_grows_is_followed_with_conditions() {
    let server = Server::start();
    let uri = server.own_database();
    a_collection_that_grows_is_followed(server, &uri, CONDITIONS);
}

#[test]
fn a_collection_that_grows_is_followed_without_change_streams() {
    let server = Server::start();
    let proxy = Proxy::in_front_of(server.port);
    proxy.answer("$changeStream", 0, u32::MAX, no_change_streams());
    let uri = proxy.through(&server.own_database());
    a_collection_that_grows_is_followed(server, &uri, "");
}

#[test]
fn a_collection_that_grows_is_followed_with_conditions_without_change_streams() {
    let server = Server::start();
    let proxy = Proxy::in_front_of(server.port);
    proxy.answer("$changeStream", 0, u32::MAX, no_change_streams());
    let uri = proxy.through(&server.own_database());
    a_collection_that_grows_is_followed(server, &uri, CONDITIONS);
}

#[test]
fn documents_that_the_server_tells_of_are_added_without_a_query() {
    documents_are_added_without_a_query("");
}

#[test]
fn conditions_ask_no_query_for_documents_that_the_server_tells_of() {
    documents_are_added_without_a_query(CONDITIONS);
}

fn documents_are_added_without_a_query(more: &str) {
    let server = Server::start();
    let proxy = Proxy::in_front_of(server.port);
    let uri = proxy.through(&server.own_database());
    let folder = Folder::new();
    server::insert(&uri, &documents(0..2000));
    // No look at the clock: what is seen is what the server told.
    let running = initsweep(format!("watch {uri} {more} --interval 600 --out live")).in_folder(&folder).start();
    wait_until("the first documents are in", || rows(&folder) == 2000);
    sleep(Duration::from_secs(2));
    server::insert(&uri, &documents(2000..2500));
    wait_until("the stream is heard", || rows(&folder) == 2500);
    sleep(Duration::from_millis(500));
    for command in ["find", "count", "aggregate"] {
        proxy.answer(command, 0, u32::MAX, error(2, "no query is expected"));
    }
    server::insert(&uri, &documents(2500..3000));
    wait_until("later documents are in without a query", || rows(&folder) == 3000);
    running.signal("INT");
    running.wait().fails_with(130);
    let direct = uri.replace(&format!(":{}/", proxy.port), &format!(":{}/", server.port));
    is_as_a_full_computation(&direct, more, &folder);
}

#[test]
fn documents_are_seen_even_if_the_stream_hangs() {
    let server = Server::start();
    let proxy = Proxy::in_front_of(server.port);
    let uri = proxy.through(&server.own_database());
    let folder = Folder::new();
    server::insert(&uri, &documents(0..2000));
    let running = initsweep(format!("watch {uri} --interval 0.2 --out live")).in_folder(&folder).start();
    wait_until("the first documents are in", || rows(&folder) == 2000);
    // The stream is open, and the answer that is under way comes before documents do.
    sleep(Duration::from_secs(2));
    let silence = doc! { "ok": 1.0, "cursor": { "id": 9i64, "ns": "hidden.results", "nextBatch": [] } };
    proxy.answer("getMore", 0, u32::MAX, silence);
    sleep(Duration::from_secs(2));
    server::insert(&uri, &documents(2000..2500));
    wait_until("they are counted", || rows(&folder) == 2500);
    running.signal("INT");
    running.wait().fails_with(130);
}

fn a_collection_that_grows_is_followed(mut server: Server, uri: &str, more: &str) {
    let direct = format!("mongodb://127.0.0.1:{}/{}?directConnection=true", server.port, server::database_of(uri));
    let folder = Folder::new();
    let watching = format!("watch {uri} {more} --interval 0.2 --out live --timeout 1");
    let mut running = initsweep(watching).in_folder(&folder).start();
    // Nothing is there yet.
    sleep(Duration::from_millis(500));
    server::insert(uri, &documents(0..30_000));
    wait_until("the first documents are in", || rows(&folder) == 30_000);
    is_as_a_full_computation(uri, more, &folder);
    server::insert(uri, &documents(30_000..31_000));
    wait_until("later documents are in", || rows(&folder) == 31_000);
    is_as_a_full_computation(uri, more, &folder);
    // Identifiers before all others, one of them without a level.
    server::insert(uri, &[doc! { "_id": 1, "hidden_std_dev": 1.0, "loss": 5.0 }, doc! { "_id": 2, "loss": 5.0 }]);
    wait_until("earlier documents are in", || rows(&folder) == 31_002);
    is_as_a_full_computation(uri, more, &folder);
    server.kill();
    sleep(Duration::from_millis(1500));
    assert!(!running.has_ended(), "it waits for the server");
    server.restart();
    server::insert(uri, &documents(31_000..31_500));
    // A server that is killed may lose what it had just acknowledged.
    wait_until("documents after a restart are in", || rows(&folder) == server::count(&direct));
    is_as_a_full_computation(uri, more, &folder);
    server::clear(uri);
    server::insert(uri, &documents(0..100));
    wait_until("a collection that began anew is read anew", || rows(&folder) == 100);
    is_as_a_full_computation(uri, more, &folder);
    running.signal("INT");
    running.wait().fails_with(130);
}
