"""The routes of `frameworks_client`, with Quart."""

import asyncio

from quart import Quart, Response, abort, jsonify, redirect, request, websocket

application = Quart(__name__)
done = []
disconnected = None


@application.get("/item/<name>")
async def item(name):
    return jsonify(name=name, x=request.args.getlist("x"))


@application.get("/fields")
async def fields():
    return jsonify([request.headers.get("x-one"), request.headers.get("x-two")])


@application.post("/length")
async def length():
    return str(len(await request.get_data()))


@application.post("/upload")
async def upload():
    files, form = await request.files, await request.form
    return jsonify([form["kind"], files["file"].filename, len(files["file"].read())])


@application.post("/echo")
async def echo():
    body = request.body

    async def parts():
        async for part in body:
            yield part

    return parts(), 200, {"content-type": "application/octet-stream"}


@application.get("/stream")
async def stream():
    async def parts():
        for number in range(5):
            yield f"{number},".encode()
            await asyncio.sleep(0)

    return parts(), 200, {"content-type": "text/plain"}


@application.get("/cookies")
async def cookies():
    response = Response("set", content_type="text/plain")
    response.set_cookie("name", "ada", httponly=True)
    response.set_cookie("theme", "dark", path="/x")
    return response


@application.get("/whoami")
async def whoami():
    return request.cookies["name"]


@application.get("/moved")
async def moved():
    return redirect("/item/new")


@application.get("/nothing")
async def nothing():
    return "", 204


@application.get("/unchanged")
async def unchanged():
    return "", 304, {"etag": '"1"'}


@application.get("/later")
async def later():
    async def work():
        done.append(1)

    application.add_background_task(work)
    return "later"


@application.get("/done")
async def count():
    return str(len(done))


@application.get("/raises")
async def raises():
    raise ValueError("before")


@application.get("/breaks")
async def breaks():
    async def parts():
        yield b"begun,"
        await asyncio.sleep(0)
        raise ValueError("in the middle")

    return parts(), 200, {"content-type": "text/plain"}


@application.get("/disconnected")
async def told():
    return jsonify(disconnected)


@application.websocket("/ws/echo")
async def ws_echo():
    global disconnected
    disconnected = None
    try:
        while True:
            await websocket.send(await websocket.receive())
    except asyncio.CancelledError:
        disconnected = "cancelled"
        raise


@application.websocket("/ws/close")
async def ws_close():
    await websocket.accept()
    await websocket.send("bye")
    await websocket.close(4001, "enough")


@application.websocket("/ws/raise")
async def ws_raise():
    await websocket.accept()
    raise ValueError("mine")


@application.websocket("/ws/return")
async def ws_return():
    await websocket.send("only this")


@application.websocket("/ws/protocol")
async def ws_protocol():
    await websocket.accept(subprotocol=websocket.requested_subprotocols[1])
    await websocket.close(1000)


@application.websocket("/ws/reject")
async def ws_reject():
    abort(403)
