//! `initsweep`: parse what the user typed, run the command, turn an error into a message and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use initsweep::cli::{Cli, Command};
use initsweep::commands;
use initsweep::error::Error;
use initsweep::format::printable;
use initsweep::provenance::without_secrets;

fn main() -> ExitCode {
    let cli = Cli::parse_or_exit();
    if let Some(threads) = cli.global.threads {
        // Fails only if a pool exists already, which nothing before this line makes.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
    }
    match dispatch(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(cli: &Cli) -> Result<(), Error> {
    match &cli.command {
        Command::Run(arguments) => commands::run::run(arguments, &cli.global),
        Command::Init(arguments) => commands::init::run(arguments, &cli.global),
        Command::Sweep(arguments) => commands::sweep::run(arguments, &cli.global),
        Command::Report(arguments) => commands::report::run(arguments, &cli.global),
        Command::Plot(arguments) => commands::plot::run(arguments, &cli.global),
        Command::Stats(arguments) => commands::stats::run(arguments, &cli.global),
        Command::Watch(arguments) => commands::watch::run(arguments, &cli.global),
        Command::Compare(arguments) => commands::compare::run(arguments, &cli.global),
        Command::Replay(arguments) => commands::replay::run(arguments, &cli.global),
        Command::Verify(arguments) => commands::verify::run(arguments, &cli.global),
        Command::Copy(arguments) => commands::copy::run(arguments, &cli.global),
        Command::Plan(arguments) => commands::plan::run(arguments, &cli.global),
        Command::Train(arguments) => commands::train::run(arguments, &cli.global),
    }
}

/// `error: …`, its causes, then a hint. A reader that closed the pipe is a normal end and gets no message.
fn report(error: &Error) {
    if error.exit_code() == 0 {
        return;
    }
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let message = causes.fold(format!("error: {error}"), |message, cause| format!("{message}: {cause}"));
    let hint = error.hint().map_or_else(String::new, |hint| format!("\n  hint: {hint}"));
    let message = without_secrets(&message);
    // If standard error is closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{}{hint}", printable(&message));
}
