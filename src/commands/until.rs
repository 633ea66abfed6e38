//! `--until`: runs in rounds (run, store, analyse, share out the next runs) until a question is
//! answered.
//!
//! What is stored decides what comes next, nothing else: after each round the stored runs are
//! analysed as `stats` would, at the level of that look ([`crate::stats::sequential`]), and the
//! next round is written down beside them (`FILE.sweep.json`) before it is run. A sweep that was
//! stopped or killed therefore goes on with the same runs, on any number of threads. With
//! `--max-time` alone the clock has a say: it shortens a round.
//!
//! Where runs and history are kept, in a file or a collection: [`crate::store::rounds`].

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use console::Term;

use crate::analysis::statistic::Statistic;
use crate::analysis::{Analysis, Question};
use crate::cli::Global;
use crate::cli::until::UntilArgs;
use crate::commands::stop::nothing_left_to_lose;
use crate::commands::sweep::{progress_bar, say, stop_flag};
use crate::course::{Batch, Course, History, Look, Round, Sequence, batches_of};
use crate::error::{Error, Result};
use crate::export::finding;
use crate::format::{count, counted, duration, to_precision_of};
use crate::planning::progress::{FEWEST_LEVELS, Pursuit};
use crate::planning::{Planned, Strategy};
use crate::stats::sequential::Goal;
use crate::store::record::SweepRecord;
use crate::store::rounds::{RoundStore, Stored};
use crate::store::target::Target;
use crate::store::writer::Existing;
use crate::store::{self, Roles, Source};
use crate::sweep::{Run, SweepPlan};
use crate::train::kernel::Simd;
use crate::train::schedule::{self, Stretch};

/// What is to be found out, and how.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The runs to choose from: levels and settings. Its number of runs is not used.
    pub plan: SweepPlan,
    /// What ends the sweep, and how runs are shared out until then.
    pub pursuit: Pursuit,
    /// Stop there.
    pub max_runs: Option<u64>,
    /// Stop then.
    pub max_time: Option<Duration>,
    /// The column of the metric.
    pub metric: String,
    /// Confidence of the promise, references and margin.
    pub question: Question,
}

impl Ask {
    /// From the arguments, which must have a goal.
    pub fn of(arguments: &UntilArgs, goal: &Goal, plan: SweepPlan, metric: &str, question: Question) -> Self {
        let UntilArgs { max_runs, max_time, .. } = *arguments;
        let pursuit = Pursuit { goal: goal.clone(), strategy: arguments.strategy() };
        Self { plan, pursuit, max_runs, max_time, metric: metric.into(), question }
    }

    /// The swept factor.
    fn factor(&self) -> Result<&'static str> {
        let Pursuit { goal, strategy } = &self.pursuit;
        let usage = |reason: String| Err(Error::Usage { what: "goal", given: goal.to_string(), reason });
        let swept: Vec<&'static str> = self.plan.swept().collect();
        let [factor] = swept[..] else {
            return usage(format!("it needs one swept setting; swept are: {}", swept.join(", ")));
        };
        let names: Vec<&str> = self.question.references.iter().map(|reference| reference.name.as_str()).collect();
        if let Goal::Reference { name } = goal
            && !names.contains(&name.as_str())
        {
            return usage(format!("no reference has that name; there are: {}", names.join(", ")));
        }
        match strategy {
            Strategy::Minimum if matches!(goal, Goal::StandardError { .. }) => {
                usage("the strategy minimum is about the minimum alone".into())
            }
            Strategy::Minimum if self.question.statistic != Statistic::Mean => {
                usage("the strategy minimum is about means; choose another --strategy".into())
            }
            Strategy::Minimum if factor == "epochs" => {
                usage("whole epochs cannot be refined; choose another --strategy".into())
            }
            Strategy::Minimum if self.plan.levels() < FEWEST_LEVELS as u64 => {
                usage(format!("the strategy minimum needs at least {FEWEST_LEVELS} levels to begin with"))
            }
            _ => Ok(factor),
        }
    }

    /// The first round along `factor`.
    fn first_round(&self, factor: &str) -> Batch {
        self.pursuit.first_round(&self.plan.levels_of(factor))
    }
}

/// Makes runs into `target` until the goal is reached or a limit is.
///
/// # Errors
/// [`Error::Usage`] for a goal that does not fit the plan, [`Error::NotReached`] at a limit, after
/// everything is stored; [`Error::Interrupted`] after Ctrl-C; those of writing and analysing.
pub fn make(ask: &Ask, simd: Simd, target: &Target, existing: Existing, global: &Global) -> Result<History> {
    let mut session = Session::begin(ask, target, existing, simd, global)?;
    let end = loop {
        session.train()?;
        let analysis = session.look()?;
        // What was seen first: whoever sees the last run of a round finds it.
        session.write_down()?;
        session.deliver()?;
        match session.next(&analysis) {
            Ok(Next::Run(batches)) => session.push(batches)?,
            Ok(Next::End(end)) => break Ok(end),
            Err(e) => break Err(e),
        }
    };
    let history = session.finish()?;
    match end? {
        End::Reached => Ok(history),
        End::Limit(limit) => {
            let goal = &ask.pursuit.goal;
            Err(Error::NotReached { goal: goal.to_string(), found: known(goal, &history), limit })
        }
    }
}

/// What comes after a look.
enum Next {
    Run(Vec<Batch>),
    End(End),
}

enum End {
    Reached,
    Limit(&'static str),
}

/// A sweep that is going on.
struct Session<'a> {
    ask: &'a Ask,
    factor: &'static str,
    simd: Simd,
    global: &'a Global,
    target: &'a Target,
    history: History,
    course: Course,
    store: RoundStore<'a>,
    began: Instant,
    /// Runs made by this process.
    made: u64,
}

impl<'a> Session<'a> {
    fn begin(ask: &'a Ask, target: &'a Target, existing: Existing, simd: Simd, global: &'a Global) -> Result<Self> {
        let factor = ask.factor()?;
        let first = ask.first_round(factor);
        if let Some(max) = ask.max_runs.filter(|max| *max < first.total()) {
            let reason = format!("the first round alone takes {}", counted(first.total(), "run"));
            return Err(Error::Usage { what: "max-runs", given: max.to_string(), reason });
        }
        let fresh = || vec![Round { batches: vec![first.clone()], look: None }];
        let stored = Stored::at(target, &ask.plan, existing)?;
        let rounds = stored.history()?.map(|history| history.rounds).filter(|rounds| !rounds.is_empty());
        let Pursuit { goal, strategy } = &ask.pursuit;
        let with = |rounds| History { goal: goal.to_string(), strategy: strategy.name().into(), rounds };
        let mut history = with(rounds.unwrap_or_else(fresh));
        let mut course = history.course(&ask.plan, factor);
        let mut store = stored.open(&course)?;
        let last: u64 = history.rounds.last().map_or(0, |round| round.batches.iter().map(Batch::total).sum());
        if store.done() < course.total() - last {
            // Of the rounds written down, runs are missing: begin again, with what the first round
            // has.
            history = with(fresh());
            course = history.course(&ask.plan, factor);
            store = store.begin_again(&course)?;
        }
        if let Some(warning) = unkept(&ask.pursuit).filter(|_| !global.quiet) {
            say(&format!("warning: {warning}; --strategy minimum keeps the promise with a fraction of the runs"));
        }
        let session =
            Self { ask, factor, simd, global, target, history, course, store, began: Instant::now(), made: 0 };
        session.greet()?;
        session.write_down()?;
        Ok(session)
    }

    /// Says what is there already.
    fn greet(&self) -> Result<()> {
        if self.global.quiet {
            return Ok(());
        }
        let (there, target) = (self.target.documents()?.unwrap_or(0), self.target);
        if self.store.done() > 0 {
            let (round, done) = (self.history.rounds.len(), counted(self.store.done(), "run"));
            say(&format!("{target}: goes on in round {round} after {done}"));
        } else if there > 0 {
            let there = counted(there, "document");
            say(&format!("{target} holds {there} already; this sweep adds its own and looks at those alone"));
        }
        Ok(())
    }

    /// Stores what is to be run beside the runs.
    fn write_down(&self) -> Result<()> {
        self.store.write_down(&self.record())
    }

    /// Gives a collection what is new.
    fn deliver(&mut self) -> Result<()> {
        let record = self.record();
        self.store.deliver(&self.course, &record)
    }

    fn record(&self) -> SweepRecord {
        let threads = rayon::current_num_threads();
        let history = Some(self.history.clone());
        SweepRecord { history, ..SweepRecord::of_this_process(self.simd.name(), threads, self.course.total()) }
    }

    /// Makes the runs of the course that are not there yet.
    fn train(&mut self) -> Result<()> {
        let missing = self.store.done()..self.course.total();
        if missing.is_empty() {
            return Ok(());
        }
        let progress = progress_bar(missing.end, missing.start, self.global.quiet);
        let (store, done) = (&mut self.store, missing.start);
        let mut work = Stretch::new(missing, |runs: &[Run]| store.append(runs));
        let trained = schedule::train_plan(&self.course, &mut work, self.simd, stop_flag(), |runs| progress.inc(runs));
        progress.finish_and_clear();
        trained?;
        self.made += self.store.done() - done;
        let total = self.course.total();
        if stop_flag().load(Ordering::Relaxed) && self.store.done() < total {
            let path = self.store.journal().to_path_buf();
            return Err(Error::Interrupted { done: self.store.done(), total, path });
        }
        Ok(())
    }

    /// Analyses what is stored and notes what was seen.
    fn look(&mut self) -> Result<Analysis> {
        let number = self.history.rounds.len() as u32;
        let confidence = self.ask.pursuit.goal.confidence_of_look(number, self.ask.question.confidence);
        let roles = Roles::new(self.factor, self.ask.metric.clone());
        let table = store::read(&[Source::Path(self.store.journal().display().to_string())], &roles)?;
        let analysis = Analysis::of(table, &Question { confidence, ..self.ask.question.clone() })?;
        let look = self.ask.pursuit.look(&analysis);
        if !self.global.quiet {
            say(&self.line(number, &look, &analysis));
        }
        if let Some(round) = self.history.rounds.last_mut() {
            round.look = Some(look);
        }
        Ok(analysis)
    }

    /// A look in a line for the terminal, in several where it is narrow.
    fn line(&self, number: u32, look: &Look, analysis: &Analysis) -> String {
        let goal = &self.ask.pursuit.goal;
        let mut seen = format!("round {number}: {}", counted(look.runs, "run"));
        if let (Some(minimum), Some(lower), Some(upper)) = (look.minimum, look.lower, look.upper) {
            let rounded = |value| to_precision_of(value, (upper - lower) / 2.0);
            let optimum = analysis.goal.optimum();
            seen.push_str(&format!(", {optimum} at {} ({} to {})", rounded(minimum), rounded(lower), rounded(upper)));
        }
        if let Some(width) = look.width {
            seen.push_str(&format!(", {}", goal.describe(width)));
        }
        let named = |name: &String| analysis.references.iter().find(|result| result.reference.name == *name);
        let compared = match goal {
            Goal::Reference { name } => named(name).and_then(|result| finding::reference(analysis, result)),
            _ => None,
        };
        let parts: Vec<String> =
            [Some(seen), compared, Some(self.outlook(look, analysis))].into_iter().flatten().collect();
        let line = parts.join("; ");
        let terminal = Term::stderr();
        let is_narrow = terminal.is_term() && line.chars().count() > usize::from(terminal.size().1);
        if is_narrow { parts.join("\n  ") } else { line }
    }

    /// What is left to do.
    fn outlook(&self, look: &Look, analysis: &Analysis) -> String {
        if look.reached {
            return format!("{} is reached", self.ask.pursuit.goal);
        }
        let Some(runs) = self.ask.pursuit.remaining(analysis) else { return "too early to say how many more".into() };
        // Two digits: more would promise too much.
        let unit = 10u64.pow(runs.max(1).ilog10().saturating_sub(1));
        let time = self.speed().map_or_else(String::new, |speed| format!(", {}", duration(runs as f64 / speed)));
        format!("about {} left{time}", counted(runs.div_ceil(unit) * unit, "run"))
    }

    /// Runs a second; nothing before any was made.
    fn speed(&self) -> Option<f64> {
        (self.made > 0).then(|| self.made as f64 / self.began.elapsed().as_secs_f64().max(1e-3))
    }

    /// What to run next.
    fn next(&self, analysis: &Analysis) -> Result<Next> {
        if self.history.rounds.last().and_then(|round| round.look.as_ref()).is_some_and(|look| look.reached) {
            return Ok(Next::End(End::Reached));
        }
        let mut budget = self.ask.pursuit.budget(analysis);
        if let Some(max) = self.ask.max_runs {
            budget = budget.min(max.saturating_sub(self.course.total()));
            if budget == 0 {
                return Ok(Next::End(End::Limit("--max-runs")));
            }
        }
        if let Some(time) = self.ask.max_time {
            let left = time.saturating_sub(self.began.elapsed()).as_secs_f64();
            // A sweep that goes on does not know its speed before it has made some runs: as many as
            // the first round had.
            let first = || if left > 0.0 { self.ask.first_round(self.factor).total() } else { 0 };
            budget = budget.min(self.speed().map_or_else(first, |speed| (speed * left) as u64));
            if budget == 0 {
                return Ok(Next::End(End::Limit("--max-time")));
            }
        }
        let planned = self.ask.pursuit.next(analysis, budget)?;
        Ok(Next::Run(self.batches(&planned)))
    }

    /// The replicates that a plan asks for: those after the last that was made, which may have no
    /// finite metric and so not be counted by the analysis.
    fn batches(&self, planned: &Planned) -> Vec<Batch> {
        let all = || self.history.rounds.iter().flat_map(|round| &round.batches);
        let made = |level: f64| {
            let ends = all().filter(|batch| batch.levels.contains(&level)).map(|batch| batch.replicates.end);
            ends.max().unwrap_or(0)
        };
        let replicates = |made: u32, add: u64| made..u32::try_from(u64::from(made) + add).unwrap_or(u32::MAX);
        let additions = planned.allocation.iter().map(|level| (level.level, replicates(made(level.level), level.add)));
        batches_of(&additions.collect::<Vec<_>>())
    }

    fn push(&mut self, batches: Vec<Batch>) -> Result<()> {
        batches.iter().for_each(|batch| self.course.push(batch));
        self.history.rounds.push(Round { batches, look: None });
        self.write_down()
    }

    /// Puts the runs into their place.
    fn finish(self) -> Result<History> {
        let (closing, global) = (self.closing(), self.global);
        nothing_left_to_lose();
        self.store.finish()?;
        if !global.quiet {
            say(&closing);
        }
        Ok(self.history)
    }

    fn closing(&self) -> String {
        let (time, made) = (self.began.elapsed().as_secs_f64(), count(self.made));
        format!("{} in {}: {made} made in {time:.1} s", counted(self.course.total(), "run"), self.target)
    }
}

/// What speaks against a strategy for its goal; [`crate::stats::sequential`] has the simulations.
fn unkept(pursuit: &Pursuit) -> Option<&'static str> {
    match (&pursuit.goal, pursuit.strategy) {
        (Goal::Minimum { .. }, Strategy::RelativeError | Strategy::Neyman) => {
            Some("with runs shared out by their errors, fewer intervals than promised hold the minimum")
        }
        (Goal::Minimum { .. }, Strategy::Ocba) => {
            Some("ocba puts its runs at the best level, which says little of a place between levels")
        }
        _ => None,
    }
}

/// What was known when a sweep ended without its goal.
fn known(goal: &Goal, history: &History) -> String {
    let width = history.rounds.iter().rev().find_map(|round| round.look.as_ref()).and_then(|look| look.width);
    let known = width.map_or("undecided".into(), |width| goal.describe(width));
    format!("{known} after {}", counted(history.runs(), "run"))
}
