//! `initsweep replay`: trains one stored run again, compares, and shows how it went.

use crate::cli::{Global, ReplayArgs};
use crate::commands::print;
use crate::error::{Error, Result};
use crate::figure::Look;
use crate::figure::curves::{self, Moment};
use crate::format::significant;
use crate::output::{Artefact, OutputFolder};
use crate::store::runs;
use crate::sweep::Run;
use crate::train::kernel;
use crate::train::schedule::{schedule_of, task_of};

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] if no row fits, [`Error::Differs`] if the loss is another, those of reading, drawing and writing.
pub fn run(arguments: &ReplayArgs, global: &Global) -> Result<()> {
    let (row, stored) = find(arguments)?;
    let identity = stored.identity();
    let mut moments = Vec::new();
    let again = kernel::train_observed(&task_of(&identity), &schedule_of(&identity), |epoch, loss, parameters| {
        moments.push(Moment { epoch, loss, parameters: *parameters });
    });
    let path = &arguments.source;
    let mut text = format!("{}, row {row}: {identity}\n", path.display());
    let stride = moments.len().div_ceil(20).max(1);
    for moment in moments.iter().step_by(stride).chain(moments.last()) {
        text.push_str(&format!("{}\n", line(moment)));
    }
    text.push_str(&format!("stored loss    {:?}\ntrained again  {:?}\n", stored.loss, again.total_loss));
    if again.total_loss.to_bits() != stored.loss.to_bits() {
        print(&text)?;
        return Err(Error::Differs { path: path.clone(), row, stored: stored.loss, again: again.total_loss });
    }
    let title = format!("One training from standard deviation {}", significant(identity.hidden_std_dev, 4));
    let caption = format!(
        "seed {}, draw {}, replicate {}; total loss {}",
        identity.seed,
        identity.draw,
        identity.replicate,
        significant(stored.loss, 6)
    );
    let figure = curves::draw(&title, &caption, &moments, Look::default())?;
    let folder = OutputFolder::create(&arguments.out)?;
    let svg = folder.write(Artefact::Svg("replay"), figure.document().as_bytes())?;
    let png = folder.write(Artefact::Png("replay"), &figure.to_png(figure.png_scale)?)?;
    if global.quiet {
        return Ok(());
    }
    print(&format!("{text}The same to the last bit.\n\nWritten:\n  {}\n  {}\n", svg.display(), png.display()))
}

fn line(moment: &Moment) -> String {
    let p = &moment.parameters;
    let numbers = [p.hidden_weights[0], p.hidden_weights[1], p.hidden_bias, p.output_weights];
    let parameters: Vec<String> =
        numbers.iter().flatten().chain([&p.output_bias]).map(|value| format!("{value:8.3}")).collect();
    format!("epoch {:>6}  loss {:<10}  {}", moment.epoch, significant(moment.loss, 4), parameters.join(" "))
}

/// The run that was asked for, with its row.
fn find(arguments: &ReplayArgs) -> Result<(u64, Run)> {
    let wanted = |row: u64, run: &Run| match arguments.level {
        Some(level) => run.hidden_std_dev == level && run.replicate == arguments.replicate,
        None => row == arguments.row,
    };
    let (mut found, mut nearest, mut rows) = (None, f64::INFINITY, 0);
    runs::each(&arguments.source, |row, run| {
        rows = row;
        if found.is_none() && wanted(row, run) {
            found = Some((row, *run));
        }
        let distance = |level: f64| (level - arguments.level.unwrap_or(0.0)).abs();
        if distance(run.hidden_std_dev) < distance(nearest) {
            nearest = run.hidden_std_dev;
        }
        Ok(())
    })?;
    found.ok_or_else(|| match arguments.level {
        Some(level) => Error::Usage {
            what: "level",
            given: format!("{level}, replicate {}", arguments.replicate),
            reason: format!("there is no such run; the nearest level is {nearest:?}"),
        },
        None => {
            Error::Usage { what: "row", given: arguments.row.to_string(), reason: format!("there are {rows} rows") }
        }
    })
}
