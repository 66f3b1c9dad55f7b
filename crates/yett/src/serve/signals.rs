//! Signals as Gunicorn users expect them.

use super::bridge::Running;
use crate::{cli::Manner, print::Screen};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use yett_supervisor::Keyboard;

/// The signals that the server obeys, caught from the moment that this exists.
pub(super) struct Signals {
    hup: Signal,
    term: Signal,
    int: Signal,
    quit: Signal,
    ttin: Signal,
    ttou: Signal,
    usr1: Signal,
    usr2: Signal,
    /// Caught so that a file size limit is an error of the write, which the client is told (507),
    /// and not the end of the server.
    _xfsz: Signal,
}

impl Signals {
    /// Catches them. To be called in a tokio runtime.
    pub(super) fn listen() -> io::Result<Self> {
        // SIGTTIN and SIGTTOU have no name in tokio; their numbers are the same on every Linux.
        Ok(Self {
            hup: signal(SignalKind::hangup())?,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            ttin: signal(SignalKind::from_raw(rustix::process::Signal::TTIN.as_raw()))?,
            usr1: signal(SignalKind::user_defined1())?,
            usr2: signal(SignalKind::user_defined2())?,
            _xfsz: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
            ttou: signal(SignalKind::from_raw(rustix::process::Signal::TTOU.as_raw()))?,
        })
    }

    /// Obeys them for ever.
    ///
    /// With a shared keyboard TTIN and TTOU are no orders: a terminal sends them to the program's
    /// whole group when a worker in it, or what the app started, reads or writes from behind. The
    /// others stop until the shell brings the group to the front; this program goes on.
    pub(super) async fn obey(mut self, server: &Running, keyboard: Keyboard, screen: Screen) {
        let may_order = keyboard == Keyboard::Apart;
        loop {
            tokio::select! {
                // The answer is for whoever waits for it; what happened is printed as a notice.
                _ = self.hup.recv() => drop(server.supervisor.reload()),
                _ = self.term.recv() => server.begin_stop(Manner::Graceful),
                _ = self.int.recv() => server.begin_stop(Manner::Quick),
                _ = self.quit.recv() => server.begin_stop(Manner::Quick),
                _ = self.ttin.recv() => if may_order { server.supervisor.add_worker() },
                _ = self.ttou.recv() => if may_order { server.supervisor.remove_worker() },
                // Gunicorn's "reopen the logs": ours are standard output and error, which whoever
                // collects them rotates. Caught, as the signal would end the server otherwise.
                _ = self.usr1.recv() => {}
                _ = self.usr2.recv() => screen.err(
                    "yett: SIGUSR2 is not obeyed: this version cannot replace its own program; \
                     SIGHUP loads new application code\n",
                ),
            }
        }
    }
}
