"""Asks the project itself what it answers to bad credentials.

A made-up request runs through the project's own handler and middleware to one view; what
comes back becomes the edge's answer, so nothing of it is our idea. Each kind of bad
credential is asked twice over each scheme, by requests that differ in all that must not
matter: method, path, cookies, languages, forwarding headers. Only what the answer itself
names in `Vary` is the same, for the edge gives it to no request that has such a header.
An answer that depends on one of them, is not a plain 401 in JSON, sets a cookie or needs
the database is not used.

Nothing stays behind: no database connection, no thread, no log line, no signal sent, no
URLconf, language or script prefix set. Runs in the zygote, in its single thread, before any fork.
"""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from django.conf import settings
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.urls import ResolverMatch, get_script_prefix, set_script_prefix, set_urlconf

from yett.drf import state
from yett.drf.authentication import header_types
from yett.drf.settings import api_settings
from yett.drf.tokens import AccessToken

from . import languages
from .middleware import Layers, scheme_header
from .url_table import Row
from .views import RestView, needs_token

#: What `Vary` may name and is varied all the same: the edge judges these by itself.
_JUDGED_AT_THE_EDGE = frozenset({"accept", "authorization", "host"})
#: The answers of a view, by scheme and kind of bad credential.
Answers = dict[str, dict[str, "Answer"]]


class Unfit(Exception):
    """The edge cannot answer for a view; the text is the reason for people."""


class Answer(NamedTuple):
    """A whole answer of the project."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def varies_with(self) -> set[str]:
        """Return the request headers that `Vary` names, in lower case."""
        values = [value for name, value in self.headers if name.lower() == "vary"]
        return {name.strip().lower() for value in values for name in value.split(",")}

    def allow(self) -> str | None:
        """Return the methods that the answer names."""
        return next((value for name, value in self.headers if name == "Allow"), None)

    def allowing(self, methods: str | None) -> Answer:
        """Return the same answer of a view with other methods."""
        if methods is None:
            return self
        named = ((name, methods if name == "Allow" else value) for name, value in self.headers)
        return Answer(self.status, tuple(named), self.body)

    def as_json(self) -> dict[str, Any]:
        """Return the form of the manifest."""
        return {
            "status": self.status,
            "headers": [list(h) for h in self.headers],
            "body": self.body,
        }


def host_for(allowed_hosts: list[str]) -> str | None:
    """Return a host that the project accepts, or `None` when there is none."""
    for pattern in allowed_hosts:
        return "localhost" if pattern == "*" else pattern.removeprefix(".")
    return None


def bad_credentials() -> dict[str, str | None]:
    """Return an `Authorization` value for each kind of refusal that these settings know.

    The kinds are those of the manifest; `None` stands for no header. Kinds that cannot
    happen, such as a wrong type where types are not checked, are left out.
    """
    scheme = header_types()[0]
    signed = state.token_backend.encode
    claims = {**AccessToken().payload, api_settings.USER_ID_CLAIM: "0"}

    def without(name: str) -> dict[str, Any]:
        return {key: value for key, value in claims.items() if key != name}

    head, _, _ = signed(claims).rpartition(".")
    tokens = {
        # No HMAC is all zeros; the form of 32 bytes in base64url is kept.
        "invalid": f"{head}.{'A' * 43}",
        "expired": signed({**claims, "exp": 1}),
        "no_exp": signed(without("exp")),
    }
    if (type_claim := api_settings.TOKEN_TYPE_CLAIM) is not None:
        tokens["wrong_type"] = signed({**claims, type_claim: "another"})
        tokens["no_type"] = signed(without(type_claim))
    if (id_claim := api_settings.JTI_CLAIM) is not None:
        tokens["no_id"] = signed(without(id_claim))
    headers = {kind: f"{scheme} {token}" for kind, token in tokens.items()}
    return {"missing": None, "malformed": f"{scheme} a b", **headers}


def _path_info(path: str) -> str:
    """Return a path without its slash as WSGI writes it: bytes as Latin-1."""
    return f"/{path}".encode().decode("latin-1")


class _OneViewHandler(WSGIHandler):
    """Django's handler, but every URL leads to the view that is being asked."""

    match: ResolverMatch

    def resolve_request(self, request: Any) -> ResolverMatch:
        request.resolver_match = self.match
        return self.match


class Prober:
    """Asks views. Use it as a context; outside nothing may be asked.

    Views whose refusals must be alike but for the methods that they name (same renderers and
    first permission, and the same middleware at work) are asked everything once; each
    further configuration is asked twice to confirm, and everything if it differs.
    """

    def __init__(self, host: str, layers: Layers) -> None:
        self._host = host
        self._layers = layers
        self._scheme_header = scheme_header()
        self._credentials: dict[str, str | None] = {}
        self._by_view: dict[tuple[Any, ...], Answers | Unfit] = {}
        self._by_likeness: dict[tuple[Any, ...], Answers] = {}
        self._database_was_touched = False
        self._handler: _OneViewHandler | None = None
        self._undo = ExitStack()

    def __enter__(self) -> Prober:
        with ExitStack() as undo:
            undo.enter_context(_silence())
            undo.enter_context(throwaway_key())
            self._credentials = bad_credentials()
            undo.enter_context(_restored_url_state())
            undo.enter_context(languages.kept())
            undo.enter_context(self._database_out_of_bounds())
            self._handler = _OneViewHandler()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._handler = None
        self._undo.close()

    def answers(self, row: Row, view: RestView) -> Answers:
        """Return the view's answer to each kind of bad credential; raises `Unfit`.

        Raises `Uncertain` when the middleware may treat URLs of this row differently.
        """
        layers = self._layers.likeness(row)
        key = (view.identity(), layers)
        if key not in self._by_view:
            try:
                self._by_view[key] = self._ask(row, view, layers)
            except Unfit as unfit:
                self._by_view[key] = unfit
        known = self._by_view[key]
        if isinstance(known, Unfit):
            raise known
        return known

    def _ask(self, row: Row, view: RestView, layers: tuple[Any, ...]) -> Answers:
        kinds = [kind for kind in self._credentials if kind != "missing" or needs_token(view)]
        schemes = self._layers.schemes
        likeness = (
            tuple(view.policy("renderer_classes")),
            "missing" in kinds,
            layers,
        )
        alike = self._by_likeness.get(likeness)
        if alike is not None and (same := self._confirmed(row, alike)) is not None:
            return same
        answers = {
            scheme: {kind: self._constant_answer(row, kind, scheme) for kind in kinds}
            for scheme in schemes
        }
        self._by_likeness.setdefault(likeness, answers)
        return answers

    def _confirmed(self, row: Row, alike: Answers) -> Answers | None:
        """Return an alike view's answers with this one's methods, unless two of them differ."""
        schemes = self._layers.schemes
        methods = set()
        # The first scheme for the one, the last for the other.
        for kind, scheme in (("missing", schemes[0]), ("invalid", schemes[-1])):
            if kind not in alike[scheme]:
                continue
            answer = self._answer(row, kind, scheme)
            if answer != alike[scheme][kind].allowing(answer.allow()):
                return None
            methods.add(answer.allow())
        if len(methods) != 1:
            return None
        (named,) = methods
        return {
            scheme: {kind: answer.allowing(named) for kind, answer in kinds.items()}
            for scheme, kinds in alike.items()
        }

    def _constant_answer(self, row: Row, kind: str, scheme: str) -> Answer:
        answer = self._answer(row, kind, scheme)
        varied = self._varied(row, scheme)
        for name in answer.varies_with() - _JUDGED_AT_THE_EDGE:
            varied.pop(f"HTTP_{name.upper().replace('-', '_')}", None)
        if self._answer(row, kind, scheme, varied) != answer:
            raise Unfit(f"its answer to a token that is {kind} depends on the request")
        return answer

    def _answer(
        self, row: Row, kind: str, scheme: str, varied: dict[str, Any] | None = None
    ) -> Answer:
        assert self._handler is not None, "a prober is used as a context"
        self._handler.match = ResolverMatch(row.callback, (), dict(row.default_args))
        environ = {**self._environ(row, scheme), **(varied or {})}
        if (authorization := self._credentials[kind]) is not None:
            environ["HTTP_AUTHORIZATION"] = authorization
        try:
            response: Any = self._handler.get_response(self._handler.request_class(environ))
        except Exception as error:
            raise Unfit(f"asked with a token that is {kind}, it raised {error!r}") from error
        if self._database_was_touched:
            self._database_was_touched = False
            raise Unfit("it needs the database before it refuses")
        if response.status_code != 401 or response.streaming or response.cookies:
            raise Unfit(f"its answer to a token that is {kind} is not a plain 401")
        if response.headers.get("Content-Type") != "application/json":
            raise Unfit("its refusal is not JSON")
        return Answer(401, tuple(response.items()), response.content.decode())

    def _environ(self, row: Row, scheme: str) -> dict[str, Any]:
        return {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": _path_info(row.literal_prefix),
            "QUERY_STRING": "",
            "SERVER_NAME": self._host,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": self._host,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    def _varied(self, row: Row, scheme: str) -> dict[str, Any]:
        """Return what another request for the same says differently."""
        varied = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": _path_info(row.literal_prefix + "another/path"),
            "QUERY_STRING": "page=2",
            "SERVER_PORT": "8443",
            "REMOTE_ADDR": "2001:db8::1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "2",
            "HTTP_ACCEPT": "application/json, */*",
            "HTTP_ACCEPT_LANGUAGE": "de, fr;q=0.5",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_COOKIE": "a=b",
            "HTTP_ORIGIN": "https://elsewhere.invalid",
            "HTTP_REFERER": "https://elsewhere.invalid/",
            "HTTP_USER_AGENT": "Mozilla/5.0",
            "HTTP_X_FORWARDED_FOR": "192.0.2.1",
            "HTTP_X_FORWARDED_HOST": "elsewhere.invalid",
            "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_IF_NONE_MATCH": '"x"',
            "wsgi.input": io.BytesIO(b"{}"),
        }
        if self._scheme_header is not None:
            # The same scheme in another way: said by the header, against the connection.
            name, secure = self._scheme_header
            key = f"HTTP_{name.upper().replace('-', '_')}"
            varied[key] = secure if scheme == "https" else f"not {secure}"
            varied["wsgi.url_scheme"] = "http" if scheme == "https" else "https"
        return varied

    @contextmanager
    def _database_out_of_bounds(self) -> Iterator[None]:
        """Let nothing reach a database, and note who tries.

        `ATOMIC_REQUESTS` is put aside: Django would open a transaction around the view,
        which a refusal leaves as it found it.
        """

        def refuse(*args: Any, **kwargs: Any) -> Any:
            self._database_was_touched = True
            raise Unfit("no database while asking")

        atomic = {
            alias: database["ATOMIC_REQUESTS"] for alias, database in connections.settings.items()
        }
        already_made = {connection.alias for connection in connections.all(initialized_only=True)}
        with ExitStack() as undo:
            for alias in connections:
                connection: Any = connections[alias]
                if alias not in already_made:
                    undo.callback(connections.__delitem__, alias)
                undo.enter_context(connection.execute_wrapper(refuse))
                for method in ("connect", "ensure_connection"):
                    setattr(connection, method, refuse)
                    undo.callback(delattr, connection, method)
                connections.settings[alias]["ATOMIC_REQUESTS"] = False
            try:
                yield
            finally:
                for alias, value in atomic.items():
                    connections.settings[alias]["ATOMIC_REQUESTS"] = value


@contextmanager
def throwaway_key() -> Iterator[None]:
    """Let the project sign and verify with a secret that lives only here.

    Where the key is a pair, the private half may be elsewhere, and with `JWK_URL` the public
    one too; asking must not fetch anything either. No answer tells of the algorithm.
    """
    backend = state.token_backend
    if backend.is_symmetric:
        yield
        return
    changed = {"algorithm": "HS256", "signing_key": secrets.token_hex(32), "jwks_client": None}
    before = {name: getattr(backend, name) for name in changed}
    try:
        for name, value in changed.items():
            setattr(backend, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(backend, name, value)


@contextmanager
def _silence() -> Iterator[None]:
    """Let no log line and no `got_request_exception` out."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    signal: Any = signals.got_request_exception
    signal.send = lambda *args, **kwargs: []
    try:
        yield
    finally:
        del signal.send
        logging.disable(before)


@contextmanager
def _restored_url_state() -> Iterator[None]:
    """Put back the script prefix and the thread's URLconf."""
    prefix = get_script_prefix()
    set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")
    try:
        yield
    finally:
        set_urlconf(None)
        set_script_prefix(prefix)
