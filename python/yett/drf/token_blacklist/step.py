"""What must happen together or not at all in the tables of the blacklist.

`one_step()` is the transaction, `repeat()` runs what contains it and answers for a database
that cannot do it now. Who wins is not decided here: the unique column of `BlacklistedToken`
does that, in every database alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import IntegrityError, OperationalError, connections, router, transaction

from ..exceptions import DatabaseBusy
from .models import BlacklistedToken

T = TypeVar("T")

#: How often a step is begun before the client is told to come again.
ATTEMPTS = 3

#: PostgreSQL's serialization_failure and deadlock_detected; MySQL's ER_LOCK_DEADLOCK. The
#: database has ended one of several transactions at once, and asks for it again.
CONFLICTS = frozenset(["40001", "40P01", 1213])
#: PostgreSQL's lock_not_available; MySQL's ER_LOCK_WAIT_TIMEOUT. The time to wait, which the
#: project sets, is over; waiting as long again would only hold the worker.
TIMEOUTS = frozenset(["55P03", 1205])


def alias() -> str:
    """Return the database to which the blacklist is written."""
    return router.db_for_write(BlacklistedToken)


@contextmanager
def one_step() -> Iterator[None]:
    """Run the block in one transaction; any exception undoes all of it."""
    using = alias()
    with transaction.atomic(using=using):
        hold_writes(using)
        yield


def hold_writes(using: str) -> None:
    """Take SQLite's lock for writing now, before the transaction reads.

    A transaction that has read and then writes while another one writes fails at once,
    whatever the timeout; one that begins by writing waits for its turn. The statement changes
    no row. Other databases lock rows, and need none of it.
    """
    if connections[using].vendor == "sqlite":
        rows: Any = BlacklistedToken.objects.using(using)
        rows.filter(pk=-1).update(token=None)


def repeat(step: Callable[[], T]) -> T:
    """Return what `step` does, begun anew when the database ended it for the sake of others.

    `DatabaseBusy` (503) when that does not help, or a lock was not to be had in time. Inside
    a transaction of the project (`ATOMIC_REQUESTS`) there is one attempt: a part of a
    transaction cannot be begun anew.
    """
    using = alias()
    is_inside = connections[using].in_atomic_block
    left = 1 if is_inside else ATTEMPTS
    while True:
        left -= 1
        try:
            if is_inside:
                hold_writes(using)
            return step()
        except IntegrityError:
            # At the commit: the user or the token's row was deleted meanwhile. Another look
            # finds that out and says so.
            if not left:
                raise
        except OperationalError as error:
            if not (is_timeout(error) or is_conflict(error)):
                raise
            if not left or is_timeout(error):
                raise DatabaseBusy from error


def is_conflict(error: OperationalError) -> bool:
    """Whether the database ended this transaction in favour of another one."""
    return _code(error) in CONFLICTS


def is_timeout(error: OperationalError) -> bool:
    """Whether a lock was not to be had in the time that the project allows."""
    # SQLite's code is there from Python 3.11 on; its words have been the same for ever.
    return _code(error) in TIMEOUTS or "is locked" in str(error)


def _code(error: OperationalError) -> Any:
    """Return SQLSTATE of psycopg 3 or 2, or MySQL's number."""
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state or next(iter(error.args), None)
