"""The routes of `frameworks_client`, with Litestar."""

import asyncio
from typing import Annotated, Any

from litestar import Litestar, Request, Response, WebSocket, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import Cookie, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotAuthorizedException, WebSocketDisconnect
from litestar.params import Body, Parameter
from litestar.response import Redirect, Stream

done = []
disconnected = None


@get("/item/{name:str}")
async def item(name: str, x: list[str] | None = None) -> dict[str, Any]:
    return {"name": name, "x": x}


@get("/fields")
async def fields(
    one: Annotated[str, Parameter(header="x-one")], two: Annotated[str, Parameter(header="x-two")]
) -> list[str]:
    return [one, two]


@post("/length")
async def length(request: Request) -> str:
    return str(len(await request.body()))


@post("/upload")
async def upload(
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> list[Any]:
    file: UploadFile = data["file"]
    return [data["kind"], file.filename, len(await file.read())]


@post("/echo")
async def echo(request: Request) -> Stream:
    # While it streams, Litestar reads the request's messages to learn of the client's end.
    parts = [part async for part in request.stream()]
    return Stream(parts, media_type="application/octet-stream")


@get("/stream")
async def stream() -> Stream:
    async def parts():
        for number in range(5):
            yield f"{number},"
            await asyncio.sleep(0)

    return Stream(parts(), media_type="text/plain")


@get("/cookies")
async def cookies() -> Response[str]:
    both = [Cookie("name", "ada", httponly=True), Cookie("theme", "dark", path="/x")]
    return Response("set", cookies=both)


@get("/whoami")
async def whoami(request: Request) -> str:
    return request.cookies["name"]


@get("/moved")
async def moved() -> Redirect:
    return Redirect("/item/new")


@get("/nothing", status_code=204)
async def nothing() -> None:
    return None


@get("/unchanged", status_code=304)
async def unchanged() -> None:
    return None


@get("/later")
async def later() -> Response[str]:
    return Response("later", background=BackgroundTask(done.append, 1))


@get("/done")
async def count() -> str:
    return str(len(done))


@get("/raises")
async def raises() -> str:
    raise ValueError("before")


@get("/breaks")
async def breaks() -> Stream:
    async def parts():
        yield "begun,"
        await asyncio.sleep(0)
        raise ValueError("in the middle")

    return Stream(parts(), media_type="text/plain")


@get("/disconnected")
async def told() -> Any:
    return disconnected


@websocket("/ws/echo")
async def ws_echo(socket: WebSocket) -> None:
    global disconnected
    disconnected = None
    await socket.accept()
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                disconnected = [message["code"], message.get("reason")]
                return
            if message.get("text") is not None:
                await socket.send_text(message["text"])
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect as gone:
        disconnected = [gone.code]


@websocket("/ws/close")
async def ws_close(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("bye")
    await socket.close(4001, "enough")


@websocket("/ws/raise")
async def ws_raise(socket: WebSocket) -> None:
    await socket.accept()
    raise ValueError("mine")


@websocket("/ws/return")
async def ws_return(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("only this")


@websocket("/ws/protocol")
async def ws_protocol(socket: WebSocket) -> None:
    await socket.accept(subprotocols=socket.scope["subprotocols"][1])
    await socket.close()


@websocket("/ws/reject")
async def ws_reject(socket: WebSocket) -> None:
    raise NotAuthorizedException


application = Litestar(
    [
        item,
        fields,
        length,
        upload,
        echo,
        stream,
        cookies,
        whoami,
        moved,
        nothing,
        unchanged,
        later,
        count,
        raises,
        breaks,
        told,
        ws_echo,
        ws_close,
        ws_raise,
        ws_return,
        ws_protocol,
        ws_reject,
    ]
)
