"""What a loop tells of itself: its stalls and its metrics, as values and as Prometheus text.

The watchdog and the counts are native. This module names them: it runs when somebody asks, or on
the loop's thread when a stall has ended. Nothing here may fail for what a service does: what cannot
be told of a stall is left out.
"""

from __future__ import annotations

import asyncio
import linecache
import logging
import math
import os
import re
import sysconfig
import threading
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: What asyncio has no type for: handles, contexts, transports of other families.
Foreign: TypeAlias = Any

#: File, function, line; end line and columns where they are known. Innermost first.
RawFrame: TypeAlias = tuple[str, str, int, tuple[int, int, int] | None]

#: The frames, the system call, the library.
RawSeen: TypeAlias = tuple[list[RawFrame], str | None, str | None]

#: When it began; how long it was, in all, on a processor, queued, and blocked.
RawTimes: TypeAlias = tuple[float, float, float, float, float]

#: Counts up to each bound, sum and longest, in seconds.
RawHistogram: TypeAlias = tuple[list[int], float, float]

logger = logging.getLogger("corrente.stalls")

#: Seconds; a watchdog of a finer threshold would cost more than it is allowed to.
THRESHOLD_LEAST = 0.001
THRESHOLD_MOST = 3600.0

#: Stalls that a loop remembers.
STALLS_KEPT = 256

#: Characters of a call that a message shows.
CALL_SHOWN = 120

#: What a loop does whose wait has ended, and which is not let go on.
GIL = (
    "waiting for the interpreter, which had stopped all threads"
    if sysconfig.get_config_var("Py_GIL_DISABLED")
    else "waiting for the GIL, which another thread had"
)


#: Taken for good by whoever registers first: what `os.register_at_fork` got stays.
_forks_seen_to = threading.Lock()


def see_to_forks() -> None:
    """Has a program of one thread fork as one: Python warns who forks with several.

    A loop that another thread runs is left alone, since that thread is there in any case.
    """
    if _forks_seen_to.acquire(blocking=False):
        os.register_at_fork(before=_end_own_watchdog, after_in_parent=_start_own_watchdog)


def _end_own_watchdog() -> None:
    running: Foreign = asyncio._get_running_loop()
    if isinstance(running, _native.Loop):
        running._end_watchdog()


def _start_own_watchdog() -> None:
    running: Foreign = asyncio._get_running_loop()
    if isinstance(running, _native.Loop):
        running._start_watchdog()


@dataclass(frozen=True, slots=True)
class Stall:
    """A time in which a loop did one thing alone. All times are in seconds."""

    is_over: bool
    """Whether it has ended; else the times are those until now."""
    started: float
    """When it began, by the loop's clock."""
    duration: float
    cpu: float
    """Of it, on a processor."""
    queued: float
    """Of it, ready to run while others had the processors."""
    blocked: float
    """The rest: asleep, in a system call."""
    stack: traceback.StackSummary
    """What it did, innermost last; empty where that could not be read."""
    task: str | None
    """The name of the task, if it was one's step."""
    callback: str | None
    """What the loop had called: a coroutine, a function, a protocol."""
    request: str | None
    """What `watch(request=…)` said of it."""
    shared_library: str | None
    """The library in C that waited, if it did not run and was none of the interpreter's."""
    system_call: str | None
    """What it waited in, if it did not run."""

    @property
    def call(self) -> str | None:
        """The innermost call of the program's own code, as it is written there.

        The source is read when this is asked for, and not while the loop stalls already.
        """
        if self._waited_for_lock():
            return GIL
        own = _own_frame(self.stack)
        return None if own is None else _source(own)

    @property
    def package(self) -> str | None:
        """What that call led into: the package that it called, or a library in C."""
        if self._waited_for_lock():
            return None
        own = _own_frame(self.stack)
        if own is None or own is self.stack[-1]:
            return self.shared_library
        return _package(self.stack[self.stack.index(own) + 1].filename) or self.shared_library

    @property
    def place(self) -> str:
        """Where the program's own code was: the end of its path, line and function.

        It names code only, nothing that the code worked on.
        """
        if self._waited_for_lock():
            return GIL
        own = _own_frame(self.stack)
        if own is None:
            return self.callback or "(unknown)"
        return f"{os.sep.join(own.filename.split(os.sep)[-2:])}:{own.lineno} in {own.name}"

    def _waited_for_lock(self) -> bool:
        """The loop itself, which ran nothing, takes one lock: the interpreter's, after a wait."""
        return self.task is None and self.callback is None and self.system_call == "futex"

    def __str__(self) -> str:
        parts = [f"{_ms(self.cpu)} on the CPU", f"{_ms(self.blocked)} blocked"]
        if self.system_call is not None:
            parts[1] += f" in {self.system_call}"
        if self.queued * 10 >= self.duration:
            parts.append(f"{_ms(self.queued)} waiting for a processor")
        verb = "stalled" if self.is_over else "stalls"
        text = f"{verb} for {_ms(self.duration)} ({', '.join(parts)})"
        if self.task is not None:
            text += f" in task {self.task} ({self.callback})"
        elif self.callback is not None:
            text += f" in {self.callback}"
        if self.request is not None:
            text += f", request {self.request}"
        call, package = self.call, self.package
        if call is not None:
            text += f": {_shortened(call)}"
        if package is not None:
            text += f" of {package}"
        own = _own_frame(self.stack)
        if own is not None and call is not GIL:
            text += f" at {own.filename}:{own.lineno} in {own.name}"
        return text


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long something took, in seconds."""

    count: int
    sum: float
    max: float
    buckets: tuple[tuple[float, int], ...]
    """How many there are up to each bound; the last bound is infinite."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a loop has counted since it was made. Times are in seconds."""

    ready: int
    """Callbacks that are ready to run."""
    timers: int
    """Timers that are scheduled."""
    transports: int
    """Streams that are open: TCP, Unix and TLS connections."""
    turns: int
    callbacks: int
    received: int
    """Bytes, of streams and of `sock_recv` and its like."""
    sent: int
    busy: float
    """Not waiting for something to do."""
    idle: float
    turn: Histogram
    """Turns of a tenth of a millisecond or more."""
    lag: Histogram
    """How late timers were called: of each turn the latest one."""
    stall: Histogram
    stalled_cpu: float
    """Of all stalls, on a processor."""
    stalled_queued: float
    """Of all stalls, ready to run while others had the processors."""
    stalled_blocked: float
    """Of all stalls, the rest."""


_HAS_TOLD = threading.Event()


def tell_of_no_stacks() -> None:
    """Say once that stalls have no stacks here."""
    if _HAS_TOLD.is_set():
        return
    _HAS_TOLD.set()
    logger.warning(
        "stalls are told of without a stack: this Python's cannot be read from memory"
        " (it is of a version that is not known, or a sandbox hides /proc/self/mem)"
    )


def checked_threshold(threshold: float | None) -> float | None:
    """The threshold, if it can be one."""
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise TypeError(f"threshold must be a number of seconds or None, not {threshold!r}")
    if not THRESHOLD_LEAST <= threshold <= THRESHOLD_MOST:
        raise ValueError(
            f"threshold must be from {THRESHOLD_LEAST:g} to {THRESHOLD_MOST:g} seconds,"
            f" not {threshold!r}; None ends the watch"
        )
    return float(threshold)


def metrics(
    numbers: Mapping[str, Foreign],
    histograms: Mapping[str, RawHistogram],
    bounds: tuple[float, ...],
) -> Metrics:
    """What the native loop has counted, with names."""
    named: Foreign = {name: _histogram(raw, bounds) for name, raw in histograms.items()}
    return Metrics(**numbers, **named)


def _histogram(raw: RawHistogram, bounds: tuple[float, ...]) -> Histogram:
    counts, total, longest = raw
    buckets = tuple(zip((*bounds, math.inf), counts, strict=True))
    return Histogram(count=counts[-1], sum=total, max=longest, buckets=buckets)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a loop ran when it stalled."""

    task: str | None = None
    callback: str | None = None
    request: str | None = None

    @classmethod
    def of_task(cls, task: asyncio.Task[Any] | None) -> Ran:
        """A task's step."""
        return cls() if task is None else cls(task.get_name(), _name(task.get_coro()))

    @classmethod
    def of(cls, subject: Foreign, request: Callable[[], object] | None) -> Ran:
        """A handle's callback, or a transport's protocol."""
        if subject is None:
            return cls()
        if not isinstance(subject, asyncio.Handle):
            # It has no context of its own; a protocol of ours knows what it has begun.
            protocol = subject.get_protocol()
            said = getattr(protocol, "_request", None)
            found = None if request is None or said is None else _said(said)
            return cls(None, type(protocol).__qualname__, found)
        context: Foreign = subject._context  # type: ignore[attr-defined]
        found = None if request is None else _said(lambda: context.run(request))
        called: Foreign = subject._callback  # type: ignore[attr-defined]
        owner = getattr(called, "__self__", None)
        if isinstance(owner, asyncio.Task):
            return cls(owner.get_name(), _name(owner.get_coro()), found)
        return cls(None, None if called is None else _name(called), found)


class Note:
    """What a loop was told of a stall: a `Stall` once somebody asks, and the same one each time.

    Mostly nobody does, and to make one takes longer than all else that the loop does about it.
    """

    __slots__ = ("_made", "_raw")

    def __init__(self, times: RawTimes, seen: RawSeen, ran: Ran) -> None:
        self._raw = times, seen, ran
        self._made: Stall | None = None

    def stall(self) -> Stall:
        """The stall."""
        if self._made is None:
            self._made = stall(*self._raw)
        return self._made


def stall(times: RawTimes, seen: RawSeen, ran: Ran, *, is_over: bool = True) -> Stall:
    """A stall, from what the watchdog has seen and from what the loop ran."""
    started, duration, cpu, queued, blocked = times
    frames, system_call, shared_library = seen
    return Stall(
        is_over=is_over,
        started=started,
        duration=duration,
        cpu=cpu,
        queued=queued,
        blocked=blocked,
        stack=traceback.StackSummary.from_list([_summary(frame) for frame in reversed(frames)]),
        task=ran.task,
        callback=ran.callback,
        request=ran.request,
        shared_library=shared_library,
        system_call=system_call,
    )


def _summary(frame: RawFrame) -> traceback.FrameSummary:
    file, function, line, extent = frame
    end_line, first, last = extent or (None, None, None)
    return traceback.FrameSummary(
        file,
        line,
        function,
        lookup_line=False,
        end_lineno=end_line,
        colno=first,
        end_colno=last,
    )


def _name(called: Foreign) -> str:
    name = getattr(called, "__qualname__", None)
    return name if isinstance(name, str) else type(called).__qualname__


def _said(request: Callable[[], object]) -> str | None:
    """What the user's function says."""
    try:
        found = request()
        return None if found is None else str(found)
    except Exception:
        logger.exception("the request of corrente.watch() failed: %r", request)
        return None


def _folders() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    here = os.path.dirname(__file__)
    return tuple(folder + os.sep for folder in (*map(sysconfig.get_path, names), here))


_NOT_OWN = _folders()


def _is_own(file: str) -> bool:
    """Whether it is of the program, and not of a library."""
    return not file.startswith(("<frozen ", *_NOT_OWN)) and "-packages/" not in file


def _own_frame(stack: traceback.StackSummary) -> traceback.FrameSummary | None:
    """The innermost frame of the program's own code, else the innermost one."""
    own = (frame for frame in reversed(stack) if _is_own(frame.filename))
    return next(own, stack[-1] if stack else None)


def _package(file: str) -> str | None:
    """The package that a file belongs to, by its path."""
    for folder in sorted(_NOT_OWN, key=len, reverse=True):
        if file.startswith(folder):
            return file[len(folder) :].partition(os.sep)[0].removesuffix(".py")
    _, found, path = file.rpartition("-packages/")
    return path.partition(os.sep)[0].removesuffix(".py") if found else None


def _source(frame: traceback.FrameSummary) -> str | None:
    """The piece of source that a frame is at."""
    first, last = frame.lineno, frame.end_lineno
    if first is None:
        return None
    lines = [linecache.getline(frame.filename, line) for line in range(first, (last or first) + 1)]
    encoded = [line.rstrip().encode() for line in lines]
    if last is not None and frame.colno is not None and frame.end_colno is not None:
        # The end first: it may be of the same line.
        encoded[-1] = encoded[-1][: frame.end_colno]
        encoded[0] = encoded[0][frame.colno :]
    text = " ".join(line.decode(errors="replace").strip() for line in encoded)
    return text or None


def _shortened(text: str) -> str:
    return text if len(text) <= CALL_SHOWN else text[: CALL_SHOWN - 1] + "…"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


_LABEL_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")

#: Name, kind, help; the value of the metrics.
_SINGLE = (
    ("ready_callbacks", "gauge", "Callbacks that are ready to run.", "ready"),
    ("timers", "gauge", "Timers that are scheduled.", "timers"),
    ("transports", "gauge", "Streams that are open.", "transports"),
    ("turns_total", "counter", "Turns of the loop.", "turns"),
    ("callbacks_total", "counter", "Callbacks that were called.", "callbacks"),
    ("received_bytes_total", "counter", "Bytes that streams and sockets received.", "received"),
    ("sent_bytes_total", "counter", "Bytes that streams and sockets sent.", "sent"),
    ("busy_seconds_total", "counter", "Time in which the loop had something to do.", "busy"),
    ("idle_seconds_total", "counter", "Time in which it waited.", "idle"),
    ("stall_cpu_seconds_total", "counter", "Of stalls: on a processor.", "stalled_cpu"),
    ("stall_queued_seconds_total", "counter", "Of stalls: ready to run.", "stalled_queued"),
    ("stall_blocked_seconds_total", "counter", "Of stalls: blocked.", "stalled_blocked"),
)

_HISTOGRAMS = (
    ("turn_seconds", "Turns of a tenth of a millisecond or more.", "turn"),
    ("lag_seconds", "How late timers were.", "lag"),
    ("stall_seconds", "Stalls of the loop.", "stall"),
)


def prometheus(found: Metrics, labels: Mapping[str, str]) -> str:
    """Metrics in Prometheus' text format, version 0.0.4."""
    lines: list[str] = []
    own = [_label(name, value) for name, value in labels.items()]
    for name, kind, told, field in _SINGLE:
        lines += _head(name, kind, told)
        lines.append(f"corrente_loop_{name}{_labelled(own)} {getattr(found, field)}")
    for name, told, field in _HISTOGRAMS:
        lines += _head(name, "histogram", told)
        lines += _buckets(name, getattr(found, field), own)
    return "\n".join(lines) + "\n"


def _head(name: str, kind: str, told: str) -> list[str]:
    full = f"corrente_loop_{name}"
    return [f"# HELP {full} {told}", f"# TYPE {full} {kind}"]


def _buckets(name: str, histogram: Histogram, own: list[str]) -> Iterator[str]:
    full = f"corrente_loop_{name}"
    for bound, count in histogram.buckets:
        upper = "+Inf" if math.isinf(bound) else f"{bound:g}"
        labels = [*own, f'le="{upper}"']
        yield f"{full}_bucket{_labelled(labels)} {count}"
    yield f"{full}_sum{_labelled(own)} {histogram.sum}"
    yield f"{full}_count{_labelled(own)} {histogram.count}"


def _label(name: str, value: object) -> str:
    """A label of the user's; a wrong one would make all of the text unreadable."""
    if not isinstance(value, str):
        raise TypeError(f"the label {name!r} must be a string, not {value!r}")
    if _LABEL_NAME.fullmatch(name) is None or name == "le":
        raise ValueError(
            f"{name!r} is no name of a label: that has letters, digits and _, does not begin with"
            " a digit, and is not 'le', which histograms have"
        )
    return f'{name}="{_escaped(value)}"'


def _labelled(labels: list[str]) -> str:
    return "{" + ",".join(labels) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
