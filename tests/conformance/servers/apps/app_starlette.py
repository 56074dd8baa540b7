"""The routes of `frameworks_client`, with Starlette."""

import asyncio

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

done = []
disconnected = None


async def item(request):
    query = request.query_params.getlist("x")
    return JSONResponse({"name": request.path_params["name"], "x": query})


async def fields(request):
    return JSONResponse([request.headers.get("x-one"), request.headers.get("x-two")])


async def length(request):
    return PlainTextResponse(str(len(await request.body())))


async def upload(request):
    async with request.form() as form:
        file = form["file"]
        return JSONResponse([form["kind"], file.filename, len(await file.read())])


async def echo(request):
    return StreamingResponse(request.stream(), media_type="application/octet-stream")


async def stream(request):
    async def parts():
        for number in range(5):
            yield f"{number},"
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/plain")


async def cookies(request):
    response = PlainTextResponse("set")
    response.set_cookie("name", "ada", httponly=True)
    response.set_cookie("theme", "dark", path="/x", max_age=60)
    return response


async def whoami(request):
    return PlainTextResponse(request.cookies["name"])


async def moved(request):
    return RedirectResponse("/item/new")


async def nothing(request):
    return Response(status_code=204)


async def unchanged(request):
    return Response(status_code=304, headers={"etag": '"1"'})


async def later(request):
    return PlainTextResponse("later", background=BackgroundTask(done.append, 1))


async def count(request):
    return PlainTextResponse(str(len(done)))


async def raises(request):
    raise ValueError("before")


async def breaks(request):
    async def parts():
        yield "begun,"
        await asyncio.sleep(0)
        raise ValueError("in the middle")

    return StreamingResponse(parts(), media_type="text/plain")


async def told(request):
    return JSONResponse(disconnected)


async def ws_echo(socket):
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


async def ws_close(socket):
    await socket.accept()
    await socket.send_text("bye")
    await socket.close(4001, "enough")


async def ws_raise(socket):
    await socket.accept()
    raise ValueError("mine")


async def ws_return(socket):
    await socket.accept()
    await socket.send_text("only this")


async def ws_protocol(socket):
    await socket.accept(subprotocol=socket.scope["subprotocols"][1])
    await socket.close()


async def ws_reject(socket):
    await socket.close()


application = Starlette(
    routes=[
        Route("/item/{name}", item),
        Route("/fields", fields),
        Route("/length", length, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/echo", echo, methods=["POST"]),
        Route("/stream", stream),
        Route("/cookies", cookies),
        Route("/whoami", whoami),
        Route("/moved", moved),
        Route("/nothing", nothing),
        Route("/unchanged", unchanged),
        Route("/later", later),
        Route("/done", count),
        Route("/raises", raises),
        Route("/breaks", breaks),
        Route("/disconnected", told),
        WebSocketRoute("/ws/echo", ws_echo),
        WebSocketRoute("/ws/close", ws_close),
        WebSocketRoute("/ws/raise", ws_raise),
        WebSocketRoute("/ws/return", ws_return),
        WebSocketRoute("/ws/protocol", ws_protocol),
        WebSocketRoute("/ws/reject", ws_reject),
    ]
)
