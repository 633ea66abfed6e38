//! The rectangle that data are drawn in, with its axes.

use plotters::style::Color;

use crate::error::Result;
use crate::figure::axis::Axis;
use crate::figure::canvas::{Anchor, Canvas};
use crate::figure::style;

/// Two axes and their place on the sheet, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Frame {
    /// Where `value` lies horizontally.
    pub fn at_x(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    /// Where `value` lies vertically.
    pub fn at_y(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }

    /// The same frame with its left edge moved so that the labels of the vertical axis and its name have room.
    ///
    /// # Errors
    /// [`Error::Figure`](crate::error::Error::Figure).
    pub fn with_room_for_labels(self, canvas: &Canvas<'_>) -> Result<Self> {
        const NAME_AND_TICK: f64 = 50.0;
        let mut left = self.left;
        for label in self.y.ticks(Self::ROWS).iter().filter_map(|tick| tick.label.as_ref()) {
            left = left.max(NAME_AND_TICK + canvas.text_width(label, style::SMALL_SIZE)?);
        }
        Ok(Self { left, ..self })
    }

    /// Labelled ticks to aim at on the vertical axis.
    const ROWS: usize = 7;
    /// The same on the horizontal axis.
    const COLUMNS: usize = 12;

    /// Grid, ticks with their labels, and the two axes.
    ///
    /// # Errors
    /// [`Error::Figure`](crate::error::Error::Figure).
    pub fn grid(&self, canvas: &Canvas<'_>) -> Result<()> {
        let (grid, axis) = (style::GRID.to_rgba(), style::SOFT_INK.to_rgba());
        for tick in self.x.ticks(Self::COLUMNS) {
            let x = self.at_x(tick.value);
            let length = if tick.label.is_some() { 6.0 } else { 3.5 };
            if let Some(label) = &tick.label {
                canvas.line(&[(x, self.top), (x, self.bottom)], grid, 1.0)?;
                canvas.text(label, (x, self.bottom + 17.0), Anchor::Middle, style::SMALL_SIZE, style::INK)?;
            }
            canvas.line(&[(x, self.bottom), (x, self.bottom + length)], axis, 1.0)?;
        }
        for tick in self.y.ticks(Self::ROWS) {
            let y = self.at_y(tick.value);
            canvas.line(&[(self.left - 6.0, y), (self.left, y)], axis, 1.0)?;
            if let Some(label) = &tick.label {
                canvas.line(&[(self.left, y), (self.right, y)], grid, 1.0)?;
                canvas.text(label, (self.left - 10.0, y), Anchor::End, style::SMALL_SIZE, style::INK)?;
            }
        }
        canvas.line(&[(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], axis, 1.2)
    }
}
