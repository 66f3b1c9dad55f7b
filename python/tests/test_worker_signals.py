"""What a worker is given of the signals that an import sets."""

import os
import signal

from yett.worker.signals import Dispositions


def test_wakeup_descriptor_that_was_closed_is_not_set_again_under_its_number() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer)
    try:
        os.close(writer)
        found = Dispositions.now()
        # Somebody else's by now.
        os.dup2(reader, writer)
        os.set_blocking(writer, False)
        found.restore()
        assert signal.set_wakeup_fd(-1) == -1
        os.close(writer)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
