"""The shape of a request of the rule's grid, as its query string asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request does: so many calls of such a latency, and work of its own."""

    calls: int
    latency_ms: float
    cpu_ms: float
    #: Calls that the origin serves at once; 0 is no limit.
    lanes: int

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> "Shape":
        """The shape that a query string asks for."""
        return cls(
            calls=int(arguments.get("calls", "1")),
            latency_ms=float(arguments.get("latency_ms", "10")),
            cpu_ms=float(arguments.get("cpu_ms", "0")),
            lanes=int(arguments.get("lanes", "0")),
        )
