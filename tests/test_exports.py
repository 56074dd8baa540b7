"""What `import corrente` promises: exactly the names of `__all__`, and nothing by accident."""

from __future__ import annotations

import pkgutil
from importlib.metadata import version

import corrente


def test_all_is_sorted_and_complete() -> None:
    assert corrente.__all__ == sorted(corrente.__all__)
    for name in corrente.__all__:
        assert hasattr(corrente, name)


def test_no_public_name_is_missing_from_all() -> None:
    public = {name for name in vars(corrente) if not name.startswith("_")}
    assert public - set(corrente.__all__) == set()


def test_every_module_is_private() -> None:
    modules = {module.name for module in pkgutil.iter_modules(corrente.__path__)}
    assert modules == {"__main__", "_main", "_native"}


def test_the_version_is_that_of_the_distribution() -> None:
    assert corrente.__version__ == version("corrente")
