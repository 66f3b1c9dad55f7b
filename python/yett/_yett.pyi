"""Types of the extension module `yett._yett` (Rust, crate `yett-python`).

Only names and types; what each does is said in the crate's documentation. This
part is JSON Web Tokens, what `yett.jwt` is made of; the worker's part (WSGI, then ASGI) stands
below it, then passwords.
"""

from asyncio import Future, Task
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, final, overload

from typing_extensions import Self

__all__ = [
    "Algorithms",
    "Awaited",
    "Checks",
    "Done",
    "HttpExchange",
    "Identity",
    "Key",
    "LoopLink",
    "StartResponse",
    "WebSocketExchange",
    "WorkerLink",
    "__version__",
    "check_claims",
    "check_payload",
    "danger_split",
    "hash_argon2",
    "hash_bcrypt",
    "hash_pbkdf2",
    "hash_scrypt",
    "jws_sign",
    "jws_verify",
    "jwt_decode",
    "jwt_decode_complete",
    "make_immortal",
    "password_matches",
    "read_claims",
    "read_json",
]
__version__: str

@final
class Key:
    """A private, public or shared key and its one algorithm.

    Immutable, shared between threads, and never printed. What cannot be used safely raises
    `yett.jwt.InvalidKeyError` when it is made. Equal are the same public keys; a shared
    secret equals itself alone.
    """

    @staticmethod
    def from_pem(algorithm: str, pem: bytes) -> Key:
        """A private key (PKCS#8, PKCS#1, SEC 1; not encrypted), a public one, a certificate's."""

    @staticmethod
    def from_der(algorithm: str, der: bytes) -> Key:
        """The same without armour."""

    @staticmethod
    def from_jwk(jwk: bytes, algorithm: str | None = None) -> Key:
        """A JWK's text. Without `algorithm`: its `alg`, or the only one for its curve."""

    @staticmethod
    def hmac(algorithm: str, secret: bytes) -> Key:
        """A shared secret of any length but zero; a short one has a `weakness`."""

    @property
    def algorithm(self) -> str: ...
    @property
    def key_type(self) -> str:
        """`RSA`, `EC`, `OKP` or `oct`."""

    @property
    def is_private(self) -> bool:
        """Whether it can sign."""

    @property
    def weakness(self) -> str | None:
        """A sentence about a secret that is shorter than its hash."""

    def bound_to(self, algorithm: str) -> Key:
        """The same RSA key for another RSA algorithm, unless its JWK named one."""

    def public_key(self) -> Key: ...
    def sign(self, message: bytes) -> bytes:
        """The bare signature over any bytes."""

    def verify(self, message: bytes, signature: bytes) -> bool: ...
    def to_jwk(self) -> str:
        """The public JWK."""

    def danger_to_jwk(self) -> str:
        """The JWK with its private part."""

    def to_pem(self) -> str:
        """The public key."""

    def danger_to_pem(self) -> str:
        """The private key (PKCS#8)."""

    def thumbprint(self) -> str:
        """RFC 7638, SHA-256, base64url."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Algorithms:
    """Which of the built-in algorithms count."""

    def __new__(cls, names: Sequence[str]) -> Self: ...

@final
class Checks:
    """Which rules count for claims: the options of `decode`, read once."""

    def __new__(
        cls,
        *,
        skip: Sequence[str],
        require: Sequence[str] = ...,
        strict_aud: bool = False,
        enforce_minimum_key_length: bool = True,
    ) -> Self:
        """`skip` names registered claims that are not looked at."""

def jwt_decode(
    token: str | bytes,
    key: Any,
    algorithms: Any,
    known: Algorithms,
    checks: Checks,
    audience: Any,
    issuer: Any,
    subject: Any,
    leeway: Any,
) -> dict[str, Any]:
    """Find the key, prove the token, judge its claims, give them."""

def jwt_decode_complete(
    token: str | bytes,
    key: Any,
    algorithms: Any,
    known: Algorithms,
    checks: Checks,
    audience: Any,
    issuer: Any,
    subject: Any,
    leeway: Any,
) -> tuple[dict[str, Any], str, bytes]:
    """The same, and the header's JSON and the signature."""

def jws_verify(
    token: str | bytes,
    key: Any,
    algorithms: Any,
    known: Algorithms,
    enforce_minimum_key_length: bool,
) -> tuple[bytes, str, bytes]:
    """Prove a token of any payload: payload, the header's JSON, signature."""

def jws_sign(
    header: str,
    payload: bytes,
    key: Any,
    algorithm: str,
    known: Algorithms,
    enforce_minimum_key_length: bool,
) -> str:
    """Sign any payload under that header."""

def danger_split(token: str | bytes) -> tuple[str, bytes, bytes]:
    """The header's JSON, payload and signature of a token that nobody vouches for."""

def check_claims(
    claims: bytes, checks: Checks, audience: Any, issuer: Any, subject: Any, leeway: Any
) -> None:
    """Judge claims that were proved by other means, or not at all."""

def check_payload(claims: bytes) -> None:
    """Raise `ValueError` for claims that no verifier here would read."""

def read_claims(json: bytes) -> dict[str, Any]:
    """Read a JSON object as strictly as payloads are read, without judging it."""

def read_json(json: bytes) -> dict[str, Any]:
    """The same for a JSON object that is no payload; `ValueError` says what is wrong with it."""

@final
class Identity:
    """A bearer token that the server has proved. Only the server makes one."""

    @property
    def token(self) -> str:
        """The raw token, exactly as the client sent it."""

    @property
    def claims(self) -> dict[str, Any]:
        """The proved claims, as a fresh dictionary on each access."""

@final
class StartResponse:
    """The callable that an application gets as `start_response` (PEP 3333)."""

    @overload
    def __call__(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: Any = None,
        /,
    ) -> Callable[[bytes], None]: ...
    @overload
    def __call__(self, status: bytes, /) -> None:
        """The imperative `write`, which the other call returns."""

    def early_hints(self, headers: Iterable[tuple[str, str]]) -> None:
        """`wsgi.early_hints`: send headers before the answer, to a client that knows how."""

def make_immortal(objects: list[Any]) -> bool:
    """Make objects immortal (PEP 683), with the constants and names in them.

    False, and nothing done, where this version of Python is not known.
    """

@final
class WorkerLink:
    """The worker's end of its link to the edge."""

    def __new__(cls, descriptor: int, threads: int = 1) -> Self:
        """Take over the descriptor; it must be nobody else's.

        `threads` is how many may call `serve_wsgi`.
        """

    def disown(self) -> None:
        """Say in a process forked from this one that the link is not its own."""

    def ready(self) -> None:
        """Tell the edge that requests can come."""

    def relieve(self, start: Callable[[], bool]) -> None:
        """Call `start` whenever one more thread should call `serve_wsgi`; returns at once.

        `start` returns whether there is one more. If not, it is called again later.
        """

    def serve_wsgi(
        self,
        application: Any,
        environ: dict[str, Any],
        report: Callable[[BaseException, dict[str, Any], bool], None],
    ) -> None:
        """Answer requests until the edge wants no more. Every thread calls this once.

        Of several, one at a time takes requests, until it is at one that takes its time.
        """

@final
class Done:
    """An awaitable that is done and gives `None`."""

    def __await__(self) -> Generator[Any, Any]: ...
    def __iter__(self) -> Done: ...
    def __next__(self) -> None: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, *raised: Any) -> Any: ...
    def close(self) -> None: ...

@final
class Awaited:
    """An awaitable that waits if it has to; it has all that a coroutine has."""

    def __await__(self) -> Generator[Any, None, Any]: ...
    def __iter__(self) -> Awaited: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, *raised: Any) -> Any: ...
    def close(self) -> None: ...

@final
class HttpExchange:
    """One HTTP request of an ASGI application, and its answer."""

    def receive(self) -> Awaited: ...
    def send(self, message: dict[str, Any], /) -> Awaited | Done: ...
    @property
    def is_answered(self) -> bool:
        """Whether a part of the answer is on its way to the client."""

    @property
    def is_complete(self) -> bool:
        """Whether the answer is out as a whole."""

    @property
    def is_left(self) -> bool:
        """Whether nobody waits for the answer any more."""

    def end(self, failed: bool, /) -> None:
        """End the exchange; the application's call is over."""

@final
class WebSocketExchange:
    """One WebSocket of an ASGI application."""

    def receive(self) -> Awaited: ...
    def send(self, message: dict[str, Any], /) -> Awaited | Done: ...
    @property
    def is_answered(self) -> bool:
        """Whether it was accepted or refused."""

    @property
    def is_complete(self) -> bool:
        """The same: who leaves an open one closes it."""

    @property
    def is_left(self) -> bool:
        """Whether the client is gone."""

    def end(self, failed: bool, /) -> None:
        """End the exchange; the application's call is over."""

@final
class LoopLink:
    """The worker's end of its link to the edge, for a worker with an event loop."""

    def __new__(cls, descriptor: int) -> Self:
        """Take over the descriptor; it must be nobody else's."""

    def disown(self) -> None:
        """Say in a process forked from this one that the link is not its own."""

    def leave_if_forked(self, error: BaseException | None, /) -> None:
        """End a process forked from this one that comes back from a request with this."""

    def fileno(self) -> int:
        """Return what becomes readable when there is something to look at."""

    def open(
        self,
        *,
        begin: Callable[..., Task[None]],
        again: Callable[[], object],
        news: Callable[[BaseException | None], object],
        overdue: Callable[[Task[Any], dict[str, Any]], object],
        create_future: Callable[[], Future[Any]],
        http: dict[str, Any],
        websocket: dict[str, Any],
        state: dict[str, Any],
    ) -> None:
        """Say how requests are begun; once, before `ready`."""

    def ready(self) -> None:
        """Tell the edge that requests can come."""

    def look(self) -> None:
        """Look at what arrived, and begin requests."""

    def cut(self) -> None:
        """Tell every running request that its client has left."""

    @property
    def running(self) -> int:
        """How many requests have not ended."""

    @property
    def is_cut_short(self) -> bool:
        """Whether the grace period is about over, and what still runs is to be ended."""

    def tasks(self) -> list[Task[Any]]:
        """Return the tasks of requests that have not ended."""

def hash_pbkdf2(algorithm: str, password: bytes, salt: str, iterations: int) -> str:
    """Return the text that Django stores; `algorithm` is "pbkdf2_sha256" or "pbkdf2_sha1".

    Of all five functions: other threads run meanwhile; `ValueError` for work beyond the
    bounds (docs/guides/passwords.md) and for a salt or text that cannot be right.
    """

def hash_scrypt(password: bytes, salt: str, costs: tuple[int, int, int]) -> str:
    """Return the text that Django stores; `costs` are N, r and p."""

def hash_argon2(
    variety: str,
    password: bytes,
    salt: bytes,
    costs: tuple[int, int, int],
    digest_length: int,
) -> str:
    """Return the text that Django stores; `costs` are memory in KiB, passes and lanes.

    `variety` is "argon2id", "argon2i" or "argon2d"; the edition is 1.3. `MemoryError` when
    the memory is not to be had.
    """

def hash_bcrypt(algorithm: str, password: bytes, setting: str) -> str:
    """Return the text that Django stores; `algorithm` is "bcrypt_sha256" or "bcrypt".

    `setting` is what Django calls the salt: "$2b$12$" and 22 letters.
    """

def password_matches(password: bytes, encoded: str) -> bool:
    """Return whether a password is that of a text which Django stored."""
