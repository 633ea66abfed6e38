//! `watch`: files that grow, come, go and come back; the served report. What it writes is held against `report` of the same state.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::harness::{Folder, Invocation, Running, csv_of, good_csv, initsweep, wait_until};

/// What must be the same to the last bit, whoever wrote it.
const SAME: [&str; 3] = ["summary.csv", "loss-vs-std-dev.svg", "loss-vs-std-dev.png"];

pub(crate) fn watching(words: &str, folder: &Folder) -> Invocation {
    initsweep(format!("watch {words} --interval 0.1 --out live")).in_folder(folder)
}

/// Rows in the report that is there, 0 without one.
pub(crate) fn rows(folder: &Folder) -> u64 {
    let text = fs::read_to_string(folder.path("live/summary.json")).unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(&text).map_or(0, |json| json["rows"]["read"].as_u64().unwrap())
}

pub(crate) fn wait_for_rows(folder: &Folder, expected: u64) {
    wait_until(&format!("{expected} rows are in the report"), || rows(folder) == expected);
}

/// Holds the live results against those of a full computation, the report too but for the command that it names.
#[track_caller]
pub(crate) fn is_as_a_full_computation(source: &str, folder: &Folder) {
    initsweep(format!("report {source} --quiet --out full")).in_folder(folder).run().succeeds();
    let without_command = |name: &str| {
        let mut json: serde_json::Value = serde_json::from_str(&folder.text(name)).unwrap();
        json["provenance"]["command"].take();
        json
    };
    // The files are replaced one after the other.
    wait_until("the live files are those of the last state", || {
        SAME.iter().all(|name| folder.bytes(&format!("live/{name}")) == folder.bytes(&format!("full/{name}")))
            && without_command("live/summary.json") == without_command("full/summary.json")
    });
}

fn append(folder: &Folder, name: &str, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(folder.path(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

pub(crate) fn stop(running: Running) -> String {
    running.signal("INT");
    let finished = running.wait().fails_with(130).says("stopped");
    finished.text()
}

#[cfg(unix)]
#[test]
fn a_signal_that_is_ignored_stays_so_and_the_others_are_heard() {
    let folder = Folder::with("runs.csv", good_csv());
    let mut running = initsweep("watch runs.csv --interval 0.1 --out live").ignoring("HUP").in_folder(&folder).start();
    wait_for_rows(&folder, 6);
    running.signal("HUP");
    append(&folder, "runs.csv", "0.5,11\n");
    wait_for_rows(&folder, 7);
    assert!(!running.has_ended(), "as after nohup");
    running.signal("TERM");
    running.wait().fails_with(130).says("stopped");
}

#[test]
fn a_growing_file_is_read_on_from_where_it_ended() {
    let folder = Folder::with("runs.csv", good_csv());
    let running = watching("runs.csv", &folder).start();
    wait_for_rows(&folder, 6);
    append(&folder, "runs.csv", "0.5,11\n4,31\n4,NaN\n");
    wait_for_rows(&folder, 9);
    is_as_a_full_computation("runs.csv", &folder);
    append(&folder, "runs.csv", "\"0.5\",12.25\n\n0.125,90\r\n,3\n");
    wait_for_rows(&folder, 12);
    is_as_a_full_computation("runs.csv", &folder);
    let lines = stop(running);
    assert!(lines.starts_with("+6 rows, 6 in all: lowest at ") && lines.contains("+3 rows, 9 in all"), "{lines}");
}

#[test]
fn a_torn_last_line_waits_until_it_is_complete_or_left_alone() {
    let folder = Folder::with("runs.csv", good_csv());
    let running = watching("runs.csv", &folder).start();
    wait_for_rows(&folder, 6);
    append(&folder, "runs.csv", "4,31\n8,12");
    wait_for_rows(&folder, 7);
    append(&folder, "runs.csv", "3.5\n");
    wait_for_rows(&folder, 8);
    is_as_a_full_computation("runs.csv", &folder);
    assert!(folder.text("live/summary.csv").contains("123.5"), "the line was never taken for 12");
    append(&folder, "runs.csv", "8,127");
    wait_for_rows(&folder, 9);
    is_as_a_full_computation("runs.csv", &folder);
    append(&folder, "runs.csv", ".5\n");
    wait_until("the longer number is in", || folder.text("live/summary.csv").contains("127.5"));
    is_as_a_full_computation("runs.csv", &folder);
    stop(running);
}

#[test]
fn files_come_go_are_replaced_and_come_back_and_nothing_counts_twice() {
    let folder = Folder::with("runs/a.csv", good_csv());
    let running = watching("runs", &folder).start();
    wait_for_rows(&folder, 6);
    folder.write("new", csv_of(&[(0.25, 31.0), (0.5, 13.0), (8.0, 40.0)]));
    fs::rename(folder.path("new"), folder.path("runs/b.csv")).unwrap();
    wait_for_rows(&folder, 9);
    is_as_a_full_computation("runs", &folder);
    // Replaced by one that begins the same.
    folder.write("new", good_csv() + "9,9\n");
    fs::rename(folder.path("new"), folder.path("runs/a.csv")).unwrap();
    wait_for_rows(&folder, 10);
    is_as_a_full_computation("runs", &folder);
    // Changed in place: longer, another beginning.
    fs::write(folder.path("runs/a.csv"), csv_of(&[(1.0, 5.0); 20])).unwrap();
    wait_for_rows(&folder, 23);
    is_as_a_full_computation("runs", &folder);
    fs::rename(folder.path("runs/b.csv"), folder.path("away")).unwrap();
    wait_for_rows(&folder, 20);
    fs::rename(folder.path("away"), folder.path("runs/b.csv")).unwrap();
    wait_for_rows(&folder, 23);
    is_as_a_full_computation("runs", &folder);
    // A Parquet file among them.
    initsweep("sweep --quiet --epochs 5 --runs 2 --hidden-std-dev 0.5,1 --to p.parquet")
        .in_folder(&folder)
        .run()
        .succeeds();
    fs::rename(folder.path("p.parquet"), folder.path("runs/p.parquet")).unwrap();
    wait_for_rows(&folder, 27);
    is_as_a_full_computation("runs", &folder);
    // The whole folder goes and comes back.
    fs::rename(folder.path("runs"), folder.path("elsewhere")).unwrap();
    thread::sleep(Duration::from_millis(400));
    assert_eq!(rows(&folder), 27, "the last report stays");
    append(&folder, "elsewhere/b.csv", "8,41\n");
    fs::rename(folder.path("elsewhere"), folder.path("runs")).unwrap();
    wait_for_rows(&folder, 28);
    is_as_a_full_computation("runs", &folder);
    stop(running);
}

#[test]
fn what_is_not_there_yet_or_broken_is_waited_for_and_told_once() {
    let folder = Folder::new();
    let running = watching("runs.csv", &folder).start();
    thread::sleep(Duration::from_millis(300));
    folder.write("runs.csv", good_csv());
    wait_for_rows(&folder, 6);
    append(&folder, "runs.csv", "0.5,oops\n");
    thread::sleep(Duration::from_millis(600));
    assert_eq!(rows(&folder), 6, "the last report stays");
    folder.write("runs.csv", good_csv() + "0.5,11\n");
    wait_for_rows(&folder, 7);
    is_as_a_full_computation("runs.csv", &folder);
    running.signal("INT");
    let told = running.wait().fails_with(130).stderr;
    assert_eq!(told.matches("waiting: cannot read runs.csv").count(), 1, "{told}");
    assert_eq!(told.matches("'oops' is not a number").count(), 1, "{told}");
}

#[test]
fn what_can_never_work_fails_at_once() {
    let folder = Folder::with("runs/a.csv", good_csv());
    initsweep("watch - ").run().fails_with(2).says("standard input ends");
    initsweep("watch runs --x nonsense").in_folder(&folder).run().fails_with(3).says("'hidden_std_dev'");
    initsweep("watch runs --out runs").in_folder(&folder).run().fails_with(2).says("--out");
    initsweep("watch runs --serve nonsense").in_folder(&folder).run().fails_with(2);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    initsweep(format!("watch runs --serve {address}")).in_folder(&folder).run().fails_with(1).says("cannot serve");
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn connected(port: u16) -> TcpStream {
    wait_until("it listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    TcpStream::connect(("127.0.0.1", port)).unwrap()
}

fn asked(port: u16, request: &str) -> String {
    let mut stream = connected(port);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn get(port: u16, path: &str) -> String {
    asked(port, &format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n"))
}

#[test]
fn only_the_report_is_served_and_to_this_machine_alone() {
    let folder = Folder::with("runs.csv", good_csv());
    folder.write("live/secret.txt", "s3cret");
    let port = free_port();
    let running = watching(&format!("runs.csv --serve 127.0.0.1:{port}"), &folder).start();
    wait_until("there is a report", || get(port, "/").starts_with("HTTP/1.1 200 OK"));
    let report = get(port, "/");
    assert!(report.ends_with(&folder.text("live/report.html")) && report.contains("text/html"), "{report}");
    assert!(get(port, "/loss-vs-std-dev.svg?again").contains("image/svg+xml"));
    assert!(get(port, "/summary.json").contains("application/json"));
    let head = asked(port, &format!("HEAD / HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.ends_with("\r\n\r\n"), "{head}");
    for path in
        ["/../runs.csv", "/%2e%2e/runs.csv", "/secret.txt", "//etc/passwd", "/./report.html", "/live/report.html"]
    {
        let answer = get(port, path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let foreign = asked(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    assert!(asked(port, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 403"), "without a name");
    assert!(asked(port, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 405"));
    assert!(asked(port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert!(asked(port, &format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000))).starts_with("HTTP/1.1 400"));
    stop(running);
}

#[test]
fn an_open_report_hears_of_a_newer_one() {
    let folder = Folder::with("runs.csv", good_csv());
    let port = free_port();
    let running = watching(&format!("runs.csv --serve {port}"), &folder).start();
    wait_until("there is a report", || get(port, "/").starts_with("HTTP/1.1 200 OK"));
    let listening = |more: &str| {
        let mut stream = connected(port);
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!("GET /events HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream).lines().map(Result::unwrap)
    };
    let mut listener = listening("");
    assert!(listener.any(|line| line == "Content-Type: text/event-stream"));
    assert!(listener.any(|line| line.starts_with("retry: ")));
    append(&folder, "runs.csv", "0.5,11\n");
    let lines: Vec<String> = listener.by_ref().skip_while(|line| !line.starts_with("id: ")).take(3).collect();
    assert_eq!(lines, ["id: 2", "event: report", "data: 2"]);
    assert_eq!(rows(&folder), 7, "the message comes after the files");
    // Someone who was away hears of it too.
    assert!(listening("Last-Event-ID: 1\r\n").any(|line| line == "data: 2"));
    drop(listener);
    stop(running);
}
