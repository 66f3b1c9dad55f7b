//! A request's body, piece by piece, as fast as it must come.

use std::pin::pin;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::conn::ClientBody;
use crate::rate::{Pace, Rate};
use crate::respond::Failure;

/// The next piece; `None` behind the last. May be dropped and called again: what it has waited for so
/// far is kept in `pace`.
///
/// # Errors
/// [`Failure::BodySlow`] and [`Failure::BodyCut`].
pub(super) async fn frame(
    body: &mut ClientBody,
    pace: &mut Pace,
    rate: Rate,
) -> Result<Option<Frame<Bytes>>, Failure> {
    pace.waits(Instant::now());
    let mut next = pin!(body.frame());
    loop {
        let until = pace.look(rate, Instant::now()).map_err(Failure::BodySlow)?;
        let next = next.as_mut();
        let arrived = match until {
            Some(until) => timeout_at(until, next).await,
            None => Ok(next.await),
        };
        if let Ok(arrived) = arrived {
            let frame = arrived.transpose().map_err(Failure::BodyCut)?;
            let data = frame.as_ref().and_then(Frame::data_ref);
            pace.moved(data.map_or(0, |data| data.len() as u64), Instant::now);
            return Ok(frame);
        }
    }
}
