"""A project with views of every kind, behind the middleware of an ordinary deployment.

`MATRIX_AUTH` names the package of its token classes; `MATRIX_REDIRECT` sends clear text to https.
"""

import os
from datetime import timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
AUTH = os.environ["MATRIX_AUTH"]
SECRET_KEY = "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
ROOT_URLCONF = "matrix_urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "corsheaders",
    "rest_framework",
    "rest_framework.authtoken",
]
MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.BrokenLinkEmailsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["MATRIX_DB"]},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
# The proxy before the server takes this prefix away.
FORCE_SCRIPT_NAME = "/shop"
SECURE_HSTS_SECONDS = 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = bool(os.environ.get("MATRIX_REDIRECT"))
SECURE_REDIRECT_EXEMPT = [r"plain/"]
CORS_ALLOWED_ORIGINS = ["https://friend.example"]
CORS_ALLOW_CREDENTIALS = True
CORS_EXPOSE_HEADERS = ["X-Total"]
# Of some URLs alone, in the variant that redirects.
CORS_URLS_REGEX = r"^/p.*$" if SECURE_SSL_REDIRECT else r"^/.*$"
STATIC_URL = "/static/"
STATIC_ROOT = FOLDER / "static"
WHITENOISE_STATIC_PREFIX = "/assets/"
WHITENOISE_ROOT = FOLDER / "root"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{AUTH}.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_RATES": {"anon": "1000000/day", "user": "1000000/day"},
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "AUDIENCE": "notes",
    "ISSUER": "https://issuer.example",
    "LEEWAY": 120,
}
