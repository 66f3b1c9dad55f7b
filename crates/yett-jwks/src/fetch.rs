//! One fetch, from the issuer's name to the body of its answer, in bounded time.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::connect::connect;
use crate::endpoint::Endpoint;
use crate::exchange::exchange;
use crate::tls::client_config;
use crate::{JwksError, JwksSettings, JwksSettingsError, JwksSettingsErrors};

/// Where bodies come from.
pub(crate) enum Source {
    Issuer(Box<Issuer>),
    /// An issuer in a test's hands.
    #[cfg(test)]
    Script(crate::testing::Script),
}

/// An issuer on the network.
pub(crate) struct Issuer {
    endpoint: Endpoint,
    transport: Transport,
    longest_body: usize,
}

enum Transport {
    Tls(TlsConnector, ServerName<'static>),
    /// Only for endpoints whose reach is this machine alone.
    Plain,
}

impl Source {
    /// The body of one answer, or why there is none within `after`.
    pub(crate) async fn fetch(&self, after: Duration) -> Result<Vec<u8>, JwksError> {
        let fetched = async {
            match self {
                Self::Issuer(issuer) => issuer.fetch().await,
                #[cfg(test)]
                Self::Script(script) => script.fetch().await,
            }
        };
        timeout(after, fetched)
            .await
            .unwrap_or(Err(JwksError::Timeout { after }))
    }
}

impl Issuer {
    /// Checks all settings; every mistake is named at once.
    pub(crate) fn new(settings: &JwksSettings) -> Result<Self, JwksSettingsErrors> {
        let mistakes = settings.mistakes();
        match locate(settings) {
            Ok((endpoint, transport)) if mistakes.is_empty() => Ok(Self {
                endpoint,
                transport,
                longest_body: settings.longest_body,
            }),
            Ok(_) => Err(JwksSettingsErrors::new(mistakes)),
            Err(mut errors) => {
                errors.extend(mistakes);
                Err(JwksSettingsErrors::new(errors))
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<u8>, JwksError> {
        let stream = connect(&self.endpoint).await?;
        match &self.transport {
            Transport::Tls(tls, name) => {
                let stream = tls
                    .connect(name.clone(), stream)
                    .await
                    .map_err(|error| JwksError::Tls(Arc::new(error)))?;
                exchange(stream, &self.endpoint, self.longest_body).await
            }
            Transport::Plain => exchange(stream, &self.endpoint, self.longest_body).await,
        }
    }
}

/// Where the issuer is and how it is spoken to, from the settings that say so.
fn locate(settings: &JwksSettings) -> Result<(Endpoint, Transport), Vec<JwksSettingsError>> {
    let endpoint = match Endpoint::parse(&settings.url, settings.loopback) {
        Ok(endpoint) => endpoint,
        Err(fault) => {
            let mut errors = vec![JwksSettingsError::Url(fault)];
            errors.extend(client_config(&settings.trust).err());
            return Err(errors);
        }
    };
    let transport = match &endpoint.server_name {
        Some(name) => {
            let config = client_config(&settings.trust).map_err(|error| vec![error])?;
            Transport::Tls(TlsConnector::from(config), name.clone())
        }
        None => Transport::Plain,
    };
    Ok((endpoint, transport))
}

#[cfg(test)]
mod tests;
