//! The extension module `yett._yett`.
//!
//! **What it is.** What Python needs of Yett in Rust: the worker's end of the link with the WSGI
//! and ASGI calls on it (`wsgi`, `asgi`), JSON Web Tokens (`jwt`), and Django's password hashes (`password`),
//! what lets workers share memory (`immortal`), and the end of a fork that comes back (`forked`).
//!
//! **What it keeps out.** HTTP and TLS (the edge's), processes (`yett-supervisor`), and policy: which
//! token class, which settings, which error body is decided in Python.
//!
//! **Way in.** The Python package `yett`; the stub `_yett.pyi` is this module's contract.
//!
//! **How it is tested.** From Python: `python/tests`, and the whole-system tests.

mod asgi;
mod forked;
mod identity;
mod immortal;
mod jwt;
mod password;
mod wsgi;

/// What `import yett._yett` gives.
#[pyo3::pymodule]
mod _yett {
    #[pymodule_export]
    use crate::asgi::{Awaited, Done, HttpExchange, LoopLink, WebSocketExchange};
    #[pymodule_export]
    use crate::identity::Identity;
    #[pymodule_export]
    use crate::immortal::make_immortal;
    #[pymodule_export]
    use crate::jwt::{
        Algorithms, Checks, Key, check_claims, check_payload, danger_split, jws_sign, jws_verify,
        jwt_decode, jwt_decode_complete, read_claims, read_json,
    };
    #[pymodule_export]
    use crate::password::{hash_argon2, hash_bcrypt, hash_pbkdf2, hash_scrypt, password_matches};
    #[pymodule_export]
    use crate::wsgi::{StartResponse, WorkerLink};

    use pyo3::prelude::*;

    /// The version of the build, which the edge compares with its own.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
