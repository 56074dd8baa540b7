"""An application that sends back each message of a WebSocket as it came."""

from __future__ import annotations

from typing import Any, TypeAlias

#: What servers give.
Foreign: TypeAlias = Any


async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Echo."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if (text := message.get("text")) is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
