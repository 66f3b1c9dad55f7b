//! What is wrong with certificates is said at the start, all of it, and without any key's bytes.

use super::*;
use crate::tls::{TlsErrors, watch};

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
            "the certificate for a.org has run out at 2021-01-01 00:00:00 UTC",
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
        assert_eq!(tls.certificates()[0].warnings, [expected]);
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
