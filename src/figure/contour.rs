//! Where does a function of the plane exceed a value? Marching squares (Lorensen and Cline 1987, in two dimensions).

use std::collections::HashMap;

use crate::figure::canvas::Point;

/// Values of a function at the nodes of a grid of unit squares: `values[row][column]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    values: Vec<Vec<f64>>,
}

/// An edge of the grid: its lower node, and whether it runs to the next column or the next row.
type Side = (usize, usize, bool);

impl Field {
    /// The field of `function` at `size` × `size` nodes, with arguments from 0 to 1 along columns and rows.
    pub fn of(size: usize, function: impl Fn(f64, f64) -> f64) -> Self {
        let at = |place: usize| place as f64 / (size - 1) as f64;
        let row = |row: usize| (0..size).map(|column| function(at(column), at(row))).collect();
        Self { values: (0..size).map(row).collect() }
    }

    /// Closed outlines, in shares of the grid's sides, of the region where the field is above `limit`. The border of the grid
    /// closes what would leave it.
    pub fn above(&self, limit: f64) -> Vec<Vec<Point>> {
        let size = self.values.len();
        // A ring of nodes far below the limit around the grid: so every outline closes.
        let value = |row: usize, column: usize| {
            let inside = (1..=size).contains(&row) && (1..=size).contains(&column);
            if inside { self.values[row - 1][column - 1] } else { f64::NEG_INFINITY }
        };
        let mut next: HashMap<Side, Vec<Side>> = HashMap::new();
        let mut starts: Vec<Side> = Vec::new();
        for row in 0..=size {
            for column in 0..=size {
                let corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)];
                let high = corners.map(|(row, column)| value(row, column) > limit);
                let sides: [Side; 4] =
                    [(row, column, true), (row, column + 1, false), (row + 1, column, true), (row, column, false)];
                // A line enters where the field falls along the way around the cell, and leaves where it rises.
                let ends = |falls: bool| (0..4).filter(move |i| high[*i] == falls && high[(i + 1) % 4] != falls);
                let (enters, leaves): (Vec<usize>, Vec<usize>) = (ends(true).collect(), ends(false).collect());
                for enter in enters {
                    // At a saddle each line turns around its low corner, to the nearest exit.
                    let leave = (1..4).map(|step| (enter + step) % 4).find(|side| leaves.contains(side));
                    if let Some(leave) = leave {
                        next.entry(sides[enter]).or_default().push(sides[leave]);
                        starts.push(sides[enter]);
                    }
                }
            }
        }
        let place = |side: Side| {
            let (row, column, along_row) = side;
            let (a, b) = (value(row, column), if along_row { value(row, column + 1) } else { value(row + 1, column) });
            // The border's lines run on the grid's edge itself.
            let share = match (a.is_finite(), b.is_finite()) {
                (true, true) => (limit - a) / (b - a),
                (true, false) => 0.0,
                _ => 1.0,
            };
            let (dx, dy) = if along_row { (share, 0.0) } else { (0.0, share) };
            let scale = (size - 1) as f64;
            ((column as f64 - 1.0 + dx) / scale, (row as f64 - 1.0 + dy) / scale)
        };
        let mut outlines = Vec::new();
        for start in starts {
            let mut outline = Vec::new();
            let mut side = start;
            while let Some(following) = next.get_mut(&side).and_then(Vec::pop) {
                outline.push(place(side));
                side = following;
            }
            if outline.len() > 2 {
                outlines.push(outline);
            }
        }
        outlines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twice the area inside, by the shoelace formula.
    fn area(outline: &[Point]) -> f64 {
        let next = outline.iter().cycle().skip(1);
        outline.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum::<f64>().abs() / 2.0
    }

    #[test]
    fn regions_have_their_areas() {
        let disc = Field::of(81, |x, y| 0.09 - (x - 0.5).powi(2) - (y - 0.5).powi(2)).above(0.0);
        assert_eq!(disc.len(), 1);
        assert!((area(&disc[0]) - std::f64::consts::PI * 0.09).abs() < 1e-3, "{}", area(&disc[0]));
        let half = Field::of(11, |x, _| x).above(0.25);
        assert_eq!(half.len(), 1);
        assert!((area(&half[0]) - 0.75).abs() < 1e-9, "{half:?}");
        assert_eq!(area(&Field::of(5, |_, _| 1.0).above(0.0)[0]), 1.0);
        assert!(Field::of(5, |_, _| 0.0).above(0.5).is_empty());
        let ring = Field::of(81, |x, y| {
            let r = libm::hypot(x - 0.5, y - 0.5);
            (r - 0.2) * (0.4 - r)
        })
        .above(0.0);
        assert_eq!(ring.len(), 2);
        let two = Field::of(41, |x, y| (x - 0.5) * (y - 0.5)).above(0.01);
        assert_eq!(two.len(), 2);
    }
}
