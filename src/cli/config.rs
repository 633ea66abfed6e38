//! A sweep described in a TOML file: its keys are the names of the options of `run`.
//!
//! A file is turned into the words that somebody would have typed, and those go before what was typed, so that every value is
//! read, checked and explained by the same definition, and no second list of options can fall behind. A number or a text is
//! the option's value, `true` is the option alone, an array is a list of levels (or the option repeated, where it may be), a
//! table gives `NAME=VALUE` once an entry. Options that the command line gives are left out: it wins.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How similar a key must be to be offered instead (Jaro and Winkler 1990).
const SIMILAR: f64 = 0.7;

/// The words that stand for the file which `given`, the matches of `command`, names; none without a file.
pub(super) fn words(command: &Command, given: &ArgMatches) -> Result<Vec<String>, clap::Error> {
    let Some(path) = given.get_one::<PathBuf>("file") else { return Ok(Vec::new()) };
    let failed = |reason: String| clap::Error::raw(ErrorKind::InvalidValue, format!("{reason}\n"));
    let text = fs::read_to_string(path).map_err(|e| failed(format!("cannot read {}: {e}", path.display())))?;
    words_of(path, &text, command, given).map_err(failed)
}

fn words_of(path: &Path, text: &str, command: &Command, given: &ArgMatches) -> Result<Vec<String>, String> {
    let at = |span: Range<usize>, reason: String| {
        let line = 1 + text[..span.start.min(text.len())].matches('\n').count();
        format!("{}, line {line}: {reason}", path.display())
    };
    let table = DeTable::parse(text).map_err(|e| at(e.span().unwrap_or(0..0), e.message().into()))?;
    let mut all = Vec::new();
    for (key, value) in in_order(table.get_ref()) {
        let name = key.get_ref();
        let option = options(command).find(|option| option.get_long() == Some(name));
        let option = option.ok_or_else(|| at(key.span(), unknown(name, command)))?;
        let words = words_for(option, value, text).map_err(|reason| at(key.span(), reason))?;
        check(command, &words).map_err(|reason| at(key.span(), reason))?;
        if given.value_source(option.get_id().as_str()) != Some(ValueSource::CommandLine) {
            all.extend(words);
        }
    }
    Ok(all)
}

/// The options that a file may give.
pub(super) fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|option| option.get_long().is_some_and(|name| !["help", "version"].contains(&name)))
}

type Entry<'a, 'i> = (&'a Spanned<toml::de::DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The entries as they stand in the file, because the order of references shows.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

fn unknown(name: &str, command: &Command) -> String {
    let similar = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = options(command).filter_map(Arg::get_long).max_by(|a, b| similar(a).total_cmp(&similar(b)));
    match nearest.filter(|nearest| similar(nearest) >= SIMILAR) {
        Some(nearest) => format!("unknown key '{name}'; did you mean '{nearest}'?"),
        None => format!("unknown key '{name}'; the keys are the options of `initsweep run --help`"),
    }
}

fn words_for(option: &Arg, value: &Spanned<DeValue>, text: &str) -> Result<Vec<String>, String> {
    let name = option.get_long().unwrap_or_default();
    let is_repeated = matches!(option.get_action(), ArgAction::Append);
    match value.get_ref() {
        DeValue::Boolean(true) => Ok(vec![format!("--{name}")]),
        DeValue::Boolean(false) if matches!(option.get_action(), ArgAction::SetTrue) => Ok(Vec::new()),
        DeValue::Array(values) if is_repeated => {
            values.iter().map(|value| Ok(format!("--{name}={}", scalar(name, value, text)?))).collect()
        }
        DeValue::Table(entries) if is_repeated => in_order(entries)
            .into_iter()
            .map(|(key, value)| Ok(format!("--{name}={}={}", key.get_ref(), scalar(name, value, text)?)))
            .collect(),
        _ => Ok(vec![format!("--{name}={}", scalar(name, value, text)?)]),
    }
}

/// A value as it would be typed; several of an array with commas between.
fn scalar(name: &str, value: &Spanned<DeValue>, text: &str) -> Result<String, String> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(_) | DeValue::Float(_) => Ok(text[value.span()].replace('_', "")),
        DeValue::Array(values) => {
            let values: Result<Vec<String>, String> = values.iter().map(|value| scalar(name, value, text)).collect();
            Ok(values?.join(","))
        }
        other => Err(format!("'{name}' cannot be a {}", other.type_str())),
    }
}

/// Whether these words alone are accepted; what else they need is seen later.
fn check(command: &Command, words: &[String]) -> Result<(), String> {
    let Err(e) = command.clone().no_binary_name(true).try_get_matches_from(words) else { return Ok(()) };
    if matches!(e.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict) {
        return Ok(());
    }
    let text = e.to_string();
    let mut reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string();
    if let Some(clap::error::ContextValue::Strings(values)) = e.get(ContextKind::ValidValue) {
        reason.push_str(&format!(" (one of {})", values.join(", ")));
    }
    Err(reason)
}

/// Values that explain options without a default.
const EXAMPLES: [(&str, &str); 13] = [
    ("hidden-std-dev", "log:exp(-3):exp(4):400"),
    ("x", "hidden_std_dev"),
    ("y", "loss"),
    ("pair", "replicate"),
    ("to", "runs.parquet"),
    ("db", "experiment_db"),
    ("collection", "results"),
    ("threads", "2"),
    ("goal", "max"),
    ("margin", "1%"),
    ("reference", "Xavier = \"1/sqrt(2)\""),
    ("sweep", "learning_rate = \"log:0.01:1:40\""),
    ("until", "minimum<=2%"),
];

/// A file with every option of `command`, its explanation and its default.
pub(super) fn template(command: &Command) -> String {
    let mut text = String::from(
        "# A sweep for `initsweep run FILE`. Every key is an option of the same name, and the command line wins.\n\
         # Lines with a # before the key are off; their values are examples. Levels are a value, a text such as\n\
         # \"log:START:STOP:COUNT\", or an array. A question (until) takes the place of runs.\n",
    );
    let is_table = |option: &&Arg| {
        let names = option.get_value_names().unwrap_or_default();
        matches!(option.get_action(), ArgAction::Append) && names.iter().any(|name| name.contains('='))
    };
    let (tables, plain): (Vec<&Arg>, Vec<&Arg>) = options(command).partition(is_table);
    for option in plain.into_iter().chain(tables.clone()) {
        let name = option.get_long().unwrap_or_default();
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("\n{}", commented(&help)));
        let example = EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, example)| *example);
        let default = option.get_default_values().first().and_then(|default| default.to_str());
        text.push_str(&match (default, example) {
            _ if is_table(&option) => format!("[{name}]\n# {}\n", example.unwrap_or("NAME = \"VALUE\"")),
            _ if matches!(option.get_action(), ArgAction::SetTrue) => format!("{name} = false\n"),
            (Some(default), _) => format!("{name} = {}\n", literal(default)),
            (None, example) => format!("# {name} = {}\n", literal(example.unwrap_or("VALUE"))),
        });
    }
    text
}

/// A number as a number, anything else as a text.
fn literal(value: &str) -> String {
    let is_number = value.starts_with(|c: char| c.is_ascii_digit()) && value.parse::<toml::Value>().is_ok();
    // A text of JSON is one of TOML.
    if is_number { value.into() } else { serde_json::Value::from(value).to_string() }
}

/// `text` as comment lines of some 100 characters.
fn commented(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        if lines.last().is_some_and(|line| line.len() + word.len() > WIDTH) {
            lines.push(String::from("#"));
        }
        lines.iter_mut().next_back().into_iter().for_each(|line| line.extend([" ", word]));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use crate::cli::Cli;

    fn run_command() -> clap::Command {
        let mut command = Cli::command();
        command.build();
        command.find_subcommand("run").unwrap().clone()
    }

    /// The arguments of `run` with a file of this text, and `typed` besides.
    fn read(text: &str, typed: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.toml");
        std::fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        let words = ["initsweep", "run", &path].into_iter().chain(typed.split_whitespace()).map(Into::into);
        let cli = Cli::with_file(words.collect()).map_err(|e| e.to_string().replace(&path, "FILE"))?;
        Ok(format!("{cli:?}").replace(&path, "FILE"))
    }

    #[test]
    fn the_template_means_the_defaults() {
        let text = super::template(&run_command());
        assert_eq!(read(&text, ""), read("", ""), "{text}");
        assert!(text.contains("\nruns = 1000\n") && text.contains("\n[reference]\n# Xavier"), "{text}");
    }

    #[test]
    fn every_example_is_accepted() {
        let text = super::template(&run_command());
        for (name, _) in super::EXAMPLES {
            let off = format!("\n# {name} = ");
            if text.contains(&off) {
                let on = text.replace(&off, &format!("\n{name} = "));
                // A question takes the place of a number of runs.
                let on = if name == "until" { on.replace("\nruns = 1000\n", "\n") } else { on };
                read(&on, "").unwrap();
            }
        }
        let tables = text.replace("\n# Xavier", "\nXavier").replace("\n# learning_rate", "\nlearning_rate");
        let seen = read(&tables, "").unwrap();
        assert!(seen.contains("learning_rate=log:0.01:1:40") && seen.contains("name: \"Xavier\""), "{seen}");
    }

    #[test]
    fn a_file_says_what_somebody_would_have_typed() {
        let text = "hidden-std-dev = [0.1, 0.5, \"1/sqrt(2)\"]\nruns = 1_000\npaired = true\nconfidence = \"99%\"\n\
                    quiet = true\n[reference]\nz = 0.5\na = \"1/3\"\n[sweep]\nepochs = [10, 20]\n";
        let typed = "--hidden-std-dev=0.1,0.5,1/sqrt(2) --runs=1000 --paired --confidence=99% --quiet --reference=z=0.5 \
                     --reference=a=1/3 --sweep=epochs=10,20";
        assert_eq!(read(text, "").unwrap(), read("", typed).unwrap());
    }

    #[test]
    fn the_command_line_wins() {
        let text = "runs = 7\nseed = 3\n[reference]\nz = 0.5\n";
        assert_eq!(
            read(text, "--runs 9 --reference a=1").unwrap(),
            read("seed = 3", "--runs 9 --reference a=1").unwrap()
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_may_be_meant() {
        for (text, message) in [
            ("runs = 5\nepoch = 7\n", "FILE, line 2: unknown key 'epoch'; did you mean 'epochs'?"),
            ("\nhidden_std_dev = 1\n", "FILE, line 2: unknown key 'hidden_std_dev'; did you mean 'hidden-std-dev'?"),
            ("zzz = 1\n", "FILE, line 1: unknown key 'zzz'; the keys are the options"),
            ("\n\nruns = \"many\"\n", "FILE, line 3: invalid value 'many' for '--runs <N>'"),
            ("runs = true", "FILE, line 1: a value is required for '--runs <N>'"),
            ("runs = {a = 1}", "FILE, line 1: 'runs' cannot be a table"),
            ("paired = 5", "FILE, line 1: unexpected value '5' for '--paired'"),
            ("error-bars = \"x\"", "FILE, line 1: invalid value 'x' for '--error-bars"),
            ("runs = 1\nruns = 2\n", "FILE, line 2: duplicate key"),
            ("runs = \n", "FILE, line 1: "),
            ("[reference]\nz = \"x(\"\n", "FILE, line 1: invalid value"),
        ] {
            let error = read(text, "").unwrap_err();
            assert!(error.contains(message), "{message}\nis not in {error}");
        }
    }
}
