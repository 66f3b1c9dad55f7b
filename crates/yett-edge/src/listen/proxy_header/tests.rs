//! Claims about PROXY headers: what is read, what is refused, and that nothing behind is taken.

use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use yett_gate::{HeadRules, Origin, Scheme};

use super::*;
use crate::log::{Out, Troubles, Writer};
use crate::meters::Limit;
use crate::testing::{Bench, Lines, seconds, settle, soon};

const HTTP: &[u8] = b"GET / HTTP/1.1\r\n";

/// The header that stands in front of an ordinary request, and whether the request was left alone.
async fn read_before_http(header: &[u8]) -> io::Result<ProxyHeader> {
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(HTTP);
    let mut stream = bytes.as_slice();
    let read = read(&mut stream).await?;
    assert_eq!(stream, HTTP, "nothing behind the header may be taken");
    Ok(read.expect("there are bytes"))
}

fn named(client: &str, server: &str, encrypted: bool) -> ProxyHeader {
    ProxyHeader::Named {
        client: client.parse().unwrap(),
        server: server.parse().unwrap(),
        encrypted,
    }
}

async fn check(header: &[u8], expected: ProxyHeader) {
    assert_eq!(read_before_http(header).await.unwrap(), expected);
    assert_eq!(parse(header), Ok(expected));
}

/// A header of version 2.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    header.extend(rest);
    header
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut tlv = vec![kind];
    tlv.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    tlv.extend(value);
    tlv
}

const FOUR: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb];

#[tokio::test]
async fn version_1_is_read_to_its_last_byte() {
    check(
        b"PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n",
        named("192.0.2.1:4660", "198.51.100.2:443", false),
    )
    .await;
    check(
        b"PROXY TCP6 2001:db8::1 ::1 65535 0\r\n",
        named("[2001:db8::1]:65535", "[::1]:0", false),
    )
    .await;
    let unnamed = ProxyHeader::Unnamed { encrypted: false };
    check(b"PROXY UNKNOWN\r\n", unnamed).await;
    check(b"PROXY UNKNOWN \xff \r junk\r\n", unnamed).await;
    let longest = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 91], b"\r\n"].concat();
    assert_eq!(longest.len(), LONGEST_V1);
    check(&longest, unnamed).await;
}

#[tokio::test]
async fn version_1_that_is_not_exact_is_refused() {
    for line in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.2 4660 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4660 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 4660\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 04660 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +4660 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 4660 443\r\n",
        "PROXY TCP4 ::1 ::1 4660 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 4660 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.2 4660 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 4660 443\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY\r\n1234567890",
        "proxy UNKNOWN\r\n",
        "GET / HTTP/1.1\r\n",
        "\r\n\r\n\0\r\nQUIX\n",
    ] {
        assert!(read_before_http(line.as_bytes()).await.is_err(), "{line:?}");
        assert!(parse(line.as_bytes()).is_err(), "{line:?}");
    }
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 1000]].concat();
    let mut stream = endless.as_slice();
    let error = read(&mut stream).await.unwrap_err();
    assert_eq!(error.to_string(), ProxyHeaderError::TooLong.to_string());
    assert!(endless.len() - stream.len() <= LONGEST_V1);
}

#[tokio::test]
async fn version_2_is_read_to_its_last_byte() {
    let plain = named("192.0.2.1:4660", "198.51.100.2:443", false);
    check(&v2(0x21, 0x11, &FOUR), plain).await;
    let six = [[0x20; 16], [0x30; 16]].concat();
    let six = [six.as_slice(), &[0, 1, 0, 2]].concat();
    let client = "[2020:2020:2020:2020:2020:2020:2020:2020]:1";
    let server = "[3030:3030:3030:3030:3030:3030:3030:3030]:2";
    check(&v2(0x21, 0x21, &six), named(client, server, false)).await;
    let unnamed = ProxyHeader::Unnamed { encrypted: false };
    check(&v2(0x21, 0x00, b"whatever"), unnamed).await;
    check(&v2(0x21, 0x31, &[0; 216]), unnamed).await;
    check(&v2(0x20, 0x00, b""), ProxyHeader::Own).await;
    // What a proxy's own connection says beside it is skipped, right or not.
    check(&v2(0x20, 0x11, b"x"), ProxyHeader::Own).await;
    let longest = [FOUR.as_slice(), &tlv(0x04, &[0; LONGEST_V2 - 15])].concat();
    check(&v2(0x21, 0x11, &longest), plain).await;
}

#[tokio::test]
async fn values_of_version_2_are_skipped_within_their_bounds() {
    let with = |tlvs: &[Vec<u8>]| v2(0x21, 0x11, &[FOUR.as_slice(), &tlvs.concat()].concat());
    let of = |encrypted| named("192.0.2.1:4660", "198.51.100.2:443", encrypted);
    check(
        &with(&[tlv(0x01, b"h2"), tlv(0xea, b"\x01vpce-1"), tlv(0x04, b"")]),
        of(false),
    )
    .await;
    check(&with(&[tlv(0x20, &[1, 0, 0, 0, 0])]), of(true)).await;
    check(
        &with(&[tlv(0x20, &[6, 0, 0, 0, 1, 0x21, 0, 1, b'x'])]),
        of(false),
    )
    .await;
    for broken in [
        vec![tlv(0x01, b"h2"), vec![0x04]],
        vec![vec![0x04, 0]],
        vec![vec![0x04, 0, 2, 0]],
        vec![vec![0x04, 0xff, 0xff]],
        vec![tlv(0x20, &[1, 0, 0, 0])],
        vec![tlv(0x03, &[0; 3])],
    ] {
        assert_eq!(parse(&with(&broken)), Err(ProxyHeaderError::BadLength));
        assert!(read_before_http(&with(&broken)).await.is_err());
    }
}

#[test]
fn checksum_is_that_of_the_standard() {
    // The check value of CRC-32C; no byte counts as zero.
    assert_eq!(checksum(b"123456789", 100), 0xE306_9283);
}

#[test]
fn damaged_header_with_a_sum_is_refused() {
    let rest = [FOUR.as_slice(), &tlv(0x01, b"h2"), &tlv(0x03, &[0; 4])].concat();
    let mut header = v2(0x21, 0x11, &rest);
    let sum_at = header.len() - 4;
    let sum = checksum(&header, sum_at).to_be_bytes();
    header[sum_at..].copy_from_slice(&sum);
    assert_eq!(
        parse(&header),
        Ok(named("192.0.2.1:4660", "198.51.100.2:443", false))
    );
    // Without its sum, or with another kind in its place, a header is one that has none.
    let value_of_sum = sum_at - 3..sum_at;
    for place in (16..header.len()).filter(|place| !value_of_sum.contains(place)) {
        let mut damaged = header.clone();
        damaged[place] ^= 0x40;
        assert_ne!(parse(&damaged), parse(&header), "byte {place}");
    }
}

#[tokio::test]
async fn version_2_that_is_not_exact_is_refused() {
    let check = async |header: Vec<u8>, expected: ProxyHeaderError| {
        let error = read_before_http(&header).await.unwrap_err();
        assert_eq!(error.to_string(), expected.to_string(), "{header:?}");
    };
    for (command, family) in [
        (0x11, 0x11),
        (0x22, 0x11),
        (0x31, 0x11),
        (0x21, 0x12),
        (0x21, 0x22),
        (0x21, 0x41),
    ] {
        check(v2(command, family, &FOUR), ProxyHeaderError::Unknown).await;
    }
    check(v2(0x21, 0x11, &FOUR[..11]), ProxyHeaderError::BadLength).await;
    check(v2(0x21, 0x21, &FOUR), ProxyHeaderError::BadLength).await;
    check(v2(0x21, 0x31, &[0; 215]), ProxyHeaderError::BadLength).await;
    check(
        v2(0x21, 0x11, &[0; LONGEST_V2 + 1]),
        ProxyHeaderError::BadLength,
    )
    .await;
    let whole = v2(0x21, 0x11, &FOUR);
    for end in 0..whole.len() {
        assert!(parse(&whole[..end]).is_err());
        let read = read(&mut &whole[..end]).await;
        match end {
            0 => assert_eq!(read.unwrap(), None),
            _ => assert_eq!(
                read.unwrap_err().to_string(),
                ProxyHeaderError::Cut.to_string()
            ),
        }
    }
}

#[test]
fn facts_are_the_clients_and_nobody_is_taken_for_the_proxy() {
    let proxy: SocketAddr = "10.0.0.1:1".parse().unwrap();
    let arrival = Arrival::new(ClientAddr::Ip(proxy), ServerAddr::Unix, Scheme::Http);
    let told = ProxyHeader::Own.tell(arrival.clone());
    assert_eq!(told.origin(), Origin::Peer);
    assert_eq!(told, arrival);
    let told = ProxyHeader::Unnamed { encrypted: true }.tell(arrival.clone());
    assert_eq!(
        (told.origin(), told.scheme()),
        (Origin::Unnamed, Scheme::Https)
    );
    let told = named("192.0.2.1:4660", "198.51.100.2:443", false).tell(arrival);
    assert_eq!(
        told.client(),
        ClientAddr::Ip("192.0.2.1:4660".parse().unwrap())
    );
    assert_eq!(
        (told.origin(), told.scheme()),
        (Origin::Named, Scheme::Http)
    );
}

fn bench() -> Bench {
    told_bench().0
}

/// And what it tells when its writer is closed.
fn told_bench() -> (Bench, Arc<Writer>, Lines) {
    let mut head = HeadRules::default();
    head.proxies.add("10.0.0.0/8").unwrap();
    let lines = Lines::default();
    let out = Out::Stream(Box::new(lines.clone()));
    let writer = Arc::new(Writer::start("test", out, |_| String::new()).unwrap());
    let bench = Bench::new(EdgeSettings {
        head,
        troubles: Some(Troubles::start(Arc::clone(&writer))),
        ..EdgeSettings::default()
    });
    (bench, writer, lines)
}

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n";

#[tokio::test(start_paused = true)]
async fn trusted_proxy_is_listened_to_and_nobody_else() {
    let (bench, writer, lines) = told_bench();
    let told = bench.greeted("10.0.0.1:1", LINE).await.unwrap();
    assert_eq!(
        told.client(),
        ClientAddr::Ip("192.0.2.1:4660".parse().unwrap())
    );
    assert_eq!(bench.greeted("203.0.113.9:1", LINE).await, None);
    assert_eq!(
        bench.greeted("10.0.0.1:1", b"GET / HTTP/1.1\r\n").await,
        None
    );
    assert_eq!(bench.meters().times_met(Limit::ProxyHeader), 2);
    writer.close();
    // No request came.
    assert!(bench.records().await.is_empty());
    assert_eq!(
        lines.text(),
        "warning: a connection from 203.0.113.9 was closed: a PROXY header is expected, and the peer is no \
         trusted proxy\n"
    );
}

#[tokio::test(start_paused = true)]
async fn balancer_that_only_looks_whether_somebody_listens_does_nothing_wrong() {
    let (bench, writer, lines) = told_bench();
    drop(bench.connect_behind_proxy("10.0.0.1:1"));
    settle().await;
    assert_eq!(bench.meters().times_met(Limit::ProxyHeader), 0);
    let mut begun = bench.connect_behind_proxy("10.0.0.1:1");
    soon(begun.write_all(&LINE[..5])).await.unwrap();
    drop(begun);
    settle().await;
    assert_eq!(bench.meters().times_met(Limit::ProxyHeader), 1);
    assert!(bench.records().await.is_empty());
    writer.close();
    assert_eq!(
        lines.text(),
        "warning: a connection from 10.0.0.1 was closed: the connection ended in the middle of the PROXY header\n"
    );
}

#[tokio::test(start_paused = true)]
async fn stop_waits_for_no_header() {
    let bench = bench();
    let mut silent = bench.connect_behind_proxy("10.0.0.1:1");
    settle().await;
    bench.stop();
    assert_eq!(soon(silent.read(&mut [0])).await.unwrap(), 0);
    assert!(bench.records().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn header_that_does_not_come_in_time_ends_the_connection() {
    let bench = bench();
    let greeted = bench.greeted("10.0.0.1:1", &LINE[..20]);
    let (told, ()) = tokio::join!(greeted, bench.clock.pass(seconds(21)));
    assert_eq!(told, None);
    assert_eq!(bench.meters().times_met(Limit::ProxyHeader), 1);
}

proptest::proptest! {
    #[test]
    fn any_header_is_parsed_without_panic(rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), family in 0_u8..0x40) {
        let _v2 = parse(&v2(0x21, family, &rest));
        let _v1 = parse(&[WORD, &rest, b"\r\n"].concat());
        let _none = parse(&rest);
    }
}
