"""The routes of `frameworks_client`, with FastAPI."""

import asyncio
from typing import Annotated

from fastapi import (
    BackgroundTasks,
    Cookie,
    FastAPI,
    Form,
    Header,
    Query,
    Request,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

application = FastAPI()
done = []
disconnected = None


@application.get("/item/{name}")
async def item(name: str, x: Annotated[list[str], Query()] = []):
    return {"name": name, "x": x}


@application.get("/fields")
def fields(x_one: Annotated[str, Header()], x_two: Annotated[str, Header()]):
    return [x_one, x_two]


@application.post("/length", response_class=PlainTextResponse)
async def length(request: Request):
    return str(len(await request.body()))


@application.post("/upload")
async def upload(file: UploadFile, kind: Annotated[str, Form()]):
    return [kind, file.filename, len(await file.read())]


@application.post("/echo")
async def echo(request: Request):
    return StreamingResponse(request.stream(), media_type="application/octet-stream")


@application.get("/stream")
def stream():
    return StreamingResponse((f"{number}," for number in range(5)), media_type="text/plain")


@application.get("/cookies", response_class=PlainTextResponse)
async def cookies(response: Response):
    response.set_cookie("name", "ada", httponly=True)
    response.set_cookie("theme", "dark", path="/x", max_age=60)
    return "set"


@application.get("/whoami", response_class=PlainTextResponse)
async def whoami(name: Annotated[str, Cookie()]):
    return name


@application.get("/moved")
async def moved():
    return RedirectResponse("/item/new")


@application.get("/nothing", status_code=204)
async def nothing():
    return None


@application.get("/unchanged")
async def unchanged():
    return Response(status_code=304, headers={"etag": '"1"'})


@application.get("/later", response_class=PlainTextResponse)
def later(tasks: BackgroundTasks):
    tasks.add_task(done.append, 1)
    return "later"


@application.get("/done", response_class=PlainTextResponse)
def count():
    return str(len(done))


@application.get("/raises")
def raises():
    raise ValueError("before")


@application.get("/breaks")
async def breaks():
    async def parts():
        yield "begun,"
        await asyncio.sleep(0)
        raise ValueError("in the middle")

    return StreamingResponse(parts(), media_type="text/plain")


@application.get("/disconnected")
async def told():
    return disconnected


@application.websocket("/ws/echo")
async def ws_echo(socket: WebSocket):
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
        disconnected = [gone.code, gone.reason]


@application.websocket("/ws/close")
async def ws_close(socket: WebSocket):
    await socket.accept()
    await socket.send_json({"bye": True})
    await socket.close(4001, "enough")


@application.websocket("/ws/raise")
async def ws_raise(socket: WebSocket):
    await socket.accept()
    raise ValueError("mine")


@application.websocket("/ws/return")
async def ws_return(socket: WebSocket):
    await socket.accept()
    await socket.send_text("only this")


@application.websocket("/ws/protocol")
async def ws_protocol(socket: WebSocket):
    await socket.accept(subprotocol=socket.scope["subprotocols"][1])
    await socket.close()


@application.websocket("/ws/reject")
async def ws_reject(socket: WebSocket, token: str):
    await socket.accept()
