"""The control socket between the program and its zygote.

One JSON object a message on a `SOCK_SEQPACKET` pair, descriptors beside it. What is larger than
a message (the manifest, a traceback) travels as a nameless file's descriptor.
"""

import json
import os
import socket
from typing import Any

from yett.worker.document import new_document

#: Longest message in bytes; the program refuses longer ones.
MAX_MESSAGE = 32 * 1024


class Control:
    """The zygote's end of the control socket."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close this process's copy; the other end sees it when the last copy is closed."""
        self._socket.close()

    def share(self) -> int:
        """Let the program that replaces this one keep the socket; return its descriptor."""
        os.set_inheritable(self._socket.fileno(), True)
        return self._socket.fileno()

    def is_closed(self) -> bool:
        """Return whether the program is gone; an order that waits stays where it is."""
        try:
            peeked = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        return not peeked

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return the next message and its descriptors, or None when the program is gone."""
        try:
            data, descriptors, _flags, _address = socket.recv_fds(self._socket, MAX_MESSAGE, 4)
        except ConnectionError:
            return None
        if not data:
            return None
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        message: dict[str, Any] = json.loads(data)
        return message, descriptors

    def send(self, message: dict[str, Any], descriptor: int | None = None) -> None:
        """Send a message; a program that is gone is noticed by `receive`."""
        data = json.dumps(message).encode()
        try:
            if descriptor is None:
                self._socket.send(data)
            else:
                socket.send_fds(self._socket, [data], [descriptor])
        except ConnectionError:
            pass

    def send_document(self, message: dict[str, Any], text: str) -> None:
        """Send a message with a text of any length beside it."""
        document = new_document()
        try:
            with open(document, "wb", closefd=False) as file:
                file.write(text.encode(errors="replace"))
            os.lseek(document, 0, os.SEEK_SET)
            self.send(message, document)
        finally:
            os.close(document)
