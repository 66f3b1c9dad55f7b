"""Tokens written by hand, with `hmac` alone: neither library under test has a part in them."""

import base64
import hashlib
import hmac
import json
from typing import Any

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def base64url(data: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forge(
    claims: Any, key: str | bytes, *, alg: str = "HS256", sign_as: str = "", **header: Any
) -> str:
    """Sign `claims` (JSON-able, or text as it is) whatever they say.

    `alg` goes into the header, `sign_as` (default: the same) makes the signature; an
    algorithm without a hash gives an empty one.
    """
    text = claims if isinstance(claims, str) else json.dumps(claims, separators=(",", ":"))
    head = json.dumps({"alg": alg, "typ": "JWT", **header}, separators=(",", ":"))
    signed = f"{base64url(head.encode())}.{base64url(text.encode())}"
    digest = _HASHES.get(sign_as or alg)
    secret = key.encode() if isinstance(key, str) else key
    signature = hmac.new(secret, signed.encode(), digest).digest() if digest else b""
    return f"{signed}.{base64url(signature)}"


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, unproved."""
    header, claims, _ = token.split(".")
    return _object(header), _object(claims)


def _object(part: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(part + "==="))  # type: ignore[no-any-return]
