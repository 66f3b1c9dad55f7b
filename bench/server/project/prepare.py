"""Makes the database and the tokens of one run; prints them and the right answers as JSON.

The right answers are those of the project itself, on simplejwt, asked through Django's test
client: no server has a hand in them. Needs `BENCH_DATA` (an empty folder) and `BENCH_SECRET`.
"""

import json
import os
import sys
from pathlib import Path

NOTES = 100


def main() -> None:
    """Make, ask, print."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    os.environ["BENCH_TOKENS"] = "rest_framework_simplejwt"
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from rest_framework_simplejwt.tokens import RefreshToken

    from notes.models import Note

    call_command("migrate", run_syncdb=True, verbosity=0)
    user = User.objects.create(username="bench")
    Note.objects.bulk_create(
        Note(owner=user, title=f"Note {number}", body="What was to be remembered. " * 5)
        for number in range(NOTES)
    )
    refresh = RefreshToken.for_user(user)
    access = str(refresh.access_token)
    # The first character of the signature: the last one has bits that mean nothing.
    head, payload, signature = access.split(".")
    changed = "A" if signature[0] != "A" else "B"
    bad = ".".join((head, payload, changed + signature[1:]))

    client = Client(SERVER_NAME="127.0.0.1")

    def body(path: str, status: int, token: str | None = None) -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.content)
        return answer.content.decode()

    renewed = client.post(
        "/api/token/refresh/", {"refresh": str(refresh)}, content_type="application/json"
    )
    assert renewed.status_code == 200, renewed.content
    found = {
        "access": access,
        "bad": bad,
        "refresh": str(refresh),
        "django body": body("/plain", 200),
        "drf body": body("/api/public/", 200),
        "token body": body("/api/notes/", 200, access),
        "bad-token body": body("/api/notes/", 401, bad),
        "refresh body": renewed.content.decode(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
