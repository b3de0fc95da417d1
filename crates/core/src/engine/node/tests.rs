//! Reads through an outage.

use super::*;
use crate::address::Address;
use crate::model::Kind;
use crate::session::read_node;
use crate::state::State;

/// How often a read is sent, and when its last answer came, if for `seconds` it is answered by this error.
fn reads_through(error: &ApiError, seconds: u64) -> (u32, Duration, Reply) {
    let call = Call::new(Operation::DescribeVpcs, []);
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
