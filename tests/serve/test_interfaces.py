"""What is taken for an application, of which interface, and what is said of what is none."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from corrente._serve import InterfaceError, interface_of

from .commands import LIMIT_S, Command

if TYPE_CHECKING:
    from pathlib import Path

    from .serving import Foreign


async def asgi(_scope: Foreign, _receive: Foreign, _send: Foreign) -> None:
    """Is called with three arguments."""


def wsgi(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    """Is called with two."""
    return []


def handing_on(scope: Foreign, receive: Foreign, send: Foreign) -> Foreign:
    """Gives back another one's coroutine."""
    return asgi(scope, receive, send)


@functools.wraps(asgi)
def wrapped(*arguments: Foreign) -> Foreign:
    """Says by its name alone what it takes."""
    return asgi(*arguments)


class Slotted:
    """As Sentry's middleware has it: what is called is in a slot of the object."""

    __slots__ = ("__call__",)

    def __init__(self, called: Foreign) -> None:
        self.__call__ = called


class Object:
    """A framework's application."""

    async def __call__(self, scope: Foreign, receive: Foreign, send: Foreign) -> None:
        """Answer."""

    def wsgi(self, *_arguments: Foreign) -> list[bytes]:
        """Answer, too."""
        return []


@pytest.mark.parametrize(
    ("application", "interface"),
    [
        (asgi, "asgi"),
        (wsgi, "wsgi"),
        (handing_on, "asgi"),
        (wrapped, "asgi"),
        (functools.partial(asgi), "asgi"),
        (functools.partial(lambda _extra, *told: wsgi(*told), 1), "wsgi"),
        (Object(), "asgi"),
        (Object().wsgi, "wsgi"),
        (Slotted(asgi), "asgi"),
        (Slotted(wsgi), "wsgi"),
    ],
)
def test_an_application_has_an_interface(application: Foreign, interface: str) -> None:
    assert interface_of(application) == interface


async def of_asgi_2(_scope: Foreign) -> None:
    """Would have to give back what takes two arguments."""


@pytest.mark.parametrize(
    "found", [Object, lambda: wsgi, lambda _config=None: wsgi, of_asgi_2, "shop:app", None]
)
def test_what_is_none_is_not_taken_for_one(found: Foreign) -> None:
    with pytest.raises(InterfaceError, match="application"):
        interface_of(found)


@pytest.mark.parametrize(
    ("target", "words"), [("shop:create_app", ()), ("shop:app", ("--mount", "/x=shop:Factory"))]
)
def test_a_factory_that_nobody_has_called_is_told(
    tmp_path: Path, target: str, words: tuple[str, ...]
) -> None:
    text = "def create_app():\n    pass\n\nasync def app(scope, receive, send):\n    pass\n"
    text += "\nclass Factory:\n    pass\n"
    with Command(tmp_path, target, *words, text=text) as command:
        said = command.rest()
        assert command.process.wait(LIMIT_S) == 1
    assert "an application" in said
    assert "Traceback" not in said
    assert ("use --factory" in said) == (not words)
