//! Reads a figure back: its texts with their ink, its lines, its axes; and what every figure must satisfy.

use resvg::usvg;
use roxmltree::{Document, Node};

/// Coordinates have one decimal: half a tenth of rounding in each of the two ticks and in the thing itself, all of them inside
/// the ticks' range, and as much to spare.
pub const ROUNDED: f64 = 0.2;

pub fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or_else(|| panic!("no {name} in {node:?}")).parse().unwrap()
}

/// A text of the drawing.
#[derive(Debug)]
pub struct Words {
    pub text: String,
    /// The point that it is anchored to.
    pub at: (f64, f64),
    pub anchor: String,
    /// The rectangle of its ink, as shaped with the shipped font.
    pub x: (f64, f64),
    pub y: (f64, f64),
}

impl Words {
    pub fn covers(&self, other: &Self) -> bool {
        let apart = |a: (f64, f64), b: (f64, f64)| a.1 <= b.0 || b.1 <= a.0;
        !(apart(self.x, other.x) || apart(self.y, other.y))
    }

    pub fn number(&self) -> Option<f64> {
        self.text.replace('−', "-").replace(',', "").parse().ok()
    }
}

/// Ink of all texts in the document's order, by an SVG renderer of its own right: shaped, kerned, turned.
pub fn ink_of(svg: &str) -> Vec<usvg::Rect> {
    fn texts(group: &usvg::Group, found: &mut Vec<usvg::Rect>) {
        for node in group.children() {
            match node {
                usvg::Node::Group(group) => texts(group, found),
                usvg::Node::Text(text) => found.push(text.abs_stroke_bounding_box()),
                _ => {}
            }
        }
    }
    static FONTS: std::sync::OnceLock<std::sync::Arc<usvg::fontdb::Database>> = std::sync::OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        for face in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_data(face.to_vec());
        }
        std::sync::Arc::new(fonts)
    });
    let options = usvg::Options { fontdb: fonts.clone(), ..usvg::Options::default() };
    let mut found = Vec::new();
    texts(usvg::Tree::from_str(svg, &options).unwrap().root(), &mut found);
    found
}

pub fn words_of(document: &Document<'_>) -> Vec<Words> {
    let root = document.root_element();
    let sheet = view_box(root);
    // The renderer measures in pixels of the document, which is the sheet at another size.
    let millimetre = 96.0 / 25.4;
    let width = root.attribute("width").unwrap();
    let pixels =
        width.strip_suffix("mm").map_or_else(|| width.parse().unwrap(), |mm| mm.parse::<f64>().unwrap() * millimetre);
    let scale = sheet[2] / pixels;
    let nodes: Vec<Node<'_, '_>> = document.descendants().filter(|node| node.tag_name().name() == "text").collect();
    let ink = ink_of(document.input_text());
    assert_eq!(nodes.len(), ink.len(), "every text is shown");
    let words = |(node, ink): (&Node<'_, '_>, &usvg::Rect)| {
        let range = |from: f32, to: f32| (f64::from(from) * scale, f64::from(to) * scale);
        Words {
            text: node.text().unwrap_or_default().trim().to_string(),
            at: (number(*node, "x"), number(*node, "y")),
            anchor: node.attribute("text-anchor").unwrap_or("start").to_string(),
            x: range(ink.left(), ink.right()),
            y: range(ink.top(), ink.bottom()),
        }
    };
    nodes.iter().zip(&ink).map(words).collect()
}

pub fn view_box(root: Node<'_, '_>) -> Vec<f64> {
    root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect()
}

/// Where the panel with all levels ends: the second panel says where the minimum is.
pub fn end_of_overview(words: &[Words]) -> f64 {
    words.iter().find(|word| word.text.starts_with("minimum at")).map_or(f64::INFINITY, |word| word.x.0 - 40.0)
}

/// Points of every line that is drawn in `colour`.
pub fn lines_of(document: &Document<'_>, colour: &str) -> Vec<Vec<(f64, f64)>> {
    let points = |node: Node<'_, '_>| -> Vec<(f64, f64)> {
        let pair = |text: &str| text.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).unwrap();
        node.attribute("points").unwrap().split_whitespace().map(pair).collect()
    };
    document
        .descendants()
        .filter(|node| node.has_attribute("points") && node.attribute("stroke") == Some(colour))
        .map(points)
        .collect()
}

/// The places of two labelled ticks, from which the place of any value follows.
pub struct Ruler {
    value: [f64; 2],
    place: [f64; 2],
    log: bool,
}

impl Ruler {
    /// The ruler through these tick labels; `place` is where a label stands along the axis.
    pub fn of<'a>(labels: impl Iterator<Item = &'a Words>, log: bool, place: impl Fn(&Words) -> f64) -> Self {
        let mut ticks: Vec<(f64, f64)> = labels.map(|word| (word.number().unwrap(), place(word))).collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        assert!(ticks.len() >= 3, "{ticks:?}");
        Self { value: [first.0, last.0], place: [first.1, last.1], log }
    }

    /// Of the lowest row of numbers.
    pub fn horizontal(words: &[Words], log: bool) -> Self {
        let end = end_of_overview(words);
        let labels =
            || words.iter().filter(|word| word.number().is_some() && word.anchor == "middle" && word.at.0 < end);
        let lowest = labels().map(|word| word.at.1).fold(0.0, f64::max);
        Self::of(labels().filter(|word| word.at.1 == lowest), log, |word| word.at.0)
    }

    /// Of the leftmost column of numbers.
    pub fn vertical(words: &[Words]) -> Self {
        let labels = || words.iter().filter(|word| word.number().is_some() && word.anchor == "end");
        let end = labels().map(|word| word.at.0).fold(f64::INFINITY, f64::min);
        Self::of(labels().filter(|word| word.at.0 == end), false, |word| word.at.1)
    }

    pub fn place(&self, value: f64) -> f64 {
        let along = |value: f64| if self.log { value.ln() } else { value };
        let share = (along(value) - along(self.value[0])) / (along(self.value[1]) - along(self.value[0]));
        self.place[0] + share * (self.place[1] - self.place[0])
    }
}

/// What a figure may be made of.
pub const DRAWN: [&str; 10] =
    ["svg", "title", "desc", "style", "rect", "polyline", "polygon", "circle", "text", "path"];

/// Checks what every figure must satisfy.
#[track_caller]
pub fn assert_sound(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|e| panic!("{e} in {svg}"));
    let root = document.root_element();
    let sheet = view_box(root);
    for name in ["title", "desc"] {
        let node = root.children().find(|child| child.tag_name().name() == name).unwrap();
        assert!(!node.text().unwrap().trim().is_empty(), "{name}");
    }
    assert_eq!(root.attribute("role"), Some("img"));
    assert!(root.attribute("font-family").unwrap().starts_with("DejaVu Sans"));
    for node in document.descendants().filter(Node::is_element) {
        assert!(DRAWN.contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on"), "{node:?}");
            let value = attribute.value();
            assert!(!value.contains("NaN") && !value.contains("inf") && !value.contains("url("), "{node:?}");
        }
    }
    let words = words_of(&document);
    assert!(words.len() > 5, "{words:?}");
    for (place, word) in words.iter().enumerate() {
        assert!(
            word.x.0 >= 0.0 && word.x.1 <= sheet[2] && word.y.0 >= 0.0 && word.y.1 <= sheet[3],
            "outside: {word:?}"
        );
        for other in &words[..place] {
            assert!(!word.covers(other), "{word:?} covers {other:?}");
        }
    }
}
