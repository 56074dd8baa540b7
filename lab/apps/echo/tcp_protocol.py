"""TCP echo as an asyncio Protocol, the fastest way asyncio has, on any event loop."""

import asyncio
import sys

from event_loop import loop_factory


class Echo(asyncio.Protocol):
    """Writes back what it reads."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=1024)
    async with server:  # not serve_forever(): rloop 0.5.0 stops listening in it
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(serve(int(sys.argv[2])))
