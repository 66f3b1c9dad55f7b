"""sslyze's judgement of Yett's TLS: run with a folder to keep its environment in.

`YETT_BIN` names the program, the interpreter that runs this is the one that has the package `yett`.
Nothing that sslyze finds may be worse than Mozilla's "intermediate" configuration, but for the
certificate itself, which is one for development.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from peer_suite import interpreter  # noqa: E402

#: What no scan can find in order: nobody trusts a certificate for development, and it is no
#: authority's.
OF_THE_CERTIFICATE = ("certificate_path_validation",)

#: What sslyze must have said: that it looked, and found nothing.
SAID = (
    "OK - Compression disabled",
    "OK - Not vulnerable to OpenSSL CCS injection",
    "OK - Not vulnerable to Heartbleed",
    "OK - Not vulnerable, RSA cipher suites not supported.",
    "Client Renegotiation DoS Attack:   OK - Not vulnerable",
    "TLS_FALLBACK_SCSV:                 OK - Supported",
    "OK - Supported",
)


def judge(python: pathlib.Path, port: int) -> list[str]:
    """Return what sslyze holds against the server at this port of this machine."""
    words = ["-m", "sslyze", "--mozilla_config=intermediate", f"localhost:{port}"]
    done = subprocess.run(
        [str(python), *words], capture_output=True, text=True, timeout=300, check=False
    )
    _, compliance, found = done.stdout.partition("COMPLIANCE AGAINST TLS CONFIGURATION")
    if not compliance:
        return [f"sslyze did not come to its end:\n{done.stdout}{done.stderr}"]
    complaints = re.findall(r"^ +\* (\w+): (.*)$", found, re.MULTILINE)
    held = [f"{name}: {text}" for name, text in complaints if name not in OF_THE_CERTIFICATE]
    return held + [f"not said: {text}" for text in SAID if text not in done.stdout]


def main(cache: pathlib.Path) -> int:
    """Start a server, have it judged, and say the verdict."""
    python = interpreter(
        cache / "sslyze",
        HERE / "requirements.txt",
        "sslyze could not be installed, so TLS was not judged.",
    )
    environment = dict(os.environ, YETT_PYTHON=sys.executable)
    environment["PYTHONPATH"] = str(REPOSITORY / "python")
    words = [os.environ["YETT_BIN"], "serve", "hello:application", "--workers", "1"]
    words += ["--chdir", str(HERE.parent / "apps"), "--bind", "127.0.0.1:0"]
    words += ["--tls-self-signed", "--no-access-log"]
    with tempfile.TemporaryDirectory() as folder:
        environment["XDG_RUNTIME_DIR"] = folder
        server = subprocess.Popen(
            words, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        try:
            assert server.stderr is not None
            banner = ""
            while "loads new code." not in banner:
                line = server.stderr.readline()
                if not line:
                    sys.exit(f"the server did not start:\n{banner}")
                banner += line
            port = re.search(r"https://127\.0\.0\.1:(\d+)", banner)
            if port is None:
                sys.exit(f"no HTTPS address in the banner:\n{banner}")
            held = judge(python, int(port[1]))
        finally:
            server.terminate()
            server.wait(timeout=60)
    for each in held:
        print(each)
    print(f"sslyze: {len(held)} objections" if held else "sslyze has nothing against it")
    return 1 if held else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
