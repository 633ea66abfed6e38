//! `--until`: runs in rounds (run, store, analyse, share out the next runs) until a question is answered.
//!
//! What is stored decides what comes next, nothing else: after each round the stored runs are analysed as `stats` would, at the
//! level of that look ([`crate::stats::sequential`]), and the next round is written down beside them (`FILE.sweep.json`) before it
//! is run. A sweep that was stopped or killed therefore goes on with the same runs, on any number of threads. With `--max-time`
//! alone the clock has a say: it shortens a round.
//!
//! **Collections.** Runs go through a file in the working folder, which the looks read, and after each round into the collection,
//! under the `_id` that any sweep would give them: what is there already is not stored twice, and other sweeps' runs do not bear on the
//! looks. At the end the file goes; the same sweep begun again makes its runs again, which takes seconds.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::analysis::statistic::Statistic;
use crate::analysis::{Analysis, Question};
use crate::cli::Global;
use crate::cli::until::UntilArgs;
use crate::commands::sweep::{progress_bar, say, stop_flag};
use crate::course::{Batch, Course, History, Look, Round, Sequence, batches_of};
use crate::error::{Error, Result};
use crate::format::{count, counted, significant, to_precision_of};
use crate::planning::progress::{FEWEST_LEVELS, Pursuit};
use crate::planning::{Planned, Strategy};
use crate::stats::sequential::Goal;
use crate::store::record::SweepRecord;
use crate::store::runs;
use crate::store::target::{RunStore, Target};
use crate::store::writer::{Existing, RunWriter};
use crate::store::{self, Columns, Source};
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
/// [`Error::Usage`] for a goal that does not fit the plan, [`Error::NotReached`] at a limit, after everything is stored;
/// [`Error::Interrupted`] after Ctrl-C; those of writing and analysing.
pub fn make(ask: &Ask, simd: Simd, target: &Target, existing: Existing, global: &Global) -> Result<History> {
    let mut session = Session::begin(ask, &target.journal(&ask.plan), existing, simd, global)?;
    let mut collection = Collection::of(target, existing, global)?;
    let end = loop {
        session.train()?;
        if let Some(collection) = &mut collection {
            collection.take(&session)?;
        }
        let analysis = session.look()?;
        match session.next(&analysis) {
            Ok(Next::Run(batches)) => session.push(batches)?,
            Ok(Next::End(end)) => break Ok(end),
            Err(e) => break Err(e),
        }
    };
    let history = match collection {
        Some(_) => session.discard(target)?,
        None => session.finish()?,
    };
    match end? {
        End::Reached => Ok(history),
        End::Limit(limit) => {
            Err(Error::NotReached { goal: ask.pursuit.goal.to_string(), found: finding(&history), limit })
        }
    }
}

/// A collection that gets the runs of every round.
struct Collection<'a> {
    target: &'a Target,
    existing: Existing,
    /// Batches that it has.
    taken: usize,
}

impl<'a> Collection<'a> {
    /// Nothing for a file. Says what is there already.
    fn of(target: &'a Target, existing: Existing, global: &Global) -> Result<Option<Self>> {
        let Some(there) = target.documents()? else { return Ok(None) };
        if there > 0 && !global.quiet {
            let there = counted(there, "document");
            say(&format!("{target} holds {there} already; this sweep adds its own and looks at those alone"));
        }
        Ok(Some(Self { target, existing, taken: 0 }))
    }

    /// Stores what `session` has made since the last time.
    fn take(&mut self, session: &Session) -> Result<()> {
        const AT_ONCE: usize = 10_000;
        for (rows, part) in session.course.parts().skip(self.taken) {
            let mut store = RunStore::open(self.target, &part, self.existing)?;
            // Once, unless a server loses what it has acknowledged.
            while !store.missing(&part.places)?.is_empty() {
                let (mut place, mut chunk) = (part.places.start, Vec::with_capacity(AT_ONCE));
                runs::each(session.writer.journal(), |row, run| {
                    if rows.contains(&(row - 1)) {
                        chunk.push(*run);
                    }
                    if chunk.len() == AT_ONCE || row == rows.end {
                        store.append(place, &chunk)?;
                        place += chunk.len() as u64;
                        chunk.clear();
                    }
                    Ok(())
                })?;
            }
            store.finish(&session.record())?;
            self.taken += 1;
        }
        Ok(())
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
    target: PathBuf,
    history: History,
    course: Course,
    writer: RunWriter,
    began: Instant,
    /// Runs made by this process.
    made: u64,
}

impl<'a> Session<'a> {
    fn begin(ask: &'a Ask, target: &Path, existing: Existing, simd: Simd, global: &'a Global) -> Result<Self> {
        let factor = ask.factor()?;
        let fresh = || Round { batches: vec![ask.first_round(factor)], look: None };
        let stored = SweepRecord::read(target).filter(|_| existing != Existing::Replace);
        let mut rounds = stored.and_then(|record| record.history).map(|history| history.rounds).unwrap_or_default();
        if rounds.is_empty() {
            rounds.push(fresh());
        }
        if let Some(max) = ask.max_runs.filter(|max| *max < ask.first_round(factor).total()) {
            let reason = format!("the first round alone takes {}", counted(ask.first_round(factor).total(), "run"));
            return Err(Error::Usage { what: "max-runs", given: max.to_string(), reason });
        }
        let Pursuit { goal, strategy } = &ask.pursuit;
        let with = |rounds| History { goal: goal.to_string(), strategy: strategy.name().into(), rounds };
        let mut history = with(rounds);
        let mut course = history.course(&ask.plan, factor);
        let mut writer = RunWriter::open(target, &course, existing)?;
        let last: u64 = history.rounds.last().map_or(0, |round| round.batches.iter().map(Batch::total).sum());
        if writer.done() < course.total() - last {
            // Of the rounds written down, runs are missing: begin again, with what the first round has.
            drop(writer);
            history = with(vec![fresh()]);
            course = history.course(&ask.plan, factor);
            writer = RunWriter::open(target, &course, Existing::Replace)?;
        }
        let (target, began) = (target.to_path_buf(), Instant::now());
        let session = Self { ask, factor, simd, global, target, history, course, writer, began, made: 0 };
        session.write_down()?;
        Ok(session)
    }

    /// Stores what is to be run beside the runs.
    fn write_down(&self) -> Result<()> {
        self.record().write(&self.target)
    }

    fn record(&self) -> SweepRecord {
        let threads = rayon::current_num_threads();
        let history = Some(self.history.clone());
        SweepRecord { history, ..SweepRecord::of_this_process(self.simd.name(), threads, self.course.total()) }
    }

    /// Makes the runs of the course that are not there yet.
    fn train(&mut self) -> Result<()> {
        let missing = self.writer.done()..self.course.total();
        if missing.is_empty() {
            return Ok(());
        }
        let progress = progress_bar(missing.end, missing.start, self.global.quiet);
        let (writer, done) = (&mut self.writer, missing.start);
        let mut work = Stretch::new(missing, |runs: &[Run]| writer.append(runs));
        let trained = schedule::train_plan(&self.course, &mut work, self.simd, stop_flag(), |runs| progress.inc(runs));
        progress.finish_and_clear();
        trained?;
        self.made += self.writer.done() - done;
        let total = self.course.total();
        if stop_flag().load(Ordering::Relaxed) && self.writer.done() < total {
            let path = self.writer.journal().to_path_buf();
            return Err(Error::Interrupted { done: self.writer.done(), total, path });
        }
        Ok(())
    }

    /// Analyses what is stored and notes what was seen.
    fn look(&mut self) -> Result<Analysis> {
        let number = self.history.rounds.len() as u32;
        let confidence = self.ask.pursuit.goal.confidence_of_look(number, self.ask.question.confidence);
        let columns = Columns { factor: self.factor.into(), metric: self.ask.metric.clone() };
        let table = store::read(&[Source::Path(self.writer.journal().display().to_string())], &columns)?;
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

    /// A look in a line, for the terminal.
    fn line(&self, number: u32, look: &Look, analysis: &Analysis) -> String {
        let goal = &self.ask.pursuit.goal;
        let mut text = format!("round {number}: {}", counted(look.runs, "run"));
        if let (Some(minimum), Some(lower), Some(upper)) = (look.minimum, look.lower, look.upper) {
            let rounded = |value| to_precision_of(value, (upper - lower) / 2.0);
            text.push_str(&format!(", minimum at {} ({} to {})", rounded(minimum), rounded(lower), rounded(upper)));
        }
        if let Some(width) = look.width {
            text.push_str(&format!(", ±{} %", significant(width * 100.0, 2)));
        }
        match self.ask.pursuit.remaining(analysis) {
            _ if look.reached => text.push_str(&format!("; {goal} is reached")),
            Some(runs) => {
                // Two digits: more would promise too much.
                let unit = 10u64.pow(runs.max(1).ilog10().saturating_sub(1));
                text.push_str(&format!("; about {} left", counted(runs.div_ceil(unit) * unit, "run")));
                if let Some(speed) = self.speed() {
                    text.push_str(&format!(", {} s", count((runs as f64 / speed) as u64 + 1)));
                }
            }
            None => text.push_str("; too early to say how many more"),
        }
        text
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
            budget = budget.min((self.speed().unwrap_or(f64::INFINITY) * left) as u64);
            if budget == 0 {
                return Ok(Next::End(End::Limit("--max-time")));
            }
        }
        let planned = self.ask.pursuit.next(analysis, budget)?;
        Ok(Next::Run(self.batches(&planned)))
    }

    /// The replicates that a plan asks for: those after the last that was made, which may have no finite metric and so not be
    /// counted by the analysis.
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
        self.write_down()?;
        let (closing, global) = (self.closing(&self.target.display().to_string()), self.global);
        self.writer.finish()?;
        if !global.quiet {
            say(&closing);
        }
        Ok(self.history)
    }

    /// Removes what is kept in files; the runs are at `target`.
    fn discard(self, target: &Target) -> Result<History> {
        if !self.global.quiet {
            say(&self.closing(&target.to_string()));
        }
        SweepRecord::remove(&self.target)?;
        self.writer.discard()?;
        Ok(self.history)
    }

    fn closing(&self, place: &str) -> String {
        let (time, made) = (self.began.elapsed().as_secs_f64(), count(self.made));
        format!("{} in {place}: {made} made in {time:.1} s", counted(self.course.total(), "run"))
    }
}

/// What was known when a sweep ended without its goal.
fn finding(history: &History) -> String {
    let look = history.rounds.iter().rev().find_map(|round| round.look.as_ref());
    let runs = look.map_or(0, |look| look.runs);
    match look.and_then(|look| look.width) {
        Some(width) => format!("±{} % after {}", significant(width * 100.0, 2), counted(runs, "run")),
        None => format!("undecided after {}", counted(runs, "run")),
    }
}
