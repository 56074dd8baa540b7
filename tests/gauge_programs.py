"""The programs of small services, one for each framework that is recorded in tests."""

WSGI = """
import sqlite3, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise RuntimeError("broken")
    if path == "/wait":
        time.sleep(0.02)
    if path == "/query":
        database = sqlite3.connect(":memory:")
        for _ in range(3):
            database.execute("select 1").fetchall()
        database.close()
    body = b"hello"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

ASGI = """
import asyncio

async def child():
    total = 0
    for number in range(200_000):
        total += number
    await asyncio.sleep(0)
    return total

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"].endswith("shutdown"):
                return
    if scope["path"] == "/wait":
        await asyncio.sleep(0.02)
    if scope["path"] == "/task":
        await asyncio.create_task(child())
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})
"""

FLASK = """
from flask import Flask
app = Flask(__name__)

@app.get("/users/<int:user>")
def user(user):
    return f"user {user}"

@app.get("/stream")
def stream():
    return (word for word in ["a", "b", "c"])
"""

DJANGO = """
import sys
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("users/<int:user>/", lambda request, user: HttpResponse(f"user {user}"))]
app = get_wsgi_application()
"""

FASTAPI = """
from fastapi import APIRouter, FastAPI
app = FastAPI()
inner = APIRouter()

@inner.get("/users/{user}")
async def user(user: int):
    return user

@app.get("/plain/{name}")
def plain(name: str):
    return sum(range(200_000))

app.include_router(inner, prefix="/api")
"""

STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

async def user(request):
    return PlainTextResponse("user")

app = Starlette(routes=[Mount("/api", routes=[Route("/users/{user:int}", user)])])
"""

QUART = """
from quart import Quart
app = Quart(__name__)

@app.get("/users/<int:user>")
async def user(user):
    return f"user {user}"
"""

FALCON = """
import falcon, falcon.asgi

class User:
    def on_get(self, request, response, user):
        response.text = "user"

class AsyncUser:
    async def on_get(self, request, response, user):
        response.text = "user"

wsgi = falcon.App()
wsgi.add_route("/users/{user}", User())
asgi = falcon.asgi.App()
asgi.add_route("/users/{user}", AsyncUser())
"""
