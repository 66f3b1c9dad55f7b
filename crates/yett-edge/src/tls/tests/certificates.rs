//! What is wrong with certificates is said at the start, all of it, and without any key's bytes.

use super::*;
use crate::meters::{Form, Page};
use crate::tls::{CertificateFacts, TlsErrors, watch};
use yett_jwt::UnixSeconds;

fn errors(sources: Vec<CertificateSource>) -> TlsErrors {
    Tls::load(TlsSettings::new(sources)).unwrap_err()
}

/// The error's text, with the folder left out.
fn text(house: &House, sources: Vec<CertificateSource>) -> String {
    let text = errors(sources).to_string();
    let folder = format!("{}/", house.folder.path().display());
    text.lines()
        .filter(|line| !line.contains("hint:"))
        .collect::<Vec<_>>()
        .join("\n")
        .replace(&folder, "")
}

#[test]
fn all_mistakes_come_at_once() {
    let house = House::new();
    let folder = house.folder.path();
    let good = house.source("good", &["a.org"]);
    std::fs::write(folder.join("empty.pem"), "").unwrap();
    write_secret(&folder.join("empty.key"), "nothing in here");
    let sources = vec![good, source(folder, "missing"), source(folder, "empty")];
    assert_eq!(
        text(&house, sources),
        "4 mistakes in what TLS needs:\n\
         cannot read missing.pem: No such file or directory (os error 2)\n\
         cannot read missing.key: No such file or directory (os error 2)\n\
         there is no certificate in empty.pem\n\
         there is no private key in empty.key"
    );
}

#[test]
fn key_of_another_certificate_is_refused() {
    let house = House::new();
    let own = house.source("own", &["a.org"]);
    let other = house.authority.server(&["a.org"]);
    write_secret(&house.path("own.key"), &other.key);
    assert_eq!(
        text(&house, vec![own]),
        "the private key in own.key does not belong to the certificate in own.pem"
    );
}

#[test]
fn encrypted_key_is_refused_by_name() {
    for inside in [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    ] {
        let house = House::new();
        let own = house.source("own", &["a.org"]);
        write_secret(&house.path("own.key"), inside);
        assert_eq!(
            text(&house, vec![own]),
            "the private key in own.key is encrypted"
        );
    }
}

#[test]
fn damaged_files_are_named_and_not_shown() {
    let house = House::new();
    let own = house.source("own", &["a.org"]);
    let key = std::fs::read_to_string(house.path("own.key")).unwrap();
    let cut = key.replace("-----END PRIVATE KEY-----", "");
    write_secret(&house.path("own.key"), &cut);
    let error = errors(vec![own.clone()]);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("damaged PEM block"), "{shown}");
    let secret = key.lines().nth(1).unwrap();
    assert!(!shown.contains(&secret[..16]));
    write_secret(
        &house.path("own.key"),
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    assert_eq!(
        text(&house, vec![own]),
        "the private key in own.key is damaged or of a kind that is not supported"
    );
}

#[test]
fn file_without_end_is_not_read() {
    let house = House::new();
    let own = house.source("own", &["a.org"]);
    let long = std::fs::File::create(house.path("own.pem")).unwrap();
    long.set_len((1 << 20) + 1).unwrap();
    assert_eq!(text(&house, vec![own]), "own.pem is longer than 1 MiB");
}

#[test]
fn own_certificate_must_stand_first() {
    let house = House::new();
    let own = house.source("own", &["a.org"]);
    let pem = std::fs::read_to_string(house.path("own.pem")).unwrap();
    let turned = house.authority.pem() + &pem;
    std::fs::write(house.path("own.pem"), turned).unwrap();
    assert_eq!(
        text(&house, vec![own.clone()]),
        "the server's own certificate must stand first in own.pem, and stands at place 2"
    );
    std::fs::write(house.path("own.pem"), pem.clone() + &house.authority.pem()).unwrap();
    let facts = Tls::load(TlsSettings::new(vec![own.clone()])).unwrap();
    assert_eq!(facts.certificates()[0].warnings, [""; 0]);
    let stranger = Authority::new("stranger").pem();
    std::fs::write(house.path("own.pem"), pem + &stranger).unwrap();
    let facts = Tls::load(TlsSettings::new(vec![own])).unwrap();
    assert_eq!(
        facts.certificates()[0].warnings,
        [
            "certificate 2 of the chain for a.org is not the one that signed certificate 1; clients may not find their way"
        ]
    );
}

#[test]
fn dates_and_readable_keys_are_warned_of() {
    let house = House::new();
    let folder = house.folder.path();
    for (years, expected) in [
        (
            Years::Past,
            "the certificate for a.org in own.pem has run out (2021-01-01 00:00:00 UTC): renew it; a new file is loaded by itself",
        ),
        (
            Years::Future,
            "the certificate for a.org does not hold before 2089-01-01 00:00:00 UTC",
        ),
    ] {
        let pair = house
            .authority
            .server_of(&["a.org"], years, &PKCS_ECDSA_P256_SHA256);
        let source = pair.write(folder, "own");
        let tls = Tls::load(TlsSettings::new(vec![source])).unwrap();
        let folder = format!("{}/", folder.display());
        let warnings = &tls.certificates()[0].warnings;
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].replace(&folder, ""), expected);
    }
    let own = house.source("own", &["a.org"]);
    std::fs::write(
        house.path("own.key.new"),
        std::fs::read(house.path("own.key")).unwrap(),
    )
    .unwrap();
    std::fs::rename(house.path("own.key.new"), house.path("own.key")).unwrap();
    let tls = Tls::load(TlsSettings::new(vec![own])).unwrap();
    let warnings = &tls.certificates()[0].warnings;
    assert!(warnings[0].starts_with("everyone on this machine can read the private key"));
}

#[test]
fn certificate_is_warned_of_three_weeks_before_its_end_and_a_short_one_later() {
    let day = 24 * 60 * 60;
    let mut facts = CertificateFacts {
        names: vec![String::from("a.org")],
        not_before: UnixSeconds::new(0),
        not_after: UnixSeconds::new(90 * day),
        fingerprint: String::new(),
        file: Some("own.pem".into()),
        warnings: Vec::new(),
    };
    let said = |facts: &CertificateFacts, seconds: i64| -> Option<String> {
        let end = facts.not_after.get();
        let said = facts.ending(UnixSeconds::new(end - seconds))?;
        let said = said.strip_prefix("the certificate for a.org in own.pem ")?;
        Some(said.split_once(" (")?.0.to_owned())
    };
    for (left, expected) in [
        (21 * day + 1, None),
        (21 * day, Some("runs out in 21 days")),
        (2 * day - 1, Some("runs out in 1 day")),
        (day - 1, Some("runs out in less than a day")),
        (-1, Some("has run out")),
    ] {
        assert_eq!(said(&facts, left).as_deref(), expected);
    }
    facts.not_after = UnixSeconds::new(6 * day);
    assert_eq!(said(&facts, 2 * day), None);
    assert_eq!(said(&facts, day).as_deref(), Some("runs out in 1 day"));
    facts.file = None;
    assert_eq!(facts.ending(UnixSeconds::new(7 * day)), None);
}

#[test]
fn metrics_say_until_when_certificates_hold_and_not_where_they_are() {
    let house = House::new();
    let own = house.source("own", &["a.org", "b.org"]);
    let mut sources = vec![own.clone(), own];
    // The same names from a file of the same name, which runs out first.
    let folder = tempfile::tempdir().unwrap();
    let kind = &PKCS_ECDSA_P256_SHA256;
    let past = (house.authority).server_of(&["a.org"], Years::Past, kind);
    sources.insert(1, past.write(folder.path(), "own"));
    let tls = Tls::load(TlsSettings::new(sources)).unwrap();
    let mut page = Page::new(Form::Prometheus);
    tls.measure(&mut page);
    let text = page.finish();
    let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let sample = format!(
        "yett_tls_certificate_expiry_timestamp_seconds{{name=\"a.org\",file=\"own.pem\"}} {}",
        rcgen::date_time_ymd(2021, 1, 1).unix_timestamp()
    );
    assert_eq!(samples, [sample]);
}

#[tokio::test(start_paused = true)]
async fn certificate_that_runs_out_is_told_of_every_day() {
    let house = House::new();
    let past = house
        .authority
        .server_of(&["a.org"], Years::Past, &PKCS_ECDSA_P256_SHA256);
    let source = past.write(house.folder.path(), "own");
    let tls = Arc::new(Tls::load(TlsSettings::new(vec![source])).unwrap());
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let watching = tokio::spawn(Arc::clone(&tls).watch(move |news| {
        let _test_over = said.send(news);
    }));
    let began = tokio::time::Instant::now();
    let Some(watch::TlsNews::Ending(sentence)) = heard.recv().await else {
        panic!("nothing else is to be told")
    };
    assert!(sentence.contains("has run out"), "{sentence}");
    // The first look was at once.
    assert_eq!(began.elapsed().as_secs() + 5, 86_400);
    watching.abort();
}

#[tokio::test(start_paused = true)]
async fn look_that_panics_is_told_once_and_costs_no_further_one() {
    let place = std::sync::atomic::AtomicUsize::new(0);
    let mut looks =
        watch::Looks::new(
            move || match place.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 | 1 | 4 => panic!("a fault of ours"),
                2 => None,
                _ => Some(watch::TlsNews::Reloaded(Vec::new())),
            },
        );
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(match looks.next().await {
            None => "-",
            Some(watch::TlsNews::Broken(reason)) => {
                assert!(reason.contains("a fault of ours"), "{reason}");
                "broken"
            }
            Some(_) => "news",
        });
    }
    assert_eq!(told, ["broken", "-", "-", "news", "broken"]);
}

#[test]
fn one_file_may_hold_both() {
    let house = House::new();
    let pair = house.authority.server(&["a.org"]);
    let path = house.path("both.pem");
    write_secret(&path, &(pair.key + &pair.certificate));
    let both = CertificateSource::Files {
        certificate: path.clone(),
        key: path,
    };
    assert!(Tls::load(TlsSettings::new(vec![both])).is_ok());
}

#[test]
fn keys_are_not_printed() {
    let house = House::new();
    let tls = Tls::load(house.settings()).unwrap();
    let shown = format!("{tls:?}");
    let key = std::fs::read_to_string(house.path("own.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    assert!(shown.contains("example.org"));
    assert!(
        !shown.contains(secret) && !shown.contains("PRIVATE"),
        "{shown}"
    );
}

#[test]
fn broken_new_pair_changes_nothing() {
    let house = House::new();
    let tls = Tls::load(house.settings()).unwrap();
    let before = tls.certificates();
    let other = house.authority.server(&["example.org"]);
    write_secret(&house.path("own.key"), &other.key);
    let error = tls.reload().unwrap_err().to_string();
    assert!(
        error.contains("does not belong to the certificate"),
        "{error}"
    );
    assert_eq!(tls.certificates(), before);
    std::fs::write(house.path("own.pem"), &other.certificate).unwrap();
    assert_ne!(tls.reload().unwrap(), before);
}

#[test]
fn certificate_for_development_stays_the_same_over_reloads() {
    let names = vec![String::from("localhost"), String::from("::1")];
    let source = CertificateSource::SelfSigned {
        names: names.clone(),
    };
    let tls = Tls::load(TlsSettings::new(vec![source])).unwrap();
    let before = tls.certificates();
    assert_eq!((&before[0].names, &before[0].file), (&names, &None));
    assert_eq!(before[0].warnings, [""; 0]);
    assert_eq!(tls.reload().unwrap(), before);
}

#[test]
fn swapped_folder_is_seen_once_it_is_quiet() {
    let house = House::new();
    // As Kubernetes mounts a secret: the names lead through `..data`, which is swapped.
    let folder = house.folder.path();
    for (name, text) in [("..1", "one"), ("..2", "two!")] {
        std::fs::create_dir(folder.join(name)).unwrap();
        std::fs::write(folder.join(name).join("tls.crt"), text).unwrap();
    }
    let swap = |to: &str| {
        std::os::unix::fs::symlink(to, folder.join("..new")).unwrap();
        std::fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
    };
    swap("..1");
    std::os::unix::fs::symlink("..data/tls.crt", folder.join("tls.crt")).unwrap();
    let files = [folder.join("tls.crt")];
    let mut changes = watch::Changes::new(watch::look(&files));
    assert!(!changes.settled(watch::look(&files)));
    swap("..2");
    assert!(
        !changes.settled(watch::look(&files)),
        "it may still be changing"
    );
    assert!(changes.settled(watch::look(&files)));
    assert!(!changes.settled(watch::look(&files)), "once is enough");
    std::fs::remove_file(folder.join("..data")).unwrap();
    assert!(!changes.settled(watch::look(&files)));
    swap("..2");
    assert!(!changes.settled(watch::look(&files)));
    assert!(!changes.settled(watch::look(&files)), "back where it was");
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_loaded_by_themselves_and_told() {
    let house = House::new();
    let tls = Arc::new(Tls::load(house.settings()).unwrap());
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let watching = tokio::spawn(Arc::clone(&tls).watch(move |news| {
        let _test_over = said.send(format!("{news:?}"));
    }));
    // The first look.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let other = house.authority.server(&["example.org"]);
    write_secret(&house.path("own.key"), &other.key);
    let news = heard.recv().await.unwrap();
    assert!(news.starts_with("Kept("), "{news}");
    std::fs::write(house.path("own.pem"), &other.certificate).unwrap();
    let news = heard.recv().await.unwrap();
    assert!(news.starts_with("Reloaded("), "{news}");
    watching.abort();
}
