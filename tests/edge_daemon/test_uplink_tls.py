"""TLS to a real broker with client certificates: who is let in, and whom we trust."""

from __future__ import annotations

import asyncio
import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon import config
from edge_daemon.counters import Counters
from edge_daemon.errors import Refusal
from edge_daemon.uplinks import mqtt, payload
from hil_tests.broker.mosquitto import find_binary
from hil_tests.ports import free_port

from .certificates import Authority
from .test_uplink import GATEWAY, WITHIN_S, Line, line

# After a failed handshake paho leaves its socket to the garbage collector, which closes it, and says so.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

_CONFIG = """\
listener {port} 127.0.0.1
cafile {ca}
certfile {certificate}
keyfile {key}
require_certificate true
use_identity_as_username true
allow_anonymous false
user {user}
"""


class TlsBroker:
    def __init__(self, directory: Path) -> None:
        self.authority = Authority(directory, "broker")
        certificate, key = self.authority.issue("broker")
        self.port = free_port()
        path = directory / "mosquitto.conf"
        user = getpass.getuser()
        path.write_text(
            _CONFIG.format(port=self.port, ca=self.authority.file, certificate=certificate, key=key, user=user)
        )
        self.process = subprocess.Popen([find_binary(), "-c", path], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, "mosquitto ended"
                assert time.monotonic() < end, "mosquitto did not open its port"
                time.sleep(0.02)


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[TlsBroker]:
    broker = TlsBroker(tmp_path)
    yield broker
    broker.process.kill()
    broker.process.wait(10)


def _settings(ca: Path, certificate: Path | None = None, key: Path | None = None) -> dict[str, object]:
    return {"tls": True, "ca_file": str(ca), "cert_file": str(certificate or ""), "key_file": str(key or "")}


async def _refused(here: Line) -> None:
    async with asyncio.timeout(WITHIN_S):
        while here.counters.snapshot().get("uplink_failed", 0) < 2:
            await asyncio.sleep(0.02)
    assert here.connects == 0


async def test_a_gateway_with_a_certificate_is_let_in_and_publishes(tls_broker: TlsBroker) -> None:
    certificate, key = tls_broker.authority.issue("gw-1")
    async with line(tls_broker.port, **_settings(tls_broker.authority.file, certificate, key)) as here:
        await here.until("connects", 1)
        await here.uplink.publish("status", payload.status("gw-1", "online", "by TLS"))


async def test_a_gateway_without_a_certificate_is_not_let_in(
    tls_broker: TlsBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mqtt, "_CONNACK_WITHIN_S", 0.5)
    named = {"username": "gw-1", "password_file": str(_password(tmp_path))}
    async with line(tls_broker.port, **_settings(tls_broker.authority.file), **named) as here:
        await _refused(here)


async def test_a_broker_of_another_authority_is_not_trusted(tls_broker: TlsBroker, tmp_path: Path) -> None:
    certificate, key = tls_broker.authority.issue("gw-1")
    other = Authority(tmp_path, "other")
    async with line(tls_broker.port, **_settings(other.file, certificate, key)) as here:
        await _refused(here)


async def test_a_broker_under_another_name_is_not_trusted(tls_broker: TlsBroker) -> None:
    certificate, key = tls_broker.authority.issue("gw-1")
    settings = {**_settings(tls_broker.authority.file, certificate, key), "host": "localhost"}
    async with line(tls_broker.port, **settings) as here:
        await _refused(here)


async def test_plain_mqtt_is_not_spoken_to_a_tls_port(tls_broker: TlsBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "_CONNACK_WITHIN_S", 0.5)
    async with line(tls_broker.port) as here:
        await _refused(here)


def _password(directory: Path) -> Path:
    password = directory / "test_only_password"
    password.touch(mode=0o600)
    password.write_text("test_only")
    return password


def _refusal(**settings: object) -> Refusal:
    with pytest.raises(Refusal) as refused:
        mqtt.MqttUplink(GATEWAY, config.Platform(**settings), Counters())  # type: ignore[arg-type]
    return refused.value


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "a").issue("gw-1")
    key.chmod(0o640)
    refusal = _refusal(cert_file=str(certificate), key_file=str(key))
    assert (refusal.key, refusal.params["mode"]) == ("private.too_open", "0640")
    password = _password(tmp_path)
    password.chmod(0o644)
    refusal = _refusal(tls=False, password_file=str(password))
    assert (refusal.key, refusal.params["file"]) == ("private.too_open", password)


def test_files_that_are_missing_or_wrong_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    wrong.chmod(0o600)
    certificate, key = Authority(tmp_path, "a").issue("gw-1")
    own = {"cert_file": str(certificate), "key_file": str(key)}
    assert _refusal(ca_file=str(wrong), **own).key == "platform.bad_certificate"
    assert _refusal(ca_file=str(tmp_path / "none.pem"), **own).key == "platform.bad_certificate"
    assert _refusal(cert_file=str(wrong)).key == "platform.bad_certificate"
    assert _refusal(cert_file=str(tmp_path / "none.pem")).key == "private.unreadable"
    assert _refusal(tls=False, password_file=str(tmp_path / "none")).key == "private.unreadable"
