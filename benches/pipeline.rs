//! Where does the time of a report go? Each stage by itself, on 400 levels × 2,500 runs (one million rows).
//!
//! `cargo bench --bench pipeline`. Whole commands beside other tools: `benches/compare.py`.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use initsweep::analysis::{Analysis, Question};
use initsweep::figure::themed::Themed;
use initsweep::figure::{ErrorBars, FigureOptions, Kind, Look, Wording, loss_vs_std_dev};
use initsweep::report::{figures::Figures, render, view::View};
use initsweep::stats::ExactMoments;
use initsweep::store::{self, Roles, Source};
use initsweep::sweep::Reference;

const LEVELS: u32 = 400;
const RUNS: u32 = 2500;

fn million_rows(path: &std::path::Path) {
    let mut text = String::from("hidden_std_dev,output_std_dev,loss\n");
    for replicate in 0..RUNS {
        for level in 0..LEVELS {
            let sigma = libm::exp(-3.0 + 7.0 * f64::from(level) / f64::from(LEVELS - 1));
            // Any values will do: as many digits as real ones, no two alike.
            let loss = 1500.0
                + 900.0 * libm::log(sigma / 0.6).powi(2)
                + libm::sin(f64::from(level * RUNS + replicate)) * 500.0;
            let _ = writeln!(text, "{sigma},0.8165,{loss}");
        }
    }
    std::fs::write(path, text).expect("the temporary folder takes a file");
}

fn stages(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let path = folder.path().join("runs.csv");
    million_rows(&path);
    let roles = Roles::new("hidden_std_dev", "loss");
    let sources = [Source::Path(path.display().to_string())];
    let question = Question { references: Reference::with_defaults(&roles.factor, &[]), ..Question::default() };
    let options = FigureOptions { error_bars: ErrorBars::Ci, look: Look::default(), wording: Wording::default() };
    let table = store::read(&sources, &roles).expect("the file is well formed");
    let analysis = Analysis::of(table.clone(), &question).expect("there are 400 levels");
    let figure = loss_vs_std_dev::draw(&analysis, &options).expect("levels are above 0");

    let themed = Themed::of(&figure, &figure);
    let figures = || Figures::of(vec![(Kind::LossVsStdDev, themed.clone())], analysis.goal);

    let mut group = c.benchmark_group("pipeline");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(LEVELS * RUNS)));
    group.bench_function("read a CSV of 1e6 rows", |b| b.iter(|| store::read(black_box(&sources), &roles)));
    group.bench_function("group and describe 1e6 rows", |b| {
        b.iter(|| Analysis::of(black_box(table.clone()), &question));
    });
    group.finish();
    exact_sums(c);
    let mut group = c.benchmark_group("outputs of 400 levels");
    group.bench_function("SVG", |b| {
        b.iter(|| loss_vs_std_dev::draw(black_box(&analysis), &options));
    });
    group.bench_function("PNG at scale 2", |b| b.iter(|| figure.to_png(black_box(2.0))));
    group
        .bench_function("HTML report", |b| b.iter(|| render::render(&View::of(black_box(&analysis), figures(), None))));
    group.finish();
}

/// Exact sums beside plain ones: what order-free bits cost.
fn exact_sums(c: &mut Criterion) {
    const VALUES: u32 = 4_000_000;
    let values: Vec<f64> = (0..VALUES).map(|i| 1500.0 + 500.0 * libm::sin(f64::from(i))).collect();
    let mut group = c.benchmark_group("mean and variance of 4e6 values, one thread");
    group.sample_size(20);
    group.bench_function("exact", |b| {
        b.iter(|| {
            let moments = ExactMoments::of(black_box(&values));
            (moments.mean(), moments.variance())
        });
    });
    group.bench_function("plain, two passes", |b| {
        b.iter(|| {
            let mean = black_box(&values).iter().sum::<f64>() / f64::from(VALUES);
            let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
            (mean, squares / f64::from(VALUES - 1))
        });
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
