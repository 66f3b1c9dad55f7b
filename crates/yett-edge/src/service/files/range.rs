//! `Range` (RFC 9110 section 14): which bytes of a file a client wants.
//!
//! Pure. Bounds what one request can ask for: at most [`MOST`] ranges are read, and those that
//! overlap, or stand so close that a part's own head would be longer than the gap, are joined. So an
//! answer never holds a byte of the file twice (CVE-2011-3192 was a server that let it).

/// Ranges in one request; with more the header is passed over, and the whole file is sent.
pub const MOST: usize = 16;

/// A gap that is cheaper to send than to leave out: about what a part's head takes.
const GAP: u64 = 80;

/// Bytes of a file: from, up to and without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u64,
    /// Behind the last byte; more than `start`.
    pub end: u64,
}

impl Span {
    /// Bytes in it, at least one.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// What a `Range` header means for a file of some length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Everything: there is no such header, it is not of bytes, it is malformed, or the file is empty.
    Whole,
    /// Everything, because it names more ranges than are read.
    TooMany,
    /// These, in the order in which they were asked for; joined ones in the file's order. Never none.
    Spans(Vec<Span>),
    /// Nothing that the file has.
    Outside,
}

/// Reads the header of a request for a file of so many bytes.
///
/// A header that is malformed in any part is passed over as a whole, as RFC 9110 section 14.2 allows.
#[must_use]
pub fn asked(header: &[u8], len: u64) -> Asked {
    let Some(set) = unit_of_bytes(header) else {
        return Asked::Whole;
    };
    // Nothing of an empty file can be sent as a part, and clients ask to see whether ranges work.
    if len == 0 {
        return Asked::Whole;
    }
    let mut spans = Vec::new();
    let mut members = 0;
    for member in set.split(|byte| *byte == b',') {
        let member = trimmed(member);
        // RFC 9110 section 5.6.1.2: empty members are passed over. They count, as they cost time.
        members += 1;
        if members > MOST {
            return Asked::TooMany;
        }
        if member.is_empty() {
            continue;
        }
        match span(member, len) {
            None => return Asked::Whole,
            Some(Some(span)) => spans.push(span),
            Some(None) => {}
        }
    }
    if spans.is_empty() {
        return if set.iter().any(u8::is_ascii_digit) {
            Asked::Outside
        } else {
            Asked::Whole
        };
    }
    Asked::Spans(joined(spans))
}

/// What stands behind `bytes=`; the unit's case does not count (RFC 9110 section 14.1).
fn unit_of_bytes(header: &[u8]) -> Option<&[u8]> {
    let (unit, rest) = header.split_at_checked(5)?;
    let set = rest.strip_prefix(b"=")?;
    unit.eq_ignore_ascii_case(b"bytes").then_some(set)
}

/// One member. `None`: malformed; `Some(None)`: not in the file.
fn span(member: &[u8], len: u64) -> Option<Option<Span>> {
    let dash = member.iter().position(|byte| *byte == b'-')?;
    let (first, last) = member.split_at_checked(dash)?;
    let last = last.strip_prefix(b"-")?;
    if first.is_empty() {
        let suffix = number(last)?;
        let start = len.saturating_sub(suffix);
        return Some((suffix > 0).then_some(Span { start, end: len }));
    }
    let start = number(first)?;
    let end = if last.is_empty() {
        len
    } else {
        let last = number(last)?;
        if last < start {
            return None;
        }
        last.saturating_add(1).min(len)
    };
    Some((start < len).then_some(Span { start, end }))
}

/// Digits alone; what is beyond 64 bits is beyond every file.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |number, digit| {
        number
            .checked_mul(10)?
            .checked_add(u64::from(digit.wrapping_sub(b'0')))
    });
    Some(number.unwrap_or(u64::MAX))
}

/// Spaces and tabs off both ends (`OWS`).
fn trimmed(member: &[u8]) -> &[u8] {
    member.trim_ascii()
}

/// Leaves spans that stand apart as they are; otherwise sorts them and joins those that do not.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut sorted = spans.clone();
    sorted.sort_by_key(|span| span.start);
    let apart = sorted.windows(2).all(|pair| match pair {
        [first, second] => first.end.saturating_add(GAP) < second.start,
        _ => true,
    });
    if apart {
        return spans;
    }
    let mut joined: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match joined.last_mut() {
            Some(last) if last.end.saturating_add(GAP) >= span.start => {
                last.end = last.end.max(span.end);
            }
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(header: &str, len: u64, expected: &[(u64, u64)]) {
        let spans: Vec<Span> = expected
            .iter()
            .map(|(start, end)| Span {
                start: *start,
                end: *end,
            })
            .collect();
        assert_eq!(
            asked(header.as_bytes(), len),
            Asked::Spans(spans),
            "{header}"
        );
    }

    #[test]
    fn ranges_are_read_as_rfc_9110_writes_them() {
        check("bytes=0-0", 1000, &[(0, 1)]);
        check("BYTES=0-499", 1000, &[(0, 500)]);
        check("bytes=500-", 1000, &[(500, 1000)]);
        check("bytes=-500", 1000, &[(500, 1000)]);
        check("bytes=-5000", 1000, &[(0, 1000)]);
        check("bytes=900-5000", 1000, &[(900, 1000)]);
        check("bytes=0-99999999999999999999999", 10, &[(0, 10)]);
        check("bytes= 0-0 ,\t-1", 1000, &[(0, 1), (999, 1000)]);
        check("bytes=,0-0,", 1000, &[(0, 1)]);
        check("bytes=500-600,0-10", 1000, &[(500, 601), (0, 11)]);
        check("bytes=0-10,2000-", 1000, &[(0, 11)]);
    }

    #[test]
    fn ranges_that_overlap_or_touch_are_joined() {
        check("bytes=0-,0-,0-", 1000, &[(0, 1000)]);
        check("bytes=5-10,0-7", 1000, &[(0, 11)]);
        check("bytes=0-1,2-3", 1000, &[(0, 4)]);
        check("bytes=0-1,82-90", 1000, &[(0, 91)]);
        check("bytes=0-1,83-90", 1000, &[(0, 2), (83, 91)]);
        check("bytes=900-,0-1,0-1", 1000, &[(0, 2), (900, 1000)]);
    }

    #[test]
    fn what_is_not_in_the_file_is_told_from_what_is_malformed() {
        for header in [
            "bytes=1000-",
            "bytes=1000-2000",
            "bytes=-0",
            "bytes=1000-,-0",
        ] {
            assert_eq!(asked(header.as_bytes(), 1000), Asked::Outside, "{header}");
        }
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "items=0-1",
            "bytes =0-1",
            "bytes=a-b",
            "bytes=5",
            "bytes=-",
            "bytes=--5",
            "bytes=5-4",
            "bytes=+1-2",
            "bytes=0-1;2-3",
            "bytes=0-1,x",
            "bytes=0x0-1",
            "bytes=0 - 1",
        ] {
            assert_eq!(asked(header.as_bytes(), 1000), Asked::Whole, "{header}");
        }
        assert_eq!(asked(b"bytes=0-", 0), Asked::Whole);
    }

    #[test]
    fn more_ranges_than_are_read_mean_the_whole_file() {
        let header = |count: u32| {
            let ranges: Vec<_> = (0..count).map(|at| format!("{0}-{0}", at * 200)).collect();
            format!("bytes={}", ranges.join(","))
        };
        let spans = asked(header(16).as_bytes(), 10_000);
        assert!(matches!(spans, Asked::Spans(spans) if spans.len() == MOST));
        assert_eq!(asked(header(17).as_bytes(), 10_000), Asked::TooMany);
        let commas = format!("bytes=0-1{}", ",".repeat(100_000));
        assert_eq!(asked(commas.as_bytes(), 10_000), Asked::TooMany);
    }

    proptest! {
        #[test]
        fn no_byte_is_sent_twice_and_none_beyond_the_file(
            header in "bytes=([0-9]{0,4}-[0-9]{0,4}[, ]{0,2}){0,18}", len in 0_u64..5000,
        ) {
            if let Asked::Spans(mut spans) = asked(header.as_bytes(), len) {
                prop_assert!(!spans.is_empty() && spans.len() <= MOST);
                spans.sort_by_key(|span| span.start);
                let mut end = 0;
                for span in spans {
                    prop_assert!(span.start >= end && span.start < span.end && span.end <= len);
                    end = span.end;
                }
            }
        }

        #[test]
        fn any_bytes_are_read(header in proptest::collection::vec(any::<u8>(), 0..64), len: u64) {
            let _any = asked(&header, len);
        }
    }
}
