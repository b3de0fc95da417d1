//! How hard a password is to guess, by a simple estimate that errs on the side of "hard".
//!
//! A state holds a hash of the password, and whoever reads it may try a guess at the cost of one hash. A name of the stack
//! and a common word count for little, in whatever case, with digits for letters, or backwards; every other character
//! counts for as much as there are characters of the kinds used, but for almost nothing where the ones before it tell it
//! (`aaaa`, `4321`, `qwerty`, `abcabc`). A sentence of words that are not in the list below counts for more than it is
//! worth: zxcvbn would know, at the price of a dictionary as large as the rest of this crate.

use std::collections::BTreeSet;

/// Under this many bits a password is warned of. At five hashes a second, 2⁶⁰ guesses take seven thousand million years
/// of one core; 2⁴⁰ take seven thousand, which a few thousand cores have done in two.
const ENOUGH: f64 = 60.0;
/// What a name of the stack is worth: who has the state knows it.
const NAME_BITS: f64 = 1.0;
/// What a common word is worth: one of 200.
const WORD_BITS: f64 = 8.0;
/// What a character is worth that the ones before it tell.
const TOLD_BITS: f64 = 1.0;
/// Shorter names are met by chance.
const NAME_MIN: usize = 3;

/// Words that common passwords consist of: from the head of SecLists' `10k-most-common.txt` (rude ones, names of people
/// and what the other rules know left out), and what administrators write.
const WORDS: &str = "\
    access account admin administrator adidas amazon america angel apache apple august autumn azerty backup baseball \
    basket batman beach bigdog black blue boston bubble buddy bulldog buster camaro canada captain casino change \
    changeit changeme charlie cheese cherry chicago chicken chocolate cloud cocacola coffee computer cookie corvette \
    cowboy dallas database december default diamond digital docker dragon eagle england europe explorer falcon family \
    february ferrari fishing flower football forever freedom friday friend gateway ginger golden google green guest \
    guitar hammer happy harley hello hockey holiday horse house hunter iceman iloveyou internet january jordan killer \
    letmein liverpool london love lovely lucky magic manager march marine master matrix maverick member mercedes merlin \
    michael microsoft midnight monday money monkey monster mother mountain mustang network newyork nothing november \
    october online orange packers panther pass password peanut pepper phoenix player please pokemon police porsche \
    postgres postgresql prince princess prod production purple rabbit rainbow ranger redsox root runner saturday school \
    scooter secret secure security september server service shadow silver smokey snoopy soccer sparky spring staging \
    starwars steelers summer sunday sunshine super superman system temp temporary tennis test testing thunder thursday \
    tigger trustno truelove tuesday user velvet victory warrior wednesday welcome whatever william winner winter wizard \
    yankees yellow zxcvbn";

/// Keys beside each other.
const ROWS: [&str; 4] = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// True if a password is hard enough to guess for somebody who knows these names.
pub(super) fn is_enough(password: &str, names: &[&str]) -> bool {
    bits(password, names) >= ENOUGH
}

/// About how many guesses a password takes, as a power of two.
fn bits(password: &str, names: &[&str]) -> f64 {
    let given: Vec<char> = password.chars().collect();
    let words = words(names);
    let mut sum = 0.0;
    let mut rest: Vec<Option<char>> = Vec::new();
    let mut at = 0;
    while let Some(left) = given.get(at..).filter(|left| !left.is_empty()) {
        let met = words.iter().filter(|(word, _)| begins_with(left, word)).max_by_key(|(word, _)| word.len());
        match met {
            Some((word, worth)) => {
                sum += worth;
                rest.push(None);
                at += word.len();
            }
            None => {
                rest.push(left.first().copied());
                at += 1;
            }
        }
    }
    let each = alphabet(rest.iter().copied().flatten()).log2();
    for (index, character) in rest.iter().enumerate() {
        let Some(character) = *character else { continue };
        sum += if is_told(rest.get(..index).unwrap_or_default(), character) { TOLD_BITS } else { each };
    }
    sum
}

/// Names and words, forwards and backwards, in lower case, each with what it is worth.
fn words(names: &[&str]) -> Vec<(Vec<char>, f64)> {
    let parts = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()).chain([*name]));
    let parts: BTreeSet<String> = parts.filter(|part| part.len() >= NAME_MIN).map(str::to_lowercase).collect();
    let names = parts.into_iter().map(|name| (name, NAME_BITS));
    let common = WORDS.split_whitespace().map(|word| (word.to_owned(), WORD_BITS));
    let both = |(word, worth): (String, f64)| {
        let forwards: Vec<char> = word.chars().collect();
        let backwards = forwards.iter().rev().copied().collect();
        [(forwards, worth), (backwards, worth)]
    };
    names.chain(common).flat_map(both).collect()
}

fn begins_with(text: &[char], word: &[char]) -> bool {
    text.len() >= word.len() && text.iter().zip(word).all(|(given, meant)| is_like(*given, *meant))
}

/// True if `given` is a letter, in either case, or what is written for it.
fn is_like(given: char, meant: char) -> bool {
    let stand_ins: &[char] = match meant {
        'a' => &['4', '@'],
        'b' => &['8'],
        'e' => &['3'],
        'g' => &['9'],
        'i' | 'l' => &['1', '!', '|'],
        'o' => &['0'],
        's' => &['5', '$'],
        't' => &['7', '+'],
        _ => &[],
    };
    given.to_ascii_lowercase() == meant || stand_ins.contains(&given)
}

/// How many characters there are of the kinds that occur.
fn alphabet(characters: impl Iterator<Item = char>) -> f64 {
    let (mut lower, mut upper, mut digit, mut other) = (0, 0, 0, 0);
    for character in characters {
        match character {
            'a'..='z' => lower = 26,
            'A'..='Z' => upper = 26,
            '0'..='9' => digit = 10,
            _ => other = 33,
        }
    }
    f64::from((lower + upper + digit + other).max(1))
}

/// True if the characters before this one tell it: the same again, the next of a row, or a pair that was there before.
fn is_told(before: &[Option<char>], character: char) -> bool {
    let Some(Some(last)) = before.last().copied() else { return false };
    let (from, to) = (last.to_ascii_lowercase(), character.to_ascii_lowercase());
    let is_step =
        from.is_ascii_alphanumeric() && to.is_ascii_alphanumeric() && u32::from(from).abs_diff(u32::from(to)) <= 1;
    let is_beside = ROWS.iter().any(|row| {
        let place = |key: char| row.chars().position(|other| other == key);
        place(from).zip(place(to)).is_some_and(|(from, to)| from.abs_diff(to) == 1)
    });
    let again = before.windows(2).any(|pair| pair == [Some(last), Some(character)]);
    from == to || is_step || is_beside || again
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["aloka", "dev", "appdb", "dbadmin"];

    #[test]
    fn what_everybody_tries_first_is_weak() {
        for weak in [
            "password",
            "Passw0rd!",
            "P4$$w0rd2024!",
            "drowssap99",
            "postgres2024!",
            "SuperSecret123!",
            "Welcome2Production!",
            "letmein-letmein-letmein",
            "qwertyuiop[]",
            "1234567890123456",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abcdefghijklmnopqrstuvwxyz",
            "hunter2hunter2hunter2",
            "8Kx2pQ",
            "zT9$kQ2!",
            "19840229",
        ] {
            assert!(!is_enough(weak, NAMES), "{weak} has {} bits", bits(weak, NAMES));
        }
    }

    #[test]
    fn a_name_of_the_stack_is_weak_however_it_is_decorated() {
        let names = &["harbour-light", "nightly", "ledgerstore", "bookkeeper"];
        let decorations: [fn(&str) -> String; 8] = [
            |name| name.to_owned(),
            |name| name.to_uppercase(),
            |name| format!("{name}1"),
            |name| format!("{name}2024!"),
            |name| format!("!!{name}!!"),
            |name| name.chars().rev().collect(),
            |name| name.replace('e', "3").replace('o', "0").replace('i', "1"),
            |name| format!("{name}{name}"),
        ];
        for (name, decorate) in names.iter().flat_map(|name| decorations.iter().map(move |decorate| (name, decorate))) {
            let password = decorate(name);
            assert!(!is_enough(&password, names), "{password} has {} bits", bits(&password, names));
        }
        assert!(!is_enough("harbour-light-nightly-db", names), "the database's identifier");
        // To somebody else it is one word more.
        assert!(is_enough("harbour-light-nightly-db", NAMES));
    }

    #[test]
    fn what_a_generator_makes_is_enough() {
        for strong in [
            "k7JwqPz3vXb9",
            "correct-horse-battery",
            "vu4r8m2hq0tz6c1x",
            "Wm^3k#T8p&Zq",
            "5f0e8f0e6f5f4e539d5c3a3a5a1d0001",
        ] {
            assert!(is_enough(strong, NAMES), "{strong} has {} bits", bits(strong, NAMES));
        }
    }

    #[test]
    fn every_character_more_counts_and_no_password_is_too_odd() {
        let password: String = ('!'..='~').collect();
        let all = (0..=password.len()).filter_map(|length| password.get(..length)).map(|part| bits(part, NAMES));
        let all: Vec<f64> = all.collect();
        assert!(all.iter().zip(all.iter().skip(1)).all(|(less, more)| less < more), "{all:?}");
        for odd in ["", "é", "\u{1f600}\u{1f600}", "\0\0\0"] {
            assert!(bits(odd, &[""]).is_finite(), "{odd:?}");
        }
    }
}
