# SPDX-License-Identifier: Apache-2.0
"""Limits on what comes over the wire, and TLS."""
from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from claviger.discovery import KEY_SET, fetch_keys
from claviger.errors import Unavailable
from claviger.transport import Transport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from issuer import Issuer

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class OneAnswer:
    """Sends these bytes to each connection once it has asked, and closes it."""

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None):
        self.answer, self.tls = answer, tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            try:
                if self.tls is not None:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                connection.recv(65536)
                connection.sendall(self.answer)
            except OSError:
                pass  # the other side has gone
            finally:
                connection.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def answering():
    opened: list[OneAnswer] = []

    def make(answer: bytes, tls: ssl.SSLContext | None = None) -> int:
        opened.append(OneAnswer(answer, tls))
        return opened[-1].port

    yield make
    for one in opened:
        one.close()


def test_an_answer_that_is_too_long_is_not_read(issuer: Issuer, clock):
    transport = Transport(issuer.url, clock)
    size = len(transport.request("GET", KEY_SET).body)
    assert transport.request("GET", KEY_SET, longest=size)
    with pytest.raises(Unavailable, match="more than"):
        transport.request("GET", KEY_SET, longest=size - 1)
    assert transport.request("GET", KEY_SET, longest=size), "it goes on afterwards"


def test_a_redirect_is_not_followed(issuer: Issuer, clock):
    issuer.fails[KEY_SET] = 302
    with pytest.raises(Unavailable, match="answers 302"):
        fetch_keys(Transport(issuer.url, clock))


@pytest.mark.parametrize("answer", [
    b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"])
def test_an_answer_that_breaks_off_is_none(answering, clock, answer):
    with pytest.raises(Unavailable):
        Transport(f"http://127.0.0.1:{answering(answer)}", clock).request("GET", "/")


def test_a_line_without_an_end_is_not_read_for_ever(answering, clock):
    port = answering(EVENTS + b": " + b"x" * 200_000)
    stream = Transport(f"http://127.0.0.1:{port}", clock).open_stream("/", {})
    with pytest.raises(Unavailable, match="line"):
        list(stream.lines())
    stream.end()


def test_lines_end_in_either_way(answering, clock):
    port = answering(EVENTS + b"a\nb\r\n\nrest")
    stream = Transport(f"http://127.0.0.1:{port}", clock).open_stream("/", {})
    assert list(stream.lines()) == [b"a", b"b", b""]
    stream.end()


def test_nobody_listens(answering, clock):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable, match="refused"):
        Transport(f"http://127.0.0.1:{port}", clock).request("GET", "/")


@pytest.fixture
def certificate(tmp_path) -> tuple[str, ssl.SSLContext]:
    """A file to trust, and a server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "claviger")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(key, hashes.SHA256()))
    file, secret = tmp_path / "ca.pem", tmp_path / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM,
                                         serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return str(file), context


def test_a_certificate_must_be_trusted_and_for_the_host(answering, clock, certificate):
    file, context = certificate
    port = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", context)
    assert Transport(f"https://127.0.0.1:{port}", clock, file).request("GET", "/").body == b"{}"
    for host, trusted in (("127.0.0.1", None), ("localhost", file)):
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            Transport(f"https://{host}:{port}", clock, trusted).request("GET", "/")
