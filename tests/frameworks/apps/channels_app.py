"""Channels: Django under ASGI, with consumers for WebSockets. It has no lifespan."""

import django_site

django_site.configure("django_asgi", "channels")

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from django_asgi import application as http  # noqa: E402
from held import mark  # noqa: E402


class Echo(AsyncWebsocketConsumer):
    """Says what it hears."""

    async def connect(self) -> None:
        chosen = "chat.v2" if "chat.v2" in self.scope["subprotocols"] else None
        await self.accept(subprotocol=chosen)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data == "end":
            await self.close(code=4321, reason="bye")
        else:
            await self.send(text_data=text_data, bytes_data=bytes_data)

    async def disconnect(self, code: int) -> None:
        mark("code", str(code))


class Refuse(AsyncWebsocketConsumer):
    """Takes nobody."""

    async def connect(self) -> None:
        await self.close()


routes = [
    path("ws", Echo.as_asgi()),
    path("ws/bytes", Echo.as_asgi()),
    path("ws/refused", Refuse.as_asgi()),
]
application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(routes)})
