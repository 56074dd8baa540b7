"""Many threads that wait: memory and start time of one, and the time of a switch.

Messages pass through `queue.SimpleQueue`, written in C: the fastest queue that threads have.
"""

import threading
import time
from queue import SimpleQueue

from coroutines.probe import arguments, kernel_stack_bytes, pss_bytes, report
from stopwatch import Stopwatch


def wait(arrived: list[None], release: threading.Event) -> None:
    """Says that it runs, then waits for the end."""
    arrived.append(None)
    release.wait()


def start(count: int, release: threading.Event) -> list[threading.Thread]:
    """Returns when every thread has run up to its wait; fewer where the machine allows no more."""
    arrived: list[None] = []
    threads: list[threading.Thread] = []
    for _ in range(count):
        thread = threading.Thread(target=wait, args=(arrived, release))
        try:
            thread.start()
        except RuntimeError:
            break
        threads.append(thread)
    while len(arrived) < len(threads):
        time.sleep(0)
    return threads


def echo(inbox: SimpleQueue[int], outbox: SimpleQueue[int]) -> None:
    while (message := inbox.get()) >= 0:
        outbox.put(message)


def switch_s(passes: int) -> float:
    inbox: SimpleQueue[int] = SimpleQueue()
    outbox: SimpleQueue[int] = SimpleQueue()
    partner = threading.Thread(target=echo, args=(inbox, outbox))
    partner.start()
    begin = time.perf_counter()
    for message in range(passes):
        inbox.put(message)
        outbox.get()
    elapsed = time.perf_counter() - begin
    inbox.put(-1)
    partner.join()
    return elapsed / (2 * passes)


def main() -> None:
    args = arguments()
    wanted, release = int(args.units), threading.Event()
    first = start(1, release)  # what the first thread loads does not count
    memory, kernel = pss_bytes(), kernel_stack_bytes()
    stopwatch = Stopwatch()
    threads = start(wanted, release)
    timed = stopwatch.stop()
    memory, kernel = pss_bytes() - memory, kernel_stack_bytes() - kernel
    switch = switch_s(int(args.passes)) if len(threads) == wanted else None
    release.set()
    for thread in [*first, *threads]:
        thread.join()
    report(
        started=len(threads),
        wanted=wanted,
        timed=timed,
        memory=memory,
        kernel=kernel,
        switch_s=switch,
    )


if __name__ == "__main__":
    main()
