"""What `import corrente` promises: exactly the names of `__all__`, and nothing by accident."""

from __future__ import annotations

import pkgutil
from importlib.metadata import version

import corrente
import corrente.gauge


def test_all_is_sorted_and_complete() -> None:
    assert corrente.__all__ == sorted(corrente.__all__)
    for name in corrente.__all__:
        assert hasattr(corrente, name)


def test_no_public_name_is_missing_from_all() -> None:
    public = {name for name in vars(corrente) if not name.startswith("_")}
    # What somebody has imported is an attribute of its parent.
    assert public - set(corrente.__all__) <= {"gauge", "gunicorn"}


def test_every_module_but_those_for_users_is_private() -> None:
    modules = {module.name for module in pkgutil.iter_modules(corrente.__path__)}
    assert modules == {
        "__main__",
        "_certificate",
        "_children",
        "_crew",
        "_gate",
        "_given",
        "_lifespan",
        "_loop",
        "_main",
        "_messages",
        "_metrics",
        "_native",
        "_older",
        "_own",
        "_policy",
        "_recording",
        "_seam",
        "_secured",
        "_serve",
        "_server",
        "_tls",
        "_transports",
        "_watch",
        "_worker",
        "gauge",
        "gunicorn",
    }


def test_the_gauge_exports_its_middleware_alone() -> None:
    assert corrente.gauge.__all__ == ["Middleware"]
    modules = {module.name for module in pkgutil.iter_modules(corrente.gauge.__path__)}
    assert all(module.startswith("_") for module in modules)


def test_the_version_is_that_of_the_distribution() -> None:
    assert corrente.__version__ == version("corrente")
