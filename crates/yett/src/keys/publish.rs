//! `yett keys jwks` and `yett keys thumbprint`: the public half of keys, and nothing else of them.
//! What is printed is written from public parameters; a private member has no way in.

use super::KeyFile;
use crate::{
    cli::{JwksArgs, ThumbprintArgs},
    print::{Failure, JsonObjectText, pretty},
};
use anyhow::Context as _;
use yett_jwt::{KeyId, KeySet, VerifyingKey};

/// The public JWK set of some files, as JSON.
pub(super) fn jwks(words: &JwksArgs) -> Result<String, Failure> {
    let mut keys = Vec::with_capacity(words.files.len());
    for (name, path) in &words.files {
        let key = KeyFile::read(path)?.public_half(&words.alg)?;
        keys.push(named(key, name.as_ref()));
    }
    let set = KeySet::new(keys)
        .context("these keys make no set")
        .map_err(|error| {
            Failure::usage(error)
                .hint("NAME=FILE gives a key another id; each file may be given once")
        })?;
    Ok(pretty(&set.to_json()) + "\n")
}

/// The key with the given name, else its own, else its thumbprint.
fn named(key: VerifyingKey, name: Option<&KeyId>) -> VerifyingKey {
    let id = name
        .or(key.key_id())
        .cloned()
        .or_else(|| KeyId::new(&key.thumbprint()?));
    match id {
        Some(id) => key.with_key_id(id),
        None => key,
    }
}

/// A key's thumbprint on a line.
pub(super) fn thumbprint(words: &ThumbprintArgs) -> Result<String, Failure> {
    let key = KeyFile::read(&words.file)?.public_for_any()?;
    let thumbprint = key.thumbprint().unwrap_or_default();
    if words.json {
        let object = JsonObjectText::default()
            .with("thumbprint", thumbprint)
            .with("key_type", key.algorithm().key_type().name())
            .with("key_id", key.key_id().map(KeyId::as_str));
        return Ok(object.lines());
    }
    Ok(thumbprint + "\n")
}

#[cfg(test)]
mod tests;
