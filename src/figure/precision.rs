//! How precisely is each level known? The relative standard error of its mean, or of whatever is minimised, and, where levels differ
//! in it, the number of runs behind it.

use crate::analysis::Analysis;
use crate::error::{Error, Result};
use crate::figure::axis::{Axis, Scale};
use crate::figure::canvas::Canvas;
use crate::figure::data::{self, Levels};
use crate::figure::frame::{Frame, Names};
use crate::figure::page::{Entry, Mark, Page};
use crate::figure::{Figure, FigureOptions};
use crate::format::significant;

/// Its name.
pub const NAME: &str = "precision";

/// Draws the precision of every level of `analysis`.
///
/// # Errors
/// [`Error::Figure`] if nothing can be shown on the axis that was asked for, or no level has an error.
pub fn draw(analysis: &Analysis, options: &FigureOptions) -> Result<Figure> {
    let levels = Levels::of(analysis, NAME)?;
    // In percent of the value; a value of 0 has no relative error.
    let errors: Vec<(f64, f64)> = levels
        .groups
        .iter()
        .filter_map(|group| {
            let estimate = analysis.statistic.at(group)?;
            Some((group.level, estimate.standard_error? / estimate.point.abs() * 100.0))
        })
        .filter(|(_, error)| error.is_finite())
        .collect();
    let runs = levels.groups.iter().map(|group| group.summary.n as f64);
    // Both measure a size, from nothing at the foot of the plot.
    let axis = |values: &mut dyn Iterator<Item = f64>| {
        let most = values.fold(0.0, f64::max);
        Axis::spanning(Scale::Linear, 0.0, if most > 0.0 { 1.05 * most } else { 1.0 })
    };
    let unknown = || Error::Figure { figure: NAME, reason: "no level has two runs that could show an error".into() };
    let y = axis(&mut errors.iter().map(|(_, error)| *error)).filter(|_| !errors.is_empty()).ok_or_else(unknown)?;
    // One number of runs is said in the caption; only where they differ is there something to see.
    let alike = runs.clone().all(|n| Some(n) == runs.clone().next());
    let counts = axis(&mut runs.clone()).ok_or_else(unknown)?;

    let mut canvas = Canvas::new(options.look, if alike { 1 } else { 2 });
    let palette = canvas.palette;
    let (statistic, metric) = (analysis.statistic.name(), data::Metric::new(analysis).name());
    let title = options.wording.title(format!("How precisely the {} is known", analysis.statistic.of(metric)));
    let mut legend =
        vec![Entry::new(Mark::Dot(palette.data), format!("standard error of the {statistic}, as a share of it"))];
    if !alike {
        legend.push(Entry::new(Mark::Area(palette.series()[1].at(0.75)), "runs of the level"));
    }
    let page =
        Page { title: title.clone(), legend, caption: format!("{}; {}", levels.caption(analysis), spread(&errors)) };
    let area = page.draw(&mut canvas);
    let x_label = options.wording.x(data::x_label(&analysis.factor, levels.x.scale()));
    let y_label = options.wording.y("relative standard error, %");
    let (above, below) = ((levels.x, y), (levels.x, counts));
    let upper = if alike {
        Frame::draw(&mut canvas, area, above, Names { x: &x_label, y: &y_label })
    } else {
        let names = [Names { x: "", y: &y_label }, Names { x: &x_label, y: "number of runs" }];
        let [upper, lower] = Frame::stacked(&mut canvas, area, 0.56, [above, below], names);
        stems(&mut canvas, &lower, &levels);
        upper
    };
    let radius = if levels.are_many() { 2.0 } else { 3.4 };
    for point in &errors {
        canvas.dot(upper.at(*point), radius, palette.data);
    }
    Ok(canvas.finish(&title, &page.caption))
}

/// An upright bar for the number of runs of each level, from 0.
fn stems(canvas: &mut Canvas, frame: &Frame, levels: &Levels<'_>) {
    let paint = canvas.palette.series()[1].at(0.75);
    if levels.are_many() {
        // As one area, or they would blur into stripes.
        let ends = levels.shares().into_iter().map(|share| share.map(|place| frame.at_place(place)));
        let top = levels
            .groups
            .iter()
            .zip(ends)
            .flat_map(|(group, ends)| ends.map(|x| (x, frame.at_y(group.summary.n as f64))));
        let mut outline: Vec<(f64, f64)> = top.collect();
        outline.dedup_by(|next, last| next == last);
        let base = [frame.area.right, frame.area.left].map(|x| (x, frame.at_y(0.0)));
        canvas.polygon(&[outline, base.to_vec()].concat(), paint);
        return;
    }
    for (group, [left, right]) in levels.groups.iter().zip(data::columns(levels, frame)) {
        canvas.rectangle((left, frame.at_y(0.0)), (right, frame.at_y(group.summary.n as f64)), paint);
    }
}

/// `relative error from 2.1 % to 8.9 %`.
fn spread(errors: &[(f64, f64)]) -> String {
    let values = || errors.iter().map(|(_, error)| *error);
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    format!("relative error from {} % to {} %", significant(least, 2), significant(most, 2))
}
