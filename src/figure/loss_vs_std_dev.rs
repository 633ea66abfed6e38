//! The article's main figure: the mean of the metric against the factor, with error bars, reference
//! lines and the minimum; beside it, where there is something to see, the surroundings of the
//! minimum.
//!
//! Up to some 60 levels have a bar each; more become a band with a point a level. The second panel
//! shows the fitted curve, its minimum with the intervals of its place and its value, and shades
//! the levels that cannot be excluded as the best. It is left out where the interval already takes
//! up most of the axis.

use crate::analysis::{Analysis, Statistic};
use crate::error::{Error, Result};
use crate::export::finding;
use crate::figure::axis::{Axis, Scale, readable};
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::data::{self, Levels, Point};
use crate::figure::failures::{self, Failing};
use crate::figure::frame::{Frame, Names};
use crate::figure::marks::NamedLines;
use crate::figure::page::{Area, Entry, Mark, Page, letters};
use crate::figure::text::{self, Weight};
use crate::figure::{ErrorBars, Figure, FigureOptions, style};
use crate::stats::{ConfidenceInterval, Estimate};

/// Its name.
pub const NAME: &str = "loss-vs-std-dev";

/// Draws the main figure of `analysis`.
///
/// # Errors
/// [`Error::Figure`] if nothing can be shown on the axis that was asked for.
pub fn draw(analysis: &Analysis, options: &FigureOptions) -> Result<Figure> {
    let levels = Levels::of(analysis, NAME)?;
    let points: Vec<Point> =
        levels.groups.iter().filter_map(|group| Point::of(group, analysis.statistic, options.error_bars)).collect();
    let others = others(analysis, &points, options.error_bars);
    let heights = points.iter().flat_map(Point::heights).chain(others.iter().map(|point| point.value));
    let y = Axis::around(Scale::Linear, heights).ok_or_else(|| Error::Figure {
        figure: NAME,
        reason: format!("the means of '{}' are too large to draw", analysis.metric),
    })?;
    let failing = Failing::new(analysis);
    let y = if failing.is_some() { Failing::with_room(y) } else { y };
    let zoom = Zoom::of(analysis, &levels, options.error_bars);
    let mut canvas = Canvas::new(options.look, if zoom.is_some() { 2 } else { 1 });
    let title = options.wording.title(data::title(analysis));
    let page = Page {
        title: title.clone(),
        legend: legend(analysis, &levels, options.error_bars, zoom.as_ref(), &canvas),
        caption: levels.caption(analysis),
    };
    let area = page.draw(&mut canvas);
    let labels = [
        options.wording.x(data::x_label(&analysis.factor, levels.x.scale())),
        options.wording.y(data::statistic_label(analysis)),
    ];
    let [main, beside] = match zoom {
        Some(_) => area.split(&canvas, if canvas.sheet.is_narrow() { 0.53 } else { 0.62 }, 22.0),
        None => [area, area],
    };
    let shows_layers = zoom.is_none() && shows_layers(analysis, &levels);
    let (points, others, is_dense) = (&points, &others, levels.are_many());
    let overview = Overview { analysis, points, others, failing, is_dense, shows_layers };
    overview.draw(&mut canvas, main, (levels.x, y), [&labels[0], &labels[1]]);
    if let Some(zoom) = zoom {
        zoom.draw(&mut canvas, analysis, beside);
    }
    Ok(canvas.finish(&title, &finding::sentence(analysis)))
}

fn legend(
    analysis: &Analysis,
    levels: &Levels<'_>,
    bars: ErrorBars,
    zoom: Option<&Zoom>,
    canvas: &Canvas,
) -> Vec<Entry> {
    let palette = canvas.palette;
    let mut entries = vec![Entry::new(
        Mark::Dot(palette.data),
        match analysis.statistic {
            Statistic::SolvedShare => "share of solved runs".into(),
            other => format!("{} of the level’s runs", other.name()),
        },
    )];
    if let Some(label) = data::bar_label(bars, analysis) {
        let mark = if levels.are_many() { Mark::Area(palette.data.at(BAND)) } else { Mark::Bar(palette.data) };
        entries.push(Entry::new(mark, label));
    }
    entries.extend(failures::legend(analysis, canvas));
    if let Some(zoom) = zoom {
        let confidence = finding::confidence(analysis.confidence);
        entries.push(Entry::new(
            Mark::Ring(palette.minimum),
            format!("{} of the fitted curve, {confidence} intervals", data::best(analysis)),
        ));
        if !zoom.best.is_empty() {
            let text = format!("not excluded as the best at {confidence}");
            entries.push(Entry::new(Mark::Area(palette.minimum.at(SHADE)), text));
        }
    } else if shows_layers(analysis, levels) {
        let (confidence, best) = (finding::confidence(analysis.confidence), data::best_of_curve(analysis));
        let shade = Mark::Area(palette.minimum.at(SHADE));
        entries.push(Entry::new(shade, format!("{confidence} interval of where the {best} is")));
        entries.push(Entry::new(Mark::Dashes(palette.minimum), "curve through the levels around it"));
        if analysis.minimum.safe_range.is_some() {
            let text = format!("shown to cost at most {} against it", analysis.margin);
            entries.push(Entry::new(Mark::Line(palette.minimum), text));
        }
    }
    entries
}

/// The levels that take no part, as far as runs there did not fail: those whose value is not so far
/// off that the others could not be told apart beside it.
fn others(analysis: &Analysis, points: &[Point], bars: ErrorBars) -> Vec<Point> {
    let heights = || points.iter().flat_map(Point::heights);
    let (least, most) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
    let range = most - least;
    let is_near = |point: &Point| range == 0.0 || (least - range..=most + range).contains(&point.value);
    let groups = analysis.ineligible.iter().filter_map(|other| other.group.as_ref());
    let stride = analysis.ineligible.len().div_ceil(style::MOST_POINTS).max(1);
    let points = groups.step_by(stride).filter_map(|group| Point::of(group, analysis.statistic, bars));
    points.filter(is_near).collect()
}

/// From this many levels on points are small, or they would hide the band.
const CROWD: usize = 800;
/// Opacity of the band.
const BAND: f64 = 0.28;
/// Opacity of what is shaded.
const SHADE: f64 = 0.16;

/// The panel with all levels.
struct Overview<'a> {
    analysis: &'a Analysis,
    points: &'a [Point],
    /// Levels that take no part.
    others: &'a [Point],
    failing: Option<Failing>,
    is_dense: bool,
    /// Whether it shows what is known of the optimum, there being no panel for that.
    shows_layers: bool,
}

impl Overview<'_> {
    fn draw(&self, canvas: &mut Canvas, area: Area, axes: (Axis, Axis), [x, y]: [&str; 2]) {
        let mut lines = data::references(self.analysis, canvas.palette);
        let optimum = data::optimum(self.analysis, canvas.palette);
        let best = optimum.as_ref().map(|_| self.analysis.observed().level);
        lines.extend(optimum);
        let area = match self.failing {
            Some(_) => Failing::indented(area, axes, Names { x, y }),
            None => area,
        };
        let (lines, room) = NamedLines::above(&lines, axes, Names { x, y }, area, 0.0);
        let [room, strip] = if self.failing.is_some() { Failing::split(canvas, room) } else { [room, room] };
        if self.shows_layers {
            self.place(canvas, room, axes.0);
        }
        let frame = match &self.failing {
            Some(failing) => {
                failing.strip(canvas, strip, axes.0, x);
                Frame::draw_above(canvas, room, axes, y)
            }
            None => Frame::draw_inside(canvas, room, axes, Names { x, y }),
        };
        if self.shows_layers {
            self.curve(canvas, &frame);
        }
        let others: Vec<Point> = self.others.iter().copied().map(|point| within_plot(point, axes.1)).collect();
        if !self.is_dense {
            bars(canvas, &frame, &others);
        }
        if self.is_dense {
            band(canvas, &frame, self.points);
        } else {
            bars(canvas, &frame, self.points);
        }
        lines.draw(canvas, &frame);
        let radius = match self.points.len() {
            CROWD.. => 1.1,
            _ if self.is_dense => 1.7,
            _ => 3.4,
        };
        for point in self.points {
            let at = frame.at((point.level, point.value));
            if best == Some(point.level) {
                canvas.dot(at, radius + 2.2, canvas.palette.minimum);
            }
            mark(canvas, &frame, point, radius);
        }
        others.iter().for_each(|point| mark(canvas, &frame, point, radius));
        if let Some(failing) = &self.failing {
            failing.crosses(canvas, &frame);
        }
    }
}

/// A point, hollow where runs failed.
fn mark(canvas: &mut Canvas, frame: &Frame, point: &Point, radius: f64) {
    let (at, colour) = (frame.at((point.level, point.value)), canvas.palette.data);
    if point.has_failures { canvas.hollow(at, radius + 0.4, colour) } else { canvas.dot(at, radius, colour) }
}

/// `point` with its bar cut at the ends of `y`.
fn within_plot(point: Point, y: Axis) -> Point {
    let [lower, upper] = y.ends();
    let cut = |(from, to): (f64, f64)| (from.clamp(lower, upper), to.clamp(lower, upper));
    Point { bar: point.bar.map(cut), ..point }
}

impl Overview<'_> {
    /// The interval of the optimum's place as a shade over the whole height, and the safe range as
    /// a bar along the axis.
    fn place(&self, canvas: &mut Canvas, room: Area, x: Axis) {
        const THICKNESS: f64 = 5.0;
        let at = |level: f64| room.left + x.place(level).clamp(0.0, 1.0) * room.width();
        let colour = canvas.palette.minimum;
        if let Some(place) = self.analysis.minimum.level.and_then(|level| level.interval) {
            canvas.rectangle((at(place.lower), room.top), (at(place.upper), room.bottom), colour.at(SHADE));
        }
        if let Some(safe) = self.analysis.minimum.safe_range {
            canvas.rectangle((at(safe.lower), room.bottom - THICKNESS), (at(safe.upper), room.bottom), colour);
        }
    }

    /// The middle of the curves through the levels around the optimum.
    fn curve(&self, canvas: &mut Canvas, frame: &Frame) {
        let colour = canvas.palette.minimum;
        for part in frame.clipped(&self.analysis.minimum.curve) {
            canvas.dashed(&part, colour, 1.6);
        }
    }
}

/// Whether a figure without a panel for it shows what is known of the optimum: on few levels, and
/// if it lies on the axis.
fn shows_layers(analysis: &Analysis, levels: &Levels<'_>) -> bool {
    let minimum = &analysis.minimum;
    minimum.assumption.is_some() && !minimum.is_beside && !levels.are_many()
}

fn bars(canvas: &mut Canvas, frame: &Frame, points: &[Point]) {
    const CAP: f64 = 3.0;
    let paint = canvas.palette.data.at(0.9);
    for point in points {
        let Some((lower, upper)) = point.bar else { continue };
        let (x, low, high) = (frame.at_x(point.level), frame.at_y(lower), frame.at_y(upper));
        canvas.line(&[(x, low), (x, high)], paint, 1.4);
        for y in [low, high] {
            canvas.line(&[(x - CAP, y), (x + CAP, y)], paint, 1.4);
        }
    }
}

/// The bars as one band, broken where a level has none. A level beside the axis, which is the
/// first, has a bar of its own.
fn band(canvas: &mut Canvas, frame: &Frame, points: &[Point]) {
    let (beside, points) = points.split_at(points.partition_point(|point| frame.x.is_beside(point.level)));
    bars(canvas, frame, beside);
    for part in points.split(|point| point.bar.is_none()) {
        let edge = |end: fn((f64, f64)) -> f64| {
            part.iter().filter_map(move |point| Some(frame.at((point.level, end(point.bar?)))))
        };
        let outline: Vec<(f64, f64)> =
            edge(|bar| bar.0).chain(edge(|bar| bar.1).collect::<Vec<_>>().into_iter().rev()).collect();
        if outline.len() > 2 {
            canvas.polygon(&outline, canvas.palette.data.at(BAND));
        }
    }
}

/// The surroundings of the fitted minimum.
struct Zoom {
    axes: (Axis, Axis),
    points: Vec<Point>,
    /// Whether the bars are a band, as beside it.
    is_dense: bool,
    /// Ranges of levels that cannot be excluded as the best.
    best: Vec<(f64, f64)>,
    /// The fitted curve.
    curve: Vec<(f64, f64)>,
    level: (Estimate, ConfidenceInterval),
    value: (Estimate, ConfidenceInterval),
}

impl Zoom {
    /// Nothing without a fitted minimum, and where it would show more than half of the axis or too
    /// few levels.
    fn of(analysis: &Analysis, levels: &Levels<'_>, bars: ErrorBars) -> Option<Self> {
        const LEAST_LEVELS: usize = 5;
        const MOST_OF_AXIS: f64 = 0.4;
        const MOST_FOR_SHADES: f64 = 0.3;
        const SPARE: f64 = 0.02;
        let (level, value) = (analysis.minimum.level?, analysis.minimum.value?);
        let (place, depth) = (level.interval?, value.interval?);
        let along = |share: f64| levels.x.value_at(share);
        let ends = [place.lower, place.upper].map(|level| levels.x.place(level));
        let reach = (ends[1] - ends[0]) * 1.5;
        let mut window = [ends[0] - reach, ends[1] + reach];
        // Wide enough for some levels, however sharp the interval is.
        let on_axis = levels.groups.iter().filter(|group| levels.is_on_axis(group));
        let places: Vec<f64> = on_axis.map(|group| levels.x.place(group.level)).collect();
        let nearest = places.partition_point(|place| *place < (ends[0] + ends[1]) / 2.0);
        let wanted = [nearest.saturating_sub(LEAST_LEVELS), (nearest + LEAST_LEVELS).min(places.len() - 1)];
        window = [window[0].min(places[wanted[0]]), window[1].max(places[wanted[1]])];
        // Wide enough to show where the shaded levels around it end, unless that is far away.
        let middle = levels.x.value_at((ends[0] + ends[1]) / 2.0);
        let around = best(analysis, levels, levels.x).into_iter().find(|(from, to)| (*from..=*to).contains(&middle));
        if let Some((from, to)) = around {
            let wider = [levels.x.place(from) - SPARE, levels.x.place(to) + SPARE];
            let wider = [window[0].min(wider[0]), window[1].max(wider[1])];
            if wider[1] - wider[0] <= MOST_FOR_SHADES {
                window = wider;
            }
        }
        window = [window[0].max(levels.x.start()), window[1].min(1.0)];
        let x = Axis::spanning(levels.x.scale(), along(window[0]), along(window[1]))?;
        let points: Vec<Point> = levels
            .groups
            .iter()
            .filter(|group| x.holds(group.level))
            .filter_map(|group| Point::of(group, analysis.statistic, bars))
            .collect();
        if window[1] - window[0] > MOST_OF_AXIS || points.len() < LEAST_LEVELS {
            return None;
        }
        let curve = within(&analysis.minimum.curve, x);
        let heights = points.iter().flat_map(Point::heights).chain([depth.lower, depth.upper]);
        let heights = heights.chain(curve.iter().map(|point| point.1));
        let y = Axis::around(Scale::Linear, heights)?;
        Some(Self {
            axes: (x, y),
            points,
            is_dense: levels.are_many(),
            best: best(analysis, levels, x),
            curve,
            level: (level, place),
            value: (value, depth),
        })
    }

    fn draw(&self, canvas: &mut Canvas, analysis: &Analysis, area: Area) {
        let names = Names { x: "", y: "" };
        // The names of references stand below what says what the panel shows.
        let head = self.head(analysis, area.right - Frame::room(area, self.axes, names).left);
        let above = head.len() as f64 * style::LINE + 2.0;
        let references = data::references(analysis, canvas.palette);
        let (lines, room) = NamedLines::above(&references, self.axes, names, area, above);
        let minimum = canvas.palette.minimum;
        for (from, to) in &self.best {
            let at = |level: f64| room.left + self.axes.0.place(level).clamp(0.0, 1.0) * room.width();
            canvas.rectangle((at(*from), room.top), (at(*to), room.bottom), minimum.at(SHADE));
        }
        let frame = Frame::draw_inside(canvas, room, self.axes, names);
        if self.is_dense {
            band(canvas, &frame, &self.points);
        } else {
            bars(canvas, &frame, &self.points);
        }
        lines.draw(canvas, &frame);
        let radius = if self.points.len() > style::MANY_LEVELS { 1.7 } else { 3.0 };
        self.points.iter().for_each(|point| mark(canvas, &frame, point, radius));
        frame.curve(canvas, &self.curve, canvas.palette.minimum, 2.0);
        self.cross(canvas, &frame);
        for (row, line) in head.iter().enumerate() {
            let y = area.top + (row as f64 + 0.5) * style::LINE;
            canvas.text(line, (room.left, y), letters(Anchor::Start, style::SMALL_SIZE, canvas.palette.ink));
        }
    }

    /// The fitted minimum with both intervals.
    fn cross(&self, canvas: &mut Canvas, frame: &Frame) {
        let ((level, place), (value, depth)) = (&self.level, &self.value);
        let (x, y) = frame.at((level.point, value.point));
        let clamped = |level: f64| frame.at_x(level).clamp(frame.area.left, frame.area.right);
        let colour = canvas.palette.minimum;
        let (left, right) = (clamped(place.lower), clamped(place.upper));
        canvas.rectangle((left, y - 1.3), (right, y + 1.3), colour);
        for end in [left, right] {
            canvas.rectangle((end - 1.2, y - 6.0), (end + 1.2, y + 6.0), colour);
        }
        let (low, high) = (frame.at_y(depth.lower), frame.at_y(depth.upper));
        canvas.rectangle((x - 1.3, low), (x + 1.3, high), colour);
        canvas.dot((x, y), 5.6, canvas.palette.paper);
        canvas.ring((x, y), 5.0, colour, 2.4);
    }

    /// Where the minimum is and what is measured there, in lines of this `width`.
    fn head(&self, analysis: &Analysis, width: f64) -> Vec<String> {
        let statistic = analysis.statistic;
        let ((level, place), (value, depth)) = (&self.level, &self.value);
        let best = data::best_of_curve(analysis);
        let name = if statistic == Statistic::SolvedShare { "solved" } else { statistic.name() };
        let place = if place.lower < place.upper {
            format!("{best} at {}", data::with_range(level, place))
        } else {
            format!("{best} at the edge, {}", readable(level.point, 3))
        };
        [place, format!("{name} there {}", data::with_range(value, depth))]
            .iter()
            .flat_map(|line| text::wrapped(line, style::SMALL_SIZE, Weight::Regular, 0.97 * width, 2))
            .collect()
    }
}

/// The part of `curve`, ascending, that lies on the axis, up to its very ends.
fn within(curve: &[(f64, f64)], x: Axis) -> Vec<(f64, f64)> {
    let mut part: Vec<(f64, f64)> = curve.iter().filter(|point| x.holds(point.0)).copied().collect();
    let crossing = |end: f64| {
        let pair = curve.windows(2).find(|pair| pair[0].0 < end && end < pair[1].0)?;
        let share = (end - pair[0].0) / (pair[1].0 - pair[0].0);
        Some((end, pair[0].1 + share * (pair[1].1 - pair[0].1)))
    };
    part.extend(x.ends().into_iter().filter_map(crossing));
    part.sort_by(|a, b| a.0.total_cmp(&b.0));
    part
}

/// Ranges of neighbouring levels on the axis that cannot be excluded as the best, as far as `x`
/// shows them.
fn best(analysis: &Analysis, levels: &Levels<'_>, x: Axis) -> Vec<(f64, f64)> {
    if analysis.minimum.candidates.len() != analysis.groups.len() || levels.groups.len() != levels.all {
        return Vec::new();
    }
    // Levels beside the axis are the lowest ones.
    let candidates = &analysis.minimum.candidates[analysis.beside()..];
    let borders = levels.borders();
    let mut ranges: Vec<(f64, f64)> = Vec::new();
    for (i, _) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.in_set) {
        let (from, to) = (borders[i], borders[i + 1]);
        match ranges.last_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => ranges.push((from, to)),
        }
    }
    let [lower, upper] = x.ends();
    ranges.retain(|(from, to)| *to > lower && *from < upper);
    ranges
}
