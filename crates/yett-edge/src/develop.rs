//! For development alone: requests wait while changed code is loaded, and are shown why it did not
//! load. Without [`crate::EdgeSettings::develop`] nothing of this exists, so that no client of a
//! production server ever sees a traceback.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Where the error page asks whether there is news. Answered by the edge itself, and only in
/// development.
pub(crate) const NEWS: &[u8] = b"/__yett__/news";

/// How long a question for news is kept waiting; then the page asks again.
const NEWS_WAIT: Duration = Duration::from_secs(25);

/// Why a release did not start, for those who write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The exception's last line, or another sentence.
    pub summary: String,
    /// The Python traceback; may be empty.
    pub traceback: String,
    /// File and line to look at, if one is known.
    pub place: Option<(String, u32)>,
}

/// How it stands with the application's code. Made by the program, read for each request.
#[derive(Debug)]
pub struct Develop {
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// Grows with each outcome, so that a page knows whether it is out of date.
    number: u64,
    /// The newest outcome. None before the first.
    code: Option<Code>,
    /// Another outcome is to come.
    loading: bool,
    /// The server stops: nobody waits any more.
    leaving: bool,
}

#[derive(Debug, Clone)]
enum Code {
    Serves,
    Broken(Arc<Broken>),
}

/// What a request meets that waited until the code was loaded.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) number: u64,
    pub(crate) broken: Option<Arc<Broken>>,
}

impl Develop {
    /// Requests wait until the first outcome.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let (state, _) = watch::channel(State {
            loading: true,
            ..State::default()
        });
        Arc::new(Self { state })
    }

    /// Code changed: from now on requests wait. Whoever calls it owes an outcome, and [`Self::settle`].
    pub fn load(&self) {
        self.state.send_modify(|state| state.loading = true);
    }

    /// The newest outcome: a release serves.
    pub fn serve(&self) {
        self.record(Code::Serves);
    }

    /// The newest outcome: the release did not start.
    pub fn fail(&self, broken: Broken) {
        self.record(Code::Broken(Arc::new(broken)));
    }

    /// The newest outcome is not out of date: nobody waits for another one.
    pub fn settle(&self) {
        self.state.send_modify(|state| state.loading = false);
    }

    fn record(&self, code: Code) {
        self.state.send_modify(|state| {
            state.number += 1;
            state.code = Some(code);
        });
    }

    /// From now on nobody waits, as a server that stops may load nothing more: the newest outcome holds,
    /// and if there was none, that there is none.
    pub(crate) fn leave(&self) {
        self.state.send_modify(|state| state.leaving = true);
    }

    /// Waits until no code is being loaded, or the server stops. Bounded by what a release may take to
    /// start.
    pub(crate) async fn outcome(&self) -> Outcome {
        self.outcome_after(None).await
    }

    /// Whether another outcome than this one came, or comes soon.
    pub(crate) async fn is_news(&self, seen: u64) -> bool {
        tokio::time::timeout(NEWS_WAIT, self.outcome_after(Some(seen)))
            .await
            .is_ok_and(|outcome| outcome.number != seen)
    }

    async fn outcome_after(&self, seen: Option<u64>) -> Outcome {
        let mut watched = self.state.subscribe();
        let settled = |state: &State| {
            let news = seen.is_none_or(|seen| state.number != seen);
            state.leaving || (!state.loading && news)
        };
        match watched.wait_for(settled).await.map(|state| state.clone()) {
            Ok(State { number, code, .. }) => Outcome {
                number,
                broken: match code {
                    Some(Code::Serves) => None,
                    Some(Code::Broken(broken)) => Some(broken),
                    None => Some(Arc::new(Broken::before_anything_was_loaded())),
                },
            },
            // The sender is `self`.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Broken {
    fn before_anything_was_loaded() -> Self {
        Self {
            summary: String::from("the server was told to stop before the code was loaded"),
            traceback: String::new(),
            place: None,
        }
    }
}
