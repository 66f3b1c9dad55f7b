//! What is counted of work beside requests: bodies that were compressed, and static files that were or
//! were not at hand.

use std::sync::atomic::{AtomicU64, Ordering};

use super::page::Page;
use crate::respond::Coding;

/// How a static file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It was at hand and had been looked at within a second.
    Hit,
    /// It was at hand, and a look at the disk found it as it was.
    Checked,
    /// It was opened.
    Miss,
    /// There is none.
    Absent,
}

impl Lookup {
    const ALL: [Self; 4] = [Self::Hit, Self::Checked, Self::Miss, Self::Absent];

    const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Checked => "checked",
            Self::Miss => "miss",
            Self::Absent => "absent",
        }
    }
}

/// Bytes before and after compression.
#[derive(Debug, Default)]
struct Volume {
    before: AtomicU64,
    after: AtomicU64,
}

#[derive(Debug, Default)]
pub(super) struct Work {
    compressed: [Volume; Coding::ALL.len()],
    lookups: [AtomicU64; Lookup::ALL.len()],
}

impl Work {
    pub(super) fn compressed(&self, coding: Coding, before: usize, after: usize) {
        let each = Coding::ALL.iter().zip(&self.compressed);
        for (_, volume) in each.filter(|(one, _)| **one == coding) {
            volume.before.fetch_add(before as u64, Ordering::Relaxed);
            volume.after.fetch_add(after as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn looked_up(&self, lookup: Lookup) {
        if let Some(count) = self.lookups.get(lookup as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        let mut family = page.counter(
            "yett_compression_input_bytes",
            "Bytes of bodies that were compressed, as they were before.",
        );
        for (coding, volume) in Coding::ALL.iter().zip(&self.compressed) {
            let before = volume.before.load(Ordering::Relaxed);
            family.add(&[("coding", coding.name())], before);
        }
        let mut family = page.counter(
            "yett_compression_output_bytes",
            "Bytes of the same bodies as they became.",
        );
        for (coding, volume) in Coding::ALL.iter().zip(&self.compressed) {
            let after = volume.after.load(Ordering::Relaxed);
            family.add(&[("coding", coding.name())], after);
        }
        let mut family = page.counter(
            "yett_static_lookups",
            "How static files were found: at hand, checked on the disk, opened, or not at all.",
        );
        for (lookup, count) in Lookup::ALL.iter().zip(&self.lookups) {
            family.add(&[("outcome", lookup.name())], count.load(Ordering::Relaxed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::Form;

    #[test]
    fn each_coding_and_each_outcome_has_its_own_counter() {
        let work = Work::default();
        for (count, coding) in Coding::ALL.into_iter().enumerate() {
            work.compressed(coding, 100 + count, 10 + count);
            work.compressed(coding, 100, 10);
        }
        for (place, lookup) in Lookup::ALL.into_iter().enumerate() {
            assert_eq!(lookup as usize, place);
            (0..=place).for_each(|_| work.looked_up(lookup));
        }
        let mut page = Page::new(Form::Prometheus);
        work.write(&mut page);
        let text = page.finish();
        let has = |line: String| assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        for (count, coding) in Coding::ALL.into_iter().enumerate() {
            let label = format!("{{coding=\"{}\"}}", coding.name());
            let (before, after) = (200 + count, 20 + count);
            has(format!(
                "yett_compression_input_bytes_total{label} {before}"
            ));
            has(format!(
                "yett_compression_output_bytes_total{label} {after}"
            ));
        }
        for (place, name) in ["hit", "checked", "miss", "absent"].iter().enumerate() {
            let count = place + 1;
            has(format!(
                "yett_static_lookups_total{{outcome=\"{name}\"}} {count}"
            ));
        }
    }
}
