//! A readable way to run the program: `initsweep("stats runs.csv").in_folder(&folder).run().succeeds()`.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Path of the sweep that comes with the program: 400 levels, 25 runs each.
pub(crate) fn sample() -> String {
    format!("{}/sample-data/xor-sweep.csv", env!("CARGO_MANIFEST_DIR"))
}

/// Path of the file `name` in `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A folder that goes with the test.
#[derive(Clone)]
pub(crate) struct Folder(Rc<TempDir>);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(Rc::new(tempfile::tempdir().unwrap()))
    }

    /// A folder with one file.
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write(name, content);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, making its folders.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}; there are {:?}", self.names(".")))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// Sorted names of everything in the folder `name`, hidden files too.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// One call of the program, being put together.
pub(crate) struct Invocation {
    command: Command,
    stdin: Vec<u8>,
}

/// The program with `words`, split at blanks; [`Invocation::arg`] adds an argument that holds blanks.
pub(crate) fn initsweep(words: impl AsRef<str>) -> Invocation {
    let mut command = Command::new(env!("CARGO_BIN_EXE_initsweep"));
    command.args(words.as_ref().split_whitespace());
    // The same output on every machine and in every terminal.
    command.env("NO_COLOR", "1").env("COLUMNS", "100").env_remove("CLICOLOR_FORCE").env_remove("RUST_BACKTRACE");
    Invocation { command, stdin: Vec::new() }
}

impl Invocation {
    pub(crate) fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Started with a signal ignored, as by `nohup`.
    #[cfg(unix)]
    pub(crate) fn ignoring(mut self, signal: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!(r#"trap '' {signal}; exec "$0" "$@""#)]);
        command.arg(self.command.get_program()).args(self.command.get_args());
        self.command = command;
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Folder) -> Self {
        self.command.current_dir(folder.0.path());
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Finished {
        let stdin = std::mem::take(&mut self.stdin);
        let mut child = self.start();
        let mut pipe = child.0.stdin.take().unwrap();
        // In a thread, because the program may fill its own output before it has read everything. A program that stops
        // reading early is no failure of the test.
        let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
        let stdout = child.0.stdout.take().map(collector).unwrap();
        let finished = child.wait();
        feeder.join().unwrap();
        Finished { stdout: stdout.join().unwrap(), ..finished }
    }

    /// Runs it with its standard output going to `sink`.
    pub(crate) fn run_into(mut self, sink: impl Into<Stdio>) -> Finished {
        self.command.stdin(Stdio::null()).stdout(sink);
        self.spawn().wait()
    }

    /// Runs it with nobody at the other end of its standard output.
    pub(crate) fn run_into_closed_pipe(self) -> Finished {
        let mut child = self.start();
        drop((child.0.stdin.take(), child.0.stdout.take()));
        child.wait()
    }

    /// Starts it and lets it run.
    pub(crate) fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped());
        self.spawn()
    }

    fn spawn(mut self) -> Running {
        self.command.stderr(Stdio::piped());
        let called = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        Running(self.command.spawn().unwrap(), called)
    }
}

fn collector(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A process, ended with the test.
pub(crate) struct Running(Child, String);

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Sends a signal by name: `INT`, `KILL`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub(crate) fn wait(mut self) -> Finished {
        drop(self.0.stdin.take());
        let stdout = self.0.stdout.take().map(collector);
        let stderr = self.0.stderr.take().map(collector).unwrap();
        // One that hangs fails its test, with what it said, and does not hang the others.
        let deadline = Instant::now() + Duration::from_secs(300);
        while !self.has_ended() {
            if Instant::now() > deadline {
                self.0.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(1));
        }
        Finished {
            status: self.0.wait().unwrap(),
            stdout: stdout.map(|stdout| stdout.join().unwrap()).unwrap_or_default(),
            stderr: String::from_utf8(stderr.join().unwrap()).unwrap(),
            called: std::mem::take(&mut self.1),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `wait` both only say that the process is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a call gave.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    called: String,
}

impl Finished {
    /// Checks that it ended well.
    pub(crate) fn succeeds(self) -> Self {
        self.fails_with(0)
    }

    /// Checks the exit code; a failure must also explain itself in the agreed form, and never by a panic.
    pub(crate) fn fails_with(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.shown());
        assert!(!self.stderr.contains("panicked"), "{}", self.shown());
        if code != 0 {
            // Before it there may be what it waited for.
            let explains = self.stderr.lines().any(|line| line.starts_with("error: "));
            assert!(explains || code == 130, "{}", self.shown());
        }
        self
    }

    /// Checks that standard error holds `text`.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "'{text}' is missing in {}", self.shown());
        self
    }

    /// Checks that standard output holds `text`.
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(self.text().contains(text), "'{text}' is missing in {}", self.shown());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("{e} in {}", self.shown()))
    }

    fn shown(&self) -> String {
        let stdout: String = String::from_utf8_lossy(&self.stdout).chars().take(4000).collect();
        format!("{}\n{}\n--- stdout\n{stdout}\n--- stderr\n{}", self.called, self.status, self.stderr)
    }
}

/// The JSON of `stats` for `csv`, which must be usable.
pub(crate) fn stats_of(csv: impl AsRef<[u8]>) -> Value {
    initsweep("stats runs.csv --format json").in_folder(&Folder::with("runs.csv", csv)).run().succeeds().json()
}

/// Runs as CSV, in the two columns that the program looks for by itself.
pub(crate) fn csv_of(runs: &[(f64, f64)]) -> String {
    let rows: String = runs.iter().map(|(level, loss)| format!("{level},{loss}\n")).collect();
    format!("hidden_std_dev,loss\n{rows}")
}

/// Three levels with two runs each and the least mean in the middle: data that nothing is wrong with.
pub(crate) fn good_csv() -> String {
    csv_of(&[(0.25, 30.0), (0.25, 34.0), (0.5, 10.0), (0.5, 14.0), (2.0, 20.0), (2.0, 24.0)])
}

/// Checks that JSON number `actual` equals `expected` within `tolerance`, relative.
#[track_caller]
pub(crate) fn assert_close(actual: &Value, expected: f64, tolerance: f64, what: &str) {
    let actual = actual.as_f64().unwrap_or_else(|| panic!("{what} is {actual}"));
    assert!(relative_difference(actual, expected) <= tolerance, "{what}: {actual} is not {expected}");
}

pub(crate) fn relative_difference(actual: f64, expected: f64) -> f64 {
    if actual == expected { 0.0 } else { (actual - expected).abs() / expected.abs() }
}

/// Longest time to wait for something that takes well under a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The size of a file, 0 if it is not there.
pub(crate) fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// A file that every write to fails as on a full disk.
#[cfg(target_os = "linux")]
pub(crate) fn full_disk() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// Pseudo-random numbers for test data: a fixed sequence (Knuth's MMIX generator, upper bits).
pub(crate) struct Sequence(pub(crate) u64);

impl Sequence {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}
