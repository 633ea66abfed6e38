//! Opens a file the way a double click would.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long an opener may take to say that it failed. One that still runs then is a browser.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens `path` in the program that the user has chosen for such files.
///
/// # Errors
/// In words, if there is no such program or it fails at once.
pub fn in_browser(path: &Path) -> Result<(), String> {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // `start` takes its first quoted argument for a title.
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut opener = command.spawn().map_err(|e| format!("{program}: {e}"))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match opener.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program} failed ({status})")),
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(e) => return Err(format!("{program}: {e}")),
        }
    }
    Ok(())
}
