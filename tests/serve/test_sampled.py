"""An application of which some requests are measured: who is called, and what is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from corrente import _native

from .applications import respond

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .serving import Foreign, Served

#: The recorder decides how many it measures when it has seen 256; one here takes so little that
#: it is not all of them.
REQUESTS = 1500


def answers(text: bytes) -> Foreign:
    """Give an application that answers with a text."""

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, text)

    return application


@pytest.fixture
def recorder(tmp_path: Path) -> _native.Recorder:
    """Give a recorder that writes into the test's folder."""
    return _native.Recorder(tmp_path / "made")


def seen(recorder: _native.Recorder, folder: Path) -> int:
    """End the recording, and give the requests that it has counted."""
    recorder.finish()
    (file,) = (folder / "made").glob("*.json")
    (process,) = json.loads(file.read_text(encoding="utf-8"))["processes"]
    count: int = process["requests_seen"]
    return count


def test_all_requests_go_to_who_measures_until_it_passes_some_over(
    serve: Callable[..., Served], recorder: _native.Recorder
) -> None:
    # It never begins a request, and so never finds that it is dear.
    served = serve(recorder.sampled(answers(b"plain"), answers(b"measured")))
    with served.client() as client:
        assert {client.get().body for _ in range(300)} == {b"measured"}


def test_requests_that_are_passed_over_go_past_who_measures_and_are_counted(
    serve: Callable[..., Served], recorder: _native.Recorder, tmp_path: Path
) -> None:
    measured = recorder.asgi(answers(b"measured"))
    served = serve(recorder.sampled(answers(b"plain"), measured))
    with served.client() as client:
        bodies = [client.get().body for _ in range(REQUESTS)]
    assert set(bodies[:256]) == {b"measured"}
    assert set(bodies[256:]) == {b"plain", b"measured"}
    assert served.call(lambda: seen(recorder, tmp_path)) == REQUESTS


def test_whoever_does_not_ask_is_measured() -> None:
    def measured(*arguments: object, **keywords: object) -> object:
        return arguments, keywords

    class Plain:
        name = "its own"

    recorder = _native.Recorder("never")
    sampled = recorder.sampled(Plain(), measured)
    assert sampled(1, key=2) == ((1,), {"key": 2})
    assert sampled.name == "its own"
    with pytest.raises(AttributeError):
        _ = sampled.absent
