"""What takes part: the interpreter, how it was built, and the version of each package.

    python versions.py [PACKAGE…]

Prints one line of JSON. A package that is not installed is absent.
"""

from __future__ import annotations

import platform
import ssl
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import contenders

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = (
    "corrente",
    "uvloop",
    "rloop",
    "zloop",
    "zuvloop",
    "aiofastnet",
    "uvicorn",
    "httptools",
    "aiohttp",
    "websockets",
    "asyncpg",
)


def profiled() -> str:
    """Whether the interpreter was built with a profile of itself (PGO)."""
    variables = ("CONFIG_ARGS", "PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_CFLAGS")
    text = " ".join(str(sysconfig.get_config_var(name)) for name in variables)
    if "--enable-optimizations" in text or "-fprofile-use" in text:
        return "yes"
    if sys.base_prefix != "/usr":
        return "no"
    # Distributions build in steps of their own, of which nothing is left to see. What Debian says
    # of its own is in changelog.Debian: "Enable LTO/PGO builds".
    try:
        name = platform.freedesktop_os_release()["ID"]
    except OSError:
        return "unknown"
    return "yes" if name in {"debian", "ubuntu"} else "unknown"


def packages(names: Sequence[str]) -> dict[str, str]:
    """Give the versions of what is installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    contenders.tell(
        {
            "python": platform.python_version(),
            "profiled": profiled(),
            "openssl": ssl.OPENSSL_VERSION,
            "packages": packages(sys.argv[1:] or PACKAGES),
        }
    )
