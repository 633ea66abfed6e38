//! In which basins the runs of each level ended: stacked shares, from the solved runs at the bottom to those that tell no patterns
//! apart at the top, with the interval of the solved share.

use crate::analysis::{Analysis, BasinRule, Group};
use crate::error::{Error, Result};
use crate::export::finding;
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::Canvas;
use crate::figure::data::{self, Levels};
use crate::figure::frame::{Frame, Names};
use crate::figure::marks::NamedLines;
use crate::figure::page::{Entry, Mark, Page};
use crate::figure::style::Colour;
use crate::figure::{Figure, FigureOptions};
use crate::format::significant;
use crate::stats::basins::{Basin, Basins};

/// Its name.
pub const NAME: &str = "basins";

/// Colour of the interval: the only one that shows on every share, on light and dark paper.
const OVER: Colour = Colour(0, 0, 0);
/// Opacity of the interval where levels are many.
const SHADE: f64 = 0.3;

/// A level with its basins.
type Known<'a> = (&'a Group, &'a Basins);

/// Draws the basins of every level of `analysis`.
///
/// # Errors
/// [`Error::Figure`] if the runs do not tell, or nothing can be shown on the axis that was asked for.
pub fn draw(analysis: &Analysis, options: &FigureOptions) -> Result<Figure> {
    let failed = |reason: &str| Error::Figure { figure: NAME, reason: reason.into() };
    let levels = Levels::of(analysis, NAME)?;
    let rule = analysis.basin_rule.ok_or_else(|| {
        failed("only runs of the trainer tell where they ended, by their column final_loss or their total loss")
    })?;
    let known: Vec<Known<'_>> =
        levels.groups.iter().filter_map(|group| Some((*group, group.basins.as_ref()?))).collect();
    let y = Axis::spanning(Scale::Linear, 0.0, 100.0).ok_or_else(|| failed("the axis is empty"))?;
    let present: Vec<Basin> =
        Basin::ALL.into_iter().filter(|basin| known.iter().any(|k| count(k.1, *basin) > 0)).collect();

    let mut canvas = Canvas::new(options.look, 1);
    let palette = canvas.palette;
    let title = options.wording.title("Where the trainings end");
    let mut legend: Vec<Entry> =
        present.iter().map(|basin| Entry::new(Mark::Area(colour(&canvas, *basin).into()), name(*basin))).collect();
    let confidence = finding::confidence(analysis.confidence);
    // As it is seen over the solved runs: grey would be another kind of run.
    let shaded = colour(&canvas, Basin::Solved).towards(OVER, SHADE);
    let interval = if levels.are_many() { Mark::Area(shaded.into()) } else { Mark::Bar(palette.ink) };
    legend.push(Entry::new(interval, format!("{confidence} Wilson interval of the solved share")));
    let page = Page { title: title.clone(), legend, caption: format!("{}. {}", levels.caption(analysis), how(rule)) };
    let area = page.draw(&mut canvas);
    let x_label = options.wording.x(data::x_label(&analysis.factor, levels.x.scale()));
    let y_label = options.wording.y("share of the runs, %");
    let names = Names { x: &x_label, y: &y_label };
    let mut lines = data::references(analysis, palette);
    lines.extend(data::optimum(analysis, palette));
    // Over the colours of the shares only ink can be seen.
    lines.iter_mut().for_each(|line| line.colour = palette.ink);
    let (lines, room) = NamedLines::above(&lines, (levels.x, y), names, area, 0.0);
    let lines = lines.edged(palette.paper);
    let frame = Frame::draw_inside(&mut canvas, room, (levels.x, y), names);
    // Areas would join a level beside the axis with those on it.
    let has_column = |group: &Group| !levels.are_many() || !levels.is_on_axis(group);
    if levels.are_many() {
        let on_axis: Vec<Known<'_>> = known.iter().filter(|(group, _)| !has_column(group)).copied().collect();
        areas(&mut canvas, &frame, &on_axis, &present);
    }
    for (group, ends) in levels.groups.iter().zip(data::columns(&levels, &frame)) {
        if let Some(basins) = group.basins.as_ref().filter(|_| has_column(group)) {
            column(&mut canvas, &frame, (group, basins), ends, &present);
        }
    }
    frame.border(&mut canvas);
    lines.draw(&mut canvas, &frame);
    Ok(canvas.finish(&title, &description(&known)))
}

/// Where a run ended, in words.
pub fn name(basin: Basin) -> &'static str {
    match basin {
        Basin::Solved => "solved",
        Basin::Between => "on the way",
        Basin::TwoMerged => "two patterns merged",
        Basin::ThreeMerged => "three merged",
        Basin::AllMerged => "all merged",
    }
}

fn colour(canvas: &Canvas, basin: Basin) -> Colour {
    canvas.palette.basins[Basin::ALL.iter().position(|other| *other == basin).unwrap_or(0)]
}

fn count(basins: &Basins, basin: Basin) -> u64 {
    basins.shares.iter().find(|share| share.basin == basin).map_or(0, |share| share.count)
}

fn how(rule: BasinRule) -> String {
    match rule {
        BasinRule::FinalLoss { solved_below } => {
            format!("Told by the loss of the last epoch; solved below {}.", significant(solved_below, 3))
        }
        BasinRule::TotalLoss { .. } => {
            "Told by the total loss: some hundredths of the stuck runs were solved late.".into()
        }
    }
}

/// Percentages below and above each of `present` at one level, from the bottom up.
fn stack(basins: &Basins, present: &[Basin]) -> Vec<(f64, f64)> {
    let mut below = 0;
    let share = |count: u64| count as f64 / basins.n as f64 * 100.0;
    let layer = |basin: &Basin| {
        let from = below;
        below += count(basins, *basin);
        (share(from), share(below))
    };
    present.iter().map(layer).collect()
}

/// Ends of the interval of the solved share, in percent.
fn solved(basins: &Basins) -> Option<(f64, f64)> {
    basins.solved().share.interval.map(|interval| (interval.lower * 100.0, interval.upper * 100.0))
}

fn areas(canvas: &mut Canvas, frame: &Frame, known: &[Known<'_>], present: &[Basin]) {
    let stacks: Vec<Vec<(f64, f64)>> = known.iter().map(|(_, basins)| stack(basins, present)).collect();
    for (layer, basin) in present.iter().enumerate() {
        let edge = |end: fn((f64, f64)) -> f64| {
            let at = known.iter().zip(&stacks);
            at.map(|((group, _), stack)| frame.at((group.level, end(stack[layer])))).collect::<Vec<_>>()
        };
        let (lower, mut upper) = (edge(|layer| layer.0), edge(|layer| layer.1));
        upper.reverse();
        canvas.polygon(&[lower, upper].concat(), colour(canvas, *basin));
    }
    let ends: Vec<(f64, (f64, f64))> =
        known.iter().filter_map(|(group, basins)| Some((group.level, solved(basins)?))).collect();
    let lower = ends.iter().map(|(level, ends)| frame.at((*level, ends.0)));
    let upper = ends.iter().rev().map(|(level, ends)| frame.at((*level, ends.1)));
    canvas.polygon(&lower.chain(upper).collect::<Vec<_>>(), OVER.at(SHADE));
}

fn column(canvas: &mut Canvas, frame: &Frame, (group, basins): Known<'_>, [left, right]: [f64; 2], present: &[Basin]) {
    for (basin, (from, to)) in present.iter().zip(stack(basins, present)) {
        if to > from {
            canvas.rectangle((left, frame.at_y(from)), (right, frame.at_y(to)), colour(canvas, *basin));
        }
    }
    if let Some((lower, upper)) = solved(basins) {
        let x = frame.at_x(group.level);
        let ends = [(x, frame.at_y(lower)), (x, frame.at_y(upper))];
        canvas.line(&ends, canvas.palette.paper, 3.0);
        canvas.line(&ends, canvas.palette.ink, 1.6);
    }
}

/// Where most and where fewest are solved, for screen readers.
fn description(known: &[Known<'_>]) -> String {
    let share = |(_, basins): &&Known<'_>| basins.solved().share.point;
    let most = known.iter().max_by(|a, b| share(a).total_cmp(&share(b)));
    let least = known.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
    let (Some(most), Some(least)) = (most, least) else { return "No runs.".into() };
    let said = |known: &Known<'_>| {
        format!("{} % at {}", significant(known.1.solved().share.point * 100.0, 3), significant(known.0.level, 3))
    };
    format!("Shares of runs by where they ended. Solved: from {} to {}.", said(least), said(most))
}
