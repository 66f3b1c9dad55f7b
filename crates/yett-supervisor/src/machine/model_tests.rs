//! Random lives against invariants.
//!
//! A small world of processes obeys the machine's actions and its own bad luck; every action is
//! checked against what the world knows, and at the end the machine must find its way: back to full
//! service when luck turns, or out when it is told to stop, even if nothing dies but by SIGKILL.

mod world;

use std::time::Duration;

use proptest::prelude::*;

use crate::handle::StopMode;
use world::{LIMITS, World};

/// One thing that may happen; `pick` chooses to whom.
#[derive(Clone, Copy, Debug)]
enum Chance {
    Wait(u16),
    Load,
    LoadFails,
    Prepare,
    Refuse,
    Fork,
    ForkFails,
    Ready,
    Dies,
    DeathIsSeen,
    Spent,
    Hampered,
    Stuck,
    /// Its memory: over the limit, or below it.
    Measured(bool),
    CannotStart,
    LinkLost,
    ZygoteDies,
    ControlEnds,
    ControlBreaks,
    Reload,
    RefuseReloads,
    ChangeWorkers(i8),
    Strangers(u8),
    Stop(StopMode),
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        6 => (0u16..12_000).prop_map(Chance::Wait),
        6 => (0u16..300).prop_map(Chance::Wait),
        8 => Just(Chance::Load),
        2 => Just(Chance::LoadFails),
        8 => Just(Chance::Prepare),
        1 => Just(Chance::Refuse),
        16 => Just(Chance::Fork),
        1 => Just(Chance::ForkFails),
        16 => Just(Chance::Ready),
        6 => Just(Chance::Dies),
        4 => Just(Chance::DeathIsSeen),
        4 => Just(Chance::Spent),
        2 => Just(Chance::Hampered),
        2 => Just(Chance::Stuck),
        4 => any::<bool>().prop_map(Chance::Measured),
        4 => Just(Chance::CannotStart),
        3 => Just(Chance::LinkLost),
        3 => Just(Chance::ZygoteDies),
        1 => Just(Chance::ControlEnds),
        1 => Just(Chance::ControlBreaks),
        4 => Just(Chance::Reload),
        1 => Just(Chance::RefuseReloads),
        3 => (-3i8..=3).prop_map(Chance::ChangeWorkers),
        2 => any::<u8>().prop_map(Chance::Strangers),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_life_breaks_an_invariant_and_luck_brings_full_service(
        chances in prop::collection::vec((chance(), any::<prop::sample::Index>()), 1..120)
    ) {
        let mut world = World::new();
        for (chance, pick) in chances {
            world.happen(chance, pick.index(1_000));
        }
        world.luck();
        let picture = world.picture();
        // The first release may have failed: then the server has left.
        prop_assert!(world.exited || picture.workers_ready == picture.workers_wanted, "{picture:#?}");
        prop_assert!(world.exited || picture.generations.len() == 1, "{picture:#?}");
        prop_assert!(world.tickets.is_empty());
    }

    #[test]
    fn every_stop_reaches_its_end_even_if_nothing_dies_but_by_sigkill(
        before in prop::collection::vec((chance(), any::<prop::sample::Index>()), 0..80),
        mode in prop_oneof![(0..=LIMITS.graceful).prop_map(|left| StopMode::Graceful { within: Duration::from_millis(left) }), Just(StopMode::Quick)],
        after in prop::collection::vec((chance(), any::<prop::sample::Index>()), 0..20),
    ) {
        let mut world = World::new();
        for (chance, pick) in before {
            world.happen(chance, pick.index(1_000));
        }
        world.happen(Chance::Stop(mode), 0);
        for (chance, pick) in after {
            world.happen(chance, pick.index(1_000));
        }
        // The longest way out: drain, SIGTERM, SIGKILL, and what a fork still in flight adds.
        for _ in 0..8 {
            while world.happen(Chance::Fork, 0).is_some() {}
            world.reap_all();
            world.wait(LIMITS.graceful);
        }
        prop_assert!(world.exited, "{world:#?}");
    }
}
