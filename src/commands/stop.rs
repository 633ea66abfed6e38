//! Ctrl-C, SIGTERM and SIGHUP: the first sets a flag, so that work ends where nothing is lost; the second ends the process at once.
//!
//! A signal that whoever started the program had ignored (`nohup`, `&` in a script) stays ignored, and does not keep the others from
//! being heard. Why `signal-hook`: it is compiled with polars anyway, and `ctrlc` hears none of the three where one is ignored.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static STOP: AtomicBool = AtomicBool::new(false);

/// The flag, from now on set by a signal, of which `tell` hears the first. Only the first call listens: a process runs one command.
pub fn flag(tell: impl Fn() + Send + 'static) -> &'static AtomicBool {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| listen(tell));
    &STOP
}

/// Everything is stored: from now on the first signal ends the process at once.
pub fn nothing_left_to_lose() {
    STOP.store(true, Ordering::Relaxed);
}

#[cfg(unix)]
fn listen(tell: impl Fn() + Send + 'static) {
    let ignored = ignored();
    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    // Where none can be heard, each ends the process, as it does without this.
    let Ok(mut signals) = signal_hook::iterator::Signals::new(heard) else { return };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            tell();
        }
    });
}

/// There Ctrl-C ends the process at once; what is stored stays whole.
#[cfg(not(unix))]
fn listen(_: impl Fn() + Send + 'static) {}

/// The ignored signals as a mask, signal 1 being the lowest bit; none where the system does not say.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
