"""PyJWT and `yett.jwt`, turn by turn: prints library<TAB>operation<TAB>operations a second.

    BENCH_WORK=DIR python bench/jwt/python.py [SECONDS]

`DIR` holds `jwt-tokens.json` (claims, a secret, one token for each algorithm) and `keys/` (`rsa`,
`ec` and `ed`, each `.pem` and `.pub.pem`). Both libraries verify the same tokens. `SECONDS`
(default 0.5) is the time for each operation and turn; there are five turns, the best counts.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jwt as pyjwt

import yett.jwt
import yett.jwt.algorithms

WORK = Path(os.environ["BENCH_WORK"])
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
TURNS = 5
GIVEN = json.loads((WORK / "jwt-tokens.json").read_text())
RULES = {"audience": "notes", "issuer": "https://issuer.example"}
KEYS = {"HS256": None, "RS256": "rsa", "ES256": "ec", "EdDSA": "ed"}


def rate(operation: Callable[[], Any]) -> float:
    """Operations a second, in batches, so that the clock costs nothing."""
    operation()
    done, batch, begin = 0, 10, time.perf_counter()
    while True:
        for _ in range(batch):
            operation()
        done += batch
        passed = time.perf_counter() - begin
        if passed >= SECONDS:
            return done / passed
        if passed < SECONDS / 100:
            batch *= 2


def operations(library: ModuleType) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The same work for either library."""
    for alg, name in KEYS.items():
        if name is None:
            private = public = sign_with = verify_with = GIVEN["secret"]
        else:
            private = (WORK / "keys" / f"{name}.pem").read_text()
            public = (WORK / "keys" / f"{name}.pub.pem").read_text()
            algorithm = library.algorithms.get_default_algorithms()[alg]
            sign_with, verify_with = algorithm.prepare_key(private), algorithm.prepare_key(public)
        good = GIVEN[alg]
        head, payload, signature = good.split(".")
        other = "A" if signature[20] != "A" else "B"
        bad = ".".join((head, payload, signature[:20] + other + signature[21:]))

        def sign(key: Any = sign_with, alg: str = alg) -> None:
            library.encode(GIVEN["claims"], key, algorithm=alg)

        def verify(token: str = good, key: Any = verify_with, alg: str = alg) -> None:
            library.decode(token, key, algorithms=[alg], **RULES)

        def reject(token: str = bad, key: Any = verify_with, alg: str = alg) -> None:
            try:
                library.decode(token, key, algorithms=[alg], **RULES)
            except library.InvalidSignatureError:
                return
            raise SystemExit("a bad signature was accepted")

        def verify_text(token: str = good, key: Any = public, alg: str = alg) -> None:
            library.decode(token, key, algorithms=[alg], **RULES)

        yield f"sign {alg}", sign
        yield f"verify {alg}", verify
        yield f"reject bad signature {alg}", reject
        if name is not None:
            yield f"verify {alg}, key as PEM text each time", verify_text


def main() -> None:
    """Turn by turn, so that both meet the same state of the machine."""
    work = list(zip(operations(pyjwt), operations(yett.jwt), strict=True))
    best: dict[tuple[str, str], float] = {}
    for _ in range(TURNS):
        for (name, theirs), (_, ours) in work:
            for library, operation in (("PyJWT", theirs), ("yett.jwt", ours)):
                found = rate(operation)
                best[library, name] = max(best.get((library, name), 0), found)
    for (name, _), _ in work:
        theirs_rate, ours_rate = best["PyJWT", name], best["yett.jwt", name]
        print(f"PyJWT\t{name}\t{theirs_rate:.0f}")
        print(f"yett.jwt\t{name}\t{ours_rate:.0f}")
        ratio = f"{name}: {ours_rate / theirs_rate:.1f} times"
        print(ratio, f"{1e6 / theirs_rate:.2f} -> {1e6 / ours_rate:.2f} us", file=sys.stderr)


if __name__ == "__main__":
    main()
