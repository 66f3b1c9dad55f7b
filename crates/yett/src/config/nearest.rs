//! "Did you mean …?": the known name that is nearest to a mistyped one.
//!
//! Distance is Damerau's (optimal string alignment): insert, remove, replace, or swap two
//! neighbours. The names are those of our own tables, so the cost is bounded by [`LONGEST`].

/// A name longer than this is nobody's slip of the finger; bounds the work.
const LONGEST: usize = 64;

/// The nearest of `known`, if it is near enough: at most a third of the name's length in steps, and
/// at most three. Capitals and the choice between `-` and `_` do not count.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(name);
    if folded.len() > LONGEST {
        return None;
    }
    let allowed = (folded.len() / 3).clamp(1, 3);
    let measured = known
        .into_iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate));
    measured
        .filter(|(steps, _)| *steps <= allowed)
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> Vec<char> {
    name.chars()
        .map(|c| {
            if c == '-' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// The number of steps between two words, by the usual table of three rows.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut from_before = None;
    for (row, &a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut to_before = None;
        for (column, &b) in to.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(a != b);
            let removed = at(&last, column + 1) + 1;
            let inserted = at(&current, column) + 1;
            let mut best = replaced.min(removed).min(inserted);
            if from_before == Some(b) && to_before == Some(a) && column > 0 {
                best = best.min(at(&before_last, column - 1) + 1);
            }
            current.push(best);
            to_before = Some(b);
        }
        before_last = std::mem::replace(&mut last, current);
        from_before = Some(a);
    }
    last.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_damerau() {
        let check = |from: &str, to: &str, steps| {
            assert_eq!(distance(&fold(from), &fold(to)), steps, "{from} → {to}")
        };
        check("", "", 0);
        check("", "abc", 3);
        check("workers", "workers", 0);
        check("wrokers", "workers", 1);
        check("worker", "workers", 1);
        check("kitten", "sitting", 3);
        check("ab", "ba", 1);
    }

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_finds_none() {
        let known = ["workers", "threads", "max_requests", "bind"];
        assert_eq!(nearest("wrokers", known), Some("workers"));
        assert_eq!(nearest("max-requests", known), Some("max_requests"));
        assert_eq!(nearest("Threads", known), Some("threads"));
        assert_eq!(nearest("binds", known), Some("bind"));
        assert_eq!(nearest("database", known), None);
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest(&"x".repeat(10_000), known), None);
    }
}
