//! The sockets that are bound before anything is started, and what to do when one cannot be.

use crate::{
    config::{Bind, Role, ServeSettings},
    print::Failure,
};
use anyhow::Context as _;
use std::net::ToSocketAddrs as _;
use yett_edge::listen::{Address, ListenError, Listener, Purpose, Wire};

pub(super) fn bind(settings: &ServeSettings) -> Result<Vec<Listener>, Failure> {
    let mut listeners = Vec::new();
    for one in &settings.listeners {
        let purpose = match one.role {
            Role::Serve(wire) => Purpose::Serve(wire),
            // Those that serve stand before.
            Role::Redirect => Purpose::RedirectToHttps {
                port: settings
                    .redirect_port
                    .or_else(|| first_tls_port(&listeners))
                    .context("there is no HTTPS listener to send anybody to")
                    .map_err(Failure::usage)?,
            },
        };
        for address in addresses(&one.bind)? {
            let listener = Listener::bind_for(&address, one.permissions)
                .map_err(|error| cannot_listen(error, "--bind"))?;
            listeners.push(listener.with_purpose(purpose).with_preface(one.preface));
        }
    }
    Ok(listeners)
}

fn first_tls_port(listeners: &[Listener]) -> Option<u16> {
    listeners
        .iter()
        .find_map(|listener| match (listener.purpose(), listener.address()) {
            (Purpose::Serve(Wire::Tls), Address::Tcp(address)) => Some(address.port()),
            _ => None,
        })
}

pub(super) fn addresses(bind: &Bind) -> Result<Vec<Address>, Failure> {
    match bind {
        Bind::Ip(address) => Ok(vec![Address::Tcp(*address)]),
        Bind::Unix(path) => Ok(vec![Address::Unix(path.clone())]),
        Bind::Name { host, port } => {
            let found = (host.as_str(), *port)
                .to_socket_addrs()
                .with_context(|| format!("the host name {host:?} has no address"))
                .map_err(Failure::usage)?;
            let mut found: Vec<_> = found.map(Address::Tcp).collect();
            found.dedup();
            // With port 0 each address would get a port of its own.
            if *port == 0 {
                found.truncate(1);
            }
            Ok(found)
        }
    }
}

/// `flag` is what the address was said by, or can be.
pub(super) fn cannot_listen(error: ListenError, flag: &str) -> Failure {
    let hint = match &error {
        ListenError::InUse(Address::Tcp(address)) => {
            let mut other = *address;
            other.set_port(address.port().checked_add(1).unwrap_or(8001));
            format!("end the other program, or choose another address: {flag} {other}")
        }
        ListenError::InUse(Address::Unix(_)) => {
            format!("end the other program, or choose another path: {flag} unix:PATH")
        }
        ListenError::Forbidden(Address::Tcp(_)) => {
            format!("ports below 1024 need a privilege; choose one above with {flag}")
        }
        ListenError::Forbidden(Address::Unix(path)) => format!(
            "this user may not make files in {}; choose another path: {flag} unix:PATH",
            path.parent().unwrap_or(path).display()
        ),
        ListenError::Permissions { .. } => String::from(
            "only root may give a socket to another user; of a group that gets it one must be a member",
        ),
        ListenError::NotASocket(_) => {
            format!("choose another path for the Unix socket: {flag} unix:PATH")
        }
        ListenError::Other { .. } => return Failure::usage(error),
    };
    Failure::usage(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::Paint;

    #[test]
    fn hint_fits_the_kind_of_address_and_the_flag() {
        let said = |error, flag| cannot_listen(error, flag).text(Paint::Off);
        let tcp = || Address::Tcp("127.0.0.1:9000".parse().unwrap());
        let unix = || Address::Unix("/run/closed/yett.sock".into());
        let check = |error, flag, hint: &str| {
            let text = said(error, flag);
            assert!(text.contains(hint), "{text}");
        };
        check(
            ListenError::InUse(tcp()),
            "--admin",
            "--admin 127.0.0.1:9001",
        );
        check(ListenError::InUse(unix()), "--bind", "--bind unix:PATH");
        check(ListenError::Forbidden(tcp()), "--bind", "ports below 1024");
        check(
            ListenError::Forbidden(unix()),
            "--bind",
            "may not make files in /run/closed;",
        );
    }
}
