//! The terminal that a debugger in a worker shares with the program.

use rustix::{
    process::getpgrp,
    stdio::stdin,
    termios::{OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};
use std::fmt;

/// Standard input, if it is a terminal whose foreground this program is in: then what is typed may
/// be for a debugger.
pub(super) struct Terminal(Option<Termios>);

impl Terminal {
    pub(super) fn of_process() -> Self {
        Self(if is_in_front() {
            tcgetattr(stdin()).ok()
        } else {
            None
        })
    }

    pub(super) const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Puts back how it shows what is typed: a debugger's line editor that was killed leaves it
    /// without echo.
    pub(super) fn restore(&self) {
        if let Some(modes) = &self.0
            && is_in_front()
        {
            // There is no better terminal to fall back to.
            let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
        }
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Terminal").field(&self.is_there()).finish()
    }
}

/// Changing a terminal from behind would stop the program.
fn is_in_front() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|front| front == getpgrp())
}
