"""The ways out, each through the whole door of a real mosquitto."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon import config
from edge_daemon.clock import Clock
from hil_tests.broker.mosquitto import Broker
from hil_tests.ports import free_port
from tests.edge_daemon.test_uplink_tls import TlsBroker
from tools.doctor import brokers
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "plain") as broker:
        yield broker


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[TlsBroker]:
    (tmp_path / "tls").mkdir()
    broker = TlsBroker(tmp_path / "tls")
    yield broker
    broker.process.terminate()
    broker.process.wait(10)


async def _found(platform: config.Platform, backup: config.Backup | None = None) -> list[Finding]:
    gateway = config.Gateway(id="gw-1", area="bench")
    settings = config.Config(gateway=gateway, platform=platform, backup=backup or config.Backup())
    return await brokers.reach(settings, Clock())


def _codes(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.code, finding.harm) for finding in findings]


def _plain(broker: Broker) -> config.Platform:
    return config.Platform(host=broker.host, port=broker.port, tls=False)


async def test_a_broker_that_lets_us_in(plain: Broker) -> None:
    assert _codes(await _found(_plain(plain))) == [("broker_good", GOOD)]


async def test_one_that_is_away_is_deadly_alone_and_harmful_beside_another(plain: Broker) -> None:
    away = config.Platform(host="127.0.0.1", port=free_port(), tls=False)
    assert _codes(await _found(away)) == [("broker_away", DEADLY)]
    backup = config.Backup(enabled=True, host=plain.host, port=plain.port, tls=False)
    assert _codes(await _found(away, backup)) == [("broker_away", HARMFUL), ("broker_good", GOOD)]


async def test_one_that_says_nothing_and_one_with_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "_WITHIN_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        found = await _found(config.Platform(host="127.0.0.1", port=mute.getsockname()[1], tls=False))
    assert _codes(found) == [("broker_silent", DEADLY)]
    nowhere = config.Platform(host="broker.invalid", tls=False, allow_plain=True)
    assert _codes(await _found(nowhere)) == [("plain", WEAK), ("name_unknown", DEADLY)]


def _tls(guarded: TlsBroker, days: float = 365, **over: object) -> config.Platform:
    certificate, key = guarded.authority.issue("gw-1", days=days)
    made = config.Platform(
        host="127.0.0.1",
        port=guarded.port,
        ca_file=str(guarded.authority.file),
        cert_file=str(certificate),
        key_file=str(key),
    )
    return dataclasses.replace(made, **over)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "code", "harm"),
    [(365, "certificate_good", GOOD), (20, "certificate_expires", WEAK), (5, "certificate_expires", HARMFUL)],
)
async def test_the_days_that_our_certificate_has_left(guarded: TlsBroker, days: float, code: str, harm: int) -> None:
    assert _codes(await _found(_tls(guarded, days))) == [(code, harm), ("broker_good", GOOD)]


# The handshake fails in a thread of paho's, which leaves its socket to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_under_another_authority_is_not_trusted(guarded: TlsBroker, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = type(guarded.authority)(tmp_path / "other", "other")
    found = await _found(_tls(guarded, ca_file=str(other.file)))
    assert _codes(found)[-1] == ("broker_untrusted", DEADLY)


def _open_to_all(file: str) -> None:
    Path(file).chmod(0o644)


async def test_credentials_that_cannot_be_used_are_told_with_their_file(guarded: TlsBroker) -> None:
    settings = _tls(guarded)
    _open_to_all(settings.key_file)
    (finding,) = await _found(settings)
    assert (finding.code, finding.harm) == ("credentials_unusable", DEADLY)
    assert finding.names["refusal"].key == "private.too_open"
