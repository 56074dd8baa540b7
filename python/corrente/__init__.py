"""Corrente takes a Python service from synchronous to asynchronous, and proves what that bought.

Today the package carries the command `corrente` (also `python -m corrente`); its Python interface
is the version.
"""

from corrente._native import __version__

__all__ = ["__version__"]
