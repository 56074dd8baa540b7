"""Instagram's case, sync: a Django view that works a little and calls internal services.

One request at a time in a worker; its calls go out one after another with Requests.
"""

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from django_setup import configure
from requests_client import fetch, open_session
from workload import answer, burn

configure(__name__)
session = open_session()


def feed(request: HttpRequest) -> JsonResponse:
    calls = int(request.GET.get("calls", "1"))
    latency_ms = float(request.GET.get("latency_ms", "10"))
    burn(float(request.GET.get("cpu_ms", "0")))
    return JsonResponse(answer([fetch(session, latency_ms) for _ in range(calls)]))


urlpatterns = [path("feed", feed)]
application = get_wsgi_application()
