"""Wall time and CPU time of what the lab's programs do, without the interpreter's start.

CPU time is that of the whole process, all its threads included.
"""

import time


class Stopwatch:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()

    def stop(self) -> dict[str, float]:
        """The two fields of a program's report."""
        seconds = time.perf_counter() - self._wall
        return {"seconds": seconds, "cpu_seconds": time.process_time() - self._cpu}
