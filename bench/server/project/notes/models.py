"""One table. It has no migrations: `prepare.py` makes a fresh database each time."""

from django.conf import settings
from django.db import models


class Note(models.Model):
    """A title and a text, of one user."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    title = models.CharField(max_length=120)
    body = models.TextField()

    def __str__(self) -> str:
        return self.title
