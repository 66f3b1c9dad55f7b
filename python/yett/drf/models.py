"""`TokenUser`: a user made of claims alone, without a database row.

It never reads the database, and grants nothing: groups and permissions are empty
whatever the token says, apart from the flags `is_staff` and `is_superuser`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from django.contrib.auth import models as auth_models
from django.db.models.manager import EmptyManager

from .settings import api_settings

if TYPE_CHECKING:
    from .tokens import Token


class TokenUser:
    """Stands in for the user model under `JWTStatelessUserAuthentication`.

    A name that is no attribute is looked up among the claims, and is `None` when there is
    no such claim: projects read their own claims from `request.user` this way.
    """

    # Tokens are issued to active users; a stateless check cannot know more.
    is_active = True

    _groups = EmptyManager(auth_models.Group)
    _user_permissions = EmptyManager(auth_models.Permission)

    def __init__(self, token: Token) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"TokenUser {self.id}"

    @cached_property
    def id(self) -> Any:
        """The claim `USER_ID_CLAIM`."""
        return self.token[api_settings.USER_ID_CLAIM]

    @cached_property
    def pk(self) -> Any:
        """The same as `id`."""
        return self.id

    @cached_property
    def username(self) -> str:
        """The claim `username`, or an empty text."""
        return self.token.get("username", "")  # type: ignore[no-any-return]  # the issuer's type

    @cached_property
    def is_staff(self) -> bool:
        """The claim `is_staff`, or false."""
        return self.token.get("is_staff", False)  # type: ignore[no-any-return]  # the issuer's type

    @cached_property
    def is_superuser(self) -> bool:
        """The claim `is_superuser`, or false."""
        return self.token.get("is_superuser", False)  # type: ignore[no-any-return]  # as above

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, TokenUser) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError("A user made from a token has no row in the database.")

    save = delete = set_password = check_password = _refuse

    @property
    def groups(self) -> Any:
        """No groups."""
        return self._groups

    @property
    def user_permissions(self) -> Any:
        """No permissions."""
        return self._user_permissions

    def get_group_permissions(self, obj: object | None = None) -> set[str]:
        """Return no permissions."""
        return set()

    def get_all_permissions(self, obj: object | None = None) -> set[str]:
        """Return no permissions."""
        return set()

    def has_perm(self, perm: str, obj: object | None = None) -> bool:
        """Return false."""
        return False

    def has_perms(self, perm_list: list[str], obj: object | None = None) -> bool:
        """Return false."""
        return False

    def has_module_perms(self, module: str) -> bool:
        """Return false."""
        return False

    @property
    def is_anonymous(self) -> bool:
        """False: the token names somebody."""
        return False

    @property
    def is_authenticated(self) -> bool:
        """True: the token was proved."""
        return True

    def get_username(self) -> str:
        """Return the claim `username`, or an empty text."""
        return self.username

    def __getattr__(self, name: str) -> Any:
        # Python itself asks for such names (copy, pickle), also before `token` is set.
        if name == "token" or name.startswith("__"):
            raise AttributeError(name)
        return self.token.get(name)
