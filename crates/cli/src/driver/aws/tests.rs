//! Every operation against a scripted endpoint: what goes over the wire, and what becomes of the answer.

mod cases;
mod cases_attachment;
mod cases_ec2;
mod cases_endpoint;
mod cases_instance;
mod cases_rds;
mod endpoints;
mod errors;
mod fields;
mod pages;
mod profiles;
mod wire;

use std::collections::BTreeSet;

use aloka_core::address::Address;
use aloka_core::api::{Args, Call, Ec2, ErrorClass, Operation, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::value::Value;

use self::cases::{Case, cases};
use self::wire::{Answer, Wire};

const PASSWORD: &str = "p4ss&word/=+";

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(PASSWORD));
    secrets
}

/// The request a case sends; its arguments are as in a plan file.
fn request(case: &Case) -> Request {
    let call = serde_json::json!({"operation": case.operation.to_string(), "args": case.args});
    Request(serde_json::from_value(call).expect("the arguments of the case are a call"))
}

#[test]
fn the_cases_cover_every_operation_and_every_parameter() {
    let covered: BTreeSet<_> = cases().iter().map(|case| case.operation).collect();
    let missing: Vec<_> = Operation::ALL.iter().filter(|operation| !covered.contains(operation)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    for operation in Operation::ALL {
        let cases: Vec<_> = cases().into_iter().filter(|case| case.operation == *operation).collect();
        for parameter in operation.parameters() {
            let used = cases.iter().any(|case| case.args.get(parameter.name).is_some());
            assert!(used, "no case of {operation} has {}", parameter.name);
        }
    }
}

#[test]
fn requests_and_answers_are_translated() {
    wire::run(async {
        for case in cases() {
            let request = request(&case);
            assert_eq!(request.0.check(), Ok(()), "{request}");
            let wire = Wire::new([Answer::of(&case)]);
            let reply = wire.client().await.send(&request, &secrets()).await;

            let seen = wire.seen();
            assert_eq!(seen.len(), 1, "{request}: {reply:?}");
            assert_eq!(seen[0].action, case.operation.name());
            assert_eq!(seen[0].host, format!("{}.us-east-1.amazonaws.com", case.operation.service().prefix()));
            let mut sent: Vec<_> = case.sent.iter().map(|&line| line.to_owned()).collect();
            sent.sort();
            assert_eq!(seen[0].parameters, sent, "{request}");
            assert_eq!(reply, Ok(Value::from(case.reply)), "{request}");
        }
    });
}

/// Whoever created something must learn what.
#[test]
fn empty_answers_to_creating_operations_are_unknown_outcomes() {
    wire::run(async {
        for mut case in cases().into_iter().filter(|case| case.operation.is_creating()) {
            case.answer = "".into();
            let wire = Wire::new([Answer::of(&case)]);
            let reply = wire.client().await.send(&request(&case), &secrets()).await;
            let error = reply.expect_err("nothing was created");
            assert_eq!((&*error.code, error.class), ("UnreadableAnswer", ErrorClass::Unknown), "{}", case.operation);
        }
    });
}

#[test]
fn a_request_that_is_not_right_is_refused_and_not_sent() {
    let address: Address = serde_json::from_value(serde_json::json!("aws_vpc.this")).expect("an address");
    let odd = [
        Value::Null,
        Value::str("text"),
        Value::Bool(true),
        Value::from(7),
        Value::from(1_i64 << 40),
        Value::list(["text"]),
        Value::list([1, 2]),
        Value::map([("unknown", Value::EMPTY_LIST)]),
        Value::map([("unknown", "text")]),
        Value::list([Value::map([("unknown", "text")])]),
        Value::reference(address, "id"),
        Value::Secret("other".into()),
        Value::Secret(DB_PASSWORD.into()),
    ];
    wire::run(async {
        for case in cases() {
            let right = request(&case);
            let good = |name: &str, value: &Value| {
                let like = right.arg(name);
                match (like, value) {
                    (Value::Str(_), Value::Str(_))
                    | (Value::Bool(_), Value::Bool(_))
                    | (Value::Secret(_), Value::Secret(_)) => {
                        !matches!(value, Value::Secret(key) if &**key != DB_PASSWORD)
                    }
                    (Value::Number(_), number @ Value::Number(_)) => number.as_i64() == Some(7),
                    (Value::List(items), Value::List(odd)) => {
                        items.iter().all(|v| v.as_str().is_some()) && odd.iter().all(|v| v.as_str().is_some())
                    }
                    (Value::Map(_), Value::Map(map)) => {
                        let texts = map.values().all(|v| v.as_str().is_some());
                        let lists = map.values().all(|v| v.as_list().is_some());
                        name == "Tags" && texts || name == "Filters" && lists
                    }
                    _ => false,
                }
            };
            let mut wrong: Vec<(String, Args)> = Vec::new();
            for parameter in case.operation.parameters() {
                for value in odd.iter().filter(|value| !good(parameter.name, value)) {
                    let mut args = right.0.args.clone();
                    if args.contains_key(parameter.name) {
                        args.insert(parameter.name, value.clone());
                        wrong.push((format!("{} = {value}", parameter.name), args));
                    }
                }
                if parameter.required {
                    let mut args = right.0.args.clone();
                    args.remove(parameter.name);
                    wrong.push((format!("no {}", parameter.name), args));
                }
            }
            let mut args = right.0.args.clone();
            args.insert("DryRun", Value::Bool(true));
            wrong.push(("unknown parameter".to_owned(), args));

            let wire = Wire::new([]);
            let client = wire.client().await;
            for (what, args) in wrong {
                let request = Request(Call { operation: case.operation, args });
                let reply = client.send(&request, &secrets()).await;
                let error = reply.expect_err(&format!("{} with {what} is wrong", case.operation));
                assert_eq!(
                    (&*error.code, error.class),
                    ("InvalidParameterValue", ErrorClass::Refused),
                    "{what}: {error}"
                );
            }
            assert!(wire.seen().is_empty(), "{}", case.operation);
        }
    });
}

#[test]
fn fields_within_objects_are_checked_too() {
    let ranges = |range: serde_json::Value| serde_json::json!([{"IpProtocol": "tcp", "IpRanges": [range]}]);
    let cases = [
        (
            ranges(serde_json::json!({"CidrIp": 10})),
            "AuthorizeSecurityGroupIngress.IpPermissions.0.IpRanges.0.CidrIp is 10",
        ),
        (ranges(serde_json::json!({"Cidr": "10.0.0.0/8"})), "IpPermissions.0.IpRanges.0 has no field Cidr"),
        (serde_json::json!([{"Protocol": "tcp"}]), "IpPermissions.0 has no field Protocol"),
        (serde_json::json!([{"FromPort": "80"}]), "IpPermissions.0.FromPort is \"80\", not a whole number"),
        (serde_json::json!([{}, 3]), "IpPermissions is [{}, 3], not a list of objects"),
    ];
    wire::run(async {
        for (permissions, message) in cases {
            let args = [("GroupId", Value::str("sg-1")), ("IpPermissions", permissions.into())];
            let wire = Wire::new([]);
            let request = Request(Call::new(Ec2::AuthorizeSecurityGroupIngress, args));
            let error = wire.client().await.send(&request, &secrets()).await.expect_err("wrong");
            assert!(error.message.contains(message), "{error}");
            assert!(wire.seen().is_empty());
        }
    });
}

/// A permission read from a reply can be sent as it is, to revoke it.
#[test]
fn permissions_survive_the_way_there_and_back() {
    use aws_sdk_ec2::types::IpPermission;
    let case = cases_ec2::permissions();
    let secrets = Secrets::default();
    let args = [("GroupId", Value::str("sg-1")), ("IpPermissions", Value::from(case))];
    let request = Request(Call::new(Ec2::RevokeSecurityGroupEgress, args));
    let input = super::input::Input::of_request(&request, &secrets).expect("right");
    let sdk: Vec<IpPermission> = super::convert::permissions(&input).expect("right").expect("there");
    let back = Value::List(sdk.iter().map(super::convert::permission).collect());
    assert_eq!(&back, request.arg("IpPermissions"));
}

#[test]
fn secrets_are_sent_but_never_told() {
    wire::run(async {
        for case in cases().into_iter().filter(|case| case.args.get("MasterUserPassword").is_some()) {
            // Like an endpoint that quotes the request.
            let quoting = format!(
                "<ErrorResponse><Error><Code>InvalidParameterValue</Code><Message>{} is too weak</Message></Error></ErrorResponse>",
                PASSWORD.replace('&', "&amp;"),
            );
            let wire = Wire::new([Answer::Http(400, quoting)]);
            let error = wire.client().await.send(&request(&case), &secrets()).await.expect_err("refused");
            assert_eq!(error.message, "(sensitive) is too weak");

            let wire = Wire::new([]);
            let error = wire.client().await.send(&request(&case), &Secrets::default()).await.expect_err("no secret");
            assert_eq!(error.class, ErrorClass::Refused);
            assert!(error.message.contains(DB_PASSWORD), "{error}");

            let mut plain = request(&case);
            plain.0.args.insert("MasterUserPassword", Value::str(PASSWORD));
            let error = wire.client().await.send(&plain, &secrets()).await.expect_err("not a secret's name");
            assert_eq!(error.class, ErrorClass::Refused);
            assert!(!error.message.contains(PASSWORD), "{error}");
            assert!(wire.seen().is_empty());
        }
    });
}

/// The loop holds many requests at once, and a debug build copies what it holds again and again.
#[test]
fn a_request_in_flight_is_small() {
    wire::run(async {
        let wire = Wire::new([]);
        let (client, request, secrets) = (wire.client().await, request(&cases()[0]), secrets());
        let size = size_of_val(&client.send(&request, &secrets));
        assert!(size <= 1024, "{size} bytes");
    });
}
