"""TCP echo with asyncio's streams, the customary way to write it.

The uvloop blog measured streams as well, and found them slower than a Protocol.
"""

import asyncio
import sys

from event_loop import loop_factory

CHUNK = 256 * 1024


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(port: int) -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", port, limit=CHUNK, backlog=1024)
    async with server:  # not serve_forever(): rloop 0.5.0 stops listening in it
        await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory(sys.argv[1])) as runner:
        runner.run(serve(int(sys.argv[2])))
