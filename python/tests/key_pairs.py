"""Key pairs in PEM, made anew for each run by the package `cryptography`."""

from functools import cache
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_CURVES: dict[str, Any] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
    "ES521": ec.SECP521R1,
    "ES256K": ec.SECP256K1,
}


class KeyPair(NamedTuple):
    """Both halves: PKCS#8 and SubjectPublicKeyInfo; and the object that they come from."""

    private: str
    public: str
    made: Any


def key_pair(algorithm: str, number: int = 0) -> KeyPair:
    """Return a pair for an algorithm; another one for another number."""
    return _key_pair(algorithm, number)


@cache
def _key_pair(algorithm: str, number: int) -> KeyPair:
    made: Any
    if algorithm in _CURVES:
        made = ec.generate_private_key(_CURVES[algorithm]())
    elif algorithm == "EdDSA":
        made = ed25519.Ed25519PrivateKey.generate()
    else:
        made = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    private = made.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(private.decode(), public.decode(), made)
