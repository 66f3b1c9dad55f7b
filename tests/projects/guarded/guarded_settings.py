"""A Django project with guarded views; `GUARDED_AUTH` names the package of its token classes.

`GUARDED_KEYS` is a folder with a key pair for ES256; without it tokens are HS256.
`GUARDED_JWK_URL` is where an issuer publishes its keys instead; as it is on this machine, the
project is then in development. `GUARDED_APPS` are more apps, with commas.
"""

import os
from datetime import timedelta
from pathlib import Path

AUTH = os.environ["GUARDED_AUTH"]
SECRET_KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "guarded_urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    *filter(None, os.environ.get("GUARDED_APPS", "").split(",")),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["GUARDED_DB"]},
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{AUTH}.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "AUDIENCE": "notes",
    "ISSUER": "https://issuer.example",
    "LEEWAY": 120,
}
if KEYS := os.environ.get("GUARDED_KEYS"):
    SIMPLE_JWT |= {
        "ALGORITHM": "ES256",
        "SIGNING_KEY": Path(KEYS, "private.pem").read_text(),
        "VERIFYING_KEY": Path(KEYS, "public.pem").read_text(),
    }
if JWK_URL := os.environ.get("GUARDED_JWK_URL"):
    DEBUG = True
    SIMPLE_JWT |= {"ALGORITHM": "ES256", "JWK_URL": JWK_URL}
