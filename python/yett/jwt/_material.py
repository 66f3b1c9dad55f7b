"""Makes `yett._yett.Key` of what callers hold: PEM text, SSH public keys, `cryptography` objects.

`cryptography` is never required. Who passes one of its objects has it, so its enumerations are
imported then, and the object hands out its own DER.
"""

import base64
import binascii
import json
from typing import Any, Protocol, TypeAlias, runtime_checkable

from yett._yett import Key
from yett.jwt.exceptions import InvalidKeyError
from yett.jwt.utils import base64url_encode


@runtime_checkable
class PublicKeyObject(Protocol):
    """A public key of the package `cryptography`."""

    def public_bytes(self, *args: Any, **kwargs: Any) -> bytes: ...


@runtime_checkable
class PrivateKeyObject(Protocol):
    """A private key of the package `cryptography`."""

    def private_bytes(self, *args: Any, **kwargs: Any) -> bytes: ...


ForeignKey: TypeAlias = PublicKeyObject | PrivateKeyObject


def is_foreign(key: object) -> bool:
    """Whether it is, by its methods, a key object of `cryptography`."""
    return isinstance(key, (PublicKeyObject, PrivateKeyObject))


def from_foreign(algorithm: str, key: ForeignKey) -> Key:
    """Convert a key object of `cryptography` by way of its DER."""
    # Importing here is the point: this package must work where that one is not installed.
    from cryptography.hazmat.primitives import serialization

    der = serialization.Encoding.DER
    try:
        if isinstance(key, PrivateKeyObject):
            encoded = key.private_bytes(
                der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        else:
            encoded = key.public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (TypeError, ValueError):
        # Certificates, for one, have a method of that name with other arguments.
        raise InvalidKeyError("The object is not a key that can be converted") from None
    return Key.from_der(algorithm, encoded)


def from_text(algorithm: str, text: bytes) -> Key:
    """A key from PEM, or from one line of an SSH public key file."""
    if text.startswith((b"ssh-", b"ecdsa-sha2-")):
        return Key.from_jwk(json.dumps(_ssh_as_jwk(text)).encode(), algorithm)
    return Key.from_pem(algorithm, text)


_SSH_CURVES = {
    b"nistp256": ("P-256", 32),
    b"nistp384": ("P-384", 48),
    b"nistp521": ("P-521", 66),
}


def _ssh_as_jwk(line: bytes) -> dict[str, str]:
    """Read `TYPE BASE64 [comment]` (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709)."""
    words = line.split(maxsplit=2)
    try:
        name, blob = words[0], base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        raise InvalidKeyError("Not an SSH public key") from None
    fields = _ssh_fields(blob)
    if len(fields) < 2 or fields[0] != name:
        raise InvalidKeyError("Not an SSH public key")
    match name, fields[1:]:
        case b"ssh-rsa", [exponent, modulus]:
            return {"kty": "RSA", "n": _unsigned(modulus), "e": _unsigned(exponent)}
        case b"ssh-ed25519", [point]:
            return {"kty": "OKP", "crv": "Ed25519", "x": base64url_encode(point).decode()}
        case _, [curve, point] if name == b"ecdsa-sha2-" + curve and curve in _SSH_CURVES:
            crv, width = _SSH_CURVES[curve]
            # The uncompressed form of SEC 1 section 2.3.3 alone: 4, x, y.
            if len(point) == 1 + 2 * width and point[0] == 4:
                return {
                    "kty": "EC",
                    "crv": crv,
                    "x": base64url_encode(point[1 : 1 + width]).decode(),
                    "y": base64url_encode(point[1 + width :]).decode(),
                }
    raise InvalidKeyError("The SSH public key is of a kind that is not supported")


def _ssh_fields(blob: bytes) -> list[bytes]:
    """The strings of RFC 4251 section 5: four bytes of length, then as many."""
    fields = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            raise InvalidKeyError("Not an SSH public key")
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return fields


def _unsigned(mpint: bytes) -> str:
    """A positive multiple-precision integer (RFC 4251 section 5) as JWK spells it."""
    if not mpint or mpint[0] & 0x80:
        raise InvalidKeyError("Not an SSH public key")
    return base64url_encode(mpint.lstrip(b"\0")).decode()
