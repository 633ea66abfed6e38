//! What limits the numbers of an analysis.

use crate::analysis::references::nearly_equal;
use crate::analysis::{Analysis, Basis};
use crate::group::Sample;
use crate::warning::Warning;

/// The warnings that follow from the numbers themselves.
pub fn of(analysis: &Analysis, samples: &[Sample]) -> Vec<Warning> {
    let groups = &analysis.groups;
    let mut warnings = Vec::new();
    let excluded = analysis.ledger.excluded_in_all();
    if excluded > 0 {
        let (read, reasons) = (analysis.ledger.read, analysis.ledger.reasons());
        warnings.push(Warning::Excluded { rows: excluded, read, reasons });
    }
    for (name, values) in analysis.settings.iter().filter(|(name, values)| name != "seed" && values.len() > 1) {
        warnings.push(Warning::PooledSetting { name: name.clone(), values: values.clone() });
    }
    if analysis.basis == Basis::Summaries {
        warnings.push(Warning::SummariesOnly);
    }
    let single = groups.iter().filter(|group| group.summary.n == 1).count();
    if single > 0 {
        warnings.push(Warning::SingleRuns { levels: single });
    }
    let nearly: Vec<_> = groups.windows(2).filter(|pair| nearly_equal(pair[0].level, pair[1].level)).collect();
    if let Some(pair) = nearly.first() {
        warnings.push(Warning::NearlyEqualLevels { pairs: nearly.len(), example: (pair[0].level, pair[1].level) });
    }
    let mixed = groups.iter().filter(|group| group.hides_mixture).count();
    if mixed > 0 {
        warnings.push(Warning::HiddenMixture { levels: mixed, of: groups.len() });
    }
    let is_paired = samples.len() > 1 && samples.iter().all(|sample| !sample.replicate.is_empty());
    if is_paired && analysis.paired.is_none() && !analysis.minimum.is_refined() {
        warnings.push(Warning::PairsUnused);
    }
    // Beside the axis nothing can be extended.
    let (first, last) = (analysis.beside(), groups.len() - 1);
    if first < last && (analysis.observed_minimum == first || analysis.observed_minimum == last) {
        warnings.push(Warning::MinimumAtEdge { level: analysis.observed().level });
    }
    for result in analysis.references.iter().filter(|result| result.mean.is_none()) {
        let (name, value) = (result.reference.name.clone(), result.reference.value);
        warnings.push(Warning::ReferenceOutside { name, value });
    }
    warnings
}
