"""base64url and numbers, under PyJWT's names, for programs that import them.

Nothing in `yett.jwt` reads a token with these: tokens are read in Rust, where padding and
unused bits are refused. They are as lenient as their namesakes.
"""

import base64
import re


def force_bytes(value: str | bytes) -> bytes:
    """The UTF-8 of a string, or bytes as they are; `TypeError` for anything else."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError("Expected a string or bytes value")


def base64url_decode(input: str | bytes) -> bytes:
    """Decode base64url with or without padding."""
    data = force_bytes(input)
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def base64url_encode(input: bytes) -> bytes:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(input).rstrip(b"=")


def bytes_from_int(val: int, *, bit_length: int | None = None) -> bytes:
    """Big-endian bytes, as many as `bit_length` bits need."""
    bits = val.bit_length() if bit_length is None else bit_length
    return val.to_bytes((bits + 7) // 8, "big")


def to_base64url_uint(val: int, *, bit_length: int | None = None) -> bytes:
    """A number as JWK members spell it (RFC 7518 section 2); zero is one zero byte."""
    if val < 0:
        raise ValueError("Must be a positive integer")
    return base64url_encode(bytes_from_int(val, bit_length=bit_length) or b"\0")


def from_base64url_uint(val: str | bytes) -> int:
    """The number that such a member spells."""
    return int.from_bytes(base64url_decode(val), "big")


def number_to_bytes(num: int, num_bytes: int) -> bytes:
    """Big-endian bytes of a fixed width."""
    return num.to_bytes(num_bytes, "big")


def bytes_to_number(string: bytes) -> int:
    """The number that big-endian bytes spell."""
    return int.from_bytes(string, "big")


_ARMOUR = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)

_SSH_KEY_TYPES = (
    b"ssh-ed25519",
    b"ssh-rsa",
    b"ssh-dss",
    b"ecdsa-sha2-nistp256",
    b"ecdsa-sha2-nistp384",
    b"ecdsa-sha2-nistp521",
)


def is_pem_format(key: bytes) -> bool:
    """Whether there is a whole PEM block in it."""
    return _ARMOUR.search(key) is not None


def is_ssh_key(key: bytes) -> bool:
    """Whether it is a line of an SSH public key file."""
    return key.startswith(_SSH_KEY_TYPES)
