"""What a type checker finds: the marker, and stubs for the extension module.

That the stubs agree with the module is checked by stubtest, in `cargo xtask test`.
"""

from __future__ import annotations

from importlib.resources import files

import corrente


def test_the_package_is_marked_as_typed() -> None:
    assert (files(corrente) / "py.typed").is_file()


def test_the_extension_module_has_stubs() -> None:
    assert (files(corrente) / "_native.pyi").is_file()
