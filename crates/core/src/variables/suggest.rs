//! "Did you mean": the known word nearest to an unknown one.

/// The longest word that is compared, in characters, so that an odd input costs no time.
const MAX_LENGTH: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let near = candidates.into_iter().filter_map(|candidate| {
        let distance = distance(&word.to_lowercase(), &candidate.to_lowercase())?;
        (distance <= limit).then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// How many letters must be added, taken away, replaced or swapped with their neighbour; `None` for long words.
pub(super) fn distance(left: &str, right: &str) -> Option<usize> {
    let is_long = |text: &str| text.chars().count() > MAX_LENGTH;
    (!is_long(left) && !is_long(right)).then(|| strsim::osa_distance(left, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("vpc_cidr", "vpc_cdir", 1),
            ("abc", "abd", 1),
            ("abc", "xyz", 3),
            ("ab", "abc", 1),
        ] {
            assert_eq!(distance(left, right), Some(expected), "{left} {right}");
            assert_eq!(distance(right, left), Some(expected), "{right} {left}");
        }
        assert_eq!(distance(&"a".repeat(65), "a"), None);
    }

    #[test]
    fn nearest_is_near() {
        let words = ["vpc_cidr", "db_name", "tags"];
        assert_eq!(nearest("vpc_cird", words), Some("vpc_cidr"));
        assert_eq!(nearest("Tags", words), Some("tags"));
        assert_eq!(nearest("tagz", words), Some("tags"));
        assert_eq!(nearest("zone", words), None);
    }
}
