//! What happens to each object, in Terraform's words: news of the executor in, lines out. Nothing is printed here.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::engine::{News, Notice};
use aloka_core::plan::{Node, Verb};
use aloka_core::state::State;
use aloka_core::time::{Human, Instant};

/// How often it is said that something is still going on, as Terraform does.
const STILL: Duration = Duration::from_secs(10);

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It begins.
    Start,
    /// It goes on.
    Progress,
    /// It is done.
    Complete,
    /// It failed.
    Errored,
    /// Anything else worth telling.
    Remark,
}

/// One line about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Index of the node.
    pub node: usize,
    /// What it is about.
    pub moment: Moment,
    /// The whole line, with the address.
    pub text: String,
    /// The object's identifier in AWS, if known.
    pub id: Option<String>,
    /// Since its start.
    pub elapsed: Duration,
}

/// A node that runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// Since when.
    pub since: Instant,
    /// How long it usually takes, if it waits for something.
    pub usual: Option<Duration>,
    /// The object's identifier in AWS, if known.
    pub id: Option<String>,
    said: Instant,
}

/// Remembers what runs.
#[derive(Debug, Default)]
pub struct Progress {
    running: BTreeMap<usize, Running>,
    ids: BTreeMap<String, String>,
}

/// What Terraform says of an action: under way, still under way, done, failed.
struct Words {
    starts: &'static str,
    goes_on: &'static str,
    is_done: &'static str,
    failed: &'static str,
}

const fn words(verb: Verb) -> Words {
    match verb {
        Verb::Read => Words {
            starts: "Refreshing state...",
            goes_on: "Still reading...",
            is_done: "Read complete",
            failed: "Reading errored",
        },
        Verb::Create => Words {
            starts: "Creating...",
            goes_on: "Still creating...",
            is_done: "Creation complete",
            failed: "Creation errored",
        },
        Verb::Update => Words {
            starts: "Modifying...",
            goes_on: "Still modifying...",
            is_done: "Modifications complete",
            failed: "Modifications errored",
        },
        Verb::Delete => Words {
            starts: "Destroying...",
            goes_on: "Still destroying...",
            is_done: "Destruction complete",
            failed: "Destruction errored",
        },
        Verb::Forget => Words {
            starts: "Forgetting...",
            goes_on: "Still forgetting...",
            is_done: "Forgotten",
            failed: "Forgetting errored",
        },
    }
}

/// What is going on, in one word.
pub const fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Read => "reading",
        Verb::Create => "creating",
        Verb::Update => "modifying",
        Verb::Delete => "destroying",
        Verb::Forget => "forgetting",
    }
}

impl Progress {
    /// For a run that starts from this state.
    pub fn new(state: &State) -> Self {
        let ids = state.objects().filter_map(|(target, object)| Some((target.to_string(), object.id()?.to_owned())));
        Self { running: BTreeMap::new(), ids: ids.collect() }
    }

    /// Nodes that run now, by index.
    pub fn running(&self) -> &BTreeMap<usize, Running> {
        &self.running
    }

    /// What one notice is worth telling.
    pub fn notice(&mut self, nodes: &[Node], notice: &Notice) -> Option<Line> {
        let Notice { at, node: index, news } = notice;
        let node = nodes.get(*index)?;
        let target = node.target.to_string();
        let words = words(node.verb);
        let since = self.running.get(index).map_or(*at, |running| running.since);
        let elapsed = at.since(since);
        let mut id = self.ids.get(&target).cloned();
        let suffix = |id: &Option<String>| id.as_ref().map(|id| format!(" [id={id}]")).unwrap_or_default();
        let (moment, text) = match news {
            News::Started => {
                let running = Running { since: *at, usual: None, id: id.clone(), said: *at };
                self.running.insert(*index, running);
                // A new object has no identifier, even if the old one it replaces had.
                if node.verb == Verb::Create {
                    id = None;
                }
                (Moment::Start, format!("{target}: {}{}", words.starts, suffix(&id)))
            }
            News::Waiting { usual } => {
                self.running.get_mut(index)?.usual = Some(*usual);
                return None;
            }
            News::Sent { request: _, attempt: _ } | News::Answered { reply: _ } => return None,
            News::Retry { error, after } => {
                let next =
                    if after.is_zero() { "looking again".to_owned() } else { format!("again in {}", Human(*after)) };
                (Moment::Remark, format!("{target}: {}: {}; {next}", doing(node.verb), error.code))
            }
            News::Adopted { id: found } => {
                id = Some(found.clone());
                (Moment::Remark, format!("{target}: found what an unanswered call made{}", suffix(&id)))
            }
            News::Finished { elapsed, id: found } => {
                self.running.remove(index);
                match (node.verb, found) {
                    (Verb::Delete | Verb::Forget, _) => {
                        self.ids.remove(&target);
                    }
                    (Verb::Create | Verb::Update | Verb::Read, Some(found)) => {
                        self.ids.insert(target.clone(), found.clone());
                        id = Some(found.clone());
                    }
                    (Verb::Create | Verb::Update | Verb::Read, None) => {}
                }
                let shown = if node.verb == Verb::Delete { None } else { id.clone() };
                let text = format!("{target}: {} after {}{}", words.is_done, Human(whole(*elapsed)), suffix(&shown));
                return Some(Line { node: *index, moment: Moment::Complete, text, id, elapsed: *elapsed });
            }
            News::Failed { cause: _ } => {
                self.running.remove(index);
                (Moment::Errored, format!("{target}: {} after {}", words.failed, Human(whole(elapsed))))
            }
            News::Skipped => (Moment::Remark, format!("{target}: skipped, as something it needs failed")),
        };
        Some(Line { node: *index, moment, text, id, elapsed })
    }

    /// Lines for what has been going on for a while without news.
    pub fn still(&mut self, nodes: &[Node], now: Instant) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, running) in &mut self.running {
            let Some(node) = nodes.get(*index) else { continue };
            if now.since(running.said) < STILL {
                continue;
            }
            running.said = now;
            let elapsed = now.since(running.since);
            let usual = running.usual.map(|usual| format!(", usually {}", Human(usual))).unwrap_or_default();
            let goes_on = words(node.verb).goes_on;
            let text = format!("{}: {goes_on} [{} elapsed{usual}]", node.target, Human(whole(elapsed)));
            lines.push(Line { node: *index, moment: Moment::Progress, text, id: running.id.clone(), elapsed });
        }
        lines
    }
}

/// Without fractions of a second.
fn whole(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs())
}

#[cfg(test)]
mod tests {
    use aloka_core::address::Address;
    use aloka_core::kind::Kind;
    use aloka_core::state::Target;

    use super::*;

    fn node(verb: Verb) -> Node {
        let target = Target::current(Address::root(Kind::Instance, "app"));
        let (after, dependencies) = Default::default();
        Node { target, verb, steps: Vec::new(), needs: Vec::new(), generation: 1, after, dependencies }
    }

    #[test]
    fn speaks_as_terraform_does() {
        let nodes = [node(Verb::Create)];
        let mut progress = Progress::default();
        let mut tell = |at, news| {
            let line = progress.notice(&nodes, &Notice { at: Instant(at), node: 0, news });
            line.map(|line| line.text)
        };
        assert_eq!(tell(0, News::Started).as_deref(), Some("aws_instance.app: Creating..."));
        assert_eq!(tell(0, News::Waiting { usual: Duration::from_secs(390) }), None);
        let still = progress.still(&nodes, Instant(10_200));
        assert_eq!(still[0].text, "aws_instance.app: Still creating... [10s elapsed, usually 6m30s]");
        assert!(progress.still(&nodes, Instant(19_000)).is_empty());
        let news = News::Finished { elapsed: Duration::from_millis(12_700), id: Some("i-1".to_owned()) };
        let line = progress.notice(&nodes, &Notice { at: Instant(12_700), node: 0, news }).expect("a line");
        assert_eq!(line.text, "aws_instance.app: Creation complete after 12s [id=i-1]");
        assert!(progress.running().is_empty());
    }
}
