"""Django by ASGI."""

import django_routes  # noqa: F401 - it configures
from django.core.asgi import get_asgi_application

application = get_asgi_application()
