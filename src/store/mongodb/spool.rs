//! Keeps runs in a local file while the server is away: CSV, each row the place in the plan and the run.
//!
//! The file is made when it is first needed and goes when everything is delivered. It is locked, so that two processes
//! that work on the same sweep in the same folder do not mix their rows; the second simply has none until it needs one.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::sweep::{Run, SweepPlan};

/// A run with its place in the plan.
pub type Placed = (u64, Run);

/// The local file of one sweep.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: Option<File>,
    runs: u64,
}

impl Spool {
    /// The spool at `path`, with what an earlier process left there.
    ///
    /// # Errors
    /// [`Error::Busy`] if another process holds it, [`Error::Read`].
    pub fn open(path: &Path) -> Result<Self> {
        let mut spool = Self { path: path.into(), file: None, runs: 0 };
        if path.exists() {
            spool.file = Some(locked(path)?);
            let mut whole = 0;
            spool.each_row(|_, end| {
                whole = end;
                Ok(())
            })?;
            // A row that was cut off when the process was killed is made again.
            let cut = spool.file.as_ref().map_or(Ok(()), |file| file.set_len(whole));
            cut.map_err(Error::write(path))?;
        }
        Ok(spool)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs in it.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds `runs`, durably.
    ///
    /// # Errors
    /// [`Error::Write`], [`Error::Busy`].
    pub fn append(&mut self, runs: &[Placed]) -> Result<()> {
        let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        for run in runs {
            rows.serialize(run).map_err(|e| Error::Write { path: self.path.clone(), source: e.into() })?;
        }
        let text = rows.into_inner().map_err(|e| Error::Write { path: self.path.clone(), source: e.into_error() })?;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(locked(&self.path)?),
        };
        let stored = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(&text)).and_then(|()| file.sync_data());
        stored.map_err(Error::write(&self.path))?;
        self.runs += runs.len() as u64;
        Ok(())
    }

    /// Gives the runs in it to `take`, some thousands at a time, then removes the file. Rows that are not runs of `plan`
    /// are left out: they will be made again.
    ///
    /// # Errors
    /// Whatever `take` gives; the file then stays.
    pub fn deliver(&mut self, plan: &SweepPlan, mut take: impl FnMut(&[Placed]) -> Result<()>) -> Result<()> {
        const AT_ONCE: usize = 10_000;
        let mut batch = Vec::new();
        self.each_row(|(place, run), _| {
            if place < plan.total() && plan.run(place) == run.identity() {
                batch.push((place, run));
            }
            if batch.len() == AT_ONCE {
                take(&batch)?;
                batch.clear();
            }
            Ok(())
        })?;
        if !batch.is_empty() {
            take(&batch)?;
        }
        if self.file.take().is_some() {
            fs::remove_file(&self.path).map_err(Error::write(&self.path))?;
        }
        self.runs = 0;
        Ok(())
    }

    /// Gives every whole row with the number of bytes up to its end, and counts them.
    fn each_row(&mut self, mut take: impl FnMut(Placed, u64) -> Result<()>) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.seek(SeekFrom::Start(0)).map_err(Error::read(&self.path))?;
        let length = file.metadata().map_err(Error::read(&self.path))?.len();
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(BufReader::new(&*file));
        let mut record = csv::StringRecord::new();
        self.runs = 0;
        while let Ok(true) = rows.read_record(&mut record) {
            let Ok(row) = record.deserialize::<Placed>(None) else { break };
            let end = rows.position().byte();
            if end == length && !ends_line(file, length) {
                break;
            }
            self.runs += 1;
            take(row, end)?;
        }
        Ok(())
    }
}

/// Whether the last byte of `file` ends a line.
fn ends_line(file: &File, length: u64) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileExt;
        let mut last = [0];
        length > 0 && file.read_exact_at(&mut last, length - 1).is_ok() && last == *b"\n"
    }
    #[cfg(not(unix))]
    {
        // The row parsed as a whole run, which is then compared with the plan.
        let _ = (file, length);
        true
    }
}

fn locked(path: &Path) -> Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = open.map_err(Error::write(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Error::Busy { path: path.into() }),
        Err(fs::TryLockError::Error(source)) => Err(Error::Write { path: path.into(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Draws;

    fn plan() -> SweepPlan {
        SweepPlan {
            hidden_std_dev: vec![0.1, 0.7],
            output_std_dev: vec![0.8165],
            learning_rate: vec![0.1],
            epochs: vec![3],
            runs: 2,
            seed: u64::MAX,
            draws: Draws::Independent,
            solved_below: 0.1,
        }
    }

    fn run(place: u64) -> Placed {
        let identity = plan().run(place);
        let run = Run {
            hidden_std_dev: identity.hidden_std_dev,
            output_std_dev: identity.output_std_dev,
            loss: 1.0 / 3.0,
            replicate: identity.replicate,
            seed: identity.seed,
            final_loss: 5e-324,
            epochs: identity.epochs,
            learning_rate: identity.learning_rate,
            draw: identity.draw,
            solved_epoch: place.is_multiple_of(2).then_some(7),
            solved_below: identity.solved_below,
        };
        (place, run)
    }

    #[test]
    fn what_goes_in_comes_out_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.spool");
        let mut spool = Spool::open(&path).unwrap();
        assert!(!path.exists());
        spool.append(&[run(3), run(1)]).unwrap();
        spool.append(&[run(0)]).unwrap();
        assert!(matches!(Spool::open(&path), Err(Error::Busy { .. })));
        drop(spool);
        // A killed process: half a row at the end, and one of another sweep in the middle.
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(b"2,0.7,0.8165,0.33");
        fs::write(&path, text).unwrap();
        let mut spool = Spool::open(&path).unwrap();
        assert_eq!(spool.runs(), 3);
        spool.append(&[(2, Run { seed: 5, ..run(2).1 })]).unwrap();
        let mut came = Vec::new();
        spool
            .deliver(&plan(), |runs| {
                came.extend_from_slice(runs);
                Ok(())
            })
            .unwrap();
        assert_eq!(came, [run(3), run(1), run(0)]);
        assert!(!path.exists() && spool.runs() == 0);
    }
}
