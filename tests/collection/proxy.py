"""A proxy that tunnels to one place, whatever it is asked for, and keeps what was said to it."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class Proxy:
    """A context manager; with a `refusal` (such as `407 Proxy Authentication Required`) it tunnels nothing."""

    def __init__(self, port: int, refusal: str = "") -> None:
        self._port = port
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[str] = []
        """Request line and headers of each CONNECT."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            self.heads.append(head.decode())
            client.sendall(f"HTTP/1.1 {self._refusal or '200 OK'}\r\n\r\n".encode())
            if not self._refusal:
                with socket.create_connection(("127.0.0.1", self._port)) as server:
                    back = threading.Thread(target=_pour, args=(server, client))
                    back.start()
                    _pour(client, server)
                    back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(1 << 16):
            sink.sendall(content)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
