"""Asyncio's policy with this loop, for who still sets one (up to Python 3.15).

Its import asks asyncio for its own policy, of which Python 3.14 and newer warn: so it is imported
when somebody asks for it, and not before.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from corrente._loop import EventLoop

#: What asyncio has no type for.
Foreign: TypeAlias = Any

_Default: Foreign = asyncio.DefaultEventLoopPolicy


class EventLoopPolicy(_Default):  # type: ignore[misc]
    """Asyncio's own policy, whose new loops are Corrente's."""

    _loop_factory = EventLoop
