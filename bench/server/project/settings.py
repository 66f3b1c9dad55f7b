"""A small project: one table, one list, tokens of the library that `BENCH_TOKENS` names.

`BENCH_DATA` names the folder of the database; `BENCH_SECRET` is the key of one run, made for it.
"""

import os
from datetime import timedelta
from pathlib import Path

SECRET_KEY = os.environ["BENCH_SECRET"]
TOKENS = os.environ.get("BENCH_TOKENS", "rest_framework_simplejwt")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "notes"]
# What `startproject` has, less sessions, messages and CSRF, which an API with tokens does not need.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "urls"
WSGI_APPLICATION = "wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["BENCH_DATA"]) / "notes.sqlite3",
        "CONN_MAX_AGE": None,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{TOKENS}.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(hours=12)}
