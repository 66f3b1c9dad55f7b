"""JSON Web Tokens for Django REST Framework, in the shapes of simplejwt.

The modules carry the names of `rest_framework_simplejwt`: a project changes the import
path and keeps its `SIMPLE_JWT` settings, its tokens, its database and its clients. Proving and
signing is done by `yett.jwt`, which is Rust; PyJWT is not used.

In `INSTALLED_APPS`, `yett.drf` brings the translations of the messages, and
`yett.drf.token_blacklist` the blacklist. Neither is needed for the rest.
"""

from importlib.metadata import PackageNotFoundError, version

__version__: str | None
try:
    __version__ = version("yett")
except PackageNotFoundError:
    # Used from its sources.
    __version__ = None
