"""Which values a configuration may have. Owns the limits and the checks that need more than one key.

Must not know what the settings do, nor how a file is read: config.py. What has the right type and still cannot work is
refused with a Refusal that names file, key and remedy.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edge_daemon import tls
from edge_daemon.errors import Refusal

if TYPE_CHECKING:
    from edge_daemon.config import Config, Platform, Sms

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
REMEDIES = ("scan", "power", "usb", "bluetoothd")
_NUMBERS_MOST = 10
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def check(path: Path, config: Config) -> None:
    """Refuse what has the right type and still cannot work."""
    for key, name in (("gateway.id", config.gateway.id), ("gateway.area", config.gateway.area)):
        if not name or len(name) > 64 or any(c not in _NAME for c in name):
            raise Refusal("config.bad_name", file=path, key=key, got=name)
    _check_broker(path, "platform", config.platform)
    if config.backup.enabled:
        _check_broker(path, "backup", config.backup)
    for step in config.ble.recovery:
        if step not in REMEDIES:
            raise Refusal("config.not_one_of", file=path, key="ble.recovery", wanted=", ".join(REMEDIES), got=step)
    _check_sms(path, config.sms)
    # What NUT takes for a UPS and its host; a host of another form never answers.
    if config.supervision.ups and not re.fullmatch(r"[\w.-]+@[\w.-]+(:\d{1,5})?", config.supervision.ups, re.ASCII):
        raise Refusal("config.bad_ups", file=path, key="supervision.ups", got=repr(config.supervision.ups))
    level = config.gateway.log_level
    if level not in _LEVELS:
        raise Refusal("config.not_one_of", file=path, key="gateway.log_level", wanted=", ".join(_LEVELS), got=level)
    _check_limits(path, config)


def _check_broker(path: Path, section: str, broker: Platform) -> None:
    if not broker.tls and not broker.allow_plain and not tls.is_loopback(broker.host):
        raise Refusal("config.plain_mqtt", file=path, key=f"{section}.tls", host=broker.host)
    if not _is_host(broker.host):
        raise Refusal("config.bad_host", file=path, key=f"{section}.host", got=repr(broker.host))
    try:
        ipaddress.ip_address(broker.bind_address or "::")
    except ValueError as error:
        key = f"{section}.bind_address"
        raise Refusal("config.bad_address", file=path, key=key, got=broker.bind_address) from error


def _check_sms(path: Path, sms: Sms) -> None:
    """A number is named by its place alone: it is a person's, and refusals go into logs."""
    for key, missing in (("sms.port", not sms.port), ("sms.numbers", not sms.numbers)):
        if sms.enabled and missing:
            raise Refusal("config.sms_incomplete", file=path, key=key)
    for place, number in enumerate(sms.numbers, 1):
        # ITU-T E.164: fifteen digits at most, the country's code first.
        if not re.fullmatch(r"\+[0-9]{6,15}", number):
            raise Refusal("config.bad_number", file=path, key="sms.numbers", place=place)
    if len(set(sms.numbers)) < len(sms.numbers) or len(sms.numbers) > _NUMBERS_MOST:
        raise Refusal("config.numbers_twice", file=path, key="sms.numbers", most=_NUMBERS_MOST)


def _check_limits(path: Path, config: Config) -> None:
    limits = (
        ("wearables.window", config.wearables.window, 1, 4096),
        ("wearables.wide_window", config.wearables.wide_window, 0, 1 << 22),
        ("wearables.wide_searches_per_s", config.wearables.wide_searches_per_s, 0.01, 100),
        ("ble.max_connections", config.ble.max_connections, 1, 64),
        ("ble.linger_s", config.ble.linger_s, 0, 300),
        ("ble.connect_timeout_s", config.ble.connect_timeout_s, 1, 60),
        ("ble.silent_s", config.ble.silent_s, 5, 3600),
        ("serial.baud", config.serial.baud, 300, 4_000_000),
        ("serial.rescan_s", config.serial.rescan_s, 0.05, 60),
        *_broker_limits("platform", config.platform),
        *_broker_limits("backup", config.backup),
        ("sms.baud", config.sms.baud, 300, 4_000_000),
        ("sms.most_per_hour", config.sms.most_per_hour, 1, 1000),
        ("supervision.wearable_lost_s", config.supervision.wearable_lost_s, 60, 7 * 86_400),
        ("supervision.wearable_missing_s", config.supervision.wearable_missing_s, 60, 30 * 86_400),
        ("supervision.link_lost_s", config.supervision.link_lost_s, 1, 86_400),
        ("supervision.telemetry_most_mb", config.supervision.telemetry_most_mb, 1, 100_000),
        ("ways.misses", config.ways.misses, 1, 20),
        ("ways.back_after_s", config.ways.back_after_s, 1, 86_400),
        ("ways.lost_after_s", config.ways.lost_after_s, 1, 3600),
        ("ways.no_platform_s", config.ways.no_platform_s, 1, 3600),
        ("ways.no_answer_s", config.ways.no_answer_s, 1, 600),
        ("ways.sms_repeat_s", config.ways.sms_repeat_s, 1, 86_400),
        ("ways.test_every_s", config.ways.test_every_s, 1, 604_800),
        ("forwarder.answer_within_s", config.forwarder.answer_within_s, 0.1, 60),
        ("forwarder.fast_s", config.forwarder.fast_s, 0.1, 60),
        ("forwarder.fast_times", config.forwarder.fast_times, 0, 10_000),
        ("forwarder.slow_s", config.forwarder.slow_s, 0.1, 300),
        ("forwarder.slow_times", config.forwarder.slow_times, 0, 10_000),
        ("forwarder.last_s", config.forwarder.last_s, 0.1, 600),
        ("forwarder.no_path_after_misses", config.forwarder.no_path_after_misses, 1, 100),
        ("forwarder.batch", config.forwarder.batch, 1, 50),
        ("forwarder.heartbeat_s", config.forwarder.heartbeat_s, 0.1, 180),
        ("forwarder.strangers_per_s", config.forwarder.strangers_per_s, 0, 100),
        ("forwarder.strangers_burst", config.forwarder.strangers_burst, 0, 1000),
        ("forwarder.keep_closed_days", config.forwarder.keep_closed_days, 1, 3650),
    )
    for key, value, least, most in limits:
        if not least <= value <= most:
            raise Refusal("config.out_of_range", file=path, key=key, least=least, most=most, got=value)


def _broker_limits(section: str, broker: Platform) -> tuple[tuple[str, float, float, float], ...]:
    return (
        (f"{section}.port", broker.port, 1, 65535),
        (f"{section}.reconnect_most_s", broker.reconnect_most_s, 0.5, 300),
        (f"{section}.keepalive_s", broker.keepalive_s, 5, 600),
    )


def _is_host(name: str) -> bool:
    """Whether a resolver will take this as a host name at all; it raises on some others."""
    try:
        return bool(name.encode("idna")) and name.isprintable() and " " not in name
    except UnicodeError:
        return False
