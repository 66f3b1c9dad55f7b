//! The TLS extension of ASGI: `scope["extensions"]["tls"]`.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use yett_link::tls::TlsFields;

/// The server's certificate of the last request, as Python has it: most requests have the same.
#[derive(Default)]
pub(super) struct LastCertificate(Mutex<Option<(String, Py<PyString>)>>);

impl LastCertificate {
    /// The extension's value for a request.
    pub(super) fn told<'py>(
        &self,
        py: Python<'py>,
        tls: &TlsFields<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let told = PyDict::new(py);
        let own = match tls.server_certificate {
            "" => None,
            text => Some(self.server(py, text)),
        };
        told.set_item(pyo3::intern!(py, "server_cert"), own)?;
        let chain = PyList::empty(py);
        let mut name = None;
        if let Some(client) = &tls.client {
            name = Some(client.subject);
            for certificate in client.certificates() {
                chain.append(certificate)?;
            }
        }
        told.set_item(pyo3::intern!(py, "client_cert_chain"), chain)?;
        told.set_item(pyo3::intern!(py, "client_cert_name"), name)?;
        // Who shows a bad certificate never gets as far as a request.
        told.set_item(pyo3::intern!(py, "client_cert_error"), py.None())?;
        told.set_item(pyo3::intern!(py, "tls_version"), tls.version)?;
        told.set_item(pyo3::intern!(py, "cipher_suite"), tls.cipher_suite)?;
        Ok(told)
    }

    fn server<'py>(&self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, shown)) = &*last
            && known == text
        {
            return shown.bind(py).clone();
        }
        let shown = PyString::new(py, text);
        *last = Some((text.to_owned(), shown.clone().unbind()));
        shown
    }
}
