//! What is wrong with an interpreter that cannot run `yett.worker`. It has said why itself, in the error
//! output; most often it has no yett, or another one, or is too old for it.

use std::path::Path;
use std::process::{Command, Stdio};

/// The first Python that Yett works with.
const OLDEST: (u32, u32) = (3, 10);

/// What to try. Asks the interpreter for its version, which takes as long as starting it does.
pub(super) fn advice(python: &Path) -> String {
    let path = python.display();
    match version(python) {
        Some((major, minor)) if (major, minor) < OLDEST => {
            format!(
                "{path} is Python {major}.{minor}, and Yett needs Python 3.10 or later: name one with --python"
            )
        }
        Some(_) => format!("is yett installed for this interpreter? {path} -m pip install yett"),
        None => {
            format!("is {path} a Python? name one with --python, or activate a virtual environment")
        }
    }
}

fn version(python: &Path) -> Option<(u32, u32)> {
    let words = "import sys; print('%d %d' % sys.version_info[:2])";
    let asked = Command::new(python)
        .args(["-S", "-c", words])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let told = String::from_utf8(asked.stdout).ok()?;
    let (major, minor) = told.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
