"""What the benchmark says of its runs, and what it takes for a right answer."""

from dataclasses import replace

from harness.load import Run
from harness.report import mark, table
from harness.rounds import Slot
from harness.rows import NAMES, Request, bare_rows, exactly, project_rows

RUN = Run(
    seconds=2.0,
    answers=1000,
    wrong=0,
    broken=0,
    reconnects=0,
    server_cpu_seconds=0.5,
    client_cpu_seconds=0.1,
    foreign=0.01,
    memory_kib=2048,
    latencies=[(100, 990), (9000, 10)],
)


def test_row_tells_medians_with_lowest_and_highest():
    faster = replace(RUN, answers=1200)
    [*_, line] = table({"yett": Slot([RUN, faster, RUN])})
    assert line.startswith(
        "| yett | 500 (500 to 600) | 500.0 (416.7 to 500.0) | 0.10 | 0.10 | 2 | 100.0 | 0 | 0 |"
    )


def test_fastest_comes_first_and_who_has_no_figure_says_why():
    slots = {
        "slow": Slot([RUN]),
        "dead": Slot([], ["ended with 1"]),
        "fast": Slot([replace(RUN, answers=2000)]),
    }
    lines = table(slots)
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| fast", "| slow"]
    assert lines[4] == "\ndead, 1 times: ended with 1"


def test_wrong_or_broken_answer_makes_a_row_no_figure():
    assert mark([RUN]) == ""
    assert "NOT A FIGURE" in mark([RUN, replace(RUN, wrong=1)])
    assert "NOT A FIGURE" in mark([replace(RUN, broken=1), RUN])


def test_one_noisy_round_marks_the_row():
    assert mark([RUN, replace(RUN, foreign=0.3)]).endswith("others took up to 30% of it")


def test_answer_is_right_only_as_a_whole():
    hello = exactly(200, b"Hello")
    assert hello.is_met_by(200, b"Hello")
    assert not hello.is_met_by(201, b"Hello")
    assert not hello.is_met_by(200, b"Hell")
    assert not hello.is_met_by(200, b"Hallo")


def test_refresh_is_right_with_any_access_token_of_its_length():
    names = ("django", "drf", "token", "bad-token", "refresh")
    prepared = {f"{name} body": '{"access":"a.b.c"}' for name in names}
    rows = project_rows({**prepared, "access": "a", "bad": "b", "refresh": "r"})
    expected = next(row for row in rows if row.name == "refresh").expected
    assert expected.is_met_by(200, b'{"access":"x.y.z"}')
    assert not expected.is_met_by(200, b'{"access":"x.y.zz"}')
    assert not expected.is_met_by(200, b'{"access":"x.yyz"}')
    assert not expected.is_met_by(200, b'{"excess":"x.y.z"}')
    assert [row.name for row in [*bare_rows(), *rows]] == list(NAMES)


def test_request_goes_out_with_host_and_length():
    request = Request("POST", "/echo", (("A", "b"),), b"12")
    assert request.encoded(80) == (
        b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1:80\r\nA: b\r\nContent-Length: 2\r\n\r\n12"
    )
