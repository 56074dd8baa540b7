"""The routes of `frameworks_client`, with Flask."""

from flask import Flask, Response, jsonify, redirect, request, stream_with_context

application = Flask(__name__)
done = []


@application.get("/item/<name>")
def item(name):
    return jsonify(name=name, x=request.args.getlist("x"))


@application.get("/fields")
def fields():
    return jsonify([request.headers.get("x-one"), request.headers.get("x-two")])


@application.post("/length")
def length():
    return str(len(request.get_data()))


@application.post("/upload")
def upload():
    file = request.files["file"]
    return jsonify([request.form["kind"], file.filename, len(file.read())])


@application.post("/echo")
def echo():
    @stream_with_context
    def parts():
        while part := request.stream.read(1000):
            yield part

    return Response(parts(), content_type="application/octet-stream")


@application.get("/stream")
def stream():
    return Response((f"{number}," for number in range(5)), content_type="text/plain")


@application.get("/cookies")
def cookies():
    response = Response("set", content_type="text/plain")
    response.set_cookie("name", "ada", httponly=True)
    response.set_cookie("theme", "dark", path="/x")
    return response


@application.get("/whoami")
def whoami():
    return request.cookies["name"]


@application.get("/moved")
def moved():
    return redirect("/item/new")


@application.get("/nothing")
def nothing():
    return "", 204


@application.get("/unchanged")
def unchanged():
    return "", 304, {"ETag": '"1"'}


@application.get("/later")
def later():
    response = Response("later")
    response.call_on_close(lambda: done.append(1))
    return response


@application.get("/done")
def count():
    return str(len(done))


@application.get("/raises")
def raises():
    raise ValueError("before")


@application.get("/breaks")
def breaks():
    def parts():
        yield "begun,"
        raise ValueError("in the middle")

    return Response(parts(), content_type="text/plain")
