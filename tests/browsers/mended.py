"""What an application is mended to, after `--reload` has shown a browser that it did not load."""

import os
import pathlib

VERDICT = pathlib.Path(os.environ["VERDICT"])

PAGE = b"""<!doctype html><title>It loads</title><link rel="icon" href="data:,"><script>
const claims = ['an error page goes away once the code loads'];
fetch('/verdict', { method: 'POST', body: JSON.stringify({ claims, failed: {} }) });
</script>"""


def application(environ, start_response):
    """Show the page, or keep what it says."""
    start_response("200 OK", [("Content-Type", "text/html")])
    if environ["PATH_INFO"] != "/verdict":
        return [PAGE]
    whole = VERDICT.with_suffix(".part")
    whole.write_bytes(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    whole.rename(VERDICT)
    return []
