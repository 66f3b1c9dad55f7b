"""Asks the project in this process: reads requests as JSON on stdin, prints the answers.

With `make` as its only word it makes the database and two users instead.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guarded_settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402


def main() -> None:
    """Make the database, or answer."""
    if sys.argv[1:] == ["make"]:
        call_command("migrate", verbosity=0)
        User.objects.create(pk=1, username="good")
        User.objects.create(pk=2, username="inactive", is_active=False)
        return
    client = Client(SERVER_NAME="127.0.0.1", raise_request_exception=False)
    answers = []
    for method, target, header in json.load(sys.stdin):
        extra = {} if header is None else {"HTTP_AUTHORIZATION": header}
        answer = client.generic(method, target, **extra)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        answers.append([answer.status_code, headers, answer.content.decode()])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
