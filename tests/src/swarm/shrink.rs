//! Makes a failing story smaller while it goes on failing for the same reason, and tells it.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aloka_sim::aws::Durations;

use super::books::{Class, Finding};
use super::play::{Manner, Played, play};
use super::settings::Settings;
use super::story::{Cloud, Story};

/// No story is played more often to be made smaller.
const TRIES_MAX: u32 = 4_000;

/// A failure, shrunk.
#[derive(Clone, Debug)]
pub struct Caught {
    /// What is wrong with the story of the seed.
    pub finding: Finding,
    /// The smallest story found that goes wrong in the same way.
    pub story: Story,
    /// That story, played and told.
    pub played: Played,
}

/// Plays a story; a panic is a finding too.
pub fn played(story: &Story, manner: Manner<'_>) -> Played {
    match catch_unwind(AssertUnwindSafe(|| play(story, manner))) {
        Ok(played) => played,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            let finding = Finding { class: Class::Crash, rule: "no panic", what: text.to_owned() };
            Played { finding: Some(finding), ..Played::default() }
        }
    }
}

/// The smallest story that goes wrong as this one does.
pub fn caught(story: &Story, finding: Finding, manner: Manner<'_>) -> Caught {
    let quiet = Manner { told: false, ..manner };
    let mut smallest = story.clone();
    let mut tries = 0;
    let same = |story: &Story| {
        let found = played(story, quiet).finding;
        found.is_some_and(|found| (found.class, found.rule) == (finding.class, finding.rule))
    };
    'smaller: loop {
        for candidate in smaller(&smallest) {
            tries += 1;
            if tries > TRIES_MAX {
                break 'smaller;
            }
            if same(&candidate) {
                smallest = candidate;
                continue 'smaller;
            }
        }
        break;
    }
    let played = played(&smallest, Manner { told: true, ..manner });
    Caught { finding, story: smallest, played }
}

/// Stories with one thing less, the largest things first.
fn smaller(story: &Story) -> Vec<Story> {
    let mut smaller = Vec::new();
    let mut with = |change: &dyn Fn(&mut Story)| {
        let mut other = story.clone();
        change(&mut other);
        if other != *story {
            smaller.push(other);
        }
    };
    for place in 0..story.commands.len() {
        with(&|story| drop(story.commands.remove(place)));
    }
    with(&|story| story.cloud = Cloud::PLAIN);
    for (place, command) in story.commands.iter().enumerate() {
        with(&|story| story.commands[place].other = None);
        with(&|story| story.commands[place].deeds.clear());
        with(&|story| story.commands[place].strikes.clear());
        for deed in 0..command.deeds.len() {
            with(&|story| {
                story.commands[place].deeds.remove(deed);
            });
        }
        for strike in 0..command.strikes.len() {
            with(&|story| drop(story.commands[place].strikes.remove(strike)));
        }
        with(&|story| story.commands[place].rest_ms = 0);
        if let Some(other) = command.other {
            with(&|story| story.commands[place].other = Some(super::story::Other { dies_after: None, ..other }));
            with(&|story| story.commands[place].other = Some(super::story::Other { turn_ms: 20, ..other }));
        }
    }
    with(&|story| story.cloud.neighbours = false);
    with(&|story| story.cloud.throttling = false);
    with(&|story| story.cloud.linger_ms = 0);
    with(&|story| story.cloud.visibility_ms = 0);
    with(&|story| story.cloud.durations = Durations::Instant);
    if story.cloud.durations == Durations::Drawn {
        with(&|story| story.cloud.durations = Durations::Median);
    }
    // A wish that nobody has, and wishes that are the last one.
    let last = story.wishes.len().saturating_sub(1);
    for wish in 0..last {
        with(&|story| forget(story, wish));
        with(&|story| story.wishes[wish] = story.wishes[last].clone());
    }
    for wish in 0..story.wishes.len() {
        for settings in story.wishes[wish].simpler() {
            with(&|story| set(story, wish, settings.clone()));
        }
    }
    smaller
}

/// The last wish stays one that can be reached; the engine's version is one for all.
fn set(story: &mut Story, wish: usize, settings: Settings) {
    let version = settings.version;
    story.wishes[wish] = settings;
    story.wishes.iter_mut().for_each(|wish| wish.version = version);
    if let Some(last) = story.wishes.pop() {
        let last = last.reachable_from(&story.wishes);
        story.wishes.push(last);
    }
}

/// Whoever wanted it wants the next one.
fn forget(story: &mut Story, wish: usize) {
    story.wishes.remove(wish);
    for command in &mut story.commands {
        let other = command.other.as_mut().and_then(|other| other.wish.as_mut());
        for number in command.order.wish_mut().into_iter().chain(other) {
            if *number > wish {
                *number -= 1;
            }
        }
    }
}

impl Caught {
    /// The story for people.
    pub fn text(&self) -> String {
        let Story { seed, cloud, wishes, converges, .. } = &self.story;
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _infallible = writeln!(
            text,
            "cloud: {:?} durations, changes show within {} ms, interfaces linger {} ms{}{}",
            cloud.durations,
            cloud.visibility_ms,
            cloud.linger_ms,
            if cloud.throttling { ", rate limits" } else { "" },
            if cloud.neighbours { ", neighbours" } else { "" }
        );
        for (number, wish) in wishes.iter().enumerate() {
            let _infallible = writeln!(text, "wish {number}: {wish}");
        }
        if !converges {
            let _infallible = writeln!(text, "in the end: destroyed as it is");
        }
        for line in &self.played.lines {
            let _infallible = writeln!(text, "{line}");
        }
        if let (true, Some(finding)) = (self.played.lines.is_empty(), &self.played.finding) {
            let _infallible = writeln!(text, "seed {seed}: {finding}\n{:#?}", self.story.commands);
        }
        text
    }
}
