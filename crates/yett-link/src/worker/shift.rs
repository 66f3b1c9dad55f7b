//! Which of a worker's threads takes the next request: one at a time, for as long as that is best.
//!
//! Threads of one interpreter gain nothing by running two short requests at once: they wait for each
//! other's lock, and both are late. They gain much when a request waits for something else, a database
//! or another server. So one thread has the *turn*: it alone takes requests, one after the other, and
//! keeps the turn while it answers. A watcher looks every few moments whether it is still at the same
//! request. If that request sleeps, or works for very long, the turn goes to a spare thread, and who
//! lost it is a spare when its request is answered.
//!
//! The turn costs a busy worker two writes to one word for each request, and no system call.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the watcher looks. A request that sleeps holds up the next one for twice this at most, and
/// four times as long if none has slept for a while.
const TICK: Duration = Duration::from_millis(2);

/// How soon the watcher looks again at a request that found the worker idle: there the look takes the
/// processor from nobody else.
const SOON: Duration = Duration::from_micros(500);

/// After so many looks, half a second, none of which found a request asleep, the watcher looks a fourth
/// as often: each look takes the processor from a request that computes.
const CALM: u32 = 250;

/// For so many looks a request may work without sleeping; then others get their share of the
/// interpreter. Shorter than what a person notices, longer than what most requests compute.
const LONGEST_WORK: u32 = 10;

/// After so many looks without any request the watcher sleeps until one begins.
const QUIET: u32 = 5;

/// The longest that a request waits behind one that sleeps before another thread may take it.
pub const RELIEF: Duration = TICK.saturating_mul(2);

/// After so many looks, one second, a thread that could not be started is tried again.
const AGAIN: u32 = 500;

/// The states of the turn, the two lowest bits of the word; above them, a number that grows whenever
/// a request begins and whenever the turn is taken away.
const STATES: u64 = 0b11;
const FREE: u64 = 0;
/// A thread has it and waits for a request, or is about to.
const HELD: u64 = 1;
/// The thread that has it is at a request.
const BUSY: u64 = 2;
const NUMBER: u64 = 0b100;

/// The turn of one worker's threads.
#[derive(Debug)]
pub struct Shift {
    word: AtomicU64,
    /// The system's number of the thread that has the turn.
    holder: AtomicI32,
    /// The watcher waits for the next request to begin.
    watcher_rests: AtomicBool,
    crew: Mutex<Crew>,
    spare: Condvar,
    watcher: Condvar,
}

#[derive(Debug)]
struct Crew {
    /// Threads that wait for the turn.
    spares: usize,
    /// Threads that may still be started.
    room: usize,
    ended: bool,
}

/// The turn, of the thread that has it. Lost without notice while a request is answered.
#[derive(Debug)]
pub struct Turn {
    word: u64,
}

/// What the watcher saw last.
#[derive(Debug, Default)]
struct Watch {
    word: u64,
    looks: u32,
    quiet: u32,
    /// Looks at work since a request last had to be relieved.
    calm: u32,
    /// Nothing was asked at the look before this one.
    was_idle: bool,
    /// No thread could be started for the turn, which is free: looks until the next try.
    vacant: Option<u32>,
}

/// What the watcher has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relief {
    /// Nothing, or it is done.
    None,
    /// The turn is free, and there is no thread to take it: start one, which asks for the turn.
    Start,
}

/// Whether a thread could be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It runs, and will ask for the turn.
    Yes,
    /// It will never ask; another one is asked for a second later, if it is still needed.
    No,
}

impl Shift {
    /// The turn of a worker that has one thread and may start `room` more.
    #[must_use]
    pub const fn new(room: usize) -> Self {
        Self {
            word: AtomicU64::new(FREE),
            holder: AtomicI32::new(0),
            watcher_rests: AtomicBool::new(false),
            crew: Mutex::new(Crew {
                spares: 0,
                room,
                ended: false,
            }),
            spare: Condvar::new(),
            watcher: Condvar::new(),
        }
    }

    // Every state between two assignments is one to go on with.
    fn crew(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn; `None` when there will be no request any more. Must not be called with the
    /// interpreter's lock held.
    #[must_use]
    pub fn wait(&self) -> Option<Turn> {
        let mut crew = self.crew();
        loop {
            if crew.ended {
                return None;
            }
            if let Some(turn) = self.take_free() {
                return Some(turn);
            }
            crew.spares += 1;
            crew = self
                .spare
                .wait(crew)
                .unwrap_or_else(PoisonError::into_inner);
            crew.spares -= 1;
        }
    }

    fn take_free(&self) -> Option<Turn> {
        let free = self.word.load(Ordering::Relaxed);
        if free & STATES != FREE {
            return None;
        }
        let word = free | HELD;
        self.word
            .compare_exchange(free, word, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        self.holder.store(id, Ordering::Relaxed);
        Some(Turn { word })
    }

    /// The thread with the turn begins a request.
    pub fn begin(&self, turn: &mut Turn) {
        turn.word = (turn.word & !STATES).wrapping_add(NUMBER) | BUSY;
        // Nobody else writes the word while it is held. In one order with the flag below, against the
        // watcher's flag and its look at the word: one of the two sees the other.
        self.word.store(turn.word, Ordering::SeqCst);
        if self.watcher_rests.load(Ordering::SeqCst) {
            let _crew = self.crew();
            self.watcher.notify_one();
        }
    }

    /// The request is answered; gives the turn back if it was not lost, or if it is free again.
    #[must_use]
    pub fn go_on(&self, turn: Turn) -> Option<Turn> {
        let held = (turn.word & !STATES) | HELD;
        let kept = self
            .word
            .compare_exchange(turn.word, held, Ordering::AcqRel, Ordering::Relaxed);
        match kept {
            Ok(_) => Some(Turn { word: held }),
            Err(_) => self.take_free(),
        }
    }

    /// There will be no request any more: everybody may leave.
    pub fn end(&self) {
        self.crew().ended = true;
        self.spare.notify_all();
        self.watcher.notify_one();
    }

    /// Watches until the end; calls `start` whenever a further thread is needed.
    pub fn watch(&self, mut start: impl FnMut() -> Started) {
        let mut watch = Watch::default();
        loop {
            if self.look(&mut watch, is_asleep) == Relief::Start && start() == Started::No {
                self.stay_vacant(&mut watch);
            }
            if !self.rest(&watch) {
                return;
            }
        }
    }

    /// Waits for the time of the next look; false at the end.
    fn rest(&self, watch: &Watch) -> bool {
        let mut crew = self.crew();
        if watch.quiet < QUIET {
            let waited = self.watcher.wait_timeout(crew, watch.pause());
            return !waited.unwrap_or_else(PoisonError::into_inner).0.ended;
        }
        self.watcher_rests.store(true, Ordering::SeqCst);
        while !crew.ended && self.word.load(Ordering::SeqCst) & STATES != BUSY {
            crew = self
                .watcher
                .wait(crew)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.watcher_rests.store(false, Ordering::SeqCst);
        !crew.ended
    }

    /// The thread that was asked for does not come. The turn stays free for whoever is done first.
    fn stay_vacant(&self, watch: &mut Watch) {
        self.crew().room += 1;
        watch.vacant = Some(AGAIN);
    }

    /// One look: takes the turn from a thread that has been at the same request since the last look and
    /// sleeps, or since many looks. `is_asleep` is asked with the thread's number.
    fn look(&self, watch: &mut Watch, is_asleep: impl FnOnce(i32) -> bool) -> Relief {
        let word = self.word.load(Ordering::Relaxed);
        if word & STATES == FREE
            && let Some(looks) = watch.vacant
        {
            return self.look_at_vacancy(watch, looks);
        }
        watch.vacant = None;
        if word & STATES != BUSY {
            watch.looks = 0;
            watch.was_idle = false;
            watch.quiet = watch.quiet.saturating_add(1);
            return Relief::None;
        }
        watch.was_idle = std::mem::take(&mut watch.quiet) > 0;
        watch.calm = watch.calm.saturating_add(1);
        if word != watch.word {
            watch.word = word;
            watch.looks = 0;
            return Relief::None;
        }
        watch.looks += 1;
        let holder = self.holder.load(Ordering::Relaxed);
        if watch.looks < LONGEST_WORK && !is_asleep(holder) {
            return Relief::None;
        }
        watch.calm = 0;
        let mut crew = self.crew();
        if crew.ended || (crew.spares == 0 && crew.room == 0) {
            return Relief::None;
        }
        let free = (word & !STATES).wrapping_add(NUMBER) | FREE;
        let taken = self
            .word
            .compare_exchange(word, free, Ordering::AcqRel, Ordering::Relaxed);
        if taken.is_err() {
            return Relief::None;
        }
        if crew.spares > 0 {
            self.spare.notify_one();
            return Relief::None;
        }
        crew.room -= 1;
        Relief::Start
    }

    /// The turn is free since no thread could be started for it: tries again after a while.
    fn look_at_vacancy(&self, watch: &mut Watch, looks: u32) -> Relief {
        if looks > 1 {
            watch.vacant = Some(looks - 1);
            return Relief::None;
        }
        watch.vacant = None;
        let mut crew = self.crew();
        if crew.ended {
            return Relief::None;
        }
        // Nobody waits for the turn: who does would have taken it when it was free.
        crew.room = crew.room.saturating_sub(1);
        Relief::Start
    }
}

impl Watch {
    /// How long to wait for the next look.
    fn pause(&self) -> Duration {
        if self.was_idle {
            return SOON;
        }
        // A request that was there at the last look already is kept in sight.
        if self.calm < CALM || self.looks > 0 {
            TICK
        } else {
            TICK.saturating_mul(4)
        }
    }
}

/// Whether a thread of this process waits for something, and not for a processor. Where that cannot be
/// seen, it counts as waiting: then a thread more than needed runs for a while.
fn is_asleep(thread: i32) -> bool {
    // "id (name) state …"; a name may hold brackets and spaces, but no line is longer than this.
    let mut line = [0; 512];
    let path = format!("/proc/self/task/{thread}/stat");
    let read = rustix::fs::open(
        path,
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
    .and_then(|file| rustix::io::read(&file, &mut line));
    let line = line.get(..read.unwrap_or(0)).unwrap_or_default();
    let behind_name = line.iter().rposition(|byte| *byte == b')');
    let state = behind_name.and_then(|bracket| line.get(bracket + 2));
    state.is_none_or(|state| *state != b'R')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const SLEEPS: fn(i32) -> bool = |_| true;
    const WORKS: fn(i32) -> bool = |_| false;

    /// A thread that is at a request, and a watcher that has seen it there once.
    fn at_a_request(room: usize) -> (Shift, Turn, Watch) {
        let shift = Shift::new(room);
        let mut turn = shift.wait().unwrap();
        let mut watch = Watch::default();
        shift.begin(&mut turn);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
        (shift, turn, watch)
    }

    #[test]
    fn turn_is_kept_through_short_requests() {
        let (shift, mut turn, mut watch) = at_a_request(3);
        for _ in 0..100 {
            turn = shift.go_on(turn).unwrap();
            shift.begin(&mut turn);
            assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
        }
    }

    #[test]
    fn request_that_sleeps_loses_the_turn_to_a_thread_that_is_started_for_it() {
        let (shift, turn, mut watch) = at_a_request(1);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
        let mut second = shift.wait().unwrap();
        shift.begin(&mut second);
        assert!(shift.go_on(turn).is_none(), "another has the turn");
        assert!(shift.go_on(second).is_some());
    }

    #[test]
    fn request_that_works_keeps_the_turn_for_some_looks_and_no_longer() {
        let (shift, _turn, mut watch) = at_a_request(1);
        for _ in 1..LONGEST_WORK {
            assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        }
        assert_eq!(shift.look(&mut watch, WORKS), Relief::Start);
    }

    #[test]
    fn watcher_looks_less_often_while_nothing_sleeps() {
        let (shift, mut turn, mut watch) = at_a_request(1);
        for _ in 1..CALM {
            assert_eq!(watch.pause(), TICK);
            turn = shift.go_on(turn).unwrap();
            shift.begin(&mut turn);
            assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        }
        assert!(watch.pause() > TICK);
        assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        assert_eq!(watch.pause(), TICK, "the same request is still there");
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
        assert_eq!(watch.pause(), TICK);
        let mut second = shift.wait().unwrap();
        shift.begin(&mut second);
        assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        assert_eq!(watch.pause(), TICK);
    }

    #[test]
    fn request_that_finds_the_worker_idle_is_looked_at_again_soon_and_once() {
        let (shift, turn, mut watch) = at_a_request(1);
        let mut turn = shift.go_on(turn).unwrap();
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
        assert_eq!(watch.pause(), TICK, "nothing is asked");
        shift.begin(&mut turn);
        assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        assert_eq!(watch.pause(), SOON);
        assert_eq!(shift.look(&mut watch, WORKS), Relief::None);
        assert_eq!(watch.pause(), TICK);
    }

    #[test]
    fn turn_that_nobody_took_is_taken_back() {
        let (shift, turn, mut watch) = at_a_request(1);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
        let mut turn = shift.go_on(turn).unwrap();
        shift.begin(&mut turn);
    }

    #[test]
    fn turn_for_which_no_thread_could_be_started_is_offered_again() {
        let (shift, _sleeps, mut watch) = at_a_request(1);
        for _ in 0..3 {
            assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
            shift.stay_vacant(&mut watch);
            for _ in 1..AGAIN {
                assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
            }
            assert!(watch.quiet < QUIET, "the watcher must stay awake");
        }
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
        let mut second = shift.wait().unwrap();
        shift.begin(&mut second);
        for _ in 0..AGAIN {
            assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None, "no room");
        }
    }

    #[test]
    fn turn_for_which_no_thread_could_be_started_goes_to_who_is_done_and_costs_no_room() {
        let (shift, turn, mut watch) = at_a_request(1);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
        shift.stay_vacant(&mut watch);
        let mut turn = shift.go_on(turn).unwrap();
        shift.begin(&mut turn);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
        assert_eq!(shift.look(&mut watch, SLEEPS), Relief::Start);
    }

    #[test]
    fn nobody_is_relieved_where_nobody_can_step_in() {
        let (shift, turn, mut watch) = at_a_request(0);
        for _ in 0..100 {
            assert_eq!(shift.look(&mut watch, SLEEPS), Relief::None);
        }
        assert!(shift.go_on(turn).is_some());
    }

    #[test]
    fn end_lets_everybody_leave() {
        let shift = Arc::new(Shift::new(3));
        let _turn = shift.wait().unwrap();
        let spares: Vec<_> = (0..3)
            .map(|_| {
                let shift = Arc::clone(&shift);
                std::thread::spawn(move || shift.wait().is_none())
            })
            .collect();
        let watcher = {
            let shift = Arc::clone(&shift);
            std::thread::spawn(move || shift.watch(|| Started::Yes))
        };
        shift.end();
        for spare in spares {
            assert!(spare.join().unwrap());
        }
        watcher.join().unwrap();
    }

    /// The real watcher: of requests that wait for each other in a ring of threads, every one comes to
    /// its end, although one thread alone could not end the first.
    #[test]
    fn requests_that_wait_for_later_ones_come_to_their_end() {
        const THREADS: usize = 4;
        let shift = Arc::new(Shift::new(THREADS - 1));
        let barrier = Arc::new(std::sync::Barrier::new(THREADS));
        let left = Arc::new(AtomicUsize::new(THREADS));
        fn work(shift: &Shift, barrier: &std::sync::Barrier, left: &AtomicUsize) {
            while let Some(mut turn) = shift.wait() {
                shift.begin(&mut turn);
                barrier.wait();
                if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                    shift.end();
                }
                if shift.go_on(turn).is_some() {
                    // The turn is not given away by who only leaves.
                    return;
                }
            }
        }
        let workers = Mutex::new(Vec::new());
        let spawn = || {
            let (shift, barrier, left) =
                (Arc::clone(&shift), Arc::clone(&barrier), Arc::clone(&left));
            let thread = std::thread::spawn(move || work(&shift, &barrier, &left));
            workers.lock().unwrap().push(thread);
            Started::Yes
        };
        spawn();
        shift.watch(spawn);
        for worker in workers.into_inner().unwrap() {
            worker.join().unwrap();
        }
        assert_eq!(left.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn thread_that_waits_is_told_from_one_that_works() {
        assert!(!is_asleep(rustix::thread::gettid().as_raw_nonzero().get()));
        assert!(is_asleep(-1), "what cannot be seen counts as waiting");
    }
}
