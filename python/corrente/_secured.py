"""What ASGI's extension `tls` says of a connection (ASGI's "TLS Extension", 0.2).

It is asked once a connection, by `HttpServer`. Must not know connections.
"""

from __future__ import annotations

import ssl
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

#: What the extension holds, and what `ssl` has no types for.
Foreign: TypeAlias = Any

_VERSIONS = {"TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"

#: RFC 4514, section 3; other types have OpenSSL's names.
_SHORT = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}

#: The certificates of contexts whose files we know: Python's `ssl` does not tell a server's own.
_SHOWN: WeakKeyDictionary[ssl.SSLContext, str] = WeakKeyDictionary()

#: The numbers of cipher suites by OpenSSL's names, which only a context tells.
_SUITES: dict[str, int] = {}


def remember(context: ssl.SSLContext, path: str) -> None:
    """Note the certificate that a context has from a file: the first one there."""
    with open(path, encoding="ascii", errors="replace") as file:
        _, begin, rest = file.read().partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    if end:
        _SHOWN[context] = f"{begin}{body}{end}\n"


def describe(session: ssl.SSLObject) -> dict[str, Foreign]:
    """Tell what is known of a session whose handshake is over."""
    chain = _client_chain(session)
    return {
        "server_cert": _SHOWN.get(session.context),
        "client_cert_chain": [ssl.DER_cert_to_PEM_cert(one) for one in chain],
        "client_cert_name": _name(session) if chain else None,
        # A client whose certificate is not in order does not get so far.
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(session.version() or ""),
        "cipher_suite": _suite(session),
    }


def _client_chain(session: ssl.SSLObject) -> list[bytes]:
    """What the client has shown, its own certificate first; before Python 3.13 that alone."""
    own = session.getpeercert(binary_form=True)
    if own is None:
        return []
    whole: Foreign = getattr(session, "get_unverified_chain", list)
    _, *others = whole() or [own]
    return [own, *others]


def _name(session: ssl.SSLObject) -> str:
    """Spell the subject of the client's certificate as RFC 4514 does: the last part first."""
    subject: Foreign = (session.getpeercert() or {}).get("subject", ())
    parts = [
        "+".join(f"{_SHORT.get(name, name)}={_escaped(value)}" for name, value in part)
        for part in subject
    ]
    return ",".join(reversed(parts))


def _escaped(value: str) -> str:
    """Escape a value (RFC 4514, section 2.4)."""
    text = "".join(f"\\{one}" if one in '"+,;<>\\' else one for one in value)
    text = text.replace("\0", "\\00")
    if text[:1] in ("#", " "):
        text = f"\\{text}"
    if value[1:].endswith(" "):
        text = f"{text[:-1]}\\ "
    return text


def _suite(session: ssl.SSLObject) -> int | None:
    """Tell the number of the cipher suite."""
    cipher = session.cipher()
    if cipher is None:
        return None
    name = cipher[0]
    if name not in _SUITES:
        ciphers: Foreign = session.context.get_ciphers()
        # OpenSSL's numbers have the protocol's above those of RFC 8446, appendix B.4.
        _SUITES.update((one["name"], one["id"] & 0xFFFF) for one in ciphers)
    return _SUITES.get(name)
