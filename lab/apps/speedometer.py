"""How fast the processor is at the moment: rounds a millisecond, for each line that it is sent.

It is started once, bound to one of the application's processors, and asked before and after each
measurement. It does the work of `workload.burn`, so that its figures and costs in tables are of
one unit. Processor time counts: that the processor is shared makes a look longer, not slower.
"""

import sys
import time

from workload import work

#: Some bursts of 1 to 2 ms each; the fastest tells, as whatever disturbs only adds.
_BURSTS = 5
_ROUNDS = 30_000


def _burst() -> float:
    start = time.thread_time()
    work(_ROUNDS)
    return time.thread_time() - start


for _ in sys.stdin:
    fastest = min(_burst() for _ in range(_BURSTS))
    print(_ROUNDS / fastest / 1000, flush=True)
