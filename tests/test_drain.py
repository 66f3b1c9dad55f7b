"""What is still open at the old workers when their grace period is about over."""

import contextlib
import http.client
import signal

import pytest

from .server import eventually


@pytest.fixture
def streaming(serve, tmp_path):
    """Return a function: a server, while a slow client takes a stream of it that is cut within."""
    progress = tmp_path / "progress"

    @contextlib.contextmanager
    def begin(grace):
        flags = ("--workers", "1", "--graceful-timeout", grace)
        server = serve("stream:application", *flags, env={"STREAM": str(tmp_path)})
        with server.wire(receive_buffer=4096) as slow:
            slow.ask("GET", "/?256")
            response = slow.begin()
            eventually(lambda: progress.read_text().count("\n") > 4)
            yield server
            eventually(lambda: progress.read_text().endswith("closed\n"))
            with pytest.raises(http.client.IncompleteRead):
                response.read()

    return begin


def test_stream_is_cut_before_its_worker_is_ended_and_the_app_learns_of_it(streaming):
    with streaming("1500ms") as server:
        assert server.command("reload").returncode == 0
    eventually(lambda: "generation 1 has ended" in server.stderr)
    # Nobody had to be killed for it.
    assert "did not finish within the graceful timeout" not in server.stderr
    assert server.get("/?0").status == 200


def test_stop_cuts_a_stream_while_its_worker_has_time_left_to_end_in_order(streaming):
    with streaming("3s") as server:
        server.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) == 0
    assert "did not finish within the graceful timeout" not in server.stderr
