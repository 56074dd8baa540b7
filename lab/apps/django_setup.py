"""Django without a project folder: the few settings that the lab's Django programs need.

No middleware, no database, no debugging, on either side.
"""

import django
from django.conf import settings


def configure(urls: str) -> None:
    """Sets Django up with the `urlpatterns` of the module `urls`."""
    settings.configure(
        DEBUG=False,
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        MIDDLEWARE=[],
        ROOT_URLCONF=urls,
        SECRET_KEY="nothing is signed here",
    )
    django.setup()
