"""Types of arguments, under PyJWT's names."""

from collections.abc import Callable
from typing import Any, TypedDict

JWKDict = dict[str, Any]

HashlibHash = Callable[..., Any]


class SigOptions(TypedDict, total=False):
    """Options of `PyJWS`."""

    verify_signature: bool
    """Default `True`. `False` reads a token that nobody vouches for."""
    enforce_minimum_key_length: bool
    """Default `True` (PyJWT: `False`). `False` takes short shared secrets, with a warning."""


class Options(TypedDict, total=False):
    """Options of `decode` and `decode_complete`.

    Where `verify_signature` is false, the other `verify_…` default to false as well.
    """

    verify_signature: bool
    """Default `True`. `False` reads a token that nobody vouches for."""
    require: list[str]
    """Default `[]`: names of claims that must be there and not `null`."""
    strict_aud: bool
    """Default `False`. `True`: `aud` must be one string, and equal to `audience`."""
    verify_aud: bool
    """Default `True`: `aud` must match `audience`; without `audience` there must be no `aud`."""
    verify_exp: bool
    """Default `True`: `exp`, if there, must lie in the future."""
    verify_iat: bool
    """Default `True`: `iat`, if there, must not lie in the future."""
    verify_iss: bool
    """Default `True`: `iss` must be `issuer`, if one is given."""
    verify_jti: bool
    """Default `True`: `jti`, if there, must be a string."""
    verify_nbf: bool
    """Default `True`: `nbf`, if there, must not lie in the future."""
    verify_sub: bool
    """Default `True`: `sub`, if there, must be a string, and must be `subject` if one is given."""
    enforce_minimum_key_length: bool
    """Default `True` (PyJWT: `False`). `False` takes short shared secrets, with a warning."""


class FullOptions(TypedDict):
    """`Options` with every value there."""

    verify_signature: bool
    require: list[str]
    strict_aud: bool
    verify_aud: bool
    verify_exp: bool
    verify_iat: bool
    verify_iss: bool
    verify_jti: bool
    verify_nbf: bool
    verify_sub: bool
    enforce_minimum_key_length: bool
