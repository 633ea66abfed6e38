//! Servers that are away, killed, cut off, that step down, fill their disk, lose cursors or hang.

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};

use crate::harness::{Folder, initsweep, wait_until};
use crate::proxy::{Proxy, error};
use crate::server::{self, Server};
use crate::{runs_at, sweep, undisturbed};

/// Codes of a primary that steps down or shuts down, as servers send them.
const STEPPING_DOWN: [i32; 6] = [10107, 189, 13435, 11602, 11600, 91];

/// Enough documents for several batches.
fn many_documents() -> Vec<Document> {
    let note = "x".repeat(200);
    (0..60_000).map(|i| doc! { "hidden_std_dev": f64::from(i % 7), "loss": f64::from(i), "note": &note }).collect()
}

fn spools(folder: &Folder) -> usize {
    folder.names(".").into_iter().filter(|name| name.contains("spool")).count()
}

#[test]
fn an_unreachable_server_is_reported_in_time_by_name_and_without_password() {
    let began = std::time::Instant::now();
    let dead = "mongodb://ann:s3cret@127.0.0.1:1/lab";
    for command in ["stats", "report", "copy --to x.csv", "sweep --to"] {
        let finished = initsweep(format!("{command} {dead} --timeout 1")).run().fails_with(4).says("127.0.0.1:1");
        assert!(!finished.stderr.contains("s3cret"), "{}", finished.stderr);
    }
    assert!(began.elapsed().as_secs() < 20, "four times a second and a little");
    // Wherever else a URI is typed.
    for words in ["verify", "replay", "nonsense", "stats --nonsense", "run --out"] {
        let finished = initsweep(format!("{words} {dead} --threads x")).run();
        assert!(finished.status.code() != Some(0) && !finished.stderr.contains("s3cret"), "{}", finished.stderr);
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_server_and_client_are_killed() {
    let mut server = Server::start();
    let uri = server.own_database();
    let folder = Folder::new();
    let total = 100_000;
    let more = "--runs 1000";
    let count = || server::count(&uri);
    // The client is killed twice.
    for part in [1, 2] {
        let client = sweep(&uri, more).in_folder(&folder).start();
        wait_until("some runs are stored", || count() > part * total / 10);
        client.signal("KILL");
        client.wait();
    }
    // The server is killed twice while the client goes on.
    let mut client = sweep(&uri, more).in_folder(&folder).start();
    for part in [4, 6] {
        wait_until("more runs are stored", || count() > part * total / 10);
        server.kill();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        assert!(!client.has_ended(), "it waits for the server");
        server.restart();
    }
    client.wait().succeeds();
    assert_eq!(count(), total);
    assert_eq!(runs_at(&uri, &folder), undisturbed(more));
    assert!(folder.names(".").iter().all(|name| !name.contains("spool")), "{:?}", folder.names("."));
}

#[test]
fn runs_that_cannot_be_delivered_are_kept_and_delivered_later() {
    let mut server = Server::start();
    let uri = server.own_database();
    let folder = Folder::new();
    let client = sweep(&uri, "--runs 400 --timeout 0.5 --patience 3").in_folder(&folder).start();
    wait_until("some runs are stored", || server::count(&uri) > 1000);
    server.kill();
    client.wait().fails_with(4).says("does not answer (").says("not back within 3 s").says("are kept in initsweep-");
    assert_eq!(spools(&folder), 1);
    server.restart();
    sweep(&uri, "--runs 400").in_folder(&folder).run().succeeds();
    assert_eq!(spools(&folder), 0);
    assert_eq!(runs_at(&uri, &folder), undisturbed("--runs 400"));
}

#[test]
fn a_read_survives_a_restart_and_a_cut_line() {
    let mut server = Server::start();
    let uri = server.own_database();
    server::insert(&uri, &many_documents());
    let whole = initsweep(format!("stats {uri} --format csv")).run().succeeds().text();
    assert!(whole.lines().count() == 8, "{whole}");
    // The first connections are cut after 2 MB in the midst of a document.
    let proxy = Proxy::in_front_of(server.port);
    proxy.cut_after(2_000_000);
    let through = proxy.through(&uri);
    assert_eq!(initsweep(format!("stats {through} --format csv")).run().succeeds().text(), whole);
    assert!(proxy.has_cut(), "the proxy has cut a connection");
    // The server is killed once half of the documents came.
    let proxy = Proxy::in_front_of(server.port);
    proxy.pause_after(3_000_000);
    let through = proxy.through(&uri);
    let reader = initsweep(format!("stats {through} --format csv")).start();
    wait_until("half is read", || proxy.is_paused());
    server.kill();
    server.restart();
    proxy.resume();
    assert_eq!(reader.wait().succeeds().text(), whole);
}

#[test]
fn a_primary_that_steps_down_is_waited_for() {
    let server = Server::start();
    let uri = server.own_database();
    let proxy = Proxy::in_front_of(server.port);
    for (place, code) in (0..).zip(STEPPING_DOWN) {
        proxy.answer("insert", place % 3, 1, error(code, "not primary"));
    }
    // Accepted by the primary, not by the majority; and what the other calls of a sweep may meet.
    let doubtful = doc! { "ok": 1.0, "n": 0, "writeConcernError": { "code": 189, "errmsg": "stepped down" } };
    proxy.answer("insert", 0, 1, doubtful.clone());
    proxy.answer("update", 0, 2, error(189, "stepping down"));
    proxy.answer("update", 0, 1, doubtful);
    proxy.answer("createIndexes", 0, 1, error(11602, "interrupted due to repl state change"));
    proxy.answer("find", 0, 2, error(13435, "not primary and secondaryOk=false"));
    proxy.answer("getMore", 1, 1, error(11602, "interrupted due to repl state change"));
    let folder = Folder::new();
    sweep(&proxy.through(&uri), "--runs 800").in_folder(&folder).run().succeeds();
    // Once more, so that the whole collection is read for what is missing.
    sweep(&proxy.through(&uri), "--runs 800").in_folder(&folder).run().succeeds();
    assert!(proxy.has_answered(), "every error was met");
    assert_eq!(runs_at(&uri, &folder), undisturbed("--runs 800"));
    assert_eq!(spools(&folder), 0);
    // A set that finds no new primary.
    proxy.answer("insert", 0, u32::MAX, error(10107, "not primary"));
    proxy.answer("ping", 1, u32::MAX, error(10107, "not primary"));
    let finished = sweep(&proxy.through(&uri), "--runs 801 --patience 1").in_folder(&folder).run().fails_with(4);
    finished.says("not back within 1 s (not primary)").says("are kept in initsweep-");
    assert_eq!(spools(&folder), 1);
}

#[test]
fn a_full_disk_ends_the_sweep_at_once_and_keeps_its_runs() {
    let server = Server::start();
    let uri = server.own_database();
    let proxy = Proxy::in_front_of(server.port);
    let full = error(14031, "available disk space below 500 MB");
    let each = doc! { "index": 0, "code": 14031, "errmsg": "available disk space below 500 MB" };
    let folder = Folder::new();
    for reply in [full, doc! { "ok": 1.0, "n": 0, "writeErrors": [each] }] {
        proxy.answer("insert", 1, 1, reply);
        let began = Instant::now();
        let finished = sweep(&proxy.through(&uri), "--runs 400").in_folder(&folder).run().fails_with(4);
        finished.says("the server's disk is full: available disk space").says("are kept in initsweep-");
        assert!(began.elapsed() < Duration::from_secs(20), "it does not wait for what does not pass");
        assert_eq!(spools(&folder), 1);
    }
    sweep(&uri, "--runs 400").in_folder(&folder).run().succeeds();
    assert_eq!(spools(&folder), 0);
    assert_eq!(runs_at(&uri, &folder), undisturbed("--runs 400"));
    // A copy says so as well.
    proxy.answer("insert", 0, 1, error(14031, "available disk space below 500 MB"));
    initsweep(format!("copy copied.csv --to {} --collection more", proxy.through(&uri)))
        .in_folder(&folder)
        .run()
        .fails_with(4)
        .says("disk is full");
}

#[test]
fn a_read_goes_on_when_its_cursor_times_out() {
    let server = Server::start();
    let uri = server.own_database();
    server::insert(&uri, &many_documents());
    let whole = initsweep(format!("stats {uri} --format csv")).run().succeeds().text();
    let proxy = Proxy::in_front_of(server.port);
    let lost = error(43, "cursor id 7 not found");
    let stats = || initsweep(format!("stats {} --format csv --patience 2", proxy.through(&uri))).run();
    proxy.answer("getMore", 0, 1, lost.clone());
    proxy.answer("getMore", 1, 1, lost.clone());
    assert_eq!(stats().succeeds().text(), whole);
    assert!(proxy.has_answered(), "two cursors were lost");
    // Every cursor is lost after its first batch: slow, but each batch brings the read further.
    proxy.answer("getMore", 0, 200, lost);
    assert_eq!(stats().succeeds().text(), whole);
    let elsewhere = Proxy::in_front_of(server.port);
    elsewhere.answer("getMore", 0, 1, error(96, "operation failed"));
    let finished = initsweep(format!("stats {}", elsewhere.through(&uri))).run().fails_with(4);
    finished.says("operation failed");
}

#[test]
fn a_server_that_hangs_is_given_up_in_time() {
    let server = Server::start();
    let uri = server.own_database();
    server::insert(&uri, &many_documents());
    // From the start.
    let proxy = Proxy::in_front_of(server.port);
    proxy.pause_after(0);
    let began = Instant::now();
    let through = proxy.through(&uri);
    initsweep(format!("stats {through} --timeout 1")).run().fails_with(4).says("127.0.0.1").says("within 1 s");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // In the middle of a read; it goes on if the server wakes up in time.
    for wakes_up in [true, false] {
        let proxy = Proxy::in_front_of(server.port);
        proxy.pause_after(3_000_000);
        let patience = if wakes_up { 60 } else { 1 };
        let through = proxy.through(&uri);
        let mut reader = initsweep(format!("stats {through} --timeout 1 --patience {patience} --quiet")).start();
        wait_until("some is read", || proxy.is_paused());
        let began = Instant::now();
        if wakes_up {
            std::thread::sleep(Duration::from_secs(4));
            assert!(!reader.has_ended(), "it waits for the server");
            proxy.resume();
            reader.wait().succeeds();
        } else {
            reader.wait().fails_with(4).says("waiting up to 1 s").says("not back within 1 s");
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }
    }
    // In the middle of a write.
    let proxy = Proxy::in_front_of(server.port);
    let (own, folder) = (server.own_database(), Folder::new());
    let through = proxy.through(&own);
    let writer = sweep(&through, "--runs 400 --timeout 1 --patience 1").in_folder(&folder).start();
    wait_until("some runs are stored", || server::count(&own) > 1000);
    proxy.pause_after(0);
    let began = Instant::now();
    writer.wait().fails_with(4).says("not back within 1 s").says("are kept in initsweep-");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    sweep(&own, "--runs 400").in_folder(&folder).run().succeeds();
    assert_eq!(runs_at(&own, &folder), undisturbed("--runs 400"));
}

#[test]
fn an_index_that_does_not_come_holds_up_no_sweep() {
    let server = Server::start();
    let conflict = || proxy_of(&server, "createIndexes", error(112, "WriteConflict"));
    let (proxy, uri) = (conflict(), server.own_database());
    let to = format!("{} --patience 1", proxy.through(&uri));
    sweep(&to, "--runs 2").in_folder(&Folder::new()).run().succeeds().says("did not finish the index");
    assert_eq!(server::count(&uri), 200);
    // Ctrl-C ends it at once: every run is stored.
    let (proxy, uri, folder) = (conflict(), server.own_database(), Folder::new());
    let began = Instant::now();
    let running = sweep(&format!("{} --patience 600", proxy.through(&uri)), "--runs 2").in_folder(&folder).start();
    wait_until("every run is stored", || server::count(&uri) == 200);
    running.signal("INT");
    running.wait().fails_with(130);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(server::count(&uri), 200);
}

/// A proxy that gives `reply` whenever it is asked for `command`.
fn proxy_of(server: &Server, command: &'static str, reply: mongodb::bson::Document) -> Proxy {
    let proxy = Proxy::in_front_of(server.port);
    proxy.answer(command, 0, u32::MAX, reply);
    proxy
}
