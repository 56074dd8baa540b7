"""Being told when a module has been imported, without importing it.

A finder before all others finds the module as they would, and lets its loader call us afterwards.
Libraries are therefore changed before anybody can take a function out of them, and only where the
service uses them.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import (
    ExtensionFileLoader,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

#: Loaders that belong to one module: setting a function on one changes nothing for others.
LOADERS = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)


class Finder:
    """Finds the modules that somebody waits for, and nothing else."""

    def __init__(self, waiting: dict[str, Callable[[ModuleType], None]]) -> None:
        self._waiting = waiting
        self._finding: set[str] = set()

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module through the other finders and have its loader tell us."""
        if name not in self._waiting or name in self._finding:
            return None
        self._finding.add(name)
        try:
            spec = _find_elsewhere(self, name, path, target)
        finally:
            self._finding.discard(name)
        if spec is not None and isinstance(spec.loader, LOADERS):
            self._tell_after(spec.loader, name)
        return spec

    def _tell_after(self, loader: object, name: str) -> None:
        execute = loader.exec_module  # type: ignore[attr-defined]

        def exec_module(module: ModuleType) -> None:
            # From here on the loader is as it was.
            del loader.exec_module  # type: ignore[attr-defined]
            execute(module)
            self._waiting[name](module)

        loader.exec_module = exec_module  # type: ignore[attr-defined]


def _find_elsewhere(
    finder: Finder, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for other in sys.meta_path:
        if other is finder:
            continue
        spec = other.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def watch(waiting: dict[str, Callable[[ModuleType], None]]) -> None:
    """Call each function when its module has been imported, at once if it has been already."""
    for name, tell in waiting.items():
        module = sys.modules.get(name)
        if module is not None:
            tell(module)
    sys.meta_path.insert(0, Finder(waiting))


def run_hidden(name: str, hiding: str) -> None:
    """Run the module `name` that one of the same name in the folder `hiding` has hidden."""
    path = [folder for folder in sys.path if folder != hiding]
    spec = PathFinder.find_spec(name, path)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
