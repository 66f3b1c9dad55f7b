//! Claims as Python objects, straight from the checked text: no tree in between.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use yett_jwt::{Claims, Json, JsonNumber};

use super::errors::Class;

/// Integers of more digits are refused: converting is quadratic, and Python's own limit
/// (`sys.set_int_max_str_digits`) has this default.
const MOST_DIGITS: usize = 4300;

/// All claims as a new dictionary, in the payload's order.
pub(super) fn to_dict<'py>(py: Python<'py>, claims: &Claims) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in claims.iter() {
        dict.set_item(member_name(py, name), to_object(py, value)?)?;
    }
    Ok(dict)
}

/// Names that nearly every token has are Python's interned strings: found in the dictionary by
/// identity, and not made anew for each token.
fn member_name<'py>(py: Python<'py>, name: &str) -> Bound<'py, PyString> {
    let known = match name {
        "exp" => intern!(py, "exp"),
        "iat" => intern!(py, "iat"),
        "nbf" => intern!(py, "nbf"),
        "iss" => intern!(py, "iss"),
        "sub" => intern!(py, "sub"),
        "aud" => intern!(py, "aud"),
        "jti" => intern!(py, "jti"),
        "token_type" => intern!(py, "token_type"),
        "user_id" => intern!(py, "user_id"),
        "scope" => intern!(py, "scope"),
        "azp" => intern!(py, "azp"),
        "email" => intern!(py, "email"),
        _ => return PyString::new(py, name),
    };
    known.clone()
}

/// Depth is bounded by the reader (32 levels), so that this may call itself.
fn to_object<'py>(py: Python<'py>, value: Json<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Json::Null => py.None().into_bound(py),
        Json::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Json::Number(number) => to_number(py, number)?,
        Json::String(text) => PyString::new(py, &text).into_any(),
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_object(py, item)?)?;
            }
            list.into_any()
        }
        Json::Object(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members {
                dict.set_item(member_name(py, &name), to_object(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

fn to_number<'py>(py: Python<'py>, number: JsonNumber<'_>) -> PyResult<Bound<'py, PyAny>> {
    if let Some(small) = number.as_i64() {
        return Ok(PyInt::new(py, small).into_any());
    }
    if !number.is_integer() {
        return Ok(PyFloat::new(py, number.as_f64()).into_any());
    }
    if number.as_str().len() > MOST_DIGITS {
        return Err(Class::Decode.error(py, "Invalid payload string: a number is too long"));
    }
    py.get_type::<PyInt>()
        .call1((number.as_str(),))
        .map_err(|error| match error.is_instance_of::<PyValueError>(py) {
            // The program has lowered Python's limit.
            true => Class::Decode.error(py, "Invalid payload string: a number is too long"),
            false => error,
        })
}
