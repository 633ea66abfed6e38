//! Stores the runs of a sweep so that nothing is lost: a journal beside the target, renamed into
//! place when complete.
//!
//! The journal `FILE.part` is CSV and holds a prefix of the plan (or of the part of it that is
//! asked for), in its order. So a finished CSV needs one rename, a Parquet file one conversion, and
//! a stopped or killed sweep goes on after the journal's last whole row. Every row says what run it
//! is, and is compared with the plan before it is trusted: another sweep's file is refused, not
//! overwritten. A target that is finished but shorter, because it was asked for with fewer runs, is
//! extended in the same way.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::course::Sequence;
use crate::error::{Error, Result};
use crate::output::{folder_of, rename_into_place};
use crate::store::formats::{is_parquet_by_name, parquet};
use crate::sweep::Run;

/// Writes the runs of one plan to one file.
#[derive(Debug)]
pub struct RunWriter {
    target: PathBuf,
    journal: PathBuf,
    rows: csv::Writer<BufWriter<File>>,
    done: u64,
}

/// Whether runs already stored are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Go on after the stored runs of the same plan.
    Continue,
    /// Go on after a stopped sweep of the same plan; replace anything else, finished files too.
    Resume,
    /// Start over.
    Replace,
}

impl RunWriter {
    /// Opens the journal of `target` and finds out what is already done.
    ///
    /// # Errors
    /// [`Error::OtherSweep`] if there are runs that `part` does not begin with, [`Error::Busy`] if
    /// another process writes them, [`Error::Write`] or [`Error::Read`] if the files cannot be
    /// used.
    pub fn open(target: &Path, part: &dyn Sequence, existing: Existing) -> Result<Self> {
        fs::create_dir_all(folder_of(target)).map_err(Error::write(folder_of(target)))?;
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let journal = PathBuf::from(name);
        let options = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&journal);
        let mut file = options().map_err(Error::write(&journal))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: target.into() }),
            Err(TryLockError::Error(source)) => return Err(Error::Write { path: journal, source }),
        }
        let mut kept = Kept::default();
        if existing == Existing::Resume {
            kept = whole_rows(&mut file, &journal, part).unwrap_or_default();
        }
        if existing == Existing::Continue {
            if file.metadata().map_err(Error::read(&journal))?.len() == 0 && target.exists() {
                // A file that cannot be read as runs of this plan must not leave an empty journal
                // behind.
                copy_target(target, part, &mut file).inspect_err(|_| drop(fs::remove_file(&journal)))?;
            }
            kept = whole_rows(&mut file, &journal, part)?;
        }
        file.set_len(kept.bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(Error::write(&journal))?;
        let rows = csv::WriterBuilder::new().has_headers(kept.bytes == 0).from_writer(BufWriter::new(file));
        Ok(Self { target: target.into(), journal, rows, done: kept.rows })
    }

    /// Runs that are stored.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Where the stored runs are until [`Self::finish`].
    pub fn journal(&self) -> &Path {
        &self.journal
    }

    /// Stores the next runs of the plan, durably.
    ///
    /// # Errors
    /// [`Error::Write`]; what was stored before stays.
    pub fn append(&mut self, runs: &[Run]) -> Result<()> {
        let failed = || Error::write(&self.journal);
        for run in runs {
            self.rows.serialize(run).map_err(|e| failed()(e.into()))?;
        }
        self.rows.flush().map_err(failed())?;
        self.rows.get_ref().get_ref().sync_data().map_err(failed())?;
        self.done += runs.len() as u64;
        Ok(())
    }

    /// Gives the runs up; they are somewhere else.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn discard(self) -> Result<()> {
        fs::remove_file(&self.journal).map_err(Error::write(&self.journal))
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    /// [`Error::Write`]; the journal then stays.
    pub fn finish(mut self) -> Result<PathBuf> {
        self.rows.flush().map_err(Error::write(&self.journal))?;
        if is_parquet_by_name(&self.target) {
            parquet::write_runs(&self.journal, &self.target)?;
            fs::remove_file(&self.journal).map_err(Error::write(&self.journal))?;
        } else {
            rename_into_place(&self.journal, &self.target)?;
        }
        Ok(self.target)
    }
}

/// The header of a file of runs.
const HEADER: &str =
    "hidden_std_dev,output_std_dev,loss,replicate,seed,final_loss,epochs,learning_rate,draw,solved_epoch,solved_below";

/// The usable beginning of a journal.
#[derive(Debug, Default)]
struct Kept {
    rows: u64,
    bytes: u64,
}

/// The rows up to the last line break, compared with the plan one by one.
fn whole_rows(file: &mut File, path: &Path, part: &dyn Sequence) -> Result<Kept> {
    file.seek(SeekFrom::Start(0)).map_err(Error::read(path))?;
    let mut lines = BufReader::with_capacity(1 << 20, &*file);
    let mut kept = Kept::default();
    let header = csv::StringRecord::from(HEADER.split(',').collect::<Vec<_>>());
    let other = |difference: String| Error::OtherSweep { path: path.into(), difference };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line).map_err(Error::read(path))?;
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        let whole = line.ends_with(b"\n");
        // The header itself may be torn.
        if kept.bytes == 0 && !(text == HEADER || !whole && HEADER.starts_with(&*text)) {
            return Err(other("it does not begin with the columns of the trainer's runs".into()));
        }
        if !whole {
            return Ok(kept);
        }
        if kept.bytes > 0 {
            let record = csv::StringRecord::from(text.split(',').collect::<Vec<_>>());
            let run: Run = record
                .deserialize(Some(&header))
                .map_err(|e| other(format!("its row {} is no run of the trainer ({e})", kept.rows + 1)))?;
            if kept.rows == part.total() {
                return Err(other(format!("it has more than the {} runs asked for", part.total())));
            }
            let (stored, expected) = (run.identity(), part.run(kept.rows));
            if stored != expected {
                return Err(other(format!("row {} is {stored}; asked for was {expected}", kept.rows + 1)));
            }
            kept.rows += 1;
        }
        kept.bytes += read as u64;
    }
}

/// Copies a finished target into an empty journal, as CSV.
fn copy_target(target: &Path, part: &dyn Sequence, journal: &mut File) -> Result<()> {
    if is_parquet_by_name(target) {
        let mut rows = csv::Writer::from_writer(BufWriter::new(&*journal));
        parquet::read_runs(target, |run| {
            rows.serialize(run).map_err(|e| Error::Write { path: target.into(), source: e.into() })
        })?;
        rows.flush().map_err(Error::write(target))?;
        drop(rows);
    } else {
        let mut file = File::open(target).map_err(Error::read(target))?;
        std::io::copy(&mut file, journal).map_err(Error::write(target))?;
    }
    let kept = whole_rows(journal, target, part)?;
    // A finished file ends with a line break; what follows the last one is nothing of ours.
    if kept.bytes < journal.metadata().map_err(Error::read(target))?.len() {
        let difference = "its last line has no line break".into();
        return Err(Error::OtherSweep { path: target.into(), difference });
    }
    Ok(())
}
