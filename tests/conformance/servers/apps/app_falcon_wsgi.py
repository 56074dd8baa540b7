"""The routes of `frameworks_client`, with Falcon by WSGI."""

import falcon

done = []


class Item:
    def on_get(self, request, response, name):
        response.media = {"name": name, "x": request.get_param_as_list("x")}

    on_head = on_get


class Fields:
    def on_get(self, request, response):
        response.media = [request.get_header("x-one"), request.get_header("x-two")]


class Length:
    def on_post(self, request, response):
        response.text = str(len(request.bounded_stream.read()))


class Upload:
    def on_post(self, request, response):
        found = {}
        for part in request.get_media():
            data = part.stream.read()
            found[part.name] = [part.filename, len(data)]
        response.media = found


class Echo:
    def on_post(self, request, response):
        response.content_type = "application/octet-stream"
        response.stream = iter(lambda: request.stream.read(1000), b"")


class Stream:
    def on_get(self, request, response):
        response.content_type = "text/plain"
        response.stream = (f"{number},".encode() for number in range(5))

    on_head = on_get


class Cookies:
    def on_get(self, request, response):
        response.text = "set"
        response.set_cookie("name", "ada", secure=False)
        response.set_cookie("theme", "dark", path="/x")


class Whoami:
    def on_get(self, request, response):
        response.text = request.cookies["name"]


class Moved:
    def on_get(self, request, response):
        raise falcon.HTTPFound("/item/new")


class Nothing:
    def on_get(self, request, response):
        response.status = 204


class Unchanged:
    def on_get(self, request, response):
        response.status = 304
        response.etag = "1"


class Later:
    def on_get(self, request, response):
        def parts():
            yield b"later"
            done.append(1)

        response.stream = parts()


class Done:
    def on_get(self, request, response):
        response.text = str(len(done))


class Raises:
    def on_get(self, request, response):
        raise ValueError("before")


class Breaks:
    def on_get(self, request, response):
        def parts():
            yield b"begun,"
            raise ValueError("in the middle")

        response.content_type = "text/plain"
        response.stream = parts()


application = falcon.App()
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
