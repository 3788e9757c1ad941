"""The ways out: is each broker there, does it prove who it is, and does it let us in? Owns one connection each.

Connects under a name of its own beside the gateway's, and subscribes to nothing: the daemon's session is not touched.
"""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
import time
from datetime import UTC, datetime

import aiomqtt
from cryptography import x509

from edge_daemon import tls
from edge_daemon.clock import Clock
from edge_daemon.config import Config, Platform
from edge_daemon.errors import Refusal
from edge_daemon.uplinks.client import let_go
from tools.doctor.finding import DEADLY, GOOD, HARMFUL, WEAK, Finding, Key

_WITHIN_S = 8.0
_SOON_DAYS, _NEAR_DAYS = 30, 7


async def reach(config: Config, clock: Clock) -> list[Finding]:
    """Every broker. One of two that cannot be reached is no catastrophe; none at all is."""
    brokers = {"primary": config.platform}
    if config.backup.enabled:
        brokers["backup"] = config.backup
    looked = [await _look(config, name, broker, clock) for name, broker in brokers.items()]
    reached = any(all(finding.harm > DEADLY for finding in findings) for findings in looked)
    return [_milder(finding) if reached else finding for findings in looked for finding in findings]


def _milder(finding: Finding) -> Finding:
    """Another way carries: what would be deadly is harmful."""
    if finding.harm > DEADLY:
        return finding
    return Finding(finding.check, finding.code, HARMFUL, finding.names)


async def _look(config: Config, name: str, broker: Platform, clock: Clock) -> list[Finding]:
    names = {"broker": Key(f"doctor.path.{name}"), "host": broker.host, "port": broker.port}
    findings = []
    try:
        way = tls.for_gateway(broker, broker.host, "platform" if name == "primary" else name)
        password = tls.Password(broker.password_file).now()
    except Refusal as refusal:
        return [Finding("brokers", "credentials_unusable", DEADLY, {**names, "refusal": refusal})]
    if way is None and not tls.is_loopback(broker.host):
        findings.append(Finding("brokers", "plain", WEAK, names))
    if way is not None:
        findings += _certificate(way, names, clock)
    try:
        async with asyncio.timeout(_WITHIN_S):
            await asyncio.get_running_loop().getaddrinfo(broker.host, broker.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return [*findings, Finding("brokers", "name_unknown", DEADLY, names)]
    return [*findings, await _connect(config, name, broker, way, password, names)]


async def _connect(
    config: Config, name: str, broker: Platform, way: tls.Tls | None, password: str | None, names: dict[str, object]
) -> Finding:
    """Through the whole door: TCP, TLS, CONNACK."""
    began_s = time.monotonic()
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=f"pingan-{config.gateway.area}-{config.gateway.id}.doctor.{name}",
        protocol=aiomqtt.ProtocolVersion.V5,
        username=broker.username or None,
        password=password,
        tls_context=way.context() if way is not None else None,
        timeout=math.inf,
        bind_address=broker.bind_address,
    )
    try:
        async with asyncio.timeout(_WITHIN_S):
            async with client:
                ms = round((time.monotonic() - began_s) * 1000)
    except TimeoutError:
        return Finding("brokers", "broker_silent", DEADLY, {**names, "seconds": _WITHIN_S})
    except aiomqtt.exceptions.MqttConnectError as error:
        return Finding("brokers", "broker_refuses", DEADLY, {**names, "cause": str(error)})
    except aiomqtt.MqttError as error:
        return _failed(error, way, names)
    finally:
        let_go(client)
    return Finding("brokers", "broker_good", GOOD, {**names, "ms": ms})


def _failed(error: aiomqtt.MqttError, way: tls.Tls | None, names: dict[str, object]) -> Finding:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if way is not None and way.peer_expired:
        return Finding("brokers", "broker_expired", DEADLY, names)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Finding("brokers", "broker_untrusted", DEADLY, {**names, "cause": cause.verify_message})
    if isinstance(cause, ssl.SSLError):
        return Finding("brokers", "tls_failed", DEADLY, {**names, "cause": cause.reason or str(cause)})
    return Finding("brokers", "broker_away", DEADLY, {**names, "cause": str(cause or error)})


def _certificate(way: tls.Tls, names: dict[str, object], clock: Clock) -> list[Finding]:
    """How long our own certificate is good for."""
    if not way.own:
        return []
    end = x509.load_pem_x509_certificates(way.own)[0].not_valid_after_utc
    left = end - datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)
    names = {**names, "file": way.cert_file, "end": f"{end:%Y-%m-%d}", "days": left.days}
    if left.total_seconds() <= 0:
        return [Finding("certificates", "certificate_expired", DEADLY, names)]
    if left.days < _SOON_DAYS:
        return [Finding("certificates", "certificate_expires", HARMFUL if left.days < _NEAR_DAYS else WEAK, names)]
    return [Finding("certificates", "certificate_good", GOOD, names)]
