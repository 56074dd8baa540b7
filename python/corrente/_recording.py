"""Recording what the endpoints of a served application cost: `corrente serve --gauge FILE`.

What `corrente gauge run` does to a process from outside, done by the worker itself.
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

#: An application.
Foreign: TypeAlias = Any


def begin(folder: str | os.PathLike[str]) -> None:
    """Watch libraries as they are imported; this process writes its part into the folder."""
    from corrente.gauge import _process, _start

    os.environ[_process.FOLDER] = os.path.abspath(folder)
    _start.start()


def recorded(application: Foreign, interface: str) -> Foreign:
    """Give the application, recorded."""
    from corrente.gauge._process import recorder, serve_asgi, serve_wsgi

    wrap = serve_wsgi if interface == "wsgi" else serve_asgi
    measured = wrap(application, recorder())
    if measured is application:
        return application
    return recorder().sampled(application, measured)
