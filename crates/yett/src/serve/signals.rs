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
    /// TTIN and TTOU, where they are orders.
    counts: Option<(Signal, Signal)>,
    usr1: Signal,
    usr2: Signal,
    /// Caught so that a file size limit is an error of the write, which the client is told (507),
    /// and not the end of the server.
    _xfsz: Signal,
}

impl Signals {
    /// Catches them. To be called in a tokio runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hup: signal(SignalKind::hangup())?,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            counts: None,
            usr1: signal(SignalKind::user_defined1())?,
            usr2: signal(SignalKind::user_defined2())?,
            _xfsz: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        })
    }

    /// Takes TTIN and TTOU as orders to change the number of workers, unless the keyboard is shared.
    ///
    /// Then they are the terminal's: it sends them to the program's whole group when a worker, or
    /// what the app started, reads or writes from behind. Left alone they stop all of the group, and
    /// `fg` lets it go on. Were they caught, only the workers would stop, and a shell that sees the
    /// program run would not wake them.
    pub(super) fn count_workers(&mut self, keyboard: Keyboard) -> io::Result<()> {
        if keyboard == Keyboard::Apart {
            // They have no name in tokio; their numbers are the same on every Linux.
            self.counts = Some((
                signal(SignalKind::from_raw(rustix::process::Signal::TTIN.as_raw()))?,
                signal(SignalKind::from_raw(rustix::process::Signal::TTOU.as_raw()))?,
            ));
        }
        Ok(())
    }

    /// Obeys them for ever.
    pub(super) async fn obey(mut self, server: &Running, screen: Screen) {
        loop {
            tokio::select! {
                // The answer is for whoever waits for it; what happened is printed as a notice.
                _ = self.hup.recv() => {
                    drop(server.certificates.reload());
                    drop(server.supervisor.reload());
                }
                _ = self.term.recv() => server.begin_stop(Manner::Graceful),
                _ = self.int.recv() => server.begin_stop(Manner::Quick),
                _ = self.quit.recv() => server.begin_stop(Manner::Quick),
                count = counted(&mut self.counts) => match count {
                    Count::Up => server.supervisor.add_worker(),
                    Count::Down => server.supervisor.remove_worker(),
                },
                // Standard output and error are rotated by whoever collects them.
                _ = self.usr1.recv() => server.reopen_log(screen),
                _ = self.usr2.recv() => screen.err(
                    "yett: SIGUSR2 is not obeyed: this version cannot replace its own program; \
                     SIGHUP loads new application code\n",
                ),
            }
        }
    }
}

/// A change of the number of workers.
enum Count {
    Up,
    Down,
}

async fn counted(signals: &mut Option<(Signal, Signal)>) -> Count {
    match signals {
        None => std::future::pending().await,
        Some((ttin, ttou)) => tokio::select! {
            _ = ttin.recv() => Count::Up,
            _ = ttou.recv() => Count::Down,
        },
    }
}
