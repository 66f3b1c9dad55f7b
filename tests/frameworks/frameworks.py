"""The rows of the grid: which frameworks there are, and what each of them can do.

What a framework does not have is simply not in its row.
"""

from dataclasses import dataclass

#: What every framework has, whatever it runs under.
EVERYWHERE = frozenset(
    {
        "json",
        "parameters",
        "form",
        "upload",
        "large upload",
        "stream",
        "many pieces",
        "broken stream",
        "error",
        "no route",
        "redirect",
        "cookies",
        "head",
        "options",
        "client",
    }
)
ASYNC = EVERYWHERE | {"events", "client leaves"}
LIFESPAN = frozenset({"startup", "shutdown"})
SOCKET = frozenset({"ws text", "ws bytes", "ws protocol", "ws close", "ws refused"})
#: The application is told with which code the client closed.
SOCKET_WITH_CODE = SOCKET | {"ws client's code"}
ALL = ASYNC | LIFESPAN | SOCKET_WITH_CODE | {"background"}


@dataclass(frozen=True)
class Framework:
    """A row: an application in `apps/`."""

    name: str
    module: str
    interface: str
    capabilities: frozenset[str]


FRAMEWORKS = (
    Framework("Django", "django_wsgi", "wsgi", EVERYWHERE),
    Framework("DRF", "drf_app", "wsgi", EVERYWHERE),
    Framework("Flask", "flask_app", "wsgi", EVERYWHERE),
    Framework("Falcon", "falcon_wsgi", "wsgi", EVERYWHERE),
    Framework("Django-ASGI", "django_asgi", "asgi", ASYNC),
    Framework("Channels", "channels_app", "asgi", ASYNC | SOCKET_WITH_CODE),
    Framework("FastAPI", "fastapi_app", "asgi", ALL),
    Framework("Starlette", "starlette_app", "asgi", ALL),
    Framework("Quart", "quart_app", "asgi", ALL - {"ws client's code"}),
    Framework("Litestar", "litestar_app", "asgi", ALL),
    Framework("Falcon-ASGI", "falcon_asgi", "asgi", ALL),
)
