"""The settings of dj-rest-auth's tests, with a quick password hash: the tests look at none."""

from tests.settings import *  # noqa: F403  # type: ignore  # of the package that is judged

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
