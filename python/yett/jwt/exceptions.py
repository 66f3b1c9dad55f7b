"""Every error that `yett.jwt` raises, under PyJWT's names and in PyJWT's hierarchy.

The Rust side looks these classes up here, once. Texts say what is wrong with a token or a
key; they never hold the token, the key or a claim's value.
"""


class PyJWTError(Exception):
    """The base of them all."""


class InvalidTokenError(PyJWTError):
    """A token is not accepted. Every other refusal of a token is one of these."""


class DecodeError(InvalidTokenError):
    """It is no token at all, or its parts cannot be read."""


class InvalidSignatureError(DecodeError):
    """The signature is not the key's over this header and payload."""


class ExpiredSignatureError(InvalidTokenError):
    """`exp` has come."""


class InvalidAudienceError(InvalidTokenError):
    """`aud` names somebody else, or is not a string or a list of strings."""


class InvalidIssuerError(InvalidTokenError):
    """`iss` is not an expected issuer."""


class InvalidIssuedAtError(InvalidTokenError):
    """`iat` is not a number."""


class ImmatureSignatureError(InvalidTokenError):
    """`nbf` or `iat` lies in the future."""


class InvalidKeyError(PyJWTError):
    """A key is not material of the algorithm, or too weak for it."""


class InvalidAlgorithmError(InvalidTokenError):
    """The token names an algorithm that is unknown, not allowed, or not the key's."""


class MissingRequiredClaimError(InvalidTokenError):
    """A claim that must be there is absent or `null`; `claim` is its name."""

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f'Token is missing the "{self.claim}" claim'


class PyJWKError(PyJWTError):
    """A JSON Web Key names an algorithm that is not supported."""


class MissingCryptographyError(PyJWKError):
    """Never raised: no algorithm here needs the package `cryptography`."""


class PyJWKSetError(PyJWTError):
    """A JSON Web Key Set has no key that can be used."""


class PyJWKClientError(PyJWTError):
    """A JSON Web Key Set could not be had, or lacks the key that was asked for."""


class PyJWKClientConnectionError(PyJWKClientError):
    """The endpoint did not answer, or not well."""


class InvalidSubjectError(InvalidTokenError):
    """`sub` is not a string, or not the expected one."""


class InvalidJTIError(InvalidTokenError):
    """`jti` is not a string."""
