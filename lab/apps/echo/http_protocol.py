"""HTTP with httptools on an asyncio Protocol, the set-up of the uvloop blog: `GET /SIZE`.

No framework and no routing; the answer is one write of head and body.
"""

import asyncio
import sys
from functools import lru_cache

import httptools

from event_loop import loop_factory


@lru_cache(maxsize=8)
def answer(size: int, keep_alive: bool) -> bytes:
    connection = "keep-alive" if keep_alive else "close"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n"
    return f"{head}Connection: {connection}\r\n\r\n".encode() + b"x" * size


class Http(asyncio.Protocol):
    """Parses each request whole and answers with as many bytes as its path says."""

    transport: asyncio.Transport
    url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_message_begin(self) -> None:
        self.url = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_message_complete(self) -> None:
        keep_alive = self.parser.should_keep_alive()
        self.transport.write(answer(int(self.url[1:]), keep_alive))
        if not keep_alive:
            self.transport.close()


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Http, "127.0.0.1", port, backlog=1024)
    async with server:  # not serve_forever(): rloop 0.5.0 stops listening in it
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(serve(int(sys.argv[2])))
