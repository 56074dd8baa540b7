"""An application of nothing but WebSockets: it sends back whatever comes."""

from __future__ import annotations

from typing import Any

import raw_apps


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Echo until the client goes."""
    if scope["type"] == "lifespan":
        await raw_apps.lifespan(receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        else:
            await send({"type": "websocket.send", "text": text})
