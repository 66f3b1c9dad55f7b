//! Who publishes the keys of the project's tokens (`JWK_URL`): the client that the edge asks, and
//! its refresh in the background for as long as the release is in force. Never decides about a
//! token: without keys the application does.

use super::manifest::TokenRules;
use crate::print::{Screen, without_controls};
use std::{future::pending, iter, time::Duration};
use tokio::task::JoinHandle;
use yett_jwks::{JwksClient, JwksSettings, JwksStatus, Loopback};

/// The client for the project's issuer. In development (`DEBUG`) the issuer may be on this machine,
/// and there without TLS. The error is a sentence for people.
pub(super) fn client(rules: &TokenRules, debug: bool) -> Result<Option<JwksClient>, String> {
    let Some(url) = &rules.jwk_url else {
        return Ok(None);
    };
    let algorithm = rules
        .algorithm
        .parse()
        .map_err(|_| format!("ALGORITHM {:?} is not known", rules.algorithm))?;
    let mut settings = JwksSettings::new(url, [algorithm]);
    // As long as the application's own client keeps a set, so that neither takes a withdrawn key for
    // much longer than the other.
    settings.refresh = Duration::from_secs(300);
    if debug {
        settings.loopback = Loopback::Allowed;
    }
    JwksClient::new(settings)
        .map(Some)
        .map_err(|errors| errors.to_string())
}

/// Refreshes an issuer's keys until it is dropped, and tells when that goes wrong.
pub(super) struct Watch {
    tasks: [JoinHandle<()>; 2],
}

impl Watch {
    /// Inside the program's runtime.
    pub(super) fn start(client: JwksClient, screen: Screen) -> Self {
        let told = tell(client.clone(), screen);
        Self {
            tasks: [
                tokio::spawn(client.refresh_until(pending::<()>())),
                tokio::spawn(told),
            ],
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// One line when fetching begins to fail, one when it works again.
async fn tell(client: JwksClient, screen: Screen) {
    let mut status = client.subscribe();
    let mut is_failing = false;
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        if let Some(line) = line(&now, is_failing) {
            screen.err(&without_controls(&line));
            screen.err("\n");
        }
        is_failing = now.failures_in_row > 0;
    }
}

fn line(status: &JwksStatus, was_failing: bool) -> Option<String> {
    match (was_failing, status.failures_in_row) {
        (false, 1..) => {
            let error = status.last_error.as_ref()?;
            let causes: Vec<String> =
                iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
                    .map(ToString::to_string)
                    .collect();
            let meanwhile = if status.replacements == 0 {
                "until then the app checks every token itself"
            } else {
                "the last keys keep serving"
            };
            Some(format!(
                "warning: JWK_URL: {}; {meanwhile}",
                causes.join(": ")
            ))
        }
        (true, 0) => Some(String::from("yett: JWK_URL: the keys are here again")),
        _ => None,
    }
}
