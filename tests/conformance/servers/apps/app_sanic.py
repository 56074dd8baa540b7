"""The routes of `frameworks_client`, with Sanic in its ASGI mode."""

import asyncio

from sanic import Sanic, response
from sanic.exceptions import Forbidden

application = Sanic("conformance")
done = []
disconnected = None


@application.get("/item/<name>")
async def item(request, name):
    return response.json({"name": name, "x": request.args.getlist("x")})


@application.get("/fields")
async def fields(request):
    return response.json([request.headers.get("x-one"), request.headers.get("x-two")])


@application.post("/length")
async def length(request):
    return response.text(str(len(request.body)))


@application.post("/upload")
async def upload(request):
    file = request.files.get("file")
    return response.json([request.form.get("kind"), file.name, len(file.body)])


@application.post("/echo", stream=True)
async def echo(request):
    sending = await request.respond(content_type="application/octet-stream")
    async for part in request.stream:
        await sending.send(part)
    await sending.eof()


@application.get("/stream")
async def stream(request):
    sending = await request.respond(content_type="text/plain")
    for number in range(5):
        await sending.send(f"{number},")
        await asyncio.sleep(0)
    await sending.eof()


@application.get("/cookies")
async def cookies(request):
    answer = response.text("set")
    answer.add_cookie("name", "ada", httponly=True)
    answer.add_cookie("theme", "dark", path="/x")
    return answer


@application.get("/whoami")
async def whoami(request):
    return response.text(request.cookies.get("name"))


@application.get("/moved")
async def moved(request):
    return response.redirect("/item/new")


@application.get("/nothing")
async def nothing(request):
    return response.empty()


@application.get("/unchanged")
async def unchanged(request):
    return response.empty(status=304, headers={"etag": '"1"'})


@application.get("/later")
async def later(request):
    async def work():
        done.append(1)

    request.app.add_task(work())
    return response.text("later")


@application.get("/done")
async def count(request):
    return response.text(str(len(done)))


@application.get("/raises")
async def raises(request):
    raise ValueError("before")


@application.get("/breaks")
async def breaks(request):
    sending = await request.respond(content_type="text/plain")
    await sending.send("begun,")
    raise ValueError("in the middle")


@application.get("/disconnected")
async def told(request):
    return response.json(disconnected)


@application.websocket("/ws/echo")
async def ws_echo(request, socket):
    global disconnected
    disconnected = None
    try:
        while True:
            await socket.send(await socket.recv())
    finally:
        disconnected = "over"


@application.websocket("/ws/close")
async def ws_close(request, socket):
    await socket.send("bye")
    await socket.close(4001, "enough")


@application.websocket("/ws/raise")
async def ws_raise(request, socket):
    raise ValueError("mine")


@application.websocket("/ws/return")
async def ws_return(request, socket):
    await socket.send("only this")


@application.websocket("/ws/protocol", subprotocols=["b"])
async def ws_protocol(request, socket):
    await socket.close()


@application.on_request
async def guard(request):
    if request.path == "/ws/reject":
        raise Forbidden("no")
