"""The JSON test in Django.

TechEmpower's answer: one small object, serialised anew for each request.
"""

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from django_setup import configure

configure(__name__)


def hello(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "Hello, World!"})


urlpatterns = [path("json", hello)]
application = get_wsgi_application()
