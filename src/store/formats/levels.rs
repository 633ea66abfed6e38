//! Reads a table of levels, already summarised, in place of runs: columns `level`, `mean`,
//! `std_dev` or `standard_error`, `n`.
//!
//! A file is such a table if it has columns for level and mean and none of the metric's name. The
//! level's column may also have the factor's name. `min` and `max` are used where they are there;
//! other columns are ignored, so that `summary.csv` can be read again; so can `summary.json`. Where
//! both `std_dev` and `standard_error` are there, they must agree. `failed` is the number of failed
//! runs that the other numbers do not hold, or `runs` that of all; where all failed, `n` is 0 and
//! the mean empty.
//!
//! Nothing is left out silently: a cell that cannot be is an error with its line, because one row
//! stands for many runs.

use std::io::{self, Read};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::data::cell::{Value, is_missing};
use crate::data::{Cell, LevelSummaries, LevelSummary, Place, Roles, RowLedger};
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::provenance::InputDigest;
use crate::store::formats::arrow::{self, Columns};
use crate::store::formats::content::DigestOf;
use crate::store::formats::csv::layout::SEPARATORS;

/// A header is looked for in so many bytes.
const LONGEST_HEADER: usize = 1 << 16;
/// Beyond this a double does not hold every whole number.
const WHOLE: f64 = 9_007_199_254_740_992.0;
/// How far std_dev and standard_error · √n may be apart: both were rounded by somebody.
const AGREEMENT: f64 = 1e-3;

/// Bytes of `text` up to its first line break at least, or all of them.
///
/// # Errors
/// Those of reading.
pub fn first_line(text: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut start, mut buffer) = (Vec::new(), [0; 4096]);
    while start.len() < LONGEST_HEADER && !start.contains(&b'\n') {
        match text.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => start.extend_from_slice(&buffer[..read]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(start)
}

/// Whether `start`, the beginning of a text, is the header of a table of levels.
pub fn is_header(start: &[u8], roles: &Roles) -> bool {
    names_of(start).is_some_and(|(_, names)| is_table(&names, roles))
}

/// Whether `names` are those of a table of levels, complete or not, and not of runs.
pub fn is_table(names: &[String], roles: &Roles) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    has("mean") && (has("level") || has(&roles.factor)) && !has(&roles.metric)
}

/// The separator that yields most names, and the names.
pub fn names_of(start: &[u8]) -> Option<(u8, Vec<String>)> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let names_by = |separator: u8| {
        let mut reader = ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(line);
        let mut record = StringRecord::new();
        reader.read_record(&mut record).ok().filter(|read| *read)?;
        Some((separator, record.iter().map(|name| name.trim().to_string()).collect::<Vec<_>>()))
    };
    SEPARATORS.into_iter().rev().filter_map(names_by).max_by_key(|(_, names)| names.len())
}

/// Where the columns of a table of levels are.
struct Places {
    level: usize,
    n: usize,
    mean: usize,
    std_dev: Option<usize>,
    standard_error: Option<usize>,
    min: Option<usize>,
    max: Option<usize>,
    runs: Option<usize>,
    failed: Option<usize>,
}

impl Places {
    /// Nothing if a column is missing.
    fn of(names: &[String], roles: &Roles, path: &Path) -> Result<Self> {
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let lacks = |what: &str| Error::Malformed {
            path: path.into(),
            reason: format!(
                "a table of levels needs the columns level, mean, std_dev or standard_error, and n; it lacks {what}. \
                 For runs, name the measured column with --y"
            ),
        };
        let places = Self {
            level: place(&roles.factor).or_else(|| place("level")).ok_or_else(|| lacks("level"))?,
            n: place("n").ok_or_else(|| lacks("n"))?,
            mean: place("mean").ok_or_else(|| lacks("mean"))?,
            std_dev: place("std_dev"),
            standard_error: place("standard_error"),
            min: place("min"),
            max: place("max"),
            runs: place("runs"),
            failed: place("failed"),
        };
        if places.std_dev.or(places.standard_error).is_none() {
            return Err(lacks("std_dev and standard_error"));
        }
        Ok(places)
    }

    /// One level from its cells; an error says what cannot be.
    fn level(&self, cell: impl Fn(usize) -> Result<Option<f64>, String>) -> Result<LevelSummary, String> {
        let needed = |name: &str, place| cell(place)?.ok_or_else(|| format!("'{name}' is empty"));
        let optional = |place: Option<usize>| place.map_or(Ok(None), &cell);
        let (level, count) = (needed("level", self.level)?, needed("n", self.n)?);
        let failed = self.failed_of(count, &cell)?;
        if count == 0.0 && failed > 0 {
            let none =
                LevelSummary { level: level + 0.0, n: 0, mean: f64::NAN, std_dev: None, min: None, max: None, failed };
            return Ok(none);
        }
        let mean = needed("mean", self.mean)?;
        if !(1.0..=WHOLE).contains(&count) || count.fract() != 0.0 {
            return Err(format!("n is {count}; it must be a whole number of runs, at least 1"));
        }
        let (std_dev, error) = (optional(self.std_dev)?, optional(self.standard_error)?);
        for (name, value) in [("std_dev", std_dev), ("standard_error", error)] {
            if let Some(value) = value.filter(|value| *value < 0.0) {
                return Err(format!("{name} is {value}; it cannot be negative"));
            }
        }
        let from_error = error.map(|error| error * libm::sqrt(count));
        if let (Some(s), Some(other)) = (std_dev, from_error)
            && (s - other).abs() > AGREEMENT * s.max(other)
        {
            return Err(format!("std_dev {s} and standard_error · √n = {other} contradict each other"));
        }
        let (min, max) = (optional(self.min)?, optional(self.max)?);
        if min.is_some_and(|min| min > mean) || max.is_some_and(|max| max < mean) {
            return Err(format!("the mean {mean} does not lie between min and max"));
        }
        let std_dev = std_dev.or(from_error).filter(|_| count > 1.0);
        if count > 1.0 && std_dev.is_none() {
            return Err("neither std_dev nor standard_error is given".into());
        }
        // Adding 0 turns −0 into 0.
        Ok(LevelSummary { level: level + 0.0, n: count as u64, mean, std_dev, min, max, failed })
    }

    /// Failed runs besides the `count` that have a value. Where failed runs were counted with one,
    /// `runs` tells that there are none.
    fn failed_of(&self, count: f64, cell: impl Fn(usize) -> Result<Option<f64>, String>) -> Result<u64, String> {
        let optional = |place: Option<usize>| place.map_or(Ok(None), &cell);
        let (runs, failed) = (optional(self.runs)?, optional(self.failed)?);
        let failed = runs.map_or(failed, |runs| Some(runs - count)).unwrap_or(0.0);
        if !(0.0..=WHOLE).contains(&failed) || failed.fract() != 0.0 {
            return Err(format!("{failed} runs failed; it must be a whole number, at least 0"));
        }
        Ok(failed as u64)
    }
}

/// Reads a table of levels as CSV; `path` is for messages.
///
/// # Errors
/// [`Error::Malformed`] with line and reason.
pub fn read_csv(mut text: impl Read, digest: DigestOf, path: &Path, roles: &Roles) -> Result<LevelSummaries> {
    let mut bytes = Vec::new();
    text.read_to_end(&mut bytes).map_err(Error::read(path))?;
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let (separator, names) = names_of(&bytes).ok_or_else(|| malformed("the file holds no header line".into()))?;
    let places = Places::of(&names, roles, path)?;
    let mut reader = ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(bytes.as_slice());
    let mut levels = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| malformed(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != names.len() {
            return Err(Error::FieldCount { path: path.into(), line, found: record.len(), expected: names.len() });
        }
        let cell = |place: usize| {
            let text = record[place].trim();
            match text {
                text if is_missing(text.as_bytes()) => Ok(None),
                text => finite(&names[place], text.parse().map_err(|_| not_a_number(&names[place], text))?).map(Some),
            }
        };
        levels.push(places.level(cell).map_err(|reason| malformed(format!("line {line}: {reason}")))?);
    }
    let digest = digest.finish(bytes.len() as u64, Sha256::new_with_prefix(&bytes));
    table(levels, path, roles, digest)
}

fn not_a_number(name: &str, text: &str) -> String {
    format!("'{}' in column '{name}' is not a number", excerpt(text))
}

fn finite(name: &str, value: f64) -> Result<f64, String> {
    if value.is_finite() { Ok(value) } else { Err(format!("{name} is {value}")) }
}

/// The `summary.json` of a report, as far as it is a table of levels.
#[derive(Deserialize)]
struct Summary {
    factor: String,
    metric: String,
    groups: Vec<SummaryLevel>,
}

#[derive(Deserialize)]
struct SummaryLevel {
    level: f64,
    n: f64,
    mean: Option<f64>,
    std_dev: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    /// Summaries of earlier versions have none.
    runs: Option<f64>,
}

/// Reads the `summary.json` of a report, or what `stats --format json` printed.
///
/// # Errors
/// [`Error::Malformed`] for any other JSON, and for levels that cannot be; [`Error::MissingColumn`]
/// if it is about other columns.
pub fn read_json(bytes: &[u8], digest: InputDigest, path: &Path, roles: &Roles) -> Result<LevelSummaries> {
    let malformed = |reason: String| Error::Malformed { path: path.into(), reason };
    let not_a_summary = |e| malformed(format!("it is JSON, but no summary.json of a report ({e})"));
    let Summary { factor, metric, groups } = serde_json::from_slice(bytes).map_err(not_a_summary)?;
    for wanted in [&roles.factor, &roles.metric] {
        if ![&factor, &metric].contains(&wanted) {
            let available = format!("'{}', '{}'", excerpt(&factor), excerpt(&metric));
            return Err(Error::MissingColumn { path: path.into(), column: wanted.clone(), available });
        }
    }
    let places = Places {
        level: 0,
        n: 1,
        mean: 2,
        std_dev: Some(3),
        standard_error: None,
        min: Some(4),
        max: Some(5),
        runs: Some(6),
        failed: None,
    };
    let level = |group: &SummaryLevel| {
        let SummaryLevel { level, n, mean, std_dev, min, max, runs } = *group;
        let cells = [Some(level), Some(n), mean, std_dev, min, max, runs];
        places.level(|place| Ok(cells[place])).map_err(|reason| malformed(format!("level {}: {reason}", group.level)))
    };
    let levels = groups.iter().map(level).collect::<Result<_>>()?;
    table(levels, path, roles, digest)
}

/// Reads levels from the rows that `each` gives, with their places and a cell for each of `names`.
///
/// # Errors
/// [`Error::Malformed`] with place and reason, those of `each`.
pub fn read_rows(
    names: &[String],
    path: &Path,
    roles: &Roles,
    each: impl FnOnce(&mut dyn FnMut(&Place, &[Cell]) -> Result<()>) -> Result<()>,
) -> Result<Vec<LevelSummary>> {
    let places = Places::of(names, roles, path)?;
    let mut levels = Vec::new();
    each(&mut |place, cells| {
        let cell = |column: usize| match cells[column].value() {
            Value::Missing => Ok(None),
            Value::Number(value) => finite(&names[column], value).map(Some),
            Value::Wrong => Err(not_a_number(&names[column], &cells[column].text())),
        };
        let failed = |reason| Error::Malformed { path: path.into(), reason: format!("{place}: {reason}") };
        levels.push(places.level(cell).map_err(failed)?);
        Ok(())
    })?;
    Ok(levels)
}

/// Reads a file of typed columns if it is a table of levels; nothing if it is not. What identifies
/// the file is not in it yet.
///
/// # Errors
/// [`Error::Malformed`] with row and reason.
pub fn read_columns(columns: &dyn Columns, roles: &Roles) -> Result<Option<LevelSummaries>> {
    let (names, path) = (columns.names(), columns.path());
    if !is_table(&names, roles) {
        return Ok(None);
    }
    let places = Places::of(&names, roles, path)?;
    let wanted = [Some(places.level), Some(places.n), Some(places.mean), places.std_dev, places.standard_error];
    let further = [places.min, places.max, places.runs, places.failed];
    let wanted: Vec<usize> = wanted.into_iter().chain(further).flatten().collect();
    let wanted_names: Vec<String> = wanted.iter().map(|place| names[*place].clone()).collect();
    let levels = read_rows(&wanted_names, path, roles, |take| {
        arrow::each_row(columns, &wanted_names, |row, cells| take(&Place::Row(row), cells))
    })?;
    sorted(levels, path, roles).map(Some)
}

/// The `levels` of the source `path`, sorted.
///
/// # Errors
/// [`Error::Malformed`] if a level is there twice.
pub fn table(levels: Vec<LevelSummary>, path: &Path, roles: &Roles, digest: InputDigest) -> Result<LevelSummaries> {
    Ok(LevelSummaries { inputs: vec![digest], ..sorted(levels, path, roles)? })
}

fn sorted(mut levels: Vec<LevelSummary>, path: &Path, roles: &Roles) -> Result<LevelSummaries> {
    let ledger = RowLedger::of_rows(levels.len() as u64);
    levels.sort_by(|a, b| a.level.total_cmp(&b.level));
    if let Some(pair) = levels.windows(2).find(|pair| pair[0].level == pair[1].level) {
        let reason = format!("the level {} is there twice", pair[0].level);
        return Err(Error::Malformed { path: path.into(), reason });
    }
    Ok(LevelSummaries { levels, ledger, ..LevelSummaries::empty(roles) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::formats::content::Content;

    fn roles() -> Roles {
        Roles::new("dropout", "loss")
    }

    fn read(text: &str) -> Result<LevelSummaries> {
        assert!(is_header(text.as_bytes(), &roles()), "{text}");
        let digest = Content::of_bytes(b"", Path::new("levels.csv")).unwrap().into_text().1;
        read_csv(text.as_bytes(), digest, Path::new("levels.csv"), &roles())
    }

    #[test]
    fn a_table_is_known_by_its_columns() {
        for header in
            ["level,mean,std_dev,n", "n;standard_error;mean;dropout", "\u{feff}dropout, mean, n, std_dev, x\r\n1"]
        {
            assert!(is_header(header.as_bytes(), &roles()), "{header}");
        }
        for header in ["dropout,loss", "level,n,std_dev", "mean,n,std_dev", "dropout,loss,mean,std_dev,n", ""] {
            assert!(!is_header(header.as_bytes(), &roles()), "{header}");
        }
        for (header, lacking) in
            [("level,mean,std_dev", "lacks n"), ("dropout,mean,n", "lacks std_dev and standard_error")]
        {
            let error = read(header).unwrap_err().to_string();
            assert!(error.contains(lacking), "{error}");
        }
    }

    #[test]
    fn levels_come_sorted_and_errors_become_deviations() {
        let levels = read("level\tmean\tstandard_error\tn\tmin\n0.5\t20\t2\t25\t1\n\n0.1\t10\t\t1\t\n").unwrap().levels;
        let second =
            LevelSummary { level: 0.5, n: 25, mean: 20.0, std_dev: Some(10.0), min: Some(1.0), max: None, failed: 0 };
        let first = LevelSummary { level: 0.1, n: 1, mean: 10.0, std_dev: None, min: None, max: None, failed: 0 };
        assert_eq!(levels, [first, second]);
    }

    #[test]
    fn failed_runs_are_those_without_a_value() {
        let text = "level,n,mean,std_dev,runs,failed\n1,3,5,1,3,0\n2,2,4,1,3,1\n3,0,,,3,3\n4,3,9,0,3,3\n";
        let found = |level: &LevelSummary| (level.n, level.failed);
        // At the last level failed runs were counted with a value.
        let levels = read(text).unwrap().levels;
        assert_eq!(levels.iter().map(found).collect::<Vec<_>>(), [(3, 0), (2, 1), (0, 3), (3, 0)]);
        let levels = read("level,n,mean,std_dev,failed\n1,3,5,1,2\n2,1,4,,\n").unwrap().levels;
        assert_eq!(levels.iter().map(found).collect::<Vec<_>>(), [(3, 2), (1, 0)]);
        for (row, message) in
            [("3,5,1,2", "-1 runs failed"), ("3,5,1,3.5", "0.5 runs failed"), ("0,,,0", "'mean' is empty")]
        {
            let error = read(&format!("level,n,mean,std_dev,runs\n1,{row}\n")).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_is_named_with_its_line() {
        for (row, message) in [
            ("0.1,5,-1,9", "line 3: std_dev is -1; it cannot be negative"),
            ("0.1,5,1,2.5", "line 3: n is 2.5; it must be a whole number of runs, at least 1"),
            ("0.1,5,1,0", "line 3: n is 0"),
            ("0.1,,1,3", "line 3: 'mean' is empty"),
            ("0.1,5,,3", "line 3: neither std_dev nor standard_error"),
            ("0.1,x,1,3", "line 3: 'x' in column 'mean' is not a number"),
            ("0.1,NaN,1,3", "line 3: mean is NaN"),
            ("0.2,5,1,3", "the level 0.2 is there twice"),
            ("0.1,5,1", "line 3: 3 fields where the header has 4"),
        ] {
            let error = read(&format!("level,mean,std_dev,n\n0.2,1,1,2\n{row}\n")).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
            assert_eq!(error.exit_code(), 3);
        }
        let error = read("level,mean,std_dev,standard_error,n\n0.1,5,10,3,25\n").unwrap_err();
        assert!(error.to_string().contains("contradict each other"), "{error}");
        assert!(read("level,mean,std_dev,standard_error,n\n0.1,5,10,2,25\n").is_ok());
    }
}
