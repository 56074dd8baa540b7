"""Changing what belongs to others: functions of servers, frameworks and drivers get a wrapper.

Every change here goes through `replace`, so that a wrapper always looks like what it wraps and a
library that has no such function is an error in one place. What others own has no type for us.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

#: An object of somebody else's library.
Foreign: TypeAlias = Any

Function: TypeAlias = "Callable[..., Foreign]"


def replace(owner: Foreign, name: str, make: Callable[[Function], Function]) -> None:
    """Put `make(original)` in the place of a function or method."""
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(make(original)))


def replace_class_method(owner: type, name: str, make: Callable[[Function], Function]) -> None:
    """Put a wrapper in the place of a class method; it is called with the class first."""
    original = owner.__dict__[name].__func__
    setattr(owner, name, classmethod(functools.wraps(original)(make(original))))


def version_of(module: Foreign) -> str:
    """Give a library's version, or nothing."""
    found = getattr(module, "__version__", None)
    if isinstance(found, str):
        return found
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(module.__name__.partition(".")[0])
    except PackageNotFoundError:
        return ""
