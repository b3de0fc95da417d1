//! An endpoint that answers from a script and writes down what it is sent. Nothing leaves the process.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aloka_core::api::Service;
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::cases::Case;
use crate::driver::aws::{AwsClient, Settings, loader};

/// What the endpoint does with a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Answers with this status and body.
    Http(u16, String),
    /// Takes the request and says nothing in time.
    Timeout,
    /// Breaks the connection.
    Broken,
    /// Never answers.
    Silence,
}

impl Answer {
    /// The success a case has, in the envelope of its service.
    pub(super) fn of(case: &Case) -> Self {
        let (name, body) = (case.operation.name(), &case.answer);
        Self::Http(
            200,
            match case.operation.service() {
                Service::Ec2 => format!("<{name}Response><requestId>r-1</requestId>{body}</{name}Response>"),
                Service::Rds | Service::Sts => {
                    format!("<{name}Response><{name}Result>{body}</{name}Result></{name}Response>")
                }
                Service::Ssm if body.is_empty() => "{}".to_owned(),
                Service::Ssm => body.clone().into_owned(),
            },
        )
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) host: String,
    /// AWS's name of the operation.
    pub(super) action: String,
    /// `name=value`, decoded and sorted, without action and version.
    pub(super) parameters: Vec<String>,
}

/// The endpoint.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Wire {
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), seen: Arc::default() }
    }

    /// A client as [`AwsClient::connect`] makes it, but for connections and credentials.
    pub(super) async fn client(&self) -> AwsClient {
        let connector = SharedHttpConnector::new(self.clone());
        let settings = Settings { region: "us-east-1".to_owned(), profile: None };
        let config = loader(&settings)
            .empty_test_environment()
            .credentials_provider(Credentials::for_tests())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .load()
            .await;
        AwsClient::from_config(&config)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic holds it").clone()
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.seen.lock().expect("no panic holds it").push(read(&request));
        let answer = self.answers.lock().expect("no panic holds it").pop_front();
        HttpConnectorFuture::new(async move {
            match answer.unwrap_or(Answer::Broken) {
                Answer::Http(status, body) => {
                    let status = status.try_into().expect("a status");
                    Ok(HttpResponse::new(status, SdkBody::from(body)))
                }
                Answer::Timeout => Err(ConnectorError::timeout("no answer".into())),
                Answer::Broken => Err(ConnectorError::io("connection reset by peer".into())),
                Answer::Silence => std::future::pending().await,
            }
        })
    }
}

fn read(request: &HttpRequest) -> Seen {
    let body = String::from_utf8(request.body().bytes().expect("in memory").to_vec()).expect("text");
    let url = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let host = url.split('/').next().unwrap_or_default().to_owned();
    if let Some(target) = request.headers().get("x-amz-target") {
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&body).expect("an object");
        let line = |(key, value): (&String, &serde_json::Value)| format!("{key}={}", value.as_str().expect("a text"));
        return Seen { host, action, parameters: fields.iter().map(line).collect() };
    }
    let mut pairs: Vec<_> = body.split('&').map(decode).collect();
    let at = pairs.iter().position(|pair| pair.starts_with("Action=")).expect("an action");
    let action = pairs.remove(at)["Action=".len()..].to_owned();
    pairs.retain(|pair| !pair.starts_with("Version="));
    pairs.sort();
    Seen { host, action, parameters: pairs }
}

/// Undoes the encoding of URLs.
fn decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let hex = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
                u8::from_str_radix(std::str::from_utf8(&hex).expect("text"), 16).expect("hexadecimal")
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).expect("text")
}

/// Runs a test to its end.
pub(super) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(test);
}
