from collections.abc import Sequence

__all__ = ["__version__", "run"]

__version__: str

def run(arguments: Sequence[str], program: Sequence[str]) -> int: ...
