"""What a worker has counted, as Prometheus text, together with what the other workers have.

A scrape reaches one worker. Each writes what it has counted onto a board, a file in memory that the
parent hands to all; whoever is asked shows its own counts as they are and those of the others as
they were within the last second. Each worker's series have its place on the board as a label, so
that nothing is added up that would go backwards when a worker is replaced.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from corrente import _native

#: Asyncio's loop, which may be Corrente's.
Foreign: TypeAlias = Any

#: Bytes of a place on the board; a worker's text has a tenth of it.
PLACE = 64 * 1024

#: Workers that have a place.
PLACES = 1024

#: The length of the text and its checksum.
_HEAD = struct.Struct("=II")

#: Looks at a text that is being written just then.
_LOOKS = 5

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Board:
    """Where workers leave what they have counted. A lock holds a place, and ends with them.

    The lock is a process's: `ours` has the places of all workers that are threads of this one.
    """

    def __init__(self, number: int, ours: set[int]) -> None:
        self._number = number
        self._ours = ours
        os.set_inheritable(number, False)
        places = (place for place in range(PLACES) if place not in ours and self._take(place))
        #: The place of this worker.
        self.place = next(places)
        ours.add(self.place)

    def write(self, text: str) -> None:
        """Leave a text in place of the one before."""
        content = text.encode()
        if len(content) <= PLACE - _HEAD.size:
            head = _HEAD.pack(len(content), zlib.crc32(content))
            os.pwrite(self._number, head + content, self.place * PLACE)

    def others(self) -> Iterator[str]:
        """Give the texts of the other workers that are there."""
        places = -(-os.fstat(self._number).st_size // PLACE)
        for place in range(places):
            if place != self.place and (place in self._ours or not self._is_free(place)):
                text = self._read(place)
                if text is not None:
                    yield text

    def _read(self, place: int) -> str | None:
        for _ in range(_LOOKS):
            content = os.pread(self._number, PLACE, place * PLACE)
            if len(content) < _HEAD.size:
                return None
            length, checksum = _HEAD.unpack_from(content)
            text = content[_HEAD.size : _HEAD.size + length]
            if len(text) == length and zlib.crc32(text) == checksum:
                return text.decode()
        return None

    def _take(self, place: int) -> bool:
        try:
            fcntl.lockf(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place * PLACE)
        except OSError:
            return False
        return True

    def _is_free(self, place: int) -> bool:
        if not self._take(place):
            return False
        fcntl.lockf(self._number, fcntl.LOCK_UN, 1, place * PLACE)
        return True


def text_of(
    server: _native.HttpServer, counts: Mapping[str, Foreign], loop: Foreign, worker: str
) -> str:
    """Give what one worker has counted."""
    own = f'worker="{worker}"'
    lines = [*_head("requests_total", "counter", "Requests that are over, by status.")]
    for name, count in zip(CLASSES, counts["classes"], strict=True):
        lines.append(f'corrente_requests_total{{{own},class="{name}"}} {count}')
    lines += _head("request_seconds", "histogram", "From a request's head to its last byte.")
    lines += _histogram(counts, own)
    for name, kind, told, value in (
        ("requests_in_flight", "gauge", "Requests that are being answered.", server.in_flight),
        ("connections", "gauge", "Open connections.", server.connections),
        ("connections_resting", "gauge", "Of these, without a transport.", server.resting),
        ("sent_body_bytes_total", "counter", "Bytes of responses.", counts["sent_bytes"]),
        ("received_body_bytes_total", "counter", "Bytes of requests.", counts["received_bytes"]),
    ):
        lines += _head(name, kind, told)
        lines.append(f"corrente_{name}{{{own}}} {value}")
    text = "\n".join(lines) + "\n"
    prometheus = getattr(loop, "prometheus", None)
    return text if prometheus is None else text + str(prometheus(worker=worker))


def _head(name: str, kind: str, told: str) -> list[str]:
    return [f"# HELP corrente_{name} {told}", f"# TYPE corrente_{name} {kind}"]


def _histogram(counts: Mapping[str, Foreign], own: str) -> Iterator[str]:
    name, total = "corrente_request_seconds", 0
    bounds = [*(f"{bound:g}" for bound in counts["bounds"]), "+Inf"]
    for bound, count in zip(bounds, counts["durations"], strict=True):
        total += count
        yield f'{name}_bucket{{{own},le="{bound}"}} {total}'
    yield f"{name}_sum{{{own}}} {counts['seconds']}"
    yield f"{name}_count{{{own}}} {total}"


def merged(texts: Iterable[str]) -> str:
    """Give texts as one: all series of a metric stand together, as the format asks for."""
    families: dict[str, tuple[list[str], list[str]]] = {}
    for text in texts:
        head: list[str] = []
        series: list[str] = []
        for line in text.splitlines():
            if line.startswith("# HELP "):
                head, series = families.setdefault(line.split(" ", 3)[2], ([], []))
                is_new = not head
            if not line.startswith("#"):
                series.append(line)
            elif is_new:
                head.append(line)
    lines = (line for head, series in families.values() for line in (*head, *series))
    return "\n".join(lines) + "\n"
