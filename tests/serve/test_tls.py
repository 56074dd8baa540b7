"""`corrente serve` over TLS: certificates, those of clients, and files that are read again."""

from __future__ import annotations

import json
import ssl
import sys
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from corrente import _secured

from .commands import LIMIT_S, Command, program
from .wire import Client

if TYPE_CHECKING:
    from pathlib import Path

NAME = "localhost"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Give who signs the certificates of these tests."""
    return trustme.CA()


def write(folder: Path, certificate: trustme.LeafCert) -> tuple[str, str]:
    """Write a chain and its key; give the flags that name them."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    certificate.private_key_pem.write_to_path(key)
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    return f"--tls-certificate={chain}", f"--tls-key={key}"


class Secured(Client):
    """A client over TLS, which trusts the authority."""

    def __init__(
        self,
        address: tuple[str, int],
        authority: trustme.CA,
        own: trustme.LeafCert | None = None,
        most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        super().__init__(address)
        context = ssl.create_default_context()
        context.maximum_version = most
        authority.configure_trust(context)
        if own is not None:
            own.configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_hostname=NAME)

    def suite(self) -> str:
        """Tell which cipher suite was agreed on."""
        assert isinstance(self.socket, ssl.SSLSocket)
        cipher = self.socket.cipher()
        assert cipher is not None
        return cipher[0]

    def serial(self) -> str:
        """Tell which certificate the server has shown."""
        assert isinstance(self.socket, ssl.SSLSocket)
        shown = self.socket.getpeercert()
        assert shown is not None
        return str(shown["serialNumber"])


def test_it_is_served_over_tls(tmp_path: Path, authority: trustme.CA) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    with Command(tmp_path, "shop:app", *flags) as command:
        with Secured(command.address(), authority) as client:
            for _ in range(2):
                assert client.get().body.isdigit()
        command.stop()


def test_a_client_that_does_not_agree_on_tls_is_ended(
    tmp_path: Path, authority: trustme.CA
) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    with Command(tmp_path, "shop:app", "--header-timeout=300ms", *flags) as command:
        with Client(command.address()) as client:
            # Asyncio's own limit is a minute, the test's a third of it.
            assert client.is_ended()
        command.stop()


def test_a_certificate_that_changes_is_read_again(tmp_path: Path, authority: trustme.CA) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    with Command(tmp_path, "shop:app", *flags) as command:
        address = command.address()
        with Secured(address, authority) as client:
            first = client.serial()
            (tmp_path / "chain.pem").write_text("no certificate", encoding="utf-8")
            command.says("worker 1: --tls-certificate .*; the one before stays in use")
            with Secured(address, authority) as other:
                assert other.serial() == first
            write(tmp_path, authority.issue_cert(NAME))
            # It is looked at once a second.
            while True:
                with Secured(address, authority) as other:
                    if other.serial() != first:
                        assert other.get().status == 200
                        break
            # A connection that is there goes on.
            assert client.get().status == 200
        command.stop()


def test_clients_have_to_show_a_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    rule = (f"--tls-ca={trusted}", "--tls-client=required")
    with Command(tmp_path, "shop:app", *flags, *rule) as command:
        address = command.address()
        with Secured(address, authority, authority.issue_cert("client.example")) as client:
            assert client.get().status == 200
        refused = pytest.raises((ssl.SSLError, ConnectionError, EOFError))
        with refused, Secured(address, authority) as client:
            client.get()
        command.stop()


TELLING = program(
    """
body = json.dumps(scope["extensions"].get("tls")).encode()
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": body})
""",
    before="import json\n",
)

#: RFC 8446, appendix B.4, and RFC 5289.
SUITES = {
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
    "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C,
    "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B,
}


def test_an_application_is_told_of_the_session(tmp_path: Path, authority: trustme.CA) -> None:
    shown = authority.issue_cert(NAME)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    rule = (f"--tls-ca={trusted}", "--tls-client=optional")
    # All that RFC 4514 escapes; its authority is below the one that is trusted.
    own = authority.create_child_ca().issue_cert("a.example", common_name=' #a"+,;<>\\é=b ')
    subject = x509.load_pem_x509_certificate(own.cert_chain_pems[0].bytes()).subject
    with Command(tmp_path, "shop:app", *write(tmp_path, shown), *rule, text=TELLING) as command:
        address = command.address()
        for most, version in [(ssl.TLSVersion.TLSv1_2, 0x303), (ssl.TLSVersion.TLSv1_3, 0x304)]:
            with Secured(address, authority, most=most) as client:
                told = json.loads(client.get().body)
                assert told == {
                    "server_cert": shown.cert_chain_pems[0].bytes().decode(),
                    "client_cert_chain": [],
                    "client_cert_name": None,
                    "client_cert_error": None,
                    "tls_version": version,
                    "cipher_suite": SUITES[client.suite()],
                }
            with Secured(address, authority, own, most) as client:
                told = json.loads(client.get().body)
                chain = [one.bytes().decode() for one in own.cert_chain_pems]
                assert told["client_cert_chain"][0] == chain[0]
                if sys.version_info >= (3, 13):
                    assert told["client_cert_chain"][: len(chain)] == chain
                assert told["client_cert_name"] == subject.rfc4514_string()
        command.stop()
    with Command(tmp_path, "shop:app", text=TELLING) as command:
        with Client(command.address()) as plain:
            assert json.loads(plain.get().body) is None
        command.stop()


@pytest.mark.parametrize(
    ("value", "escaped"),
    [("#a", "\\#a"), ("a#b c", "a#b c"), (" ", "\\ "), ("  ", "\\ \\ "), ("a\0b", "a\\00b")],
)
def test_a_name_is_escaped(value: str, escaped: str) -> None:
    """RFC 4514, section 2.4: what a certificate of the test above has not."""
    assert _secured._escaped(value) == escaped


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", f"--tls-certificate={tmp_path / 'none.pem'}") as command:
        command.says(r"--tls-certificate \S+/none\.pem: .*No such file")
        assert command.process.wait(LIMIT_S) == 3


def test_a_key_that_is_encrypted_needs_its_password(tmp_path: Path, authority: trustme.CA) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    path = tmp_path / "key.pem"
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    path.write_bytes(encrypted)
    with Command(tmp_path, "shop:app", *flags) as command:
        command.says(r"--tls-certificate \S+: its key is encrypted, .* no --tls-password")
        assert command.process.wait(LIMIT_S) == 3
    with Command(tmp_path, "shop:app", *flags, "--tls-password=open sesame") as command:
        with Secured(command.address(), authority) as client:
            assert client.get().status == 200
        command.stop()


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--tls-ca=none.pem", r"--tls-ca \S*none\.pem: .*No such file"),
        ("--tls-ciphers=none", r"--tls-ciphers none: .*cipher"),
    ],
)
def test_a_setting_of_tls_that_cannot_be_is_told(
    tmp_path: Path, authority: trustme.CA, flag: str, told: str
) -> None:
    flags = write(tmp_path, authority.issue_cert(NAME))
    with Command(tmp_path, "shop:app", *flags, flag) as command:
        command.says(told)
        assert command.process.wait(LIMIT_S) == 3
