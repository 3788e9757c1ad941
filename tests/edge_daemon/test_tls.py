"""TLS as gateway and desk use it: what is refused before anything is sent, and files that change while we run."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from edge_daemon import config, tls
from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.uplinks import mqtt
from tools.desk.settings import DeskSettings

from .certificates import Authority
from .test_uplink import GATEWAY

# OpenSSL asks at the controlling terminal, whatever standard input is.
_AT_A_TERMINAL = """
import fcntl, sys, termios
from edge_daemon import config, tls
from edge_daemon.errors import Refusal
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
try:
    tls.Tls(config.Platform(cert_file=sys.argv[2], key_file=sys.argv[3]))
except Refusal as refusal:
    print(refusal.key)
"""


class Server:
    """One TLS end on loopback that asks for a certificate and tells whose it saw."""

    def __init__(self, authority: Authority, *, expired: bool = False) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*authority.issue("server", days=-1 if expired else 1))
        self._context.load_verify_locations(authority.file)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self.context = self._context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if connection.recv(1, socket.MSG_PEEK) == b"":
                    return
                with (
                    contextlib.suppress(ssl.SSLError, ConnectionError),
                    self._context.wrap_socket(connection, server_side=True) as secured,
                ):
                    shown = secured.getpeercert(binary_form=True)
                    assert shown is not None
                    (name,) = x509.load_der_x509_certificate(shown).subject
                    self.seen.append(str(name.value))
                    secured.sendall(b".")

    def close(self) -> None:
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()


def _shake(context: ssl.SSLContext, server: Server) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        assert secured.recv(1) == b"."


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "a")


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    running = Server(authority)
    yield running
    running.close()


def _files(authority: Authority, certificate: Path, key: Path) -> config.Platform:
    return config.Platform(ca_file=str(authority.file), cert_file=str(certificate), key_file=str(key))


def test_what_the_broker_showed_is_known_after_the_handshake(authority: Authority, server: Server) -> None:
    made = tls.Tls(_files(authority, *authority.issue("gw-1")))
    assert made.peer is None
    _shake(made.context(), server)
    assert made.peer is not None
    (name,) = x509.load_der_x509_certificate(made.peer).subject
    assert name.value == "test_only server"
    assert not made.peer_expired


def test_a_broker_whose_certificate_has_expired_is_not_trusted_and_that_is_known(authority: Authority) -> None:
    made = tls.Tls(_files(authority, *authority.issue("gw-1")))
    server = Server(authority, expired=True)
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            _shake(made.context(), server)
    finally:
        server.close()
    assert made.peer_expired


def test_a_broker_of_an_older_tls_is_not_spoken_to(authority: Authority, server: Server) -> None:
    server.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        server.context.maximum_version = ssl.TLSVersion.TLSv1_1
    server.context.set_ciphers("ALL:@SECLEVEL=0")
    made = tls.Tls(_files(authority, *authority.issue("gw-1")))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _shake(made.context(), server)
    assert server.seen == []
    assert made.context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_replaced_certificate_is_shown_at_the_next_connection(
    authority: Authority, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = authority.issue("gw-1")
    made = tls.Tls(_files(authority, certificate, key))
    first = made.context()
    assert made.context() is first, "nothing has changed"
    _shake(first, server)
    renewed, renewed_key = authority.issue("gw-1-renewed")
    caplog.set_level(logging.INFO)
    os.replace(renewed, certificate)
    # Half way: the new certificate does not go with the old key. What was good goes on.
    _shake(made.context(), server)
    assert [record.message for record in caplog.records] == ["new_certificate_unusable"]
    made.context()
    assert len(caplog.records) == 1, "said once for each change"
    os.replace(renewed_key, key)
    _shake(made.context(), server)
    assert [record.message for record in caplog.records[1:]] == ["new_certificate"]
    assert server.seen == ["test_only gw-1", "test_only gw-1", "test_only gw-1-renewed"]


def test_a_replaced_key_that_others_can_read_is_not_taken_up(
    authority: Authority, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key = authority.issue("gw-1")
    made = tls.Tls(_files(authority, certificate, key))
    for fresh, old in zip(authority.issue("gw-1-open"), (certificate, key), strict=True):
        os.replace(fresh, old)
    key.chmod(0o640)
    _shake(made.context(), server)
    assert server.seen == ["test_only gw-1"]
    assert caplog.records[-1].__dict__["fields"]["why"] == "private.too_open"


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_on_the_terminal(authority: Authority) -> None:
    certificate, _ = authority.issue("gw-1")
    locked = authority.issue("gw-1-locked", password=b"test_only")[1]
    near, far = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _AT_A_TERMINAL, str(far), str(certificate), str(locked)],
            pass_fds=[far],
            start_new_session=True,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        os.close(near)
        os.close(far)
    assert done.stdout.strip() == "platform.bad_certificate"


def test_a_certificate_or_authority_that_everybody_can_write_is_refused(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("gw-1")
    for open_file in (certificate, authority.file):
        mode = open_file.stat().st_mode
        open_file.chmod(0o666)
        with pytest.raises(Refusal) as refused:
            tls.Tls(_files(authority, certificate, key))
        assert (refused.value.key, refused.value.params["file"]) == ("private.writable", open_file)
        open_file.chmod(mode)
    shutil.copy(key, tmp_path / "both.pem")
    with (tmp_path / "both.pem").open("ab") as both:
        both.write(certificate.read_bytes())
    (tmp_path / "both.pem").chmod(0o600)
    tls.Tls(config.Platform(ca_file=str(authority.file), cert_file=str(tmp_path / "both.pem")))


def _uplink(**settings: object) -> mqtt.MqttUplink:
    return mqtt.MqttUplink(GATEWAY, config.Platform(**settings), Counters())  # type: ignore[arg-type]


def test_a_gateway_that_cannot_be_told_from_another_is_refused(tmp_path: Path) -> None:
    password = tmp_path / "test_only_password"
    password.touch(mode=0o600)
    for some in ({}, {"username": "gw-1"}, {"password_file": str(password)}, {"key_file": str(password)}):
        with pytest.raises(Refusal) as refused:
            _uplink(**some)
        assert (refused.value.key, refused.value.params["section"]) == ("platform.no_credentials", "platform")
    _uplink(username="gw-1", password_file=str(password))


@pytest.mark.parametrize(
    ("host", "loud"),
    [("localhost", 0), ("127.0.0.1", 0), ("127.0.0.2", 0), ("::1", 0), ("broker.example", 1), ("10.0.0.1", 1)],
)
def test_plain_is_said_loudly_at_every_start_unless_it_stays_on_this_machine(
    host: str, loud: int, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for _ in range(2):
        _uplink(tls=False, allow_plain=True, host=host)
    said = [record for record in caplog.records if record.message == "not_encrypted"]
    assert len(said) == 2 * loud
    assert all(record.levelno >= logging.WARNING for record in said)
    file = tmp_path / "gateway.toml"
    file.write_text(f'[platform]\ntls = false\nhost = "{host}"\n')
    with contextlib.ExitStack() as expected:
        if loud:
            expected.enter_context(pytest.raises(Refusal, match=r"config\.plain_mqtt"))
        config.load(file)


def test_the_desk_reads_its_files_by_the_same_rules(authority: Authority) -> None:
    certificate, key = authority.issue("desk")
    key.chmod(0o644)
    settings = DeskSettings(
        "broker.example", 8883, "x", tls=True, cert_file=str(certificate), key_file=str(key), password_file=str(key)
    )
    settings.check()
    for make in (lambda: tls.Tls(settings), lambda: tls.Password(settings.password_file)):
        with pytest.raises(Refusal, match=r"private\.too_open"):
            make()


def test_a_password_that_was_changed_is_used_next_and_one_that_cannot_be_is_not(tmp_path: Path) -> None:
    assert tls.Password("").now() is None
    file = tmp_path / "test_only_password"
    file.touch(mode=0o600)
    file.write_text("test_only_1\n")
    password = tls.Password(str(file))
    assert password.now() == "test_only_1"
    file.write_text("test_only_2")
    assert password.now() == "test_only_2"
    file.write_bytes(b"\xff")
    assert password.now() == "test_only_2"
    file.unlink()
    assert password.now() == "test_only_2"
