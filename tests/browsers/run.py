"""Real browsers as clients of Yett: Chromium and Firefox, headless, over TLS and HTTP/2.

    python tests/browsers/run.py

They come from the system. Where none is installed, Debian's Chromium is installed if this is root's
run; else it is said that no browser has judged. `YETT_BIN` names the program, the interpreter that
runs this is the one of its workers.
"""

import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.server import (  # found by the line above
    LAST_LINE_OF_BANNER,
    Server,
    eventually,
)

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

#: How long a browser has for all its checks, its start included, in seconds.
PATIENCE = 120

NAMES = {
    "Chromium": ("chromium", "chromium-browser", "google-chrome"),
    "Firefox": ("firefox", "firefox-esr"),
}

#: What Chromium does on its own that no check is about; some of it asks the net.
QUIET = (
    "--headless=new",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-sync",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
)

#: The same of Firefox.
PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.autoplay.default": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Certificate:
    """A certificate for this machine, and how browsers are told to believe it."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Make it."""
        self.cert = folder / "cert.pem"
        self.key = folder / "key.pem"
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        words += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
        words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        words += ["-keyout", str(self.key), "-out", str(self.cert)]
        subprocess.run(words, check=True, capture_output=True)
        self.fingerprint = hashlib.sha256(self._der("x509", "-in", str(self.cert))).hexdigest()
        public = self._der("pkey", "-in", str(self.key), "-pubout")
        self.public_key = base64.b64encode(hashlib.sha256(public).digest()).decode()

    @staticmethod
    def _der(*words: str) -> bytes:
        done = subprocess.run(["openssl", *words, "-outform", "der"], capture_output=True)
        return done.stdout


def found(names: tuple[str, ...]) -> str | None:
    """Return the first program of these names."""
    return next(filter(None, map(shutil.which, names)), None)


def installed() -> dict[str, str]:
    """Return the browsers there are; install one if there is none and that can be done."""
    browsers = {name: path for name, names in NAMES.items() if (path := found(names))}
    if not browsers and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        wanted = ["install", "--quiet", "--yes", "--no-install-recommends", "chromium"]
        for words in (["update", "--quiet"], wanted):
            subprocess.run(["apt-get", *words], env=environment, capture_output=True, check=False)
        browsers = {name: path for name, names in NAMES.items() if (path := found(names))}
    return browsers


def write_files(folder: pathlib.Path) -> None:
    """Lay the files there that the page asks for."""
    shutil.copy(HERE / "checks.js", folder / "checks.js")
    (folder / "kept.0123456789ab.txt").write_text("kept for ever\n")
    # Sixty seconds of a rising tone: 8 bits, one channel, 8,000 of them a second.
    samples = bytes((index * (index >> 14)) & 0xFF for index in range(480_000))
    sizes = [value.to_bytes(4, "little") for value in (36 + len(samples), 16, 8000, 8000)]
    form = sizes[1] + b"\1\0\1\0" + sizes[2] + sizes[3] + b"\1\0\x08\0"
    data = b"data" + len(samples).to_bytes(4, "little") + samples
    (folder / "tone.wav").write_bytes(b"RIFF" + sizes[0] + b"WAVEfmt " + form + data)


@contextlib.contextmanager
def running(
    words: list[str], environment: dict[str, str], log: pathlib.Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own, and end the whole group afterwards."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


@contextlib.contextmanager
def serving(
    folder: pathlib.Path, verdict: pathlib.Path, words: list[str], ready: str
) -> Iterator[Server]:
    """Serve, and leave no process behind."""
    environment = dict(os.environ, YETT_PYTHON=sys.executable, VERDICT=str(verdict))
    environment["PYTHONPATH"] = str(REPOSITORY / "python")
    environment["XDG_RUNTIME_DIR"] = str(folder)
    command = [os.environ["YETT_BIN"], "serve", *words, "--workers", "1"]
    server = Server(command, environment, folder, ready=ready)
    try:
        yield server
    finally:
        server.kill_all()


def addresses(server: Server) -> dict[str, str]:
    """Return a server's addresses by their schemes, the one that leads to HTTPS among them."""
    found = re.findall(r"(https?)://127\.0\.0\.1:(\d+)", server.stderr)
    return {scheme: f"{scheme}://127.0.0.1:{port}/" for scheme, port in found}


def command(
    name: str, path: str, profile: pathlib.Path, certificate: Certificate, urls: dict[str, str]
) -> list[str]:
    """Return what starts a browser that believes the certificate."""
    if name == "Chromium":
        words = [path, *QUIET, f"--user-data-dir={profile}"]
        words.append(f"--ignore-certificate-errors-spki-list={certificate.public_key}")
        # Within a container there is nothing to build its own sandbox with.
        return [*words, "--no-sandbox"] if os.geteuid() == 0 else words
    lines = [f'user_pref("{key}", {json.dumps(value)});' for key, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    if "https" in urls:
        fingerprint = ":".join(re.findall("..", certificate.fingerprint.upper()))
        address = urls["https"].removeprefix("https://").rstrip("/")
        kind = "OID.2.16.840.1.101.3.4.2.1"
        (profile / "cert_override.txt").write_text(f"{address}:\t{kind}\t{fingerprint}\t\n")
    return [path, "--headless", "--no-remote", "--profile", str(profile)]


class Page:
    """The page that tries everything, by the redirect to HTTPS and over HTTP/2."""

    ready = LAST_LINE_OF_BANNER

    def __init__(self, place: pathlib.Path, certificate: Certificate) -> None:
        """Lay the files there."""
        files = place / "files"
        files.mkdir()
        write_files(files)
        self.words = ["app:application", "--chdir", str(HERE), "--bind", "127.0.0.1:0"]
        self.words += ["--redirect-http", "127.0.0.1:0", "--static", f"/static/={files}"]
        self.words += ["--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key)]

    def go_on(self, server: Server) -> None:
        """Leave it to the page."""

    def missed(self, log: str) -> list[str]:
        """Return what the server should have seen and has not."""
        again = re.search(r"GET /static/tone\.wav .*\b304\b", log)
        return [] if again else ["a file that did not change was sent again"]


class Development:
    """The page that `--reload` shows while the code does not load."""

    ready = "until a change loads"

    def __init__(self, place: pathlib.Path, certificate: Certificate) -> None:
        """Write code that does not load."""
        self.code = place / "code" / "app.py"
        self.code.parent.mkdir()
        self.code.write_text("import no_such_module\n")
        self.words = ["app:application", "--chdir", str(self.code.parent)]
        self.words += ["--bind", "127.0.0.1:0", "--reload"]

    def go_on(self, server: Server) -> None:
        """Mend the code once the browser has the page and asks for news."""
        eventually(lambda: re.search(r"GET / .*\b500\b", server.stdout), PATIENCE)
        shutil.copy(HERE / "mended.py", self.code)

    def missed(self, log: str) -> list[str]:
        """Return what the server should have seen and has not."""
        return []


def judge(
    name: str,
    path: str,
    scenario: type[Page] | type[Development],
    certificate: Certificate,
    folder: pathlib.Path,
) -> list[str]:
    """Return what a browser holds against the server."""
    place = folder / f"{name}-{scenario.__name__}"
    profile = place / "profile"
    profile.mkdir(parents=True)
    verdict = place / "verdict.json"
    environment = dict(os.environ, HOME=str(place), TMPDIR=str(place))
    # The session's own bus and display are none of a test's business.
    for each in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(each, None)
    shown = scenario(place, certificate)
    with serving(place, verdict, shown.words, shown.ready) as server:
        urls = addresses(server)
        start = urls.get("http", urls.get("https", ""))
        browser = [*command(name, path, profile, certificate, urls), start]
        with running(browser, environment, place / "browser.log"):
            try:
                shown.go_on(server)
                eventually(verdict.exists, PATIENCE)
            except AssertionError as late:
                return [f"{name}: {late}", (server.stderr + server.stdout)[-2000:]]
        # Its last records are written by its end.
        server.stop()
        log = server.stdout
    missed = shown.missed(log)
    said = json.loads(verdict.read_text())
    print(f"{name}, {scenario.__name__}: {len(said['claims'])} claims, {len(said['failed'])} fail")
    missed += [f"{claim}: {why}" for claim, why in said["failed"].items()]
    return [f"{name}: {each}" for each in missed]


def main() -> int:
    """Have every browser judge, and say the verdict."""
    browsers = installed()
    if not browsers:
        print("no browser is installed, so none has judged: apt-get install chromium firefox-esr")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        certificate = Certificate(folder)
        held = [
            objection
            for browser, path in browsers.items()
            for scenario in (Page, Development)
            for objection in judge(browser, path, scenario, certificate, folder)
        ]
    for each in held:
        print(each)
    return 1 if held else 0


if __name__ == "__main__":
    sys.exit(main())
