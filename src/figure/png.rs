//! A figure as pixels: its SVG rendered by `resvg`, with the font shipped inside the program and no other.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::error::{Error, Result};
use crate::figure::Figure;

/// Scales beyond these give an image that nobody can use or no machine can hold.
pub const SCALES: std::ops::RangeInclusive<f32> = 0.1..=10.0;

impl Figure {
    /// The figure as an antialiased PNG, `scale` pixels per pixel of the SVG.
    ///
    /// # Errors
    /// [`Error::Figure`] if the document cannot be rendered, or for a scale outside [`SCALES`].
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>> {
        let failed = |reason: String| Error::Figure { figure: "png", reason };
        let options = Options { fontdb: Arc::clone(fonts()), ..Options::default() };
        let tree = Tree::from_str(&self.svg, &options).map_err(|e| failed(e.to_string()))?;
        let size = tree.size().to_int_size().scale_by(scale).filter(|_| SCALES.contains(&scale));
        let mut pixels = size
            .and_then(|size| Pixmap::new(size.width(), size.height()))
            .ok_or_else(|| failed(format!("a scale of {scale} is not possible")))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
        pixels.encode_png().map_err(|e| failed(e.to_string()))
    }
}

fn fonts() -> &'static Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        for face in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(face)));
        }
        Arc::new(fonts)
    })
}
