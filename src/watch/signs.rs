//! What wakes the watcher.
//!
//! Time always does: every interval the sources are looked at, which costs one `stat` a file and one count a collection. Events only
//! make that sooner: inotify for the folders on Linux, a change stream for a collection. So nothing depends on events that
//! a network drive does not send, that a full queue loses, or that a server without a replica set does not have.
//! Why not the `notify` crate: with time as a second way its other backends add little, and its `mio` has features that
//! nothing else here needs.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::store::Source;

/// Silence after which a burst of events is over.
const QUIET: Duration = Duration::from_millis(100);
/// Longest time that a burst is waited for.
const LONGEST: Duration = Duration::from_secs(2);

/// Wakes the watcher, from any thread.
#[derive(Debug, Clone)]
pub struct Waker(Sender<()>);

impl Waker {
    /// Wakes it. If it is gone, nobody needs to wake.
    pub fn wake(&self) {
        let _ = self.0.send(());
    }

    /// The bare sender, for layers that know nothing of watching.
    pub fn sender(&self) -> Sender<()> {
        self.0.clone()
    }
}

/// Waits for changes.
pub struct Signs {
    receiver: Receiver<()>,
    waker: Waker,
    #[cfg(target_os = "linux")]
    watches: Option<inotify::Watches>,
}

impl Signs {
    /// Starts to listen.
    pub fn new() -> Self {
        let (sender, receiver) = channel();
        let waker = Waker(sender);
        Self {
            receiver,
            #[cfg(target_os = "linux")]
            watches: events(waker.clone()),
            waker,
        }
    }

    /// Wakes [`Self::wait`].
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Listens to `folders`, which may have been listened to before, may be new, or may be missing.
    pub fn listen_to(&mut self, folders: &[PathBuf]) {
        #[cfg(target_os = "linux")]
        if let Some(watches) = &mut self.watches {
            use inotify::WatchMask as Mask;
            let mask = Mask::MODIFY | Mask::CLOSE_WRITE | Mask::MOVE | Mask::CREATE | Mask::DELETE | Mask::DELETE_SELF;
            for folder in folders {
                // A folder that cannot be watched is looked at every interval.
                let _ = watches.add(folder, mask);
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = folders;
    }

    /// Waits for a change, for `interval` at most, and then until a burst of changes is over. Gives the time of the first
    /// change, or nothing if only time has passed.
    pub fn wait(&self, interval: Duration) -> Option<Instant> {
        // The waker of this very struct keeps the channel open.
        self.receiver.recv_timeout(interval).ok()?;
        let first = Instant::now();
        await_end(|| self.receiver.recv_timeout(QUIET) == Err(RecvTimeoutError::Timeout), || first.elapsed());
        Some(first)
    }
}

/// Waits until a burst is over, which `is_quiet` finds out within [`QUIET`], or has lasted `elapsed` ≥ [`LONGEST`].
fn await_end(mut is_quiet: impl FnMut() -> bool, elapsed: impl Fn() -> Duration) {
    while elapsed() < LONGEST && !is_quiet() {}
}

impl Default for Signs {
    fn default() -> Self {
        Self::new()
    }
}

/// Passes the system's events on, until the process ends.
#[cfg(target_os = "linux")]
fn events(waker: Waker) -> Option<inotify::Watches> {
    let mut inotify = inotify::Inotify::init().ok()?;
    let watches = inotify.watches();
    let listen = move || {
        let mut buffer = [0; 4096];
        while inotify.read_events_blocking(&mut buffer).is_ok() {
            waker.wake();
        }
    };
    std::thread::Builder::new().name("inotify".into()).spawn(listen).ok()?;
    Some(watches)
}

/// The folders in which `sources` change: a folder itself, and that of a file or of a pattern's constant beginning.
pub fn folders(sources: &[Source]) -> Vec<PathBuf> {
    let folder = |source: &Source| {
        let Source::Path(text) = source else { return None };
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Some(path);
        }
        let constant: PathBuf = path
            .components()
            .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
            .collect();
        let above = if constant == path { constant.parent()?.to_path_buf() } else { constant };
        Some(if above.as_os_str().is_empty() { PathBuf::from(".") } else { above })
    };
    sources.iter().filter_map(folder).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_file_a_pattern_and_a_folder_name_their_folder() {
        let here = tempfile::tempdir().unwrap();
        let folder = here.path().display().to_string();
        let of = |text: String| folders(&[Source::Path(text)]);
        assert_eq!(of(folder.clone()), [here.path()]);
        assert_eq!(of(format!("{folder}/runs.csv")), [here.path()]);
        assert_eq!(of(format!("{folder}/*/a?.csv")), [here.path()]);
        assert_eq!(of("runs.csv".into()), [PathBuf::from(".")]);
        assert!(folders(&[Source::Stdin]).is_empty());
    }

    #[test]
    fn a_burst_is_waited_for_but_never_too_long() {
        // A clock of its own: on a busy machine a writer that never rests may be quiet for a while.
        let clock = Cell::new(Duration::ZERO);
        let pass = |time: Duration| clock.set(clock.get() + time);
        let never_quiet = || {
            pass(QUIET / 10);
            false
        };
        await_end(never_quiet, || clock.get());
        assert_eq!(clock.take(), LONGEST);
        let mut changes = 3;
        let quiet_in_the_end = || {
            pass(if changes > 0 { QUIET / 2 } else { QUIET });
            changes -= 1;
            changes < 0
        };
        await_end(quiet_in_the_end, || clock.get());
        assert_eq!(clock.take(), QUIET / 2 * 3 + QUIET);
    }

    #[test]
    fn a_sign_wakes_and_none_does_not() {
        let signs = Signs::new();
        assert_eq!(signs.wait(Duration::from_millis(1)), None);
        for _ in 0..5 {
            signs.waker().wake();
        }
        assert!(signs.wait(Duration::from_secs(60)).is_some());
        assert_eq!(signs.wait(Duration::from_millis(1)), None, "five signs are one burst");
    }
}
