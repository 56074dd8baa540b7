"""The view as a coroutine that calls with Requests in threads: the step from threads to a loop.

The client is still the blocking one, and its calls still go one after another.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from django_setup import configure
from requests_client import fetch, open_session
from workload import answer, burn, setting

configure(__name__)
session = open_session()
executor = ThreadPoolExecutor(setting("THREADS", 32))


async def feed(request: HttpRequest) -> JsonResponse:
    calls = int(request.GET.get("calls", "1"))
    latency_ms = float(request.GET.get("latency_ms", "10"))
    burn(float(request.GET.get("cpu_ms", "0")))
    loop = asyncio.get_running_loop()
    return JsonResponse(
        answer(
            [await loop.run_in_executor(executor, fetch, session, latency_ms) for _ in range(calls)]
        )
    )


urlpatterns = [path("feed", feed)]
application = get_asgi_application()
