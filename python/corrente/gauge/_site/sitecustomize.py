"""Found by the interpreter in a process that `corrente gauge run` has started, before the program.

It puts back what it hides: the folder leaves `sys.path`, and a `sitecustomize` of the machine's own
runs as it would have. Corrente may be missing in this interpreter; then nothing is recorded.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


def _main() -> None:
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _HERE]
    try:
        from corrente.gauge import _imports, _start
    except ImportError as error:
        sys.stderr.write(
            f"corrente: {sys.executable} has no corrente and is not recorded: {error}\n"
        )
        return
    try:
        _imports.run_hidden("sitecustomize", _HERE)
    finally:
        # One that fails is told by the interpreter, which goes on without it.
        _start.start()


_main()
