//! The arguments of `watch`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use crate::cli::analyse::{FigureArgs, InquiryArgs};
use crate::cli::source::{FilterArgs, in_environment};
use crate::cli::value::seconds;
use crate::store::Source;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// files of runs, folders of them, quoted globs, templates, or MongoDB URIs [default:
    /// $MONGODB_URI]
    #[arg(required = !in_environment(), value_name = "SOURCE")]
    pub sources: Vec<Source>,
    /// Seconds between looks where no event tells of a change
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub interval: Duration,
    /// Serve the report to browsers at this address; open ones reload themselves. A port alone
    /// means this machine only
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    pub serve: Option<SocketAddr>,
    /// Which documents.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// What to ask of them.
    #[command(flatten)]
    pub inquiry: InquiryArgs,
    /// How it looks.
    #[command(flatten)]
    pub figure: FigureArgs,
}

/// `127.0.0.1:8080`, `localhost:8080` or `8080`.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    text.parse().map_err(|_| "expected ADDRESS:PORT, such as 127.0.0.1:8080, or a port".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_stays_on_this_machine() {
        let of = |text| address(text).map(|address| address.to_string());
        assert_eq!(of("8080"), Ok("127.0.0.1:8080".into()));
        assert_eq!(of("localhost:0"), Ok("127.0.0.1:0".into()));
        assert_eq!(of("0.0.0.0:80"), Ok("0.0.0.0:80".into()));
        assert_eq!(of("[::1]:80"), Ok("[::1]:80".into()));
        assert!(of("example.org:80").is_err() && of("70000").is_err());
    }
}
