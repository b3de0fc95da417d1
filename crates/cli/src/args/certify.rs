//! `aloka certify`

use std::path::PathBuf;

use aloka_sim::audit::Usd;
use clap::Args;

/// `aloka certify`
#[derive(Debug, Args)]
pub struct CertifyArgs {
    /// The account to do it in: the one whose credentials are used, and no other
    #[arg(long, value_name = "ID", required = true)]
    pub account: String,
    /// US dollars that it may cost at most, such as 1.50; if more is foretold, nothing is done
    #[arg(long, value_name = "USD", value_parser = parse_usd, required = true)]
    pub max_cost: Usd,
    /// Name of the project; the account must hold nothing of it
    #[arg(long, value_name = "NAME", default_value = "aloka-certify")]
    pub project: String,
    /// Region
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub region: String,
    /// Profile of the AWS configuration files; without it, the default credentials
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Where state, receipts and logs go; a new or empty directory [default: .aloka/certify/NAME]
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Draw from this seed when runs are killed; without it, a new one, which is told
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Do not ask before anything is made
    #[arg(long)]
    pub auto_approve: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// Reads `1`, `1.5`, `0.25`.
fn parse_usd(text: &str) -> Result<Usd, String> {
    const DIGITS: usize = 12;
    let wrong = || format!("`{text}` is not an amount of US dollars; write it as 1.50");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.len() <= DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) {
        return Err(wrong());
    }
    let digits = format!("{whole}{part:0<DIGITS$}");
    digits.parse().map(|pico| Usd { pico }).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_amounts() {
        for (text, pico) in [("1", 1_000_000_000_000), ("1.50", 1_500_000_000_000), ("0.000000000001", 1), ("0", 0)] {
            assert_eq!(parse_usd(text).map(|usd| usd.pico), Ok(pico), "{text}");
        }
        for text in ["", ".5", "5.", "-1", "1e3", "1,5", "0.0000000000001", "9999999999999"] {
            assert!(parse_usd(text).is_err(), "{text}");
        }
    }
}
