//! `watch` for a long time, while writers come, go and are killed: it misses nothing and leaks nothing.
//!
//! `INITSWEEP_SOAK_SECONDS` is how long; 3600 for the hour. How many runs there are at a time does not grow with it, so that memory must not either.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Folder, Running, Sequence, csv_of, good_csv, initsweep, wait_until};
use crate::watch::{free_port, get, is_as_a_full_computation, rows, stop, wait_for_rows, watching};

/// Files that a writer leaves; older ones go.
const KEPT: usize = 4;
/// What memory may grow by after the first half, in kB: the allocator's slack, not a run a row.
const SLACK_KB: u64 = 16_000;

struct Soak {
    runs: PathBuf,
    away: PathBuf,
    spare: PathBuf,
    /// Held while the folder is moved, so that nobody finds half a path.
    moving: Mutex<()>,
    end: Instant,
}

impl Soak {
    fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    /// The folder, wherever it is.
    fn place(&self) -> &Path {
        if self.runs.exists() { &self.runs } else { &self.away }
    }

    /// Until none of `mine` is left but the newest, the oldest goes.
    fn forget_the_oldest(&self, mine: &mut Vec<String>) {
        if mine.len() > KEPT {
            let _still = self.moving.lock().unwrap();
            fs::remove_file(self.place().join(mine.remove(0))).unwrap();
        }
    }

    /// Bursts of lines, each in two pieces, so that lines are torn for a moment.
    fn write_csv(&self, writer: u64) {
        let (mut numbers, mut mine) = (Sequence(writer), Vec::new());
        for file in 0.. {
            let name = format!("w{writer}-{file}.csv");
            for _ in 0..10 {
                if !self.goes_on() {
                    return;
                }
                let still = self.moving.lock().unwrap();
                let path = self.place().join(&name);
                let is_new = !path.exists();
                let mut open = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
                drop(still);
                if is_new {
                    open.write_all(b"hidden_std_dev,loss\n").unwrap();
                }
                for _ in 0..1 + numbers.below(400) {
                    let line = format!("{},{}.5\n", 1 + numbers.below(9), numbers.below(1000));
                    open.write_all(&line.as_bytes()[..3]).unwrap();
                    open.write_all(&line.as_bytes()[3..]).unwrap();
                }
                thread::sleep(Duration::from_millis(50 + numbers.below(500) as u64));
            }
            mine.push(name);
            self.forget_the_oldest(&mut mine);
        }
    }

    /// A process that writes line after line until it is killed, most often within one.
    fn write_and_be_killed(&self) {
        let (mut numbers, mut mine) = (Sequence(77), Vec::new());
        for file in 0.. {
            if !self.goes_on() {
                return;
            }
            let name = format!("killed-{file}.csv");
            let still = self.moving.lock().unwrap();
            let sink = fs::File::create(self.place().join(&name)).unwrap();
            drop(still);
            let script = "echo hidden_std_dev,loss; while :; do printf 2,7; sleep 0.01; echo 1.5; done";
            let mut child = Command::new("sh").args(["-c", script]).stdout(sink).stdin(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_millis(300 + numbers.below(700) as u64));
            child.kill().unwrap();
            child.wait().unwrap();
            mine.push(name);
            self.forget_the_oldest(&mut mine);
        }
    }

    /// Parquet files, each made beside the folder and renamed into it, now and then in place of another.
    fn write_parquet(&self) {
        let (mut numbers, mut mine) = (Sequence(5), Vec::new());
        for file in 0.. {
            if !self.goes_on() {
                return;
            }
            let loss = |numbers: &mut Sequence| 1.0 + numbers.below(1000) as f64;
            let runs: Vec<(f64, f64)> = (0..500).map(|run| (1.0 + f64::from(run % 9), loss(&mut numbers))).collect();
            let [csv, parquet] = ["spare.csv", "spare.parquet"].map(|name| self.spare.join(name));
            fs::write(&csv, csv_of(&runs)).unwrap();
            initsweep(format!("copy --quiet {} --to {}", csv.display(), parquet.display())).run().succeeds();
            let name = format!("p-{}.parquet", if file % 3 == 2 { file - 1 } else { file });
            let still = self.moving.lock().unwrap();
            fs::rename(parquet, self.place().join(&name)).unwrap();
            drop(still);
            if !mine.contains(&name) {
                mine.push(name);
            }
            self.forget_the_oldest(&mut mine);
            thread::sleep(Duration::from_millis(200 + numbers.below(1500) as u64));
        }
    }

    /// Takes the folder away for a moment, now and then.
    fn move_away_and_back(&self) {
        while self.goes_on() {
            thread::sleep(Duration::from_secs(3));
            let still = self.moving.lock().unwrap();
            fs::rename(&self.runs, &self.away).unwrap();
            drop(still);
            thread::sleep(Duration::from_millis(700));
            let _still = self.moving.lock().unwrap();
            fs::rename(&self.away, &self.runs).unwrap();
        }
    }
}

fn time() -> Duration {
    let seconds = std::env::var("INITSWEEP_SOAK_SECONDS").ok().map(|text| text.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(20))
}

fn open_files(running: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", running.id())).unwrap().count()
}

/// The most that it has held so far. What it holds when one happens to look misses the pictures that a report draws for a moment, or not.
fn memory_kb(running: &Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_soak_misses_nothing_and_leaks_nothing() {
    let folder = Folder::with("runs/first.csv", good_csv());
    fs::create_dir(folder.path("spare")).unwrap();
    let port = free_port();
    let running = watching(&format!("runs --quiet --serve {port}"), &folder).start();
    wait_for_rows(&folder, 6);
    wait_until("there is a report", || get(port, "/").starts_with("HTTP/1.1 200 OK"));
    let began = Instant::now();
    let soak = Soak {
        runs: folder.path("runs"),
        away: folder.path("away"),
        spare: folder.path("spare"),
        moving: Mutex::new(()),
        end: began + time(),
    };
    let files_before = open_files(&running);
    let (mut most, mut reports, mut last) = ([0; 2], 0, Vec::new());
    thread::scope(|scope| {
        for writer in 0..3 {
            let soak = &soak;
            scope.spawn(move || soak.write_csv(writer));
        }
        scope.spawn(|| soak.write_and_be_killed());
        scope.spawn(|| soak.write_parquet());
        scope.spawn(|| soak.move_away_and_back());
        // Meanwhile browsers come and go.
        while soak.goes_on() {
            assert!(get(port, "/").starts_with("HTTP/1.1 200 OK"));
            let half = usize::from(began.elapsed() > time() / 2);
            most[half] = memory_kb(&running).max(most[half]);
            let summary = fs::read(folder.path("live/summary.csv")).unwrap();
            if summary != last {
                (reports, last) = (reports + 1, summary);
            }
            thread::sleep(Duration::from_millis(50));
        }
    });
    // Nothing but the state on the disk counts in the end, however many states there were.
    is_as_a_full_computation("runs", &folder);
    assert_eq!(rows(&folder), rows_on_disk(&soak.runs), "every line, torn ones too, and every row of Parquet");
    wait_until("connections are closed and no file is left open", || open_files(&running) <= files_before);
    println!("{reports} reports, {} rows, kB at most {most:?}, {files_before} open files", rows(&folder));
    assert!(reports > time().as_secs() / 10, "{reports} reports");
    assert!(most[1] <= most[0] + SLACK_KB, "memory grew from {} to {} kB", most[0], most[1]);
    stop(running);
}

/// Counted without the program: lines but the header, 500 rows a Parquet file.
fn rows_on_disk(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let rows = |path: PathBuf| match path.extension().and_then(|ending| ending.to_str()) {
        Some("parquet") => 500,
        _ => fs::read_to_string(path).unwrap().lines().count().saturating_sub(1) as u64,
    };
    files.map(rows).sum()
}
