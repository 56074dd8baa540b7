"""What `corrente gauge run` starts in each Python process of a service, before anything else.

Servers, frameworks and drivers are watched as they are imported. Nothing that goes wrong here may
reach the service: it becomes a doubt in the recording.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from corrente.gauge import _clients, _databases, _frameworks, _http, _imports, _servers
from corrente.gauge._process import FOLDER, recorder, watch_safely

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from corrente._native import Recorder
    from corrente.gauge._foreign import Foreign


def start() -> None:
    """Wait for the libraries that can be watched."""
    if not os.environ.get(FOLDER):
        return
    hooks = _servers.HOOKS | _frameworks.HOOKS | _databases.HOOKS | _clients.HOOKS | _http.HOOKS
    _imports.watch({name: _told(name, watch) for name, watch in hooks.items()})


def _told(name: str, watch: Callable[[Recorder, Foreign], None]) -> Callable[[ModuleType], None]:
    return lambda module: watch_safely(recorder(), name, watch, module)
