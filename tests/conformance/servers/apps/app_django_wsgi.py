"""Django by WSGI."""

import django_routes  # noqa: F401 - it configures
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
