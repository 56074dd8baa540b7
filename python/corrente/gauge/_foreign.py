"""Changing what belongs to others: functions of servers, frameworks and drivers get a wrapper.

Every change here goes through `replace`, so that a wrapper always looks like what it wraps and a
library that has no such function is an error in one place. What others own has no type for us.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

#: An object of somebody else's library.
Foreign: TypeAlias = Any

Function: TypeAlias = Callable[..., Foreign]


def replace(owner: Foreign, name: str, make: Callable[[Function], Function]) -> None:
    """Put `make(original)` in the place of a function or method."""
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(make(original)))


def replace_class_method(owner: type, name: str, make: Callable[[Function], Function]) -> None:
    """Put a wrapper in the place of a class method; it is called with the class first."""
    original = owner.__dict__[name].__func__
    setattr(owner, name, classmethod(functools.wraps(original)(make(original))))


def version_of(name: str) -> str:
    """Give the version of a library that is imported, or nothing."""
    found = getattr(sys.modules.get(name), "__version__", None)
    if isinstance(found, str):
        return found
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return ""
