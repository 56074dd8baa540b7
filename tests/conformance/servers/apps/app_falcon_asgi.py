"""The routes of `frameworks_client`, with Falcon by ASGI."""

import asyncio

import falcon
import falcon.asgi

done = []
disconnected = None


class Item:
    async def on_get(self, request, response, name):
        response.media = {"name": name, "x": request.get_param_as_list("x")}

    on_head = on_get


class Fields:
    async def on_get(self, request, response):
        response.media = [request.get_header("x-one"), request.get_header("x-two")]


class Length:
    async def on_post(self, request, response):
        response.text = str(len(await request.stream.read()))


class Upload:
    async def on_post(self, request, response):
        found = {}
        async for part in await request.get_media():
            data = await part.stream.read()
            found[part.name] = [part.filename, len(data)]
        response.media = found


class Echo:
    async def on_post(self, request, response):
        response.content_type = "application/octet-stream"
        response.stream = request.stream


class Stream:
    async def on_get(self, request, response):
        async def parts():
            for number in range(5):
                yield f"{number},".encode()
                await asyncio.sleep(0)

        response.content_type = "text/plain"
        response.stream = parts()

    on_head = on_get


class Cookies:
    async def on_get(self, request, response):
        response.text = "set"
        response.set_cookie("name", "ada", secure=False)
        response.set_cookie("theme", "dark", path="/x")


class Whoami:
    async def on_get(self, request, response):
        response.text = request.cookies["name"]


class Moved:
    async def on_get(self, request, response):
        raise falcon.HTTPFound("/item/new")


class Nothing:
    async def on_get(self, request, response):
        response.status = 204


class Unchanged:
    async def on_get(self, request, response):
        response.status = 304
        response.etag = "1"


class Later:
    async def on_get(self, request, response):
        async def work():
            done.append(1)

        response.text = "later"
        response.schedule(work)


class Done:
    async def on_get(self, request, response):
        response.text = str(len(done))


class Raises:
    async def on_get(self, request, response):
        raise ValueError("before")


class Breaks:
    async def on_get(self, request, response):
        async def parts():
            yield b"begun,"
            raise ValueError("in the middle")

        response.content_type = "text/plain"
        response.stream = parts()


class Disconnected:
    async def on_get(self, request, response):
        response.media = disconnected


class EchoSocket:
    async def on_websocket(self, request, socket):
        global disconnected
        disconnected = None
        await socket.accept()
        try:
            while True:
                event = await socket._receive()
                if event["type"] == "websocket.disconnect":
                    raise falcon.WebSocketDisconnected(event["code"])
                if event.get("text") is not None:
                    await socket.send_text(event["text"])
                else:
                    await socket.send_data(event["bytes"])
        except falcon.WebSocketDisconnected as gone:
            disconnected = [gone.code]


class CloseSocket:
    async def on_websocket(self, request, socket):
        await socket.accept()
        await socket.send_text("bye")
        await socket.close(4001)


class RaiseSocket:
    async def on_websocket(self, request, socket):
        await socket.accept()
        raise ValueError("mine")


class ReturnSocket:
    async def on_websocket(self, request, socket):
        await socket.accept()
        await socket.send_text("only this")


class ProtocolSocket:
    async def on_websocket(self, request, socket):
        await socket.accept(subprotocol=socket.subprotocols[1])
        await socket.close()


class RejectSocket:
    async def on_websocket(self, request, socket):
        raise falcon.HTTPForbidden


application = falcon.asgi.App()
application.add_route("/item/{name}", Item())
application.add_route("/fields", Fields())
application.add_route("/length", Length())
application.add_route("/upload", Upload())
application.add_route("/echo", Echo())
application.add_route("/stream", Stream())
application.add_route("/cookies", Cookies())
application.add_route("/whoami", Whoami())
application.add_route("/moved", Moved())
application.add_route("/nothing", Nothing())
application.add_route("/unchanged", Unchanged())
application.add_route("/later", Later())
application.add_route("/done", Done())
application.add_route("/raises", Raises())
application.add_route("/breaks", Breaks())
application.add_route("/disconnected", Disconnected())
application.add_route("/ws/echo", EchoSocket())
application.add_route("/ws/close", CloseSocket())
application.add_route("/ws/raise", RaiseSocket())
application.add_route("/ws/return", ReturnSocket())
application.add_route("/ws/protocol", ProtocolSocket())
application.add_route("/ws/reject", RejectSocket())
