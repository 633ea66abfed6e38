//! Eigenvalues and eigenvectors of a small symmetric matrix, the same bits on every machine.
//!
//! **Definition.** The cyclic method of Jacobi (Golub and Van Loan 2013, 8.5): every pair of rows in turn is turned
//! so that its off-diagonal element vanishes, until what is left is rounding. Converges quadratically.
//! Why not a library: the ones that are fast choose their kernels by the processor.
//!
//! **Cost.** Some 8 sweeps of 4 n³ operations.

/// Eigenvalues, and as row i the eigenvector of the i-th of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigen {
    /// The eigenvalues, in no order.
    pub values: Vec<f64>,
    /// The eigenvectors, orthonormal.
    pub vectors: Vec<Vec<f64>>,
}

impl Eigen {
    /// Of the symmetric matrix with these rows.
    pub fn new(mut rows: Vec<Vec<f64>>) -> Self {
        const SWEEPS: usize = 30;
        /// Squares of the off-diagonal, as a share of all, that count as rounding.
        const ROUNDING: f64 = 1e-30;
        let n = rows.len();
        let unit = |i: usize| (0..n).map(|j| f64::from(i == j)).collect::<Vec<f64>>();
        let mut vectors: Vec<Vec<f64>> = (0..n).map(unit).collect();
        let all: f64 = rows.iter().flatten().map(|value| value * value).sum();
        for _ in 0..SWEEPS {
            let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| rows[i][j] * rows[i][j]).sum();
            if off <= ROUNDING * all {
                break;
            }
            for i in 0..n {
                for j in i + 1..n {
                    turn(&mut rows, &mut vectors, i, j);
                }
            }
        }
        Self { values: (0..n).map(|i| rows[i][i]).collect(), vectors }
    }
}

/// Makes the element (i, j) vanish.
fn turn(rows: &mut [Vec<f64>], vectors: &mut [Vec<f64>], i: usize, j: usize) {
    let element = rows[i][j];
    if element == 0.0 {
        return;
    }
    let half = (rows[j][j] - rows[i][i]) / (2.0 * element);
    let tangent = libm::copysign(1.0, half) / (half.abs() + libm::sqrt(1.0 + half * half));
    let cosine = 1.0 / libm::sqrt(1.0 + tangent * tangent);
    let sine = tangent * cosine;
    for row in rows.iter_mut() {
        let (a, b) = (row[i], row[j]);
        (row[i], row[j]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    for matrix in [rows, vectors] {
        let (before, from_j) = matrix.split_at_mut(j);
        for (a, b) in before[i].iter_mut().zip(&mut from_j[0]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_its_eigenvectors_times_its_eigenvalues() {
        let rows = vec![
            vec![4.0, 1.0, -2.0, 0.5],
            vec![1.0, 3.0, 0.0, 1.0],
            vec![-2.0, 0.0, 2.0, -1.0],
            vec![0.5, 1.0, -1.0, 1.0],
        ];
        let Eigen { values, vectors } = Eigen::new(rows.clone());
        for i in 0..4 {
            for j in 0..4 {
                let again: f64 = (0..4).map(|k| values[k] * vectors[k][i] * vectors[k][j]).sum();
                assert!((again - rows[i][j]).abs() < 1e-13);
                let product: f64 = (0..4).map(|k| vectors[i][k] * vectors[j][k]).sum();
                assert!((product - f64::from(i == j)).abs() < 1e-14);
            }
        }
    }
}
