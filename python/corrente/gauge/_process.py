"""The recorder of this process: there is one, made when it is first needed.

It begins afresh in a forked child and writes its file for the last time when the interpreter ends.
"""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from corrente._native import Asgi, Recorder, Wsgi

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente.gauge._foreign import Foreign

#: Where the processes of a recording write their files; set by `corrente gauge run`.
FOLDER = "CORRENTE_GAUGE_FOLDER"

#: Where a middleware writes if nobody says where.
FOLDER_DEFAULT = "corrente.recording.d"

_recorders: list[Recorder] = []

#: Whether a server of this process has its application recorded.
_served: list[bool] = []


def recorder(folder: str | os.PathLike[str] | None = None) -> Recorder:
    """Give the process's recorder. The first caller decides where it writes."""
    if not _recorders:
        path = folder or os.environ.get(FOLDER) or FOLDER_DEFAULT
        # A server may change its directory later.
        made = Recorder(os.fspath(Path(path).absolute()))
        os.register_at_fork(after_in_child=made.after_fork)
        atexit.register(made.finish)
        _recorders.append(made)
    return _recorders[0]


def greenlets() -> str:
    """Name the library that runs many requests in one thread, if one does."""
    if "gevent.monkey" in sys.modules:
        from importlib import import_module

        # No requirement of ours: it is here because the service imported it.
        monkey = import_module("gevent.monkey")
        if monkey.is_module_patched("threading") or monkey.is_module_patched("socket"):
            return "gevent"
    if "eventlet.patcher" in sys.modules:
        from importlib import import_module

        if import_module("eventlet.patcher").is_monkey_patched("socket"):
            return "eventlet"
    return ""


def watch_safely(
    used: Recorder, name: str, watch: Callable[[Recorder, Foreign], None], module: Foreign
) -> None:
    """Change a library. Another version than any we know is not seen, and that is said."""
    try:
        watch(used, module)
    except Exception as error:
        used.doubt("hook_failed", f"{name}: {type(error).__name__}: {error}")


def is_recorded(app: Foreign) -> bool:
    """Whether an application is wrapped already: recording it twice would count it twice."""
    return isinstance(app, (Wsgi, Asgi))


def is_served() -> bool:
    """Whether a server records all requests: what lies within would count them once more."""
    return bool(_served)


def serve_wsgi(app: Foreign, recorder: Recorder) -> Foreign:
    """Wrap the WSGI application of a server."""
    _served[:] = [True]
    return wrap_wsgi(app, recorder)


def serve_asgi(app: Foreign, recorder: Recorder) -> Foreign:
    """Wrap the ASGI application of a server."""
    _served[:] = [True]
    return wrap_asgi(app, recorder)


def wrap_wsgi(app: Foreign, recorder: Recorder) -> Foreign:
    """Wrap a WSGI application, unless that is done or its requests share a thread."""
    if is_recorded(app) or app is None:
        return app
    library = greenlets()
    if library:
        refuse(recorder, library)
        return app
    return recorder.wsgi(app)


def wrap_asgi(app: Foreign, recorder: Recorder) -> Foreign:
    """Wrap an ASGI application, unless that is done."""
    if is_recorded(app) or app is None:
        return app
    from corrente.gauge._loops import prepare

    return recorder.asgi(app, lambda: prepare(recorder))


def refuse(recorder: Recorder, library: str) -> None:
    """Say that requests cannot be told apart, in a recording that holds nothing else."""
    recorder.doubt(
        "greenlets",
        f"{library} runs many requests in one thread: its clocks cannot tell them apart",
    )
    recorder.start()
