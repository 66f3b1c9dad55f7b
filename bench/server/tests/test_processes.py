"""What the benchmark reads of /proc."""

import os

from harness.processes import (
    TICKS,
    Process,
    cpu_seconds,
    parse_busy,
    parse_pss,
    parse_stat,
    process_table,
    tree_of,
)


def line(name="app", state="S", parent=7, session=7, times=(1, 2, 3, 4)):
    """A line as /proc/PID/stat has it, up to `starttime`."""
    user, system, waited_user, waited_system = times
    return (
        f"42 ({name}) {state} {parent} 42 {session} 0 -1 0 0 0 0 0"
        f" {user} {system} {waited_user} {waited_system} 20 0 1 0 900 0"
    )


def test_cpu_of_children_that_were_waited_for_is_counted():
    assert parse_stat(line()) == Process(parent=7, session=7, ticks=10, began=900)


def test_name_with_brackets_and_blanks_moves_no_field():
    assert parse_stat(line(name="a) Z 1 (b")) == parse_stat(line())


def test_zombie_is_no_process():
    assert parse_stat(line(state="Z")) is None


def process(parent, session, ticks=0):
    return Process(parent, session, ticks, 0)


def test_tree_holds_descendants_and_orphans_of_the_session():
    table = {
        1: process(0, 1),
        7: process(1, 7),
        8: process(7, 7),
        9: process(8, 9),
        10: process(1, 7),
        11: process(1, 1),
        12: process(9, 12),
    }
    assert tree_of(table, 7) == {7, 8, 9, 10, 12}


def test_tree_of_a_process_that_is_gone_is_what_it_left():
    assert tree_of({8: process(1, 7), 11: process(1, 1)}, 7) == {8}


def test_cpu_of_a_tree_is_the_sum_in_seconds():
    table = {7: process(1, 7, TICKS), 8: process(7, 7, TICKS // 2), 9: process(1, 1, TICKS)}
    assert cpu_seconds(table, {7, 8}) == 1.5


def test_own_process_is_in_the_table():
    assert process_table()[os.getpid()].parent == os.getppid()


def test_waiting_is_not_work_and_what_other_guests_took_is():
    user, nice, system, idle, iowait, irq, softirq, steal, guest = range(TICKS, 10 * TICKS, TICKS)
    text = f"cpu  {user} {nice} {system} {idle} {iowait} {irq} {softirq} {steal} {guest} 0\ncpu0 1"
    assert parse_busy(text) == 1 + 2 + 3 + 6 + 7 + 8


def test_shared_memory_is_read_from_its_line():
    assert parse_pss("Rss: 900 kB\nPss:  120 kB\nPss_Dirty: 3 kB\n") == 120
    assert parse_pss("") == 0
