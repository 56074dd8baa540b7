"""Measure what the endpoints of a service cost and wait for.

`corrente gauge run -- COMMAND` needs no change to the service. Where that cannot be used, one line
does: `app = corrente.gauge.Middleware(app)`, for WSGI and ASGI applications.
"""

from corrente.gauge._middleware import Middleware

__all__ = ["Middleware"]
