"""`manage.py flushexpiredtokens`: to be run now and then, such as once a day."""

from typing import Any

from django.core.management.base import BaseCommand

from ....utils import aware_utcnow
from ...models import OutstandingToken

#: Rows of one statement and transaction: tables of years are emptied without holding them in
#: memory or locking them for long.
BATCH = 1000


class Command(BaseCommand):
    """Deletes what has ended by itself, revoked or not."""

    help = "Deletes the rows of tokens that have expired, blacklisted ones with them"

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete; a token that ends while this runs stays for the next time."""
        expired = OutstandingToken.objects.filter(expires_at__lte=aware_utcnow()).order_by("pk")
        while rows := list(expired.values_list("pk", flat=True)[:BATCH]):
            OutstandingToken.objects.filter(pk__in=rows).delete()
