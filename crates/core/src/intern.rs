//! Texts that are shared: one copy serves all who ask for an equal text.

use std::cell::RefCell;
use std::sync::Arc;

/// A cache of recently interned texts, by hash. It only saves memory: a miss costs a second copy. Each thread has its own, so
/// that threads that run side by side do not share reference counters.
struct Recent(Vec<Option<Arc<str>>>);

/// A text may be in so many places.
const WAYS: usize = 4;

impl Recent {
    fn new(sets: usize) -> Self {
        Self(vec![None; sets * WAYS])
    }

    fn get(&mut self, text: &str) -> Arc<str> {
        let hash = hash(text);
        let sets = self.0.len() / WAYS;
        let first = usize::try_from(hash >> 32).unwrap_or(0) % sets.max(1) * WAYS;
        let Some(set) = self.0.get_mut(first..first + WAYS) else { return Arc::from(text) };
        let is_it = |known: &&Arc<str>| ***known == *text;
        if let Some(known) = set.iter().flatten().find(is_it) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(text);
        let place = match set.iter().position(Option::is_none) {
            Some(empty) => empty,
            None => usize::try_from(hash >> 8).unwrap_or(0) % WAYS,
        };
        if let Some(place) = set.get_mut(place) {
            *place = Some(new.clone());
        }
        new
    }
}

/// Eight bytes at a time, each mixed in by a multiplication (FxHash). Only its upper half is any good.
fn hash(text: &str) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(0, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    mix(hash, rest.iter().fold(0x80, |word, byte| (word << 8) | u64::from(*byte)))
}

thread_local! {
    /// Names of attributes, arguments and fields: a few hundred, which all have a place.
    static NAMES: RefCell<Recent> = RefCell::new(Recent::new(512));
    /// Other texts: many objects have the same type, zone, subnet and tags.
    static TEXTS: RefCell<Recent> = RefCell::new(Recent::new(128));
}

/// Longer texts are hardly ever the same as another.
const SHARED_LEN_MAX: usize = 64;

/// The key for a name: the same copy as any other for this name in this thread.
pub fn key(name: &str) -> Arc<str> {
    if name.len() > SHARED_LEN_MAX {
        return Arc::from(name);
    }
    NAMES.with_borrow_mut(|names| names.get(name))
}

/// The text as a shared one: the same copy as a recent equal text, if there is one.
pub fn text(text: &str) -> Arc<str> {
    if text.len() > SHARED_LEN_MAX {
        return Arc::from(text);
    }
    TEXTS.with_borrow_mut(|texts| texts.get(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_are_shared() {
        assert!(Arc::ptr_eq(&key("vpc_id"), &key("vpc_id")));
        let long = "x".repeat(SHARED_LEN_MAX + 1);
        assert!(!Arc::ptr_eq(&text(&long), &text(&long)));
        assert!(Arc::ptr_eq(&text("t3.small"), &text("t3.small")));
        let (name, other) = (key("SubnetId"), text("subnet-0123456789abcdef0"));
        for number in 0..100_000 {
            text(&format!("i-{number:017x}"));
        }
        assert!(Arc::ptr_eq(&name, &key("SubnetId")), "texts do not drive names out");
        assert!(!Arc::ptr_eq(&other, &text(&other)), "texts drive out texts");
        for length in 0..40 {
            let text = "abcdefg\u{e9}hij".repeat(4).chars().take(length).collect::<String>();
            assert_eq!((&*key(&text), &*super::text(&text)), (&*text, &*text));
        }
        assert_eq!(*text("t3.medium"), *"t3.medium");
    }
}
