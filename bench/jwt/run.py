"""Yett's token library beside its peers: interleaved rounds, medians, ratios.

    python3 bench/jwt/run.py [--rounds 5] [--seconds 1] [--work DIR] [--python PYTHON]

Builds three programs (Yett; jsonwebtoken with each of its backends), makes keys and tokens
in DIR where there are none, and runs every program once a round, so that a noisy machine
is noisy for all. `--python` names an interpreter that has Yett, PyJWT and cryptography
installed; without it the Python rows are left out. Needs cargo and nothing else.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build(target: Path, features: list[str], binary: str, name: str) -> Path:
    """Build one program and keep it under a name of its own."""
    command = ["cargo", "build", "--release", "--quiet", "--bin", binary]
    command += ["--manifest-path", str(HERE / "Cargo.toml"), "--target-dir", str(target)]
    if features:
        command += ["--features", ",".join(features)]
    subprocess.run(command, check=True)
    kept = target / name
    shutil.copy(target / "release" / binary, kept)
    return kept


def main() -> None:
    """Build, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--work", type=Path, default=Path("/tmp/yett-jwt-bench"))
    parser.add_argument("--python")
    options = parser.parse_args()

    target = options.work / "target"
    target.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "BENCH_WORK": str(options.work)}
    yett = build(target, [], "yett-bench", "yett")
    counting = build(target, ["count"], "yett-bench", "yett-count")
    peers = [
        build(target, [backend], "jsonwebtoken-bench", f"jsonwebtoken-{backend}")
        for backend in ("aws_lc_rs", "rust_crypto")
    ]
    if not (options.work / "jwt-tokens.json").exists():
        subprocess.run([yett, "prepare"], env=environment, check=True)

    seconds = str(options.seconds)
    commands = [[str(program), seconds] for program in [yett, *peers]]
    if options.python:
        commands.append([options.python, str(HERE / "python.py"), seconds])
    rates: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(options.rounds):
        # Another order each round: nobody is always first on a cold machine.
        for command in commands[number % len(commands) :] + commands[: number % len(commands)]:
            run = subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True
            )
            for line in run.stdout.splitlines():
                library, operation, rate = line.split("\t")
                rates[operation][library].append(float(rate))
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)

    print(f"{'operation':44} {'library':26} {'op/s':>12} {'µs':>9}  against the best other")
    for operation, libraries in rates.items():
        medians = {library: statistics.median(found) for library, found in libraries.items()}
        for library, rate in sorted(medians.items(), key=lambda item: -item[1]):
            others = [other for name, other in medians.items() if name != library]
            ratio = f"{rate / max(others):.2f} x" if others else ""
            print(f"{operation:44} {library:26} {rate:12,.0f} {1e6 / rate:9.3f}  {ratio}")
    sys.stdout.flush()
    for command in ([yett, "overhead"], [counting, "memory"]):
        subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
