//! Reads through an outage, and operations of a service that the engine knows nothing of.

use super::*;
use crate::address::Address;
use crate::api::Ec2;
use crate::api::scaling::{ANY, Scaling};
use crate::engine::Outcome;
use crate::kind::Kind;
use crate::plan::reads::read_node;
use crate::state::State;

/// How often a read is sent, and when its last answer came, if for `seconds` it is answered by this error.
fn reads_through(error: &ApiError, seconds: u64) -> (u32, Duration, Reply) {
    let call = Call::new(Ec2::DescribeVpcs, []);
    let step = Step::Call { call, save: Save::Nothing, recover: None, way_back: None };
    let mut now = Instant::ZERO;
    let node = read_node(Address::root(Kind::Vpc, "any"), step);
    let mut executor = Executor::new([node], State::new("one"), now);
    let mut sent = 0;
    for _ in 0..1000 {
        for effect in executor.poll(now) {
            let Effect::Send { ticket, .. } = effect else { panic!("a read writes nothing") };
            sent += 1;
            let is_over = now.since(Instant::ZERO) >= Duration::from_secs(seconds);
            let reply = if is_over { Ok(Value::map::<&str, Value>([])) } else { Err(error.clone()) };
            executor.on_event(now, Event::Replied { ticket, reply });
        }
        if executor.outcome().is_some() {
            let reply = executor.replies().first().map(|(_, reply)| (*reply).clone()).expect("a reply");
            return (sent, now.since(Instant::ZERO), reply);
        }
        now = executor.next_wakeup().unwrap_or(now);
    }
    panic!("it does not end");
}

#[test]
fn a_read_gets_over_an_outage_and_does_not_wait_for_a_stranger() {
    let outages =
        [ApiError::timeout("x"), ApiError::connection("x"), ApiError::answered("ServiceUnavailable", "x", Some(503))];
    for outage in outages {
        assert!(outage.is_outage(), "{outage}");
        for seconds in [0, 1, 12, 30, 44] {
            let (_, took, reply) = reads_through(&outage, seconds);
            assert!(reply.is_ok() && took < Duration::from_secs(60), "{outage} for {seconds}s: {took:?}");
        }
        let (sent, took, reply) = reads_through(&outage, 86_400);
        assert_eq!(reply, Err(outage));
        assert!(sent <= 9 && OUTAGE_READS_MAX <= took && took < Duration::from_secs(60), "{sent} in {took:?}");
    }
    for code in ["UnreadableAnswer", "ConnectionRefused"] {
        let stranger = ApiError { code: code.to_owned(), ..ApiError::connection("x") };
        let (sent, took, reply) = reads_through(&stranger, 86_400);
        assert_eq!((sent, reply), (UNKNOWN_READS_MAX + 1, Err(stranger)));
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

/// What becomes of a node that sends this call to a service the engine knows nothing of, if the answers are these. The last
/// one is repeated.
fn ends(verb: Verb, call: Call, answers: &[Reply]) -> (Option<Outcome>, u32, Duration) {
    let step = Step::Call { call, save: Save::Nothing, recover: None, way_back: None };
    let node = Node { verb, ..read_node(Address::root(Kind::Vpc, "any"), step) };
    let mut now = Instant::ZERO;
    let mut executor = Executor::new([node], State::new("one"), now);
    let mut sent = 0;
    for _ in 0..1000 {
        for effect in executor.poll(now) {
            match effect {
                Effect::Send { ticket, request } => {
                    assert_eq!(request.operation().rate_limit(), ANY);
                    let reply = answers.get(sent).or(answers.last()).cloned().expect("an answer");
                    sent += 1;
                    executor.on_event(now, Event::Replied { ticket, reply });
                }
                Effect::Persist { state } => executor.on_event(now, Event::Persisted { serial: state.serial }),
            }
        }
        if executor.outcome().is_some() {
            break;
        }
        now = executor.next_wakeup().unwrap_or(now + Duration::from_millis(1));
    }
    (executor.outcome(), u32::try_from(sent).expect("few"), now.since(Instant::ZERO))
}

#[test]
fn an_operation_of_any_service_is_what_its_row_says() {
    let delete = || Call::new(Scaling::DeleteTags, [("GroupName", "one".into())]);
    let refused = |code: &str| Err(ApiError::answered(code, "x", Some(400)));
    let done = || Ok(Value::map::<&str, Value>([]));
    let is_done = |ended: &(Option<Outcome>, u32, Duration)| ended.0 == Some(Outcome::Done);
    // It has the name of an operation of EC2, which is a change of an object: there what is not found is asked for again.
    assert_eq!(Operation::from(Scaling::DeleteTags).name(), Operation::from(Ec2::DeleteTags).name());
    assert_ne!(Operation::from(Scaling::DeleteTags).to_string(), Operation::from(Ec2::DeleteTags).to_string());
    let gone = ends(Verb::Update, delete(), &[refused("Group.NotFound")]);
    assert!(is_done(&gone) && gone.1 == 1, "{gone:?}");
    // A code of its own means one thing at first, and another once an answer was lost.
    let busy = ends(Verb::Update, delete(), &[refused("ScalingActivityInProgress")]);
    assert!(matches!(busy.0, Some(Outcome::Failed { .. })) && busy.1 == 1, "{busy:?}");
    let lost = ends(Verb::Update, delete(), &[Err(ApiError::timeout("x")), refused("ScalingActivityInProgress")]);
    assert!(is_done(&lost) && lost.1 == 2, "{lost:?}");
    // What is not known yet is asked for again, unless it is on its way out.
    let late = ends(Verb::Update, delete(), &[refused("GroupUnknown"), refused("GroupUnknown"), done()]);
    assert!(is_done(&late) && late.1 == 3, "{late:?}");
    let end = ends(Verb::Delete, delete(), &[refused("GroupUnknown")]);
    assert!(matches!(end.0, Some(Outcome::Failed { .. })) && end.1 == 1, "{end:?}");
    let secret = Call::new(Scaling::CreateGroup, [("GroupName", "one".into()), ("Key", "k".into())]);
    assert!(secret.is_about_secrets() && !delete().is_about_secrets());
}
