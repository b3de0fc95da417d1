//! What errors become, and that a request is sent once.

use std::time::Duration;

use aloka_core::api::{ApiError, Call, Ec2, ErrorClass, Rds, Request, Ssm, Sts};
use aloka_core::secret::Secrets;
use aloka_core::value::Value;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

use super::wire::{Answer, Wire, run};
use crate::driver::aws::{ATTEMPT_TIMEOUT, AwsClient, CONNECT_TIMEOUT, Settings, loader};

fn ec2() -> Request {
    Request(Call::new(Ec2::DeleteVpc, [("VpcId", Value::str("vpc-1"))]))
}

fn rds() -> Request {
    Request(Call::new(Rds::DescribeDBInstances, [("DBInstanceIdentifier", Value::str("db"))]))
}

fn ssm() -> Request {
    Request(Call::new(Ssm::GetParameter, [("Name", Value::str("/aws/x"))]))
}

fn sts() -> Request {
    Request(Call::new(Sts::GetCallerIdentity, []))
}

fn body(request: &Request, code: &str) -> String {
    match request.operation().service().prefix() {
        "ec2" => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>why</Message></Error></Errors><RequestID>r</RequestID></Response>"
        ),
        "ssm" => format!(r#"{{"__type":"{code}","message":"why"}}"#),
        _ => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>why</Message></Error></ErrorResponse>"
        ),
    }
}

/// The error of the request, which must have been sent exactly once.
async fn error(request: &Request, answer: Answer) -> ApiError {
    // Whoever tries again gets a success, which is no error.
    let wire = Wire::new([answer, Answer::Http(200, "<R/>".to_owned()), Answer::Http(200, "<R/>".to_owned())]);
    let error = wire.client().await.send(request, &Secrets::default()).await.expect_err("the first answer is an error");
    assert_eq!(wire.seen().len(), 1, "{request} was sent more than once");
    error
}

/// AWS answers that all is well, and lists what is not.
#[test]
fn what_is_listed_as_unsuccessful_is_an_error() {
    let request = Request(Call::new(Ec2::DeleteVpcEndpoints, [("VpcEndpointIds", Value::list(["vpce-1"]))]));
    let item = "<DeleteVpcEndpointsResponse><unsuccessful><item><resourceId>vpce-1</resourceId><error><code>InvalidVpcEndpointId.NotFound</code>\
                <message>it is gone</message></error></item></unsuccessful></DeleteVpcEndpointsResponse>";
    run(async {
        let error = error(&request, Answer::Http(200, item.to_owned())).await;
        let expected = ("InvalidVpcEndpointId.NotFound", "it is gone", ErrorClass::NotFound);
        assert_eq!((error.code.as_str(), error.message.as_str(), error.class), expected);
    });
}

#[test]
fn answers_keep_code_and_message_and_are_sent_once() {
    use ErrorClass as E;
    let table: &[(Request, u16, &str, ErrorClass)] = &[
        (ec2(), 503, "RequestLimitExceeded", E::Throttled),
        (ec2(), 400, "Throttling", E::Throttled),
        (rds(), 400, "Throttling", E::Throttled),
        (ssm(), 400, "ThrottlingException", E::Throttled),
        (sts(), 400, "Throttling", E::Throttled),
        (ec2(), 400, "InvalidVpcID.NotFound", E::NotFound),
        (rds(), 404, "DBInstanceNotFound", E::NotFound),
        (ssm(), 400, "ParameterNotFound", E::NotFound),
        (ec2(), 403, "UnauthorizedOperation", E::Unauthorized),
        (rds(), 403, "AccessDenied", E::Unauthorized),
        (ssm(), 400, "AccessDeniedException", E::Unauthorized),
        (ec2(), 400, "OperationNotPermitted", E::Refused),
        (ec2(), 401, "AuthFailure", E::Credentials),
        (sts(), 403, "ExpiredToken", E::Credentials),
        (sts(), 403, "InvalidClientTokenId", E::Credentials),
        (ec2(), 400, "DependencyViolation", E::Conflict),
        (ec2(), 500, "InternalError", E::Unknown),
        (rds(), 500, "InternalFailure", E::Unknown),
        (ssm(), 500, "InternalServerError", E::Unknown),
        (ec2(), 503, "Unavailable", E::Unknown),
        (ec2(), 503, "ServiceUnavailable", E::Unknown),
        (rds(), 500, "SomethingNew", E::Unknown),
        (ec2(), 501, "InternalFailure", E::NotImplemented),
        (ssm(), 501, "InternalFailure", E::NotImplemented),
        (ec2(), 400, "InvalidAction", E::NotImplemented),
        (ec2(), 400, "InvalidParameterValue", E::Refused),
    ];
    run(async {
        for (request, status, code, class) in table {
            let error = error(request, Answer::Http(*status, body(request, code))).await;
            let expected = ApiError { code: (*code).to_owned(), message: "why".to_owned(), class: *class };
            assert_eq!(error, expected, "{request}");
        }
    });
}

/// Proxies, load balancers and emulators answer with pages of their own.
#[test]
fn answers_that_are_not_from_aws_are_classed_by_status() {
    use ErrorClass as E;
    let page = "<html><body>Bad Gateway</body></html>";
    let table = [
        (200, "", E::Unknown),
        (200, "not even XML", E::Unknown),
        (200, page, E::Unknown),
        (302, page, E::Refused),
        (307, "", E::Refused),
        (400, page, E::Refused),
        (403, page, E::Refused),
        (404, page, E::Refused),
        (408, page, E::Unknown),
        (429, page, E::Throttled),
        (500, page, E::Unknown),
        (501, page, E::NotImplemented),
        (502, page, E::Unknown),
        (503, "", E::Unknown),
        (504, "gateway timeout", E::Unknown),
    ];
    run(async {
        for (status, body, class) in table {
            for request in [rds(), sts()] {
                let error = error(&request, Answer::Http(status, body.to_owned())).await;
                assert_eq!(error.class, class, "{status} {body:?}: {error}");
                assert!(error.message.contains(&status.to_string()), "{error} does not tell {status}");
                let is_stranger = body == page || (300..400).contains(&status);
                assert_eq!(error.message.contains("not AWS answered"), is_stranger, "{error}");
                // An outage is what may pass by itself.
                assert_eq!(error.is_outage(), status >= 500 && status != 501, "{error}");
            }
        }
    });
}

#[test]
fn no_answer_is_an_unknown_outcome() {
    run(async {
        for request in [ec2(), rds(), ssm(), sts()] {
            let error = error(&request, Answer::Timeout).await;
            assert_eq!((&*error.code, error.class), ("Timeout", ErrorClass::Unknown), "{error}");
        }
        for request in [ec2(), rds(), ssm(), sts()] {
            let error = error(&request, Answer::Broken).await;
            assert_eq!((&*error.code, error.class), ("ConnectionError", ErrorClass::Unknown), "{error}");
            assert!(error.message.contains("connection reset by peer"), "{error}");
        }
    });
}

#[test]
fn a_silent_endpoint_is_given_up_after_the_attempt_timeout() {
    run(async {
        let wire = Wire::new([Answer::Silence]);
        let mut client = wire.client().await;
        let config = client.ec2.config().to_builder();
        let timeouts = client.ec2.config().timeout_config().expect("set").clone();
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        // A deadline that a test can wait for.
        let timeouts = timeouts.to_builder().operation_attempt_timeout(Duration::from_millis(20)).build();
        client.ec2 = aws_sdk_ec2::Client::from_conf(config.timeout_config(timeouts).build());
        let error = client.send(&ec2(), &Secrets::default()).await.expect_err("silence");
        assert_eq!((&*error.code, error.class), ("Timeout", ErrorClass::Unknown), "{error}");
        assert_eq!(wire.seen().len(), 1);
    });
}

#[derive(Debug)]
struct Broken(fn() -> CredentialsError);

impl ProvideCredentials for Broken {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0()))
    }
}

#[test]
fn without_credentials_nothing_is_sent_and_the_error_says_so() {
    let reasons: [fn() -> CredentialsError; 3] = [
        CredentialsError::not_loaded_no_source,
        || CredentialsError::invalid_configuration("the profile stage was not defined"),
        || CredentialsError::provider_error("the SSO session has expired"),
    ];
    run(async {
        for reason in reasons {
            let wire = Wire::new([]);
            let connector = SharedHttpConnector::new(wire.clone());
            let settings = Settings { region: "us-east-1".to_owned(), profile: None };
            let config = loader(&settings)
                .empty_test_environment()
                .credentials_provider(Broken(reason))
                .http_client(http_client_fn(move |_, _| connector.clone()))
                .load()
                .await;
            let client = AwsClient::from_config(&config);
            for request in [ec2(), rds(), ssm(), sts()] {
                let error = client.send(&request, &Secrets::default()).await.expect_err("no credentials");
                assert_eq!((&*error.code, error.class), ("NoCredentials", ErrorClass::Credentials), "{error}");
                assert!(error.message.starts_with(&reason().to_string()), "{error} does not tell {}", reason());
            }
            assert!(wire.seen().is_empty());
        }
    });
}
