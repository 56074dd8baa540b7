"""TCP echo as an asyncio Protocol, the fastest way asyncio has, on one of three event loops.

The same program for asyncio, uvloop and rloop: only the loop differs.
"""

import asyncio
import sys
from collections.abc import Callable


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """The loop's own constructor; imported here, so that only the one in use is loaded."""
    if name == "uvloop":
        import uvloop

        return uvloop.Loop
    if name == "rloop":
        import rloop

        factory: Callable[[], asyncio.AbstractEventLoop] = rloop.new_event_loop
        return factory
    return asyncio.new_event_loop


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
