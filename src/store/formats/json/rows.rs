//! Gives the objects of a JSON file as rows: each member a cell, lists and objects as JSON.

use std::path::Path;

use crate::data::Place;
use crate::error::{Error, Result};
use crate::format::excerpt;
use crate::store::formats::content::Content;
use crate::store::formats::json::blocks::Blocks;
use crate::store::formats::json::each_object;
use crate::store::formats::json::objects::Stop;
use crate::store::formats::json::text::{Fault, Text, Token, unescaped};
use crate::store::rows::cell::Cell;
use crate::store::rows::{Batches, Names, Rows, Wish};

/// Gives the rows of the file at `path`.
///
/// # Errors
/// [`Error::Read`], [`Error::Malformed`], whatever `take` gives.
pub fn each_row(path: &Path, _: Wish, names: &mut Names, take: Rows) -> Result<()> {
    let (text, _) = Content::of_file(path)?.into_text();
    let mut blocks = Blocks::new(text).map_err(Error::read(path))?;
    let mut batches = Batches::new(take);
    let push = |text: &mut Text, _: Place| {
        let row = row_of(text, names)?;
        batches.push(names, row).map_err(Stop::Error)
    };
    each_object(&mut blocks, path, push)?;
    batches.finish(names)
}

fn row_of(text: &mut Text, names: &mut Names) -> Result<Vec<Cell>, Fault> {
    let start = text.at();
    let mut row = vec![Cell::Absent; names.names().len()];
    text.object(|key, value| {
        let name = lossless(&key.text());
        let place = names.place(&name);
        row.resize(names.names().len(), Cell::Absent);
        if row[place] != Cell::Absent {
            let reason = format!("the name '{}' is there twice", excerpt(&name));
            return Err(Fault { at: start, reason: reason.into() });
        }
        row[place] = match value {
            Token::Null => Cell::Empty,
            Token::Bool(is_so) => Cell::Bool(is_so),
            Token::Whole(text) | Token::Number(text) => Cell::of_number(&lossless(text)),
            Token::NotFinite(number) => Cell::Number(number),
            Token::Text(text) => Cell::Text(lossless(text)),
            Token::Escaped(raw) => Cell::Text(lossless(&unescaped(raw))),
            Token::Object(text) | Token::List(text) => Cell::Json(lossless(text)),
        };
        Ok(())
    })?;
    Ok(row)
}

/// The text of a file that is UTF-8.
fn lossless(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
