//! Wildcards: `*` for any characters, `?` for one.

/// How many parts an ARN has: `arn:partition:service:region:account:resource`. The last may hold colons.
const ARN_PARTS: usize = 6;

/// True if `text` is what `pattern` says, all of it.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // The last `*` and what it has swallowed so far: to swallow one more is all that ever needs to be tried.
    let mut star = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == c => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    t = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// True if `arn` is what `pattern` says, part by part: a wildcard does not reach over a colon, but in the last part.
/// `*` alone is everything, and parts left out at the end are anything (IAM user guide, Resource element).
pub(super) fn matches_arn(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let wanted: Vec<&str> = pattern.splitn(ARN_PARTS, ':').collect();
    let parts: Vec<&str> = arn.splitn(ARN_PARTS, ':').collect();
    parts.len() == ARN_PARTS
        && parts.iter().enumerate().all(|(at, part)| wanted.get(at).is_none_or(|wanted| matches(wanted, part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbc"), ("a*c", "ac"), ("a?c", "abc"), ("*a*b*", "xxaxxbxx"), ("a**", "a"), ("", "")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a*c", "abcd"), ("A", "a"), ("", "a"), ("?", ""), ("a*b", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    /// Every short pattern and text over two letters, against the definition itself.
    #[test]
    fn agrees_with_the_definition() {
        fn defined(pattern: &[char], text: &[char]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some(('*', rest)) => (0..=text.len()).any(|n| defined(rest, &text[n..])),
                Some(('?', rest)) => !text.is_empty() && defined(rest, &text[1..]),
                Some((c, rest)) => text.first() == Some(c) && defined(rest, &text[1..]),
            }
        }
        fn words(letters: &[char], longest: usize) -> Vec<Vec<char>> {
            let mut words = vec![Vec::new()];
            let mut last = words.clone();
            for _ in 0..longest {
                last = last
                    .iter()
                    .flat_map(|word| letters.iter().map(move |c| word.iter().copied().chain([*c]).collect()))
                    .collect();
                words.extend(last.clone());
            }
            words
        }
        let texts = words(&['a', 'b'], 5);
        for pattern in words(&['a', 'b', '*', '?'], 4) {
            for text in &texts {
                let (p, t): (String, String) = (pattern.iter().collect(), text.iter().collect());
                assert_eq!(matches(&p, &t), defined(&pattern, text), "{p} {t}");
            }
        }
    }

    #[test]
    fn arns_part_by_part() {
        let vpc = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1";
        for pattern in [
            "*",
            vpc,
            "arn:aws:ec2:*:*:vpc/*",
            "arn:aws:ec2:us-east-?:123456789012:vpc/vpc-1",
            "arn:aws:ec2",
            "arn:aws:ec2:*",
        ] {
            assert!(matches_arn(pattern, vpc), "{pattern}");
        }
        for pattern in ["arn:aws:ec2:*:vpc/*", "arn:aws:rds:*:*:*", "arn:aws:ec2:*:*:subnet/*", "arn:*:vpc/vpc-1"] {
            assert!(!matches_arn(pattern, vpc), "{pattern}");
        }
        // What has no resource of its own is reached by `*` alone.
        assert!(matches_arn("*", "*"));
        assert!(!matches_arn("arn:aws:ec2:*:*:*", "*"));
        let og = "arn:aws:rds:us-east-1:123456789012:og:default:postgres-15";
        assert!(matches_arn("arn:aws:rds:*:*:og:default*", og));
        assert!(matches_arn("arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:us-east-1:123456789012:vpc/*"));
        assert!(!matches_arn("arn:aws:ec2:*:*:vpc/vpc-*", "arn:aws:ec2:us-east-1:123456789012:vpc/*"));
    }
}
