//! Reads the wanted columns of any Parquet file.
//!
//! The footer and the pages are taken apart here and compared with each other and with the size of
//! the file; only the values within a page are decoded by polars. See [`arrow`] for why.
//!
//! - [`thrift`]: the encoding of the footer and of the heads of pages.
//! - [`footer`]: the columns, and where the parts of them lie.
//! - [`pages`]: unpacks and checks the pages of a column.
//! - [`plain`], [`values`]: decode them.
//! - [`runs`]: the runs of the trainer, written and read back.

mod footer;
mod pages;
mod plain;
mod runs;
mod thrift;
mod values;

use std::fs::File;
use std::path::Path;

use rayon::prelude::*;

pub use self::runs::{read_runs, write_runs};
use crate::error::Result;
use crate::store::formats::Format;
use crate::store::formats::arrow::column::{Column, Values};
use crate::store::formats::arrow::region::Region;
use crate::store::formats::arrow::{self, Columns};
use crate::store::formats::parquet::footer::{Footer, GROUP, Leaf, MAGIC};

/// Parquet.
pub const FORMAT: Format = Format {
    name: "Parquet",
    endings: &["parquet", "pq"],
    recognises: |start| start.starts_with(MAGIC),
    read: |content, roles| arrow::read_content(content, roles, ParquetFile::open),
    rows: |path, _, names, take| arrow::rows::each_row(path, ParquetFile::open, names, take),
};

/// A Parquet file.
pub struct ParquetFile {
    region: Region,
    footer: Footer,
}

/// What a name stands for.
enum Found {
    /// The column of this number.
    Leaf(usize),
    /// A column that has parts.
    Nested(&'static str),
    Nothing,
}

impl ParquetFile {
    /// What `file` holds; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::error::Error::Malformed),
    /// [`Error::Read`](crate::error::Error::Read).
    pub fn open(file: File, path: &Path) -> Result<Self> {
        let region = Region::new(file, path)?;
        let footer = Footer::of(&region)?;
        Ok(Self { region, footer })
    }

    fn find(&self, name: &str) -> Found {
        let leaves = &self.footer.leaves;
        if let Some(place) = leaves.iter().position(|leaf| is_literally(leaf, name)) {
            return Found::Leaf(place);
        }
        if let Some((_, kind)) = self.footer.nested.iter().find(|(other, _)| other == name) {
            return Found::Nested(kind);
        }
        leaves.iter().position(|leaf| dotted(leaf) == name).map_or(Found::Nothing, Found::Leaf)
    }

    fn column(&self, block: usize, name: &str) -> Result<Column> {
        let rows = self.footer.groups[block].rows as usize;
        let damaged = |how: String| self.region.damaged(format!("column '{name}': {how}"));
        let place = match self.find(name) {
            Found::Leaf(place) => place,
            Found::Nested(kind) => return Ok(Column::new(Values::Other(kind, rows))),
            Found::Nothing => return Err(damaged("it is not there".into())),
        };
        let (leaf, chunk) = (&self.footer.leaves[place], &self.footer.groups[block].chunks[place]);
        if let Some(kind) = leaf.undecoded() {
            return Ok(Column::new(Values::Other(kind, rows)));
        }
        if !chunk.is_here {
            return Err(self.region.refused(format!("column '{name}' is encrypted or lies in another file")));
        }
        if chunk.values != rows as i64 {
            return Err(damaged(format!("it has {} values for {rows} rows", chunk.values)));
        }
        if rows == 0 {
            return Ok(Column::new(Values::Nothing(0)));
        }
        let (Ok(start), Ok(length)) = (u64::try_from(chunk.start()), u64::try_from(chunk.bytes)) else {
            return Err(damaged("it begins before the file".into()));
        };
        let packed = self.region.read(start, length)?;
        let unpacked = pages::unpack(&packed, chunk.codec, rows, leaf).map_err(damaged)?;
        drop(packed);
        leaf.decode(unpacked, rows).map_err(damaged)
    }
}

fn is_literally(leaf: &Leaf, name: &str) -> bool {
    matches!(&leaf.path[..], [part] if part.name == name)
}

fn dotted(leaf: &Leaf) -> String {
    leaf.path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".")
}

impl Columns for ParquetFile {
    fn path(&self) -> &Path {
        self.region.path()
    }

    fn names(&self) -> Vec<String> {
        let is_list = |leaf: &&Leaf| leaf.undecoded() == Some("a list");
        let fields = self.footer.leaves.iter().filter(|leaf| leaf.path.len() == 1 || !is_list(leaf)).map(dotted);
        let lists = self.footer.nested.iter().filter(|(_, kind)| *kind != GROUP).map(|(name, _)| name.clone());
        fields.chain(lists).collect()
    }

    fn times(&self, name: &str) -> usize {
        let footer = &self.footer;
        let literal = footer.leaves.iter().filter(|leaf| is_literally(leaf, name)).count();
        let times = literal + footer.nested.iter().filter(|(other, _)| other == name).count();
        if times > 0 { times } else { footer.leaves.iter().filter(|leaf| dotted(leaf) == name).count() }
    }

    fn blocks(&self) -> Vec<usize> {
        self.footer.groups.iter().map(|group| group.rows as usize).collect()
    }

    fn read(&self, block: usize, names: &[String]) -> Result<Vec<Column>> {
        let columns: Vec<_> = names.par_iter().map(|name| self.column(block, name)).collect();
        columns.into_iter().collect()
    }
}
