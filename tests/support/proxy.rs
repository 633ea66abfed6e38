//! Stands between client and server: cuts connections, holds them, and answers commands in the server's place.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mongodb::bson::raw::{RawDocument, RawDocumentBuf};
use mongodb::bson::{Document, doc};

/// The wire protocol's number of OP_MSG, the form of all commands and answers.
const OP_MSG: i32 = 2013;

/// A proxy on a port of its own, gone with the test process.
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    server: u16,
    /// Bytes that the server sent, all connections together.
    sent: AtomicU64,
    cut_after: AtomicU64,
    cut: AtomicBool,
    pause_after: AtomicU64,
    paused: AtomicBool,
    rules: Mutex<Vec<Rule>>,
}

/// Commands that the server does not get to see.
struct Rule {
    command: &'static str,
    skip: u32,
    times: u32,
    reply: Document,
}

/// The answer of a server that refuses a command with `code`.
pub fn error(code: i32, message: &str) -> Document {
    doc! { "ok": 0.0, "code": code, "codeName": "Injected", "errmsg": message }
}

impl Proxy {
    pub fn in_front_of(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            server,
            sent: AtomicU64::new(0),
            cut_after: AtomicU64::new(u64::MAX),
            cut: AtomicBool::new(false),
            pause_after: AtomicU64::new(u64::MAX),
            paused: AtomicBool::new(false),
            rules: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || state.forward(&client));
            }
        });
        Self { port, state }
    }

    /// `uri` with this proxy's port in place of the server's.
    pub fn through(&self, uri: &str) -> String {
        uri.replace(&format!(":{}/", self.state.server), &format!(":{}/", self.port))
    }

    /// Cuts one connection, once, in the midst of what it carries, when the server has sent `bytes`.
    pub fn cut_after(&self, bytes: u64) {
        self.state.cut_after.store(bytes, Ordering::SeqCst);
    }

    pub fn has_cut(&self) -> bool {
        self.state.cut.load(Ordering::SeqCst)
    }

    /// Holds everything back when the server has sent `bytes`, until it is resumed.
    pub fn pause_after(&self, bytes: u64) {
        self.state.pause_after.store(bytes, Ordering::SeqCst);
    }

    pub fn is_paused(&self) -> bool {
        self.state.paused.load(Ordering::SeqCst)
    }

    pub fn resume(&self) {
        self.state.pause_after.store(u64::MAX, Ordering::SeqCst);
        self.state.paused.store(false, Ordering::SeqCst);
    }

    /// Lets `skip` calls of `command`, or of pipelines that begin with this stage, pass, then
    /// answers `times` of them with `reply`. Rules are used up in their order.
    pub fn answer(&self, command: &'static str, skip: u32, times: u32, reply: Document) {
        self.state.rules.lock().unwrap().push(Rule { command, skip, times, reply });
    }

    /// Whether every rule is used up.
    pub fn has_answered(&self) -> bool {
        self.state.rules.lock().unwrap().is_empty()
    }
}

impl State {
    fn forward(self: Arc<Self>, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else { return };
        let (up_from, up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let state = Arc::clone(&self);
        thread::spawn(move || {
            let _ = state.up(&up_from, &up_to);
            let _ = up_to.shutdown(Shutdown::Both);
        });
        let _ = self.down(&server, client);
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    }

    /// Message by message from the client to the server.
    fn up(&self, mut client: &TcpStream, mut server: &TcpStream) -> std::io::Result<()> {
        loop {
            let mut message = vec![0; 16];
            client.read_exact(&mut message)?;
            let word = |message: &[u8], at: usize| i32::from_le_bytes(message[at..at + 4].try_into().unwrap());
            message.resize(word(&message, 0) as usize, 0);
            client.read_exact(&mut message[16..])?;
            let reply = if word(&message, 12) == OP_MSG { self.reply(&message[20..]) } else { None };
            let Some(reply) = reply else {
                server.write_all(&message)?;
                continue;
            };
            if reply.contains_key("cursor") {
                // As long as a server waits for something to tell.
                thread::sleep(Duration::from_millis(500));
            }
            let body = RawDocumentBuf::try_from(&reply).unwrap();
            let length = (16 + 4 + 1 + body.as_bytes().len()) as i32;
            let mut answer = Vec::new();
            for word in [length, 1, word(&message, 4), OP_MSG, 0] {
                answer.extend_from_slice(&word.to_le_bytes());
            }
            answer.push(0);
            answer.extend_from_slice(body.as_bytes());
            client.write_all(&answer)?;
        }
    }

    /// The answer to a message with these sections, if a rule has one.
    fn reply(&self, mut sections: &[u8]) -> Option<Document> {
        // A section of kind 1 carries the documents of an insert; the command is in the one of kind 0.
        let length = |section: &[u8]| i32::from_le_bytes(section[1..5].try_into().unwrap()) as usize;
        while sections[0] != 0 {
            sections = &sections[1 + length(sections)..];
        }
        let body = RawDocument::from_bytes(&sections[1..1 + length(sections)]).unwrap();
        let command = body.iter().next()?.unwrap().0.as_str().to_string();
        let first = body.get_array("pipeline").ok().and_then(|stages| stages.into_iter().next()?.ok()?.as_document());
        let stage = first.and_then(|stage| Some(stage.iter().next()?.ok()?.0.as_str()));
        let mut rules = self.rules.lock().unwrap();
        let place = rules.iter().position(|rule| rule.command == command || Some(rule.command) == stage)?;
        let rule = &mut rules[place];
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        let reply = rule.reply.clone();
        if rule.times == 0 {
            rules.remove(place);
        }
        Some(reply)
    }

    fn down(&self, mut server: &TcpStream, mut client: &TcpStream) -> std::io::Result<()> {
        let mut buffer = [0; 1 << 16];
        while let read @ 1.. = server.read(&mut buffer)? {
            let sent = self.sent.fetch_add(read as u64, Ordering::SeqCst) + read as u64;
            if sent > self.pause_after.load(Ordering::SeqCst) {
                self.paused.store(true, Ordering::SeqCst);
            }
            while self.paused.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            if sent > self.cut_after.load(Ordering::SeqCst) && !self.cut.swap(true, Ordering::SeqCst) {
                return client.write_all(&buffer[..read / 2]);
            }
            client.write_all(&buffer[..read])?;
        }
        Ok(())
    }
}
