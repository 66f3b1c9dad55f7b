"""What can be wrong with a token, and the DRF errors that say so to a client.

`TokenError` and `TokenBackendError` are for code; `AuthenticationFailed` and
`InvalidToken` become a 401 answer whose body has `detail` and `code`, like simplejwt's.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status


class TokenError(Exception):
    """A token is not good enough for its class; the first argument is for the client."""


class ExpiredTokenError(TokenError):
    """A token whose proof was sound once, but whose time is over."""


class TokenBackendError(Exception):
    """The key, the rules or the token's form did not allow signing or verifying."""


class TokenBackendExpiredToken(TokenBackendError):
    """The signature is good and `exp` has passed."""


class DetailDictMixin:
    """Makes the body of an error a dictionary of at least `detail` and `code`."""

    default_detail: Any
    default_code: Any

    def __init__(self, detail: Any = None, code: str | None = None) -> None:
        """Take a text for `detail`, or a dictionary whose entries win over the defaults."""
        body: dict[str, Any] = {"detail": self.default_detail, "code": self.default_code}
        if isinstance(detail, dict):
            body |= detail
        elif detail is not None:
            body["detail"] = detail
        if code is not None:
            body["code"] = code
        super().__init__(body)  # type: ignore[call-arg]  # the DRF exception it is mixed into


class AuthenticationFailed(DetailDictMixin, exceptions.AuthenticationFailed):
    """401 with `detail` and `code`."""


class InvalidToken(AuthenticationFailed):
    """401 with `code` "token_not_valid"."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = _("Token is invalid or expired")
    default_code = "token_not_valid"


class DatabaseBusy(exceptions.APIException):
    """503 with `Retry-After`: nothing was changed, and the same request may be sent again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The database is busy. Try again."
    default_code = "database_busy"
    #: Seconds; DRF's exception handler makes the header of it.
    wait = 1
