//! Sources whose path says something about their runs: `out/width{width}_seed{seed}/log.csv`.
//!
//! What stands in braces is a name; the files are those that a glob with a star in its place finds,
//! and what the star stands for becomes a column of that name. A name never stands for a `/`. Where
//! several ways fit, each name takes as little as it can, the first one first.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file with the columns that its path gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// Names and what stands in their place.
    pub given: Vec<(String, String)>,
}

/// A path with names in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Name(String),
    /// Any text without a `/`, which is no column.
    Star,
}

impl Template {
    /// The template that `text` is; `None` if it has no name in braces.
    ///
    /// # Errors
    /// [`Error::Usage`] for a brace without its partner, an empty name, or names without anything
    /// between them.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let usage = |reason: &str| Error::Usage { what: "template", given: text.into(), reason: reason.to_string() };
        if !text.contains('{') {
            return Ok(None);
        }
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find(['{', '}', '*']) {
            if at > 0 {
                pieces.push(Piece::Literal(rest[..at].into()));
            }
            let after = &rest[at + 1..];
            rest = match rest.as_bytes()[at] {
                b'*' => {
                    pieces.push(Piece::Star);
                    after
                }
                b'{' => {
                    let (name, after) = after.split_once('}').ok_or_else(|| usage("a { has no } after it"))?;
                    if name.trim().is_empty() || name.contains(['{', '/']) {
                        return Err(usage("between { and } goes the name of a column"));
                    }
                    pieces.push(Piece::Name(name.trim().into()));
                    after
                }
                _ => return Err(usage("a } has no { before it")),
            };
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.into()));
        }
        let is_open = |piece: &Piece| !matches!(piece, Piece::Literal(_));
        if pieces.windows(2).any(|pair| is_open(&pair[0]) && is_open(&pair[1])) {
            return Err(usage("between two names something must stand that tells where the second begins"));
        }
        Ok(Some(Self(pieces)))
    }

    /// The glob that finds its files.
    pub fn glob(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => glob::Pattern::escape(text),
            Piece::Name(_) | Piece::Star => "*".into(),
        };
        self.0.iter().map(piece).collect()
    }

    /// What `path` gives; `None` if it does not fit, as where one name would stand for two texts.
    pub fn found(&self, path: &Path) -> Option<Found> {
        let text = path.to_str()?;
        let mut given = Vec::new();
        fits(&self.0, text, &mut given).then(|| Found { path: path.into(), given })
    }
}

/// Whether `pieces` fit `text`, with `given` so far; adds what they give.
fn fits(pieces: &[Piece], text: &str, given: &mut Vec<(String, String)>) -> bool {
    let Some((piece, pieces)) = pieces.split_first() else { return text.is_empty() };
    if let Piece::Literal(literal) = piece {
        return text.strip_prefix(literal.as_str()).is_some_and(|rest| fits(pieces, rest, given));
    }
    let longest = text.find('/').unwrap_or(text.len());
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8()).take_while(|end| *end <= longest);
    for end in ends {
        let (value, before) = (&text[..end], given.len());
        if let Piece::Name(name) = piece {
            match given.iter().find(|(known, _)| known == name) {
                Some((_, known)) if known != value => continue,
                Some(_) => {}
                None => given.push((name.clone(), value.into())),
            }
        }
        if fits(pieces, &text[end..], given) {
            return true;
        }
        given.truncate(before);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(template: &str, path: &str) -> Option<Vec<(String, String)>> {
        Template::parse(template).unwrap().unwrap().found(Path::new(path)).map(|found| found.given)
    }

    fn pairs(expected: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(expected.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    #[test]
    fn names_take_what_stands_in_their_place() {
        let expected = pairs(&[("width", "64"), ("seed", "1"), ("lr", "1e-3")]);
        assert_eq!(found("out/width{width}_seed{seed}_lr{lr}/log.csv", "out/width64_seed1_lr1e-3/log.csv"), expected);
        assert_eq!(found("{a}_{b}.csv", "x_y_z.csv"), pairs(&[("a", "x"), ("b", "y_z")]));
        assert_eq!(found("{ lr }/*.csv", "größe/7.csv"), pairs(&[("lr", "größe")]));
        assert_eq!(found("{s}/{s}.csv", "a/a.csv"), pairs(&[("s", "a")]));
        assert_eq!(found("{s}/{s}.csv", "a/b.csv"), None);
        assert_eq!(found("{a}.csv", "d/e.csv"), None);
        assert_eq!(found("a{x}.csv", "a.csv"), None, "a name stands for something");
    }

    #[test]
    fn what_means_nothing_is_refused() {
        assert_eq!(Template::parse("runs/*.csv").unwrap(), None);
        for text in ["a{b", "a{}", "{a}{b}", "{a}*", "{a}}", "{a{b}", "{a/b}"] {
            assert_eq!(Template::parse(text).unwrap_err().exit_code(), 2, "{text}");
        }
        assert_eq!(Template::parse("[a]{b}?.csv").unwrap().unwrap().glob(), "[[]a[]]*[?].csv");
    }
}
