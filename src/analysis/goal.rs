//! Which value is the best: the least, as of a loss, or the greatest, as of an accuracy; and the words for either.
//!
//! Methods see numbers of which less is better: where the greatest is the best, every number is multiplied by
//! [`Goal::sign`] on the way in and on the way out. The place of the optimum, its interval, the verdict and the candidates
//! are therefore those that the negated metric would give, to the last bit.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Which value of the metric is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The least, as of a loss or an error.
    #[default]
    Min,
    /// The greatest, as of an accuracy or a reward.
    Max,
}

impl Goal {
    /// 1 if the least is the best, −1 if the greatest is: multiplied by this, lower is better.
    pub fn sign(self) -> f64 {
        self.pick(1.0, -1.0)
    }

    /// What is sought: `minimum` or `maximum`.
    pub fn optimum(self) -> &'static str {
        self.pick("minimum", "maximum")
    }

    /// Where the best value lies: `lowest` or `highest`.
    pub fn best_word(self) -> &'static str {
        self.pick("lowest", "highest")
    }

    /// The best of some values: `least` or `greatest`.
    pub fn extreme(self) -> &'static str {
        self.pick("least", "greatest")
    }

    /// What the metric does away from its optimum: `rise` or `fall`.
    pub fn departure(self) -> &'static str {
        self.pick("rise", "fall")
    }

    /// Where worse values lie: `above` the minimum or `below` the maximum.
    pub fn worse_side(self) -> &'static str {
        self.pick("above", "below")
    }

    /// The shape of a curve around its optimum: `dip` or `peak`.
    pub fn dip(self) -> &'static str {
        self.pick("dip", "peak")
    }

    /// How the best of many noisy values errs: too `low` or too `high`.
    pub fn flattered(self) -> &'static str {
        self.pick("low", "high")
    }

    fn pick<T>(self, min: T, max: T) -> T {
        match self {
            Self::Min => min,
            Self::Max => max,
        }
    }
}

/// Words of metrics of which more is usually better.
const MAXIMISED: &str = "\
    acc accuracy auc auprc auroc bleu dice f1 fps iou ips kappa map mcc miou mrr ndcg precision \
    psnr qps r2 recall return reward rouge score speedup ssim success throughput top1 top5 \
    winrate win";

/// Words that turn a metric round, or make it something else: `accuracy_loss`, `top1_error`, `return_code`, `brier_score`.
const TURNED: &str = "\
    brier code cost crps distance drop err error fail failure fid gap latency loss lpips mae mse \
    neg negative nll perplexity ppl regret rmse std time var variance";

/// Whether the name of a metric suggests that the greatest value is the best: `accuracy`, `val_acc`, `testR2`, `top-1`.
pub fn looks_maximised(metric: &str) -> bool {
    let words = words_of(metric);
    let is_among = |word: &str, known: &str| {
        let is_known = |word: &str| known.split(' ').any(|known| known == word);
        is_known(word) || word.strip_suffix('s').is_some_and(is_known)
    };
    let pairs = words.array_windows().map(|[first, second]| format!("{first}{second}"));
    let maximised = words.iter().cloned().chain(pairs).any(|word| {
        // `acc1` is `acc` too.
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        is_among(&word, MAXIMISED) || is_among(letters, MAXIMISED)
    });
    maximised && !words.iter().any(|word| is_among(word, TURNED))
}

/// The words of a name in small letters: split where neither letter nor digit stands, and before a capital that follows a
/// small letter or a digit.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let is_new = c.is_uppercase() && (before.is_lowercase() || before.is_numeric());
        if is_new || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_goal_has_its_words() {
        let words = |goal: Goal| {
            [goal.optimum(), goal.best_word(), goal.extreme(), goal.departure(), goal.worse_side(), goal.flattered()]
        };
        assert_eq!(words(Goal::Min), ["minimum", "lowest", "least", "rise", "above", "low"]);
        assert_eq!(words(Goal::Max), ["maximum", "highest", "greatest", "fall", "below", "high"]);
        assert_eq!((Goal::Min.sign(), Goal::Max.sign()), (1.0, -1.0));
    }

    #[test]
    fn names_tell_what_is_usually_maximised() {
        for name in [
            "acc",
            "accuracy",
            "Accuracy",
            "val_accuracy",
            "test/acc",
            "valAcc",
            "acc1",
            "acc@1",
            "top1",
            "top-5",
            "Top_1_acc",
            "R2",
            "r2_score",
            "testR2",
            "f1",
            "F1-macro",
            "macro.f1",
            "AUC",
            "mAP",
            "map50",
            "mAP@50",
            "win_rate",
            "mean reward",
            "returns",
            "episode_return",
            "mIoU",
            "images/s throughput",
            "bleu4",
            "success_rate",
        ] {
            assert!(looks_maximised(name), "{name}");
        }
        for name in [
            "",
            "loss",
            "val_loss",
            "error",
            "rmse",
            "y",
            "latency",
            "accuracy_loss",
            "top1_error",
            "top-5 err",
            "map_loss",
            "return_code",
            "brier_score",
            "scoreboard",
            "accident",
            "mapping",
            "twin",
            "remap",
            "time_to_success",
            "final_loss",
            "perplexity",
            "topology",
        ] {
            assert!(!looks_maximised(name), "{name}");
        }
    }
}
