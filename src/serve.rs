//! Serves the files of a report to browsers, and tells open ones when there is a newer report.
//!
//! GET and HEAD of `/` (the report) and of the files that the program has written since it started, by their names, from memory of
//! those names: a path is compared with them and never opened by itself, so that nothing else can be reached. `/events` is a stream
//! of server-sent events (WHATWG HTML, 9.2): `report` with a number after each new report.
//!
//! **Who may ask.** On a loopback address only requests whose Host is that machine itself: a web page elsewhere that
//! makes its name point here (DNS rebinding) is refused. On any other address everyone who can reach it.
//!
//! **Why no server library.** Half a dozen small files and one stream need no framework: `httparse`, hyper's parser, reads the request,
//! one thread a connection answers and closes it. hyper would bring an asynchronous runtime up to here and a service around
//! each answer; tiny_http had its last release in 2022.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::output::Artefact;

/// Longest time that a browser may take to ask or to listen to an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time after which a silent stream says that it is still there, and learns whether anybody listens.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Bytes of a request, at most; no body is read.
const LONGEST_REQUEST: usize = 16 << 10;
/// Connections at a time, at most.
const MOST_CONNECTIONS: usize = 100;

/// A server that runs until the process ends.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    is_loopback: bool,
    reports: Mutex<Reports>,
    changed: Condvar,
    connections: AtomicUsize,
}

/// What can be served.
#[derive(Default)]
struct Reports {
    /// Number of the report, from 1; 0 before the first.
    number: u64,
    /// Files by name.
    files: BTreeMap<String, PathBuf>,
}

impl Server {
    /// Listens at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`Error::Serve`].
    pub fn start(address: SocketAddr) -> Result<Self> {
        let failed = |source: io::Error| Error::Serve { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            is_loopback: address.ip().is_loopback(),
            reports: Mutex::default(),
            changed: Condvar::new(),
            connections: AtomicUsize::new(0),
        });
        let accepting = Arc::clone(&shared);
        let accept = move || listener.incoming().flatten().for_each(|stream| accepting.take(stream));
        std::thread::Builder::new().name("serve".into()).spawn(accept).map_err(failed)?;
        Ok(Self { address, shared })
    }

    /// Where a browser finds it.
    pub fn url(&self) -> String {
        let everywhere = self.address.ip().is_unspecified();
        let address = if everywhere { (Ipv4Addr::LOCALHOST, self.address.port()).into() } else { self.address };
        format!("http://{address}/")
    }

    /// Serves the files at `paths` from now on, and tells everyone who listens.
    pub fn announce(&self, paths: &[PathBuf]) {
        let mut reports = self.shared.reports();
        reports.number += 1;
        let named = |path: &PathBuf| Some((path.file_name()?.to_str()?.to_string(), path.clone()));
        reports.files = paths.iter().filter_map(named).collect();
        drop(reports);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn reports(&self) -> MutexGuard<'_, Reports> {
        // Nothing panics while it holds the lock.
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers in a thread of its own, unless there are too many already.
    fn take(self: &Arc<Self>, mut stream: TcpStream) {
        let shared = Arc::clone(self);
        if self.connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            self.connections.fetch_sub(1, Ordering::Relaxed);
            let _ = Answer::text("503 Service Unavailable", "too many connections\n").write(&mut stream, true);
            return;
        }
        let answer = move || {
            // A browser that goes away needs no answer.
            let _ = shared.answer(&mut stream);
            // A connection that is closed with something unread would take the answer with it.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = io::copy(&mut stream.take(LONGEST_REQUEST as u64 * 4), &mut io::sink());
            shared.connections.fetch_sub(1, Ordering::Relaxed);
        };
        if std::thread::Builder::new().spawn(answer).is_err() {
            self.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn answer(&self, stream: &mut TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(request) = Request::read(stream)? else {
            return Answer::text("400 Bad Request", "not a request\n").write(stream, true);
        };
        let with_body = request.method != "HEAD";
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            let mut answer = Answer::text("405 Method Not Allowed", "GET and HEAD only\n");
            answer.more = "Allow: GET, HEAD\r\n";
            return answer.write(stream, true);
        }
        if self.is_loopback && !request.host.as_deref().is_some_and(is_this_machine) {
            return Answer::text("403 Forbidden", "this report is for this machine only\n").write(stream, with_body);
        }
        match request.path.as_str() {
            "/events" if with_body => self.stream(stream, request.last_event),
            path => self.file(path).write(stream, with_body),
        }
    }

    fn file(&self, path: &str) -> Answer {
        let reports = self.reports();
        if reports.number == 0 {
            let mut answer = Answer::text("503 Service Unavailable", "there is no report yet\n");
            answer.more = "Refresh: 1\r\nRetry-After: 1\r\n";
            return answer;
        }
        let report = Artefact::Report.file_name();
        let name = if path == "/" { &report } else { path.trim_start_matches('/') };
        let Some(path) = reports.files.get(name).cloned() else {
            return Answer::text("404 Not Found", "no such file\n");
        };
        drop(reports);
        match std::fs::read(&path) {
            Ok(body) => Answer { status: "200 OK", kind: kind_of(name), more: "", body },
            Err(_) => Answer::text("404 Not Found", "the file is gone\n"),
        }
    }

    /// Sends a message after each report, until the listener goes.
    fn stream(&self, stream: &mut TcpStream, last: Option<u64>) -> io::Result<()> {
        // Someone who comes back hears of what was missed.
        let mut told = last.unwrap_or_else(|| self.reports().number);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nretry: 1000\n\n")?;
        loop {
            let same = |reports: &mut Reports| reports.number == told;
            let waited = self.changed.wait_timeout_while(self.reports(), KEEP_ALIVE, same);
            let number = waited.unwrap_or_else(PoisonError::into_inner).0.number;
            if number == told {
                stream.write_all(b": still here\n\n")?;
            } else {
                stream.write_all(format!("id: {number}\nevent: report\ndata: {number}\n\n").as_bytes())?;
                told = number;
            }
        }
    }
}

/// What is of interest in a request.
struct Request {
    method: String,
    path: String,
    host: Option<String>,
    last_event: Option<u64>,
}

impl Request {
    /// Reads the head of a request; nothing if it is none.
    fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut piece = [0; 2048];
        loop {
            let read = stream.read(&mut piece)?;
            bytes.extend_from_slice(&piece[..read]);
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut headers);
            match request.parse(&bytes) {
                Ok(httparse::Status::Complete(_)) => return Ok(Some(Self::of(&request))),
                Ok(httparse::Status::Partial) if read > 0 && bytes.len() < LONGEST_REQUEST => {}
                _ => return Ok(None),
            }
        }
    }

    fn of(request: &httparse::Request) -> Self {
        let header = |name: &str| {
            let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok().map(|value| value.trim().to_string())
        };
        let target = request.path.unwrap_or_default();
        Self {
            method: request.method.unwrap_or_default().into(),
            path: target.split(['?', '#']).next().unwrap_or_default().into(),
            host: header("host"),
            last_event: header("last-event-id").and_then(|id| id.parse().ok()),
        }
    }
}

struct Answer {
    status: &'static str,
    kind: &'static str,
    /// Header lines of its own.
    more: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn text(status: &'static str, text: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", more: "", body: text.into() }
    }

    fn write(&self, stream: &mut TcpStream, with_body: bool) -> io::Result<()> {
        let Self { status, kind, more, body } = self;
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n{more}Connection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        if with_body { stream.write_all(body) } else { Ok(()) }
    }
}

/// Whether a Host header names this machine by itself.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["", "example.org", "127.0.0.1.example.org", "localhost.evil", "10.0.0.1", "[::2]:80", "[fe80::1]"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
