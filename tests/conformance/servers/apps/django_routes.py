"""The routes of `frameworks_client`, with Django; both interfaces take them."""

import django
from django.conf import settings
from django.http import (
    HttpResponse,
    HttpResponseNotModified,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe

settings.configure(
    DEBUG=False,
    SECRET_KEY="of a test",
    ROOT_URLCONF="django_routes",
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    LOGGING_CONFIG=None,
)
django.setup()
done = []


@require_safe
def item(request, name):
    return JsonResponse({"name": name, "x": request.GET.getlist("x"), "path": request.path})


def fields(request):
    return JsonResponse([request.headers.get("x-one"), request.headers.get("x-two")], safe=False)


@require_http_methods(["POST"])
def length(request):
    return HttpResponse(str(len(request.read())))


def upload(request):
    file = request.FILES["file"]
    return JsonResponse([request.POST["kind"], file.name, file.size], safe=False)


def echo(request):
    return HttpResponse(request.read(), content_type="application/octet-stream")


def stream(request):
    return StreamingHttpResponse((f"{number}," for number in range(5)), content_type="text/plain")


def cookies(request):
    response = HttpResponse("set")
    response.set_cookie("name", "ada", httponly=True)
    response.set_cookie("theme", "dark", path="/x")
    return response


def whoami(request):
    return HttpResponse(request.COOKIES["name"])


def moved(request):
    return HttpResponseRedirect("/item/new")


def nothing(request):
    return HttpResponse(status=204)


def unchanged(request):
    return HttpResponseNotModified(headers={"ETag": '"1"'})


def later(request):
    response = HttpResponse("later")
    response._resource_closers.append(lambda: done.append(1))
    return response


def count(request):
    return HttpResponse(str(len(done)))


def raises(request):
    raise ValueError("before")


def breaks(request):
    def parts():
        yield "begun,"
        raise ValueError("in the middle")

    return StreamingHttpResponse(parts(), content_type="text/plain")


urlpatterns = [
    path("item/<str:name>", item),
    path("fields", fields),
    path("length", length),
    path("upload", upload),
    path("echo", echo),
    path("stream", stream),
    path("cookies", cookies),
    path("whoami", whoami),
    path("moved", moved),
    path("nothing", nothing),
    path("unchanged", unchanged),
    path("later", later),
    path("done", count),
    path("raises", raises),
    path("breaks", breaks),
]
