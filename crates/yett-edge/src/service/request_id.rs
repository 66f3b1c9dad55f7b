//! Requests' ids: one for each, from a trusted proxy or made here; in its record, in the
//! application's headers and in the answer.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use yett_gate::{Arrival, RequestHead};

use super::Services;
use crate::log::Record;
use crate::random;

impl Services {
    /// Names a request with these headers, if requests have ids.
    pub(crate) fn name(
        &self,
        headers: &HeaderMap,
        arrival: &Arrival,
        record: &mut Record,
    ) -> Option<HeaderValue> {
        let rules = &self.settings.head;
        let header = rules.request_id.as_ref()?;
        let told = header.told(headers, arrival, &rules.proxies).cloned();
        let id = told.or_else(|| HeaderValue::try_from(random::name()).ok())?;
        record.id(&id);
        Some(id)
    }

    /// Tells the application a request's id, and nothing that the client said in its place.
    pub(super) fn hand_on(&self, id: Option<&HeaderValue>, head: &mut RequestHead) {
        if let (Some(header), Some(id)) = (&self.settings.head.request_id, id) {
            head.name(header, id.clone());
        }
    }

    /// The header that tells an answer's id.
    pub(super) fn id_header(&self, id: Option<HeaderValue>) -> Option<(&HeaderName, HeaderValue)> {
        let header = self.settings.head.request_id.as_ref()?;
        Some((header.name(), id?))
    }
}

#[cfg(test)]
mod tests;
