//! What one call of `decode` asks of a token's claims: the options, and the arguments `audience`,
//! `issuer`, `subject` and `leeway`. Becomes [`Rules`]; judges nothing itself, but for an `issuer`
//! that is a container of the caller's own making, which Python must be asked.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDelta, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple};
use yett_jwt::{Claims, HeaderType, Refusal, Registered, Rules};

use super::LONGEST_TOKEN;
use super::errors::{Class, refused};

/// PyJWT's options, read once.
#[pyclass(frozen, module = "yett._yett")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Checks {
    skipped: Vec<Registered>,
    required: Vec<String>,
    strict_aud: bool,
    pub(super) enforce_minimum_key_length: bool,
}

#[pymethods]
impl Checks {
    #[new]
    #[pyo3(signature = (*, skip, require = Vec::new(), strict_aud = false, enforce_minimum_key_length = true))]
    fn new(
        skip: Vec<String>,
        require: Vec<String>,
        strict_aud: bool,
        enforce_minimum_key_length: bool,
    ) -> PyResult<Self> {
        let mut skipped = Vec::with_capacity(skip.len());
        for name in skip {
            skipped.push(
                Registered::named(&name)
                    .ok_or_else(|| PyValueError::new_err("no registered claim of that name"))?,
            );
        }
        Ok(Self {
            skipped,
            required: require,
            strict_aud,
            enforce_minimum_key_length,
        })
    }
}

impl Checks {
    pub(super) fn skips(&self, claim: Registered) -> bool {
        self.skipped.contains(&claim)
    }
}

/// Values of which a claim must have one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected<One, Many> {
    Any,
    One(One),
    /// None at all: then nothing is right.
    Many(Many),
}

/// The arguments of one call, not yet copied.
pub(super) struct Call<'a, 'py> {
    checks: &'a Checks,
    audience: Expected<&'a str, Vec<String>>,
    issuer: Expected<&'a str, Vec<String>>,
    /// An issuer of another type, which only Python can ask.
    container: Option<&'a Bound<'py, PyAny>>,
    subject: Option<&'a str>,
    leeway: u32,
}

/// The arguments of a call, kept to recognize the same ones again.
#[derive(PartialEq, Eq)]
pub(super) struct KeptCall {
    checks: Checks,
    audience: Expected<String, Vec<String>>,
    issuer: Expected<String, Vec<String>>,
    subject: Option<String>,
    leeway: u32,
}

impl<'a, 'py> Call<'a, 'py> {
    pub(super) fn new(
        checks: &'a Checks,
        audience: &'a Bound<'py, PyAny>,
        issuer: &'a Bound<'py, PyAny>,
        subject: &'a Bound<'py, PyAny>,
        leeway: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let py = audience.py();
        let audience = expected_audience(audience)?;
        if checks.strict_aud
            && !checks.skips(Registered::Audience)
            && matches!(audience, Expected::Many(_))
        {
            return Err(Class::Audience.error(py, "Invalid audience (strict)"));
        }
        let (issuer, container) = expected_issuer(issuer)?;
        Ok(Self {
            checks,
            audience,
            issuer,
            container: container.filter(|_| !checks.skips(Registered::Issuer)),
            subject: expected_subject(subject)?,
            leeway: whole_seconds(leeway)?,
        })
    }

    /// Whether a kept call asks the same.
    pub(super) fn is(&self, kept: &KeptCall) -> bool {
        self.leeway == kept.leeway
            && same(&self.audience, &kept.audience)
            && same(&self.issuer, &kept.issuer)
            && self.subject == kept.subject.as_deref()
            && *self.checks == kept.checks
    }

    pub(super) fn keep(&self) -> KeptCall {
        KeptCall {
            checks: self.checks.clone(),
            audience: kept(&self.audience),
            issuer: kept(&self.issuer),
            subject: self.subject.map(str::to_owned),
            leeway: self.leeway,
        }
    }

    /// The rules. A container of the caller's is not among them.
    pub(super) fn rules(&self) -> Rules {
        let mut rules = Rules::new()
            .longest_token(LONGEST_TOKEN)
            // PyJWT does not look at `typ`.
            .header_type(HeaderType::DangerAny)
            .leeway(self.leeway);
        for name in &self.checks.required {
            rules = rules.require(name);
        }
        for claim in &self.checks.skipped {
            rules = rules.danger_skip(*claim);
        }
        if self.checks.strict_aud {
            rules = rules.single_audience();
        }
        rules = match &self.audience {
            Expected::Any => rules,
            Expected::One(audience) => rules.audience(*audience),
            Expected::Many(audiences) => rules.audiences(audiences),
        };
        rules = match &self.issuer {
            Expected::Any => rules,
            Expected::One(issuer) => rules.issuer(*issuer),
            Expected::Many(issuers) => rules.issuers(issuers),
        };
        match self.subject {
            None => rules,
            Some(subject) => rules.subject(subject),
        }
    }

    /// The exception for a refusal under these rules.
    pub(super) fn refused(&self, py: Python<'_>, refusal: &Refusal) -> PyErr {
        if *refusal == Refusal::Audience && self.checks.strict_aud {
            return Class::Audience.error(py, "Audience doesn't match (strict)");
        }
        refused(py, refusal)
    }

    /// Asks the caller's container about the issuer.
    pub(super) fn ask_container(&self, claims: &Claims) -> PyResult<()> {
        let Some(container) = self.container else {
            return Ok(());
        };
        let py = container.py();
        let Some(issuer) = claims.issuer() else {
            return Err(Class::Missing.error(py, Registered::Issuer.name()));
        };
        match container.contains(issuer) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Class::Issuer.error(py, "Invalid issuer")),
            Err(error) if error.is_instance_of::<PyTypeError>(py) => {
                Err(Class::Issuer.error(py, "The issuer must be a string or a container"))
            }
            Err(error) => Err(error),
        }
    }
}

fn same(call: &Expected<&str, Vec<String>>, kept: &Expected<String, Vec<String>>) -> bool {
    match (call, kept) {
        (Expected::Any, Expected::Any) => true,
        (Expected::One(call), Expected::One(kept)) => call == kept,
        (Expected::Many(call), Expected::Many(kept)) => call == kept,
        _ => false,
    }
}

fn kept(call: &Expected<&str, Vec<String>>) -> Expected<String, Vec<String>> {
    match call {
        Expected::Any => Expected::Any,
        Expected::One(one) => Expected::One((*one).to_owned()),
        Expected::Many(many) => Expected::Many(many.clone()),
    }
}

fn expected_audience<'a>(
    audience: &'a Bound<'_, PyAny>,
) -> PyResult<Expected<&'a str, Vec<String>>> {
    if audience.is_none() {
        return Ok(Expected::Any);
    }
    if let Ok(one) = audience.cast::<PyString>() {
        return Ok(match one.to_str()? {
            // A setting that is not set. PyJWT takes an empty `aud` for none.
            "" => Expected::Many(Vec::new()),
            one => Expected::One(one),
        });
    }
    if audience.try_iter().is_err() {
        let sentence = "audience must be a string, iterable or None";
        return Err(PyTypeError::new_err(sentence));
    }
    Ok(Expected::Many(strings(audience)?))
}

type Issuer<'a, 'py> = (
    Expected<&'a str, Vec<String>>,
    Option<&'a Bound<'py, PyAny>>,
);

fn expected_issuer<'a, 'py>(issuer: &'a Bound<'py, PyAny>) -> PyResult<Issuer<'a, 'py>> {
    if issuer.is_none() {
        return Ok((Expected::Any, None));
    }
    if let Ok(one) = issuer.cast::<PyString>() {
        return Ok((Expected::One(one.to_str()?), None));
    }
    // Exactly these: a subclass may have another idea of what it contains.
    let is_plain = issuer.is_exact_instance_of::<PyList>()
        || issuer.is_exact_instance_of::<PyTuple>()
        || issuer.is_exact_instance_of::<PySet>()
        || issuer.is_exact_instance_of::<PyFrozenSet>();
    if is_plain {
        return Ok((Expected::Many(strings(issuer)?), None));
    }
    Ok((Expected::Any, Some(issuer)))
}

/// The strings among the items; nothing else can equal a claim.
fn strings(items: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let mut found = Vec::new();
    for item in items.try_iter()? {
        if let Ok(text) = item?.cast::<PyString>() {
            found.push(text.to_str()?.to_owned());
        }
    }
    Ok(found)
}

fn expected_subject<'a>(subject: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a str>> {
    if subject.is_none() {
        return Ok(None);
    }
    match subject.cast::<PyString>() {
        Ok(text) => text.to_str().map(Some),
        Err(_) => Err(PyTypeError::new_err("subject must be a string or None")),
    }
}

/// Seconds of leeway. Fractions are rounded up: claims count in whole seconds, and a token that
/// PyJWT takes should not be refused for a part of one.
fn whole_seconds(leeway: &Bound<'_, PyAny>) -> PyResult<u32> {
    let seconds: f64 = if let Ok(whole) = leeway.cast::<PyInt>() {
        if let Ok(seconds) = whole.extract::<u32>() {
            return Ok(seconds);
        }
        whole.extract().map_err(|_| {
            PyValueError::new_err("leeway is out of range: it must fit into a float")
        })?
    } else if let Ok(delta) = leeway.cast::<PyDelta>() {
        delta.call_method0("total_seconds")?.extract()?
    } else {
        leeway.extract()?
    };
    if seconds.is_nan() || seconds < 0.0 {
        return Err(PyValueError::new_err("leeway must not be negative"));
    }
    // Saturates at the largest number: 136 years.
    Ok(seconds.ceil() as u32)
}
