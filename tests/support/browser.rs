//! A real browser for tests: Chromium, driven through its WebDriver server (W3C WebDriver, JSON over HTTP on this machine).
//!
//! Written out instead of taken from a client library: what is needed is a dozen calls, and the async clients would change
//! the features of libraries that the program shares, which compiles polars again.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The key of elements in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Longest time to wait for something that takes well under a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one empty page; ended with the test.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// With what to do, if there is none: no test is left out because of that.
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!("chromedriver: {e}; tests/run installs it, or: apt-get install chromium chromium-driver")
            });
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver ended").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        // Whatever it says later must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, port, session: String::new() };
        let mut arguments =
            vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1000,900"];
        if is_root() {
            // Chromium's sandbox refuses to work for root, as in a container.
            arguments.push("--no-sandbox");
        }
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let session = browser.call("POST", "", &capabilities);
        browser.session = format!("/{}", session["sessionId"].as_str().unwrap());
        browser.call("POST", "/timeouts", &json!({"script": 5 * PATIENCE.as_millis() as u64}));
        browser
    }

    /// One WebDriver command; its value.
    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, value) = self.try_call(method, path, body);
        assert!(status == 200, "{method} {path}: {value}");
        value
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.set_read_timeout(Some(6 * PATIENCE)).unwrap();
        write!(
            connection,
            "{method} /session{}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.session,
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(connection);
        let (mut length, mut line) = (0, String::new());
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).expect("a status").parse().unwrap();
        while line != "\r\n" {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0, "the answer is cut");
            if let Some((_, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        (status, answer["value"].take())
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Opens a file.
    #[track_caller]
    pub fn open(&self, file: &Path) {
        self.open_address(&format!("file://{}", fs::canonicalize(file).unwrap().display()));
    }

    /// Opens an address, and waits until all of it is there: where scripts are off the driver returns while the page is
    /// still being read.
    #[track_caller]
    pub fn open_address(&self, address: &str) {
        self.call("POST", "/url", &json!({"url": address}));
        eventually("the page is read", || self.run("return document.readyState") == "complete");
    }

    /// The value of a function body in the page.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The value that a function body in the page resolves to.
    #[track_caller]
    pub fn run_to_end(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done, e => done(String(e)));"
        );
        self.call("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// The text of the first element that matches.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({}).textContent", json!(selector));
        self.run(&script).as_str().unwrap().to_string()
    }

    /// Clicks where the first matching element is, as a person does; it must be visible and not covered.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        let script = format!("document.querySelector({}).scrollIntoView({{ block: 'center' }})", json!(selector));
        self.run(&script);
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": selector}));
        let element = found[ELEMENT].as_str().unwrap().to_string();
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into what has the focus. WebDriver's private characters are keys: see [`key`].
    pub fn press(&self, keys: &[&str]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})])
            .collect();
        self.act(&json!({"type": "key", "id": "keyboard", "actions": actions}));
    }

    /// Steps of the mouse: moving, pressing and releasing its button.
    fn mouse(&self, steps: &[Value]) {
        self.act(&json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}));
    }

    /// Moves the mouse there, in pixels of the window.
    pub fn point_at(&self, x: f64, y: f64) {
        self.mouse(&[moved(x, y)]);
    }

    /// Draws the mouse from one place to another with its button held.
    pub fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
        let (down, up) = (json!({"type": "pointerDown", "button": 0}), json!({"type": "pointerUp", "button": 0}));
        self.mouse(&[moved(from.0, from.1), down, moved(middle.0, middle.1), moved(to.0, to.1), up]);
    }

    fn act(&self, source: &Value) {
        self.call("POST", "/actions", &json!({"actions": [source]}));
    }

    /// Sets the size of the window.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Emulates `print` or, with an empty string, a screen, in the colours `light` or `dark`.
    pub fn show_as(&self, medium: &str, colours: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": colours}]);
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": medium, "features": features}));
    }

    /// What the console says, since it was last asked: warnings, errors, refusals by the policy.
    pub fn console(&self) -> Vec<String> {
        let entries = self.call("POST", "/se/log", &json!({"type": "browser"}));
        entries.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_string()).collect()
    }

    /// The addresses that pages asked for, since it was last asked.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.call("POST", "/se/log", &json!({"type": "performance"}));
        let message = |entry: &Value| -> Value { serde_json::from_str(entry["message"].as_str().unwrap()).unwrap() };
        let messages: Vec<Value> = entries.as_array().unwrap().iter().map(message).collect();
        messages
            .iter()
            .map(|message| &message["message"])
            .filter(|message| message["method"] == "Network.requestWillBeSent")
            .map(|message| message["params"]["request"]["url"].as_str().unwrap().to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser, which would outlive its driver. Nothing may fail here: the test may be failing already.
        if let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request =
                format!("DELETE /session{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
            let _ = connection.set_read_timeout(Some(PATIENCE));
            let _ = connection.write_all(request.as_bytes());
            let _ = connection.read(&mut [0; 16]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn moved(x: f64, y: f64) -> Value {
    json!({"type": "pointerMove", "duration": 0, "x": x.round(), "y": y.round(), "origin": "viewport"})
}

/// Waits until `condition` holds.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Keys that are no characters, as WebDriver names them.
pub mod key {
    pub const TAB: &str = "\u{e004}";
    pub const ENTER: &str = "\u{e007}";
    pub const END: &str = "\u{e010}";
    pub const HOME: &str = "\u{e011}";
    pub const LEFT: &str = "\u{e012}";
    pub const UP: &str = "\u{e013}";
    pub const RIGHT: &str = "\u{e014}";
    pub const DOWN: &str = "\u{e015}";
}
