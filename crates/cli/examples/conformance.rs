//! The scenarios of the simulator, through the AWS driver, on an emulator: a wrong rule of the simulated account or a wrong
//! mapping in the driver shows as a difference that is not listed.
//!
//! `conformance localstack|moto [TEXT]`, with the endpoint in `ALOKA_TEST_ENDPOINT`; with TEXT only scenarios whose names
//! contain it. Exits with 1 if anything differs that is not listed in `crates/sim/scenarios/differences.json`, or is listed
//! and does not differ.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aloka::driver::aws::AwsClient;
use aloka_core::api::{ApiError, Reply, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::value::Value;
use aloka_sim::rules::Rule;
use aloka_sim::scenario::difference::{Emulator, judge, without_names};
use aloka_sim::scenario::{Cloud, Failed, Ran, Scenario, Setting, library, run};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use tokio::runtime::Runtime;

/// The name under which the driver gets a password that a scenario writes down.
const PASSWORD: &str = "password_of_the_scenario";

/// An emulator, as one account sees it.
struct Remote {
    runtime: Runtime,
    client: AwsClient,
    secrets: Secrets,
}

impl Remote {
    fn connect(endpoint: &str, account: &str) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new(account, "test", None, None, "conformance"));
        let client = runtime.block_on(async {
            AwsClient::from_config(&AwsClient::https(config).expect("a usable proxy").load().await)
        });
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse"));
        Ok(Self { runtime, client, secrets })
    }
}

impl Cloud for Remote {
    /// The driver takes passwords by name only; scenarios may write theirs down, as they guard nothing.
    fn call(&mut self, request: &Request) -> Reply {
        let mut request = request.clone();
        if let Some(password) = request.0.args.get_mut("MasterUserPassword")
            && let Some(text) = password.as_str().map(str::to_owned)
        {
            self.secrets.insert(PASSWORD, Secret::new(text));
            *password = Value::Secret(PASSWORD.into());
        }
        self.runtime.block_on(self.client.send(&request, &self.secrets))
    }

    fn dry_run(&mut self, _request: &Request) -> Option<ApiError> {
        None
    }

    /// Two more looks: what an emulator does not show at once, it never shows.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Emulators are done at once.
    fn wait(&mut self, _time: Duration) {}

    fn set(&mut self, setting: Setting<'_>) -> Result<(), String> {
        Err(format!("an emulator has no such setting: {setting:?}"))
    }

    fn refused_by(&self) -> Option<&'static Rule> {
        None
    }
}

/// Empties moto, which has one account.
fn reset(endpoint: &str) -> std::io::Result<()> {
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST /moto-api/reset HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        _ => Err(std::io::Error::other(format!("moto was not reset: {answer}"))),
    }
}

fn on(emulator: Emulator, endpoint: &str, number: usize, scenario: &Scenario) -> std::io::Result<Result<Ran, Failed>> {
    // LocalStack takes twelve digits for an account of their own.
    let account = format!("{:012}", 700_000_000_000 + number);
    if emulator == Emulator::Moto {
        reset(endpoint)?;
    }
    Ok(run(scenario, &mut Remote::connect(endpoint, &account)?))
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let emulator = match args.next().as_deref() {
        Some("localstack") => Emulator::LocalStack,
        Some("moto") => Emulator::Moto,
        Some(_) | None => return usage(),
    };
    let wanted = args.next().unwrap_or_default();
    let Ok(endpoint) = std::env::var("ALOKA_TEST_ENDPOINT") else { return usage() };
    let library = match library() {
        Ok(library) => library,
        Err(error) => return fail(&error.to_string()),
    };

    let began = Instant::now();
    let portable = library.scenarios.iter().filter(|scenario| scenario.is_portable());
    let mut results = Vec::new();
    for (number, scenario) in portable.filter(|scenario| scenario.name.contains(&wanted)).enumerate() {
        match on(emulator, &endpoint, number, scenario) {
            Ok(result) => {
                if let Err(failed) = &result {
                    eprintln!("{}\t{}\t{failed}", scenario.name, without_names(&failed.got));
                }
                results.push((scenario.name.clone(), result));
            }
            Err(error) => return fail(&format!("{endpoint}: {error}")),
        }
    }
    // Of scenarios that did not run nothing is known.
    let mut differences = library.differences.clone();
    for difference in &mut differences {
        difference.cases.retain(|case| case.scenario.contains(&wanted));
    }
    let problems = judge(emulator, &results, &differences);
    for problem in &problems {
        println!("{problem}");
    }
    let calls: usize = results.iter().filter_map(|(_, result)| Some(result.as_ref().ok()?.calls)).sum();
    let as_said = results.iter().filter(|(_, result)| result.is_ok()).count();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{emulator}: {} of {} scenarios in {seconds:.0} s; {as_said} go as they say ({calls} calls), {} differ, {} not as listed",
        results.len(),
        library.scenarios.len(),
        results.len() - as_said,
        problems.len(),
    );
    if results.is_empty() { fail("no scenario ran") } else { ExitCode::from(u8::from(!problems.is_empty())) }
}

fn usage() -> ExitCode {
    fail("conformance localstack|moto [TEXT], with ALOKA_TEST_ENDPOINT set (localstack/emulator run -- ...)")
}

fn fail(message: &str) -> ExitCode {
    eprintln!("conformance: {message}");
    ExitCode::from(2)
}
