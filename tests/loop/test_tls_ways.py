"""The proof that OpenSSL can be asked without Python: with any doubt, Python is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loop.securing import IS_FREE, provable

PROGRAM = """
import _ssl, ssl
from corrente import _native
{doubt}
for kind, is_server in ((ssl.PROTOCOL_TLS_CLIENT, False), (ssl.PROTOCOL_TLS_SERVER, True)):
    context = ssl.SSLContext(kind)
    context.check_hostname = False
    memories = ssl.MemoryBIO(), ssl.MemoryBIO()
    made = context.wrap_bio(*memories, server_side=is_server)
    print(_native.Session().attach(made, *{memories}, "native"))
"""


def answers(doubt: str, memories: str = "memories") -> list[str]:
    """Give whether a client and a server were proven, in a new interpreter with this doubt."""
    program = PROGRAM.format(doubt=doubt, memories=memories)
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return ended.stdout.decode().split()


@provable
def test_without_a_doubt_it_is_proven() -> None:
    assert answers("") == ["True", "True"]


@pytest.mark.skipif(not IS_FREE, reason="this Python has a GIL")
def test_without_a_gil_it_is_not() -> None:
    assert answers("") == ["False", "False"]


@pytest.mark.parametrize(
    "doubt",
    [
        "ssl.OPENSSL_VERSION = 'LibreSSL 4.0.0'",
        "ssl.OPENSSL_VERSION_NUMBER += 1",
        "_ssl.__file__ = '/nowhere/_ssl.so'",
        "del _ssl.__file__",
        "ssl.SSLContext.wrap_bio = lambda *_, **__: type('Other', (), {'_sslobj': object()})()",
    ],
)
def test_with_any_doubt_it_is_not(doubt: str) -> None:
    saved = "wrap = ssl.SSLContext.wrap_bio\n"
    restored = "\n_native.Session().attach(wrap(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "
    restored += "ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='x'), 1, 2, 'native')"
    restored += "\nssl.SSLContext.wrap_bio = wrap"
    assert answers(saved + doubt + restored) == ["False", "False"]


def test_memories_of_another_object_are_not_taken_for_its_own() -> None:
    others = "(ssl.MemoryBIO(), ssl.MemoryBIO())"
    assert answers("", others) == ["False", "False"]
