//! How the estimate of the minimum and its interval moved as runs came in.

use crate::analysis::Analysis;
use crate::analysis::history::Known;
use crate::error::{Error, Result};
use crate::export::finding;
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::Canvas;
use crate::figure::data;
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Entry, Mark, Page};
use crate::figure::{Figure, FigureOptions};
use crate::format::count;
use crate::stats::Estimate;

/// Its name.
pub const NAME: &str = "history";
/// Parts of the runs that are looked at.
pub const STEPS: usize = 10;

/// Draws `history`, which is that of the runs of `analysis`.
///
/// # Errors
/// [`Error::Figure`] if nothing can be drawn.
pub fn draw(analysis: &Analysis, history: &[Known], options: &FigureOptions) -> Result<Figure> {
    let failed = || Error::Figure { figure: NAME, reason: "there is nothing finite to draw".into() };
    let all_positive = history.iter().flat_map(|known| ends(&known.level)).all(|level| level > 0.0);
    let wide = |values: &[f64]| {
        let (least, most) = values.iter().fold((f64::INFINITY, 0.0f64), |(a, b), v| (a.min(*v), b.max(*v)));
        most / least >= 4.0
    };
    let runs: Vec<f64> = history.iter().map(|known| known.runs as f64).collect();
    let (x_scale, x_usual) = if wide(&runs) {
        (Scale::Log, "runs analysed, in their order (logarithmic)")
    } else {
        (Scale::Linear, "runs analysed, in their order")
    };
    let x = Axis::around(x_scale, runs).ok_or_else(failed)?;
    let levels: Vec<f64> = history.iter().flat_map(|known| ends(&known.level)).collect();
    let scale = if all_positive && wide(&levels) { Scale::Log } else { Scale::Linear };
    let y = Axis::around(scale, levels).ok_or_else(failed)?;
    let value = Axis::around(Scale::Linear, history.iter().flat_map(|known| ends(&known.value))).ok_or_else(failed)?;

    let mut canvas = Canvas::new(options.look, 2);
    let palette = canvas.palette;
    let confidence = finding::confidence(analysis.confidence);
    let title = options.wording.title(format!("How the {} became known", data::best(analysis)));
    let page = Page {
        title: title.clone(),
        legend: vec![
            Entry::new(Mark::Dot(palette.minimum), format!("fitted {}", data::best(analysis))),
            Entry::new(Mark::Area(palette.minimum.at(SHADE)), format!("{confidence} interval")),
        ],
        caption: caption(analysis, history),
    };
    let area = page.draw(&mut canvas);
    let x_label = options.wording.x(x_usual);
    let y_label = options.wording.y(short(&analysis.factor));
    let value_label = data::statistic_label(analysis);
    let names = [Names { x: "", y: &y_label }, Names { x: &x_label, y: &value_label }];
    let frames = Frame::stacked(&mut canvas, area, 0.46, [(x, y), (x, value)], names);
    let course = [|known: &Known| known.level, |known: &Known| known.value];
    for (frame, of) in frames.iter().zip(course) {
        let points: Vec<(f64, Estimate)> = history.iter().map(|known| (known.runs as f64, of(known))).collect();
        draw_course(&mut canvas, frame, &points);
    }
    Ok(canvas.finish(&title, &page.caption))
}

/// Opacity of the intervals.
const SHADE: f64 = 0.25;

fn short(factor: &str) -> &str {
    if factor == crate::sweep::DEFAULT_FACTOR { "standard deviation" } else { factor }
}

/// A point and the ends of its interval.
fn ends(estimate: &Estimate) -> impl Iterator<Item = f64> {
    let interval = estimate.interval;
    [Some(estimate.point), interval.map(|i| i.lower), interval.map(|i| i.upper)].into_iter().flatten()
}

fn draw_course(canvas: &mut Canvas, frame: &Frame, points: &[(f64, Estimate)]) {
    let colour = canvas.palette.minimum;
    let known: Vec<_> = points.iter().filter_map(|(runs, estimate)| Some((*runs, estimate.interval?))).collect();
    let lower = known.iter().map(|(runs, interval)| frame.at((*runs, interval.lower)));
    let upper = known.iter().rev().map(|(runs, interval)| frame.at((*runs, interval.upper)));
    let outline: Vec<(f64, f64)> = lower.chain(upper).collect();
    if known.len() > 1 {
        canvas.polygon(&outline, colour.at(SHADE));
    } else if let [low, high] = outline[..] {
        canvas.line(&[low, high], colour.at(SHADE), 6.0);
    }
    let path: Vec<(f64, f64)> = points.iter().map(|(runs, estimate)| frame.at((*runs, estimate.point))).collect();
    canvas.line(&path, colour, 1.6);
    for at in path {
        canvas.dot(at, 3.4, colour);
    }
}

/// `With all 10,000 runs: 0.577 (0.43 to 0.71)`.
fn caption(analysis: &Analysis, history: &[Known]) -> String {
    let Some(last) = history.last() else { return String::new() };
    let range = |estimate: &Estimate| match estimate.interval {
        Some(interval) => data::with_range(estimate, &interval),
        None => crate::format::significant(estimate.point, 4),
    };
    format!(
        "With all {} runs the {} is at {}, the {} there {}.",
        count(last.runs),
        data::best(analysis),
        range(&last.level),
        analysis.statistic.name(),
        range(&last.value)
    )
}
