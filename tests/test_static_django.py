"""A real Django project's static files: collected, found in development, forgotten; uploads."""

import re

import pytest

SETTINGS_TAIL = """
STATIC_ROOT = BASE_DIR / "collected"
STATICFILES_DIRS = [BASE_DIR / "assets", ("vendor", BASE_DIR / "vendor")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}
ALLOWED_HOSTS = ["127.0.0.1"]
"""

URLS = """
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path


def attachment(request):
    response = HttpResponse(headers={"ETag": '"mine"', "Cache-Control": "private"})
    response["X-Accel-Redirect"] = "/protected/a.pdf"
    del response["Content-Type"]
    return response


urlpatterns = [
    path("where/", lambda request: HttpResponse(static("site.css"))),
    path("attachment/", attachment),
]
"""


@pytest.fixture
def project(tmp_path, python):
    """Return a new project's folder, with static files of an app, of the project and of others."""
    folder = tmp_path / "project"
    folder.mkdir()
    python("-m", "django", "startproject", "site_of_tests", ".", cwd=folder)
    python("manage.py", "startapp", "shop", cwd=folder)
    settings = folder / "site_of_tests" / "settings.py"
    text = settings.read_text().replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "shop",')
    settings.write_text(text + SETTINGS_TAIL)
    (folder / "site_of_tests" / "urls.py").write_text(URLS)
    for name, content in [
        ("assets/site.css", "body { background: url(dot.png) }"),
        ("assets/dot.png", "png"),
        ("vendor/lib.js", "lib()"),
        ("shop/static/shop/shop.js", "shop()"),
        ("shop/static/site.css", "never: STATICFILES_DIRS comes first"),
        ("media/a.pdf", "0123456789"),
    ]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def production(folder):
    settings = folder / "site_of_tests" / "settings.py"
    settings.write_text(settings.read_text().replace("DEBUG = True", "DEBUG = False"))


def test_collected_files_are_kept_for_ever_by_the_names_that_django_made(serve, python, project):
    production(project)
    python("manage.py", "collectstatic", "--noinput", cwd=project)
    server = serve(folder=project)
    where = server.get("/where/").text
    assert re.fullmatch(r"/static/site\.[0-9a-f]{12}\.css", where)
    # The list of these names lies beside them, and is nobody's.
    assert (project / "collected" / "staticfiles.json").is_file()
    assert server.get("/static/staticfiles.json").status == 404
    answer = server.get(where)
    assert re.fullmatch(r"body { background: url\(\"dot\.[0-9a-f]{12}\.png\"\) }", answer.text)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = server.get(where, f"If-None-Match: {answer.headers['ETag']}")
    assert (again.status, again.body) == (304, b"")
    plain = server.get("/static/shop/shop.js")
    assert (plain.text, plain.headers["Cache-Control"]) == ("shop()", "public, max-age=60")
    assert server.get("/static/vendor/lib.js").text == "lib()"
    assert server.get("/static/admin/css/base.css").status == 200
    assert server.get("/static/none.css").status == 404
    part = server.get("/static/shop/shop.js", "Range: bytes=0-3")
    assert (part.status, part.text) == (206, "shop")
    record = server.last_records()[-1]
    assert (record["status"], record["worker"], record["bytes"]) == (206, None, 4)
    assert "collectstatic" not in server.stderr


def test_forgotten_collectstatic_is_said_at_the_start(serve, project):
    production(project)
    server = serve(folder=project)
    root = project / "collected"
    assert (
        f"STATIC_ROOT {root} does not exist, so nothing is served under /static/: "
        "run `python manage.py collectstatic`"
    ) in server.stderr.replace("\n", " ")


def test_in_development_files_come_from_where_the_finders_look(serve, project):
    server = serve(None, "--reload", folder=project)
    assert server.get("/where/").text == "/static/site.css"
    for url, text in [
        ("/static/site.css", "body { background: url(dot.png) }"),
        ("/static/vendor/lib.js", "lib()"),
        ("/static/shop/shop.js", "shop()"),
    ]:
        answer = server.get(url)
        assert (answer.status, answer.text) == (200, text)
        assert answer.headers["Cache-Control"] == "no-cache"
    assert server.get("/static/lib.js").status == 404
    assert server.get("/static/admin/css/base.css").status == 200
    (project / "assets" / "site.css").write_text("changed")
    assert server.get("/static/site.css").text == "changed"
    (project / "assets" / "new.css").write_text("new")
    assert server.get("/static/new.css").text == "new"


def test_whitenoise_with_debug_shows_what_the_finders_find_now(serve, python, project):
    settings = project / "site_of_tests" / "settings.py"
    layer = '"whitenoise.middleware.WhiteNoiseMiddleware"'
    settings.write_text(
        settings.read_text().replace("MIDDLEWARE = [", f"MIDDLEWARE = [\n    {layer},")
    )
    python("manage.py", "collectstatic", "--noinput", cwd=project)
    server = serve(folder=project)
    for text in ("now", "and again"):
        (project / "assets" / "site.css").write_text(text)
        answer = server.get("/static/site.css")
        assert (answer.status, answer.text) == (200, text)
        assert answer.headers["Cache-Control"] == "no-cache"
    assert server.get("/static/none.css").status == 404
    of_files, of_the_app = server.last_records()[-2:]
    assert of_files["worker"] is None
    assert of_the_app["worker"] is not None


def test_private_file_is_sent_by_the_apps_word_with_ranges_and_its_own_validator(serve, project):
    server = serve(None, "--sendfile", f"/protected/={project / 'media'}", folder=project)
    whole = server.get("/attachment/")
    assert (whole.status, whole.text) == (200, "0123456789")
    assert whole.headers["Content-Type"] == "application/pdf"
    assert (whole.headers["ETag"], whole.headers["Cache-Control"]) == ('"mine"', "private")
    part = server.get("/attachment/", "Range: bytes=-3", 'If-Range: "mine"')
    assert (part.status, part.text, part.headers["Content-Range"]) == (206, "789", "bytes 7-9/10")
    kept = server.get("/attachment/", 'If-None-Match: "mine"')
    assert (kept.status, kept.body) == (304, b"")
    assert server.get("/attachment/", "Range: bytes=10-").status == 416
    assert server.get("/protected/a.pdf").status == 404
