"""The command `corrente`: hands the arguments to the extension module and returns its exit code.

Everything that the command does is written in Rust, but for the workers of `corrente serve`, which
run users' code. This module only settles what belongs to the interpreter: who gets Ctrl-C, and what
becomes of an internal error.
"""

from __future__ import annotations

import os
import signal
import sys

from corrente import _native

#: Exit code for a bug in Corrente itself (EX_SOFTWARE of sysexits.h).
INTERNAL_ERROR = 70


def main() -> int:
    """Run the command line and return its exit code."""
    channel = os.environ.pop("CORRENTE_CHANNEL", None)
    if channel is not None and sys.argv[1:] == ["serve"]:
        from corrente import _worker

        return _worker.main(channel)
    # Python's own handler would only set a flag that no bytecode looks at while Rust runs.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    # -P: a folder named `corrente` where the command is started must not be taken for the package.
    program = [sys.executable, "-P", "-m", "corrente"]
    try:
        return _native.run(sys.argv[1:], program)
    except RuntimeError as error:
        sys.stderr.write(f"corrente: internal error: {error}; please report it as a bug\n")
        return INTERNAL_ERROR
    finally:
        signal.signal(signal.SIGINT, before)
