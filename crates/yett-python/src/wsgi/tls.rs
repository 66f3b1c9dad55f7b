//! What TLS says, under the names that Apache's mod_ssl made common. No header of a client can have
//! them: those all begin with `HTTP_`.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use yett_link::tls::{ClientFields, TlsFields};

/// Sets `SSL_…` in a request's environ.
pub(super) fn set(tls: &TlsFields<'_>, environ: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = environ.py();
    let version = match tls.version {
        0x0303 => pyo3::intern!(py, "TLSv1.2"),
        0x0304 => pyo3::intern!(py, "TLSv1.3"),
        _ => pyo3::intern!(py, "unknown"),
    };
    environ.set_item(pyo3::intern!(py, "SSL_PROTOCOL"), version)?;
    let cipher = PyString::intern(py, tls.cipher);
    environ.set_item(pyo3::intern!(py, "SSL_CIPHER"), cipher)?;
    if !tls.server_name.is_empty() {
        environ.set_item(pyo3::intern!(py, "SSL_TLS_SNI"), tls.server_name)?;
    }
    let verified = match &tls.client {
        None => pyo3::intern!(py, "NONE"),
        Some(client) => {
            set_client(client, environ)?;
            pyo3::intern!(py, "SUCCESS")
        }
    };
    environ.set_item(pyo3::intern!(py, "SSL_CLIENT_VERIFY"), verified)
}

fn set_client(client: &ClientFields<'_>, environ: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, value) in [
        ("SSL_CLIENT_S_DN", client.subject),
        ("SSL_CLIENT_I_DN", client.issuer),
        ("SSL_CLIENT_M_SERIAL", client.serial),
        ("SSL_CLIENT_V_START", client.not_before),
        ("SSL_CLIENT_V_END", client.not_after),
    ] {
        environ.set_item(name, value)?;
    }
    for (place, certificate) in client.certificates().enumerate() {
        match place.checked_sub(1) {
            None => environ.set_item("SSL_CLIENT_CERT", certificate)?,
            Some(number) => {
                environ.set_item(format!("SSL_CLIENT_CERT_CHAIN_{number}"), certificate)?;
            }
        }
    }
    Ok(())
}
