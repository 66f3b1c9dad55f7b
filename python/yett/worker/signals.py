"""What signals do in the zygote, in a worker, and in what an application starts there.

An application may set signals when it is imported. The zygote takes back those that it depends on;
a worker gets what was set, but for SIGTERM and SIGINT. These are the program's business: a service
manager and Ctrl-C in a terminal send them to every process of the service at once, and the program
then says who leaves when.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

#: The program says what is to happen.
OF_THE_PROGRAM = (signal.SIGTERM, signal.SIGINT)
#: Beside those: how the zygote learns how its children ended, and what a closed terminal sends.
OF_THE_ZYGOTE = (*OF_THE_PROGRAM, signal.SIGCHLD, signal.SIGHUP)

Handler = Callable[[int, FrameType | None], Any] | int | None


class Dispositions(NamedTuple):
    """What some signals do, and which descriptor Python tells of every signal."""

    handlers: dict[signal.Signals, Handler]
    wakeup: int

    @classmethod
    def now(cls) -> "Dispositions":
        """Return those of this moment."""
        wakeup = signal.set_wakeup_fd(-1)
        if not _tells_of_every_signal(wakeup):
            # Its number may be another descriptor's by the time that it would be set again.
            wakeup = -1
        return cls({number: signal.getsignal(number) for number in OF_THE_ZYGOTE}, wakeup)

    def restore(self, *, but: tuple[signal.Signals, ...] = ()) -> None:
        """Set them again, but for some, and for those that somebody else than Python had set."""
        for number, handler in self.handlers.items():
            if handler is None or number in but or signal.getsignal(number) is handler:
                continue
            signal.signal(number, handler)
        _tells_of_every_signal(self.wakeup)


def _tells_of_every_signal(descriptor: int) -> bool:
    """Have Python do so; False if who set the descriptor has closed it since."""
    try:
        signal.set_wakeup_fd(descriptor)
    except (OSError, ValueError):
        return False
    return True


def begin() -> Dispositions:
    """Set what the zygote needs before the import; return it, to be set again after it."""
    outlive_term_and_int()
    # Who started the program may have ignored it.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return Dispositions.now()


def outlive_term_and_int() -> None:
    """Let SIGTERM and SIGINT pass.

    By a handler that does nothing, and not by SIG_IGN, which programs that the application starts
    would inherit. Processes that it forks, as multiprocessing does, would inherit this one; a
    worker says `end_forked_children_by_them` for those.
    """
    for number in OF_THE_PROGRAM:
        signal.signal(number, _pass)


def end_forked_children_by_them() -> None:
    """Have every child that is forked from now on do what Python does by itself."""
    os.register_at_fork(after_in_child=_as_python_does)


def _pass(_number: int, _frame: FrameType | None) -> None:
    """Do nothing."""


def _as_python_does() -> None:
    if signal.getsignal(signal.SIGTERM) is _pass:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is _pass:
        signal.signal(signal.SIGINT, signal.default_int_handler)
