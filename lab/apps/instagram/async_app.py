"""Instagram's case, async: the same Django view as a coroutine, Requests replaced by aiohttp.

The calls of a request go out at once; LAB_GATHER=0 awaits them one after another.
"""

import asyncio
from functools import cache

from aiohttp import ClientSession
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from aiohttp_client import fetch, open_session
from django_setup import configure
from workload import answer, burn, setting

configure(__name__)
GATHER = setting("GATHER", 1) == 1


@cache
def session() -> ClientSession:
    """The process's session, opened by the first request: Django has no start-up event."""
    return open_session()


async def feed(request: HttpRequest) -> JsonResponse:
    calls = int(request.GET.get("calls", "1"))
    latency_ms = float(request.GET.get("latency_ms", "10"))
    burn(float(request.GET.get("cpu_ms", "0")))
    if GATHER:
        parts = await asyncio.gather(*(fetch(session(), latency_ms) for _ in range(calls)))
    else:
        parts = [await fetch(session(), latency_ms) for _ in range(calls)]
    return JsonResponse(answer(parts))


urlpatterns = [path("feed", feed)]
application = get_asgi_application()
