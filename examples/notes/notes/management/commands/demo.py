"""`manage.py demo`: a user to log in with, and some notes."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from notes.models import Note

USERNAME, PASSWORD = "demo", "demo-password"
TITLES = ("Buy milk", "Water the plants", "Read the README", "Break a token and see", "Sleep")


class Command(BaseCommand):
    """Makes what is missing; run twice, it changes nothing. It does not migrate."""

    help = f"Make the user {USERNAME} (password {PASSWORD}) and some notes, if they are missing."

    @transaction.atomic
    def handle(self, *args, **options):
        user, is_new = get_user_model().objects.get_or_create(
            username=USERNAME, defaults={"is_staff": True, "is_superuser": True}
        )
        if is_new:
            user.set_password(PASSWORD)
            user.save()
        if not user.notes.exists():
            Note.objects.bulk_create(
                Note(owner=user, title=title, body=f"{title}, says note {number}.")
                for number, title in enumerate(TITLES, 1)
            )
        self.stdout.write(f"user {USERNAME} / {PASSWORD}, {user.notes.count()} notes")
