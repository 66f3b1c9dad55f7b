//! Certificates in the program's life: loaded before a socket is bound, loaded again by an order or
//! when their files change, and told of in the banner, by `yett check` and by `yett status`.

use super::Plan;
use crate::{
    config::ServeSettings,
    print::{Failure, Screen, utc_or_seconds, without_controls},
};
use std::{future::Future, sync::Arc};
use yett_edge::tls::{CertificateFacts, Tls, TlsErrors, TlsNews};
use yett_gate::ClientAddr;

/// What the settings ask for, loaded. All mistakes come at once.
pub(super) fn load(settings: &ServeSettings) -> Result<Option<Arc<Tls>>, Failure> {
    let Some(tls) = settings.tls.clone() else {
        return Ok(None);
    };
    let loaded = Tls::load(tls).map_err(Failure::usage)?;
    Ok(Some(Arc::new(loaded)))
}

/// What is probably not meant, of all certificates in use.
pub(super) fn warnings(plan: &Plan) -> Vec<String> {
    facts(plan)
        .into_iter()
        .flat_map(|one| one.warnings)
        .collect()
}

/// A line for each certificate in use.
pub(super) fn lines(plan: &Plan) -> Vec<String> {
    facts(plan).iter().map(line).collect()
}

fn facts(plan: &Plan) -> Vec<CertificateFacts> {
    plan.tls
        .as_ref()
        .map(|tls| tls.certificates())
        .unwrap_or_default()
}

fn line(one: &CertificateFacts) -> String {
    let names = one.names.join(", ");
    match &one.file {
        Some(file) => format!(
            "{names} until {} from {}",
            utc_or_seconds(one.not_after),
            file.display()
        ),
        None => format!(
            "for development, trusted by nobody: {names}; SHA-256 {}",
            one.fingerprint
        ),
    }
}

/// The certificates of a running server.
pub(super) struct Certificates {
    tls: Option<Arc<Tls>>,
    screen: Screen,
}

impl Certificates {
    pub(super) fn new(tls: Option<Arc<Tls>>, screen: Screen) -> Self {
        Self { tls, screen }
    }

    /// Looks at the files for ever.
    pub(super) async fn watch(&self) {
        let Some(tls) = &self.tls else {
            return std::future::pending().await;
        };
        Arc::clone(tls).watch(|news| tell(self.screen, news)).await;
        // It only ends with the runtime.
        std::future::pending().await
    }

    /// Begins to read the files again, as with `yett reload` and HUP, and tells what came of it. Who
    /// waits for the end hears what is wrong with them, if they were not taken.
    pub(super) fn reload(&self) -> impl Future<Output = Option<String>> + use<> {
        let screen = self.screen;
        let reading = self.tls.clone().map(|tls| {
            // The runtime's last task may be cut; a half-read certificate changes nothing.
            tokio::task::spawn_blocking(move || {
                let news = tls.renew();
                let wrong = match &news {
                    TlsNews::Kept(errors) => Some(errors.to_string()),
                    _ => None,
                };
                tell(screen, news);
                wrong
            })
        });
        async move {
            let read = reading?.await;
            read.unwrap_or_else(|broken| Some(broken.to_string()))
        }
    }

    /// For `yett status`.
    pub(super) fn status(&self) -> serde_json::Value {
        let Some(tls) = &self.tls else {
            return serde_json::Value::Null;
        };
        let counts = tls.counts();
        let certificates: Vec<_> = tls
            .certificates()
            .iter()
            .map(|one| {
                serde_json::json!({
                    "names": one.names,
                    "until": utc_or_seconds(one.not_after),
                    "file": one.file,
                    "fingerprint": one.fingerprint,
                })
            })
            .collect();
        serde_json::json!({
            "certificates": certificates,
            "handshakes": {
                "full": counts.full,
                "resumed": counts.resumed,
                "failed": counts.failed,
            },
        })
    }
}

fn tell(screen: Screen, news: TlsNews) {
    screen.err(&without_controls(&told(news)));
}

fn told(news: TlsNews) -> String {
    match news {
        TlsNews::Reloaded(certificates) => {
            let mut text = String::new();
            for one in certificates {
                text += &format!("yett: certificate loaded: {}\n", line(&one));
                for warning in one.warnings {
                    text += &format!("warning: {warning}\n");
                }
            }
            text
        }
        TlsNews::Kept(errors) => kept(&errors),
        TlsNews::Ending(sentence) => format!("warning: {sentence}\n"),
        TlsNews::Broken(reason) => format!(
            "error: the certificates' files could not be looked at ({reason}); it is tried again every \
             five seconds, and yett reload loads them\n"
        ),
        TlsNews::Failed(failed) => {
            let client = match failed.client {
                ClientAddr::Ip(address) => address.ip().to_string(),
                ClientAddr::Unix => String::from("a Unix socket"),
            };
            format!(
                "yett: TLS handshakes that failed in the last ten minutes: {}; the last one, from {client}: {}\n",
                failed.count, failed.reason
            )
        }
    }
}

fn kept(errors: &TlsErrors) -> String {
    let errors = errors.to_string().replace('\n', "\n  ");
    format!(
        "error: the new certificates cannot be used; those from before stay in use:\n  {errors}\n"
    )
}
