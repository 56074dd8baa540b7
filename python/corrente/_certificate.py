"""The server's certificate: TLS as the settings say, read again when its files change."""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _secured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A setting.
Foreign: TypeAlias = Any

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_MODES = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class Certificate:
    """A chain and its key in files, and the context that connections are made with."""

    def __init__(self, given: Mapping[str, Foreign], protocols: tuple[str, ...]) -> None:
        password = given["password"] or _missing_password
        self._chain = (given["certificate"], given["key"], password)
        # Before they are read: what is written meanwhile is read again.
        self._seen = self._stamp()
        #: New connections begin with what was read last.
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with _told("--tls-certificate", self._chain[0]):
            self.context.load_cert_chain(*self._chain)
        _secured.remember(self.context, self._chain[0])
        self.context.set_alpn_protocols(protocols)
        self.context.minimum_version = _VERSIONS[given["minimum"]]
        ciphers, authorities = given["ciphers"], given["authorities"]
        if ciphers is not None:
            with _told("--tls-ciphers", ciphers):
                self.context.set_ciphers(ciphers)
        if authorities is not None:
            with _told("--tls-ca", authorities):
                self.context.load_verify_locations(authorities)
        self.context.verify_mode = _MODES[given["client"]]

    def refresh(self) -> str | None:
        """Read the files again if they have changed; gives back why they cannot be used."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        try:
            # A chain without its key would break the context: both are tried elsewhere first.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._chain)
            self.context.load_cert_chain(*self._chain)
            _secured.remember(self.context, self._chain[0])
        except (OSError, ssl.SSLError) as failure:
            if stamp != self._stamp():
                # It is being written.
                return None
            self._seen = stamp
            return f"--tls-certificate {self._chain[0]}: {failure}; the one before stays in use"
        self._seen = stamp
        return None

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        """What tells one version of the files from another."""
        found: list[tuple[int, int, int] | None] = []
        for path in self._chain[:2]:
            try:
                status = None if path is None else os.stat(path)
            except OSError:
                status = None
            found.append(status and (status.st_mtime_ns, status.st_ino, status.st_size))
        return found


@contextmanager
def _told(option: str, value: str) -> Iterator[None]:
    """Say which setting it is: `ssl` does not, and what OpenSSL says is an OSError, too."""
    try:
        yield
    except OSError as failure:
        raise OSError(f"{option} {value}: {failure}") from None


def _missing_password() -> str:
    """Answer for OpenSSL, which would ask on the terminal, once for each worker."""
    raise OSError("its key is encrypted, and there is no --tls-password")
