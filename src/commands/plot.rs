//! `initsweep plot`: figures as SVG and PNG.

use rayon::prelude::*;
use std::path::PathBuf;

use crate::cli::Global;
use crate::cli::plot::{PictureFormat, PlotArgs};
use crate::commands::material::Material;
use crate::commands::print;
use crate::error::{Error, Result};
use crate::figure::{Figure, FigureOptions, Kind, functions, loss_curve, weights, xor};
use crate::output::{Artefact, OutputFolder};
use crate::store::{self, Roles};
use crate::sweep::DEFAULT_FACTOR;

/// Runs the command.
///
/// # Errors
/// Those of reading, analysing, drawing and writing.
pub fn run(arguments: &PlotArgs, global: &Global) -> Result<()> {
    let drawings = arguments.drawings()?;
    let roles = Roles { by: arguments.by.clone(), ..arguments.inquiry.roles(DEFAULT_FACTOR) };
    // Without sources no figure is of runs.
    let data = match drawings.sources.as_slice() {
        [] => None,
        sources => Some(store::read(sources, &roles)?),
    };
    let question = arguments.inquiry.of(&roles);
    let material = data.as_ref().map(|data| Material::of(data, &question)).transpose()?;
    let folder = OutputFolder::create(&arguments.figure.out)?;
    let PlotArgs { format, figure: look, .. } = arguments;
    let options = look.options();
    let draw = |kind: &Kind| {
        let figure = draw(*kind, material.as_ref(), arguments, &options)?;
        Pictures::of(&figure, format, look.scale)
    };
    // Side by side; written in their order.
    let drawn: Vec<Result<Pictures>> = drawings.kinds.par_iter().map(draw).collect();
    let mut lines = String::new();
    for (kind, pictures) in drawings.kinds.iter().zip(drawn) {
        match pictures {
            Ok(pictures) => {
                for path in pictures.write(kind.name(), &folder)? {
                    lines.push_str(&format!("{}\n", path.display()));
                }
            }
            Err(Error::Figure { figure, reason }) if drawings.all => {
                lines.push_str(&format!("left out {figure}: {reason}\n"));
            }
            Err(error) => return Err(error),
        }
    }
    if global.quiet { Ok(()) } else { print(&lines) }
}

fn draw(kind: Kind, material: Option<&Material<'_>>, arguments: &PlotArgs, options: &FigureOptions) -> Result<Figure> {
    let (levels, seed) = (arguments.levels(), arguments.seed);
    match kind {
        Kind::Xor => xor::draw(seed, options),
        Kind::Sigmoid => functions::sigmoid(options),
        Kind::Likelihood => functions::likelihood(options),
        Kind::Bce => functions::bce(options),
        Kind::Weights => weights::draw(levels, seed, options),
        Kind::LossCurve => loss_curve::draw(levels, seed, options),
        of_runs => {
            let none = || Error::Figure { figure: kind.name(), reason: "there are no runs".into() };
            material.ok_or_else(none)?.prepare(of_runs, levels)?(options)
        }
    }
}

/// A figure in the forms that files have.
pub struct Pictures {
    svg: Option<String>,
    png: Option<Vec<u8>>,
}

impl Pictures {
    /// `figure` in the wanted `forms`; pixels at `scale`, else at the figure's own.
    ///
    /// # Errors
    /// Those of [`Figure::to_png`].
    pub fn of(figure: &Figure, forms: &[PictureFormat], scale: Option<f32>) -> Result<Self> {
        let png = || figure.to_png(scale.unwrap_or(figure.png_scale));
        Ok(Self {
            svg: forms.contains(&PictureFormat::Svg).then(|| figure.document()),
            png: forms.contains(&PictureFormat::Png).then(png).transpose()?,
        })
    }

    /// Writes them under `name`, the vectors first.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, name: &'static str, folder: &OutputFolder) -> Result<Vec<PathBuf>> {
        let svg = self.svg.iter().map(|svg| (Artefact::Svg(name), svg.as_bytes()));
        let png = self.png.iter().map(|png| (Artefact::Png(name), png.as_slice()));
        svg.chain(png).map(|(artefact, content)| folder.write(artefact, content)).collect()
    }
}
