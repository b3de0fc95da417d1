//! Client tokens whose object is gone: the creation is sent with the next one.
//!
//! AWS remembers what a token made. A run that was killed may have made an object that nobody recorded, and that is gone when
//! the next run asks for it with the same token. The intent stays as it is, and so do the tags: only the token is another.

use super::Sending;
use crate::api::{self, Call, Effect, Recognition};
use crate::engine::Executor;
use crate::identity;
use crate::plan::Save;
use crate::resource::{self, Phase};
use crate::time::Instant;
use crate::value::Value;

impl Executor {
    /// The call with the first token that is not spent.
    pub(super) fn with_token(&self, index: usize, mut call: Call) -> Call {
        let spent = self.progress[index].spent;
        if let Some(token) = call.args.get_mut(api::CLIENT_TOKEN).filter(|_| spent > 0) {
            *token = Value::from(identity::later_token(token.as_str().unwrap_or_default(), spent));
        }
        call
    }

    /// True if the answer to a creation shows what an earlier call with its token made, and that this is gone.
    pub(super) fn is_gone(&self, index: usize, call: &Call, save: &Save, reply: &Value) -> bool {
        match save {
            Save::Object(path) if call.operation.is_creating() => {
                let kind = self.nodes[index].target.address.kind;
                reply.at(path).is_some_and(|object| resource::phase(kind, object) == Phase::Gone)
            }
            Save::Object(_) | Save::Field { .. } | Save::Nothing => false,
        }
    }

    /// Sends the creation with the next token, as what the last one made is gone. False if it has none, or if that was the
    /// last.
    pub(super) fn takes_next_token(&mut self, index: usize, now: Instant) -> bool {
        let is_by_token = |call: &Call| call.operation.effect() == Effect::Create(Recognition::ClientToken);
        let has_token = self.step_call(index).is_some_and(is_by_token);
        let progress = &mut self.progress[index];
        if !has_token || progress.spent >= identity::LATER_TOKENS_MAX {
            return false;
        }
        progress.spent += 1;
        progress.sending = Sending::Step;
        progress.trouble_since = None;
        progress.exists = None;
        self.wake_at(index, now);
        true
    }
}
