"""The gateway's configuration: a TOML file over defaults. Owns every setting, its default and its limits.

Must not know what the settings do. A bad file is refused with a Refusal that names file, key and remedy; the comments
of each key live in the message catalogue (`config.<section>.<key>`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edge_daemon import private, tls
from edge_daemon.errors import Refusal

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-"
_REMEDIES = ("scan", "power", "usb", "bluetoothd")
_NUMBERS_MOST = 10
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True)
class Gateway:
    """Who this gateway is, and where it keeps its state."""

    id: str = "gw-unnamed"
    area: str = "area-unnamed"
    state_dir: str = "/var/lib/pingan"
    log_level: str = "INFO"


@dataclass(frozen=True)
class Wearables:
    """The enrolled wearables and how far their counters may run ahead."""

    key_file: str = "/etc/pingan/wearables.json"
    window: int = 2048
    wide_window: int = 131072
    wide_searches_per_s: float = 2.0


@dataclass(frozen=True)
class Ble:
    """The Bluetooth link."""

    enabled: bool = True
    adapter: str = ""
    max_connections: int = 5
    linger_s: float = 10.0
    connect_timeout_s: float = 10.0
    silent_s: float = 60.0
    recovery: list[str] = field(default_factory=lambda: list(_REMEDIES))
    restart_command: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Serial:
    """The serial links: cradles, wired call points, the technician's cable."""

    ports: list[str] = field(default_factory=lambda: ["/dev/ttyACM*", "/dev/ttyUSB*"])
    baud: int = 115200
    rescan_s: float = 1.0


@dataclass(frozen=True)
class Platform:
    """The way to the platform: an MQTT 5 broker."""

    host: str = "localhost"
    port: int = 8883
    tls: bool = True
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password_file: str = ""
    allow_plain: bool = False
    keepalive_s: int = 30
    reconnect_most_s: float = 30.0


@dataclass(frozen=True)
class Sms:
    """Emergencies by SMS, over a serial modem, for when no broker answers."""

    enabled: bool = False
    port: str = ""
    baud: int = 115200
    numbers: list[str] = field(default_factory=list, repr=False)
    pin_file: str = ""
    most_per_hour: int = 20


@dataclass(frozen=True)
class Forwarder:
    """Retry until accepted. The ladder: fast_s so many times, then slow_s so many times, then last_s for ever."""

    answer_within_s: float = 5.0
    fast_s: float = 5.0
    fast_times: int = 10
    slow_s: float = 30.0
    slow_times: int = 16
    last_s: float = 60.0
    no_path_after_misses: int = 3
    batch: int = 50
    heartbeat_s: float = 60.0
    strangers_per_s: float = 1.0
    strangers_burst: int = 5
    keep_closed_days: int = 30


@dataclass(frozen=True)
class Config:
    """Everything, by section."""

    gateway: Gateway = field(default_factory=Gateway)
    wearables: Wearables = field(default_factory=Wearables)
    ble: Ble = field(default_factory=Ble)
    serial: Serial = field(default_factory=Serial)
    platform: Platform = field(default_factory=Platform)
    sms: Sms = field(default_factory=Sms)
    forwarder: Forwarder = field(default_factory=Forwarder)


def load(path: Path) -> Config:
    """Read a configuration file. Raises Refusal that names file, key and remedy."""
    private.check_trusted(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refusal("config.unreadable", file=path, why=error.strerror) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal("config.not_toml", file=path, why=error) from error
    known = {section.name: section for section in fields(Config)}
    sections: dict[str, Any] = {}
    for name, values in raw.items():
        if name not in known:
            raise Refusal("config.unknown_section", file=path, section=name, known=", ".join(known))
        if not isinstance(values, dict):
            raise Refusal("config.not_a_section", file=path, section=name)
        sections[name] = _section(path, name, known[name].default_factory, values)  # type: ignore[arg-type]
    config = Config(**sections)
    _check(path, config)
    return config


def _section(path: Path, name: str, make: Callable[[], Any], values: dict[str, Any]) -> Any:
    default = make()
    known = [f.name for f in fields(default)]
    for key, value in values.items():
        if key not in known:
            raise Refusal("config.unknown_key", file=path, key=f"{name}.{key}", known=", ".join(known))
        wanted = type(getattr(default, key))
        if wanted is float and type(value) is int:
            values[key] = float(value)
        elif type(value) is not wanted or (wanted is list and not all(isinstance(v, str) for v in value)):
            wanted_name = "list of strings" if wanted is list else wanted.__name__
            raise Refusal("config.wrong_type", file=path, key=f"{name}.{key}", wanted=wanted_name, got=repr(value))
    return type(default)(**values)


def _check(path: Path, config: Config) -> None:
    """Refuse what has the right type and still cannot work."""
    for key, name in (("gateway.id", config.gateway.id), ("gateway.area", config.gateway.area)):
        if not name or len(name) > 64 or any(c not in _NAME for c in name):
            raise Refusal("config.bad_name", file=path, key=key, got=name)
    platform = config.platform
    if not platform.tls and not platform.allow_plain and not tls.is_loopback(platform.host):
        raise Refusal("config.plain_mqtt", file=path, key="platform.tls", host=platform.host)
    if not _is_host(platform.host):
        raise Refusal("config.bad_host", file=path, key="platform.host", got=repr(platform.host))
    for step in config.ble.recovery:
        if step not in _REMEDIES:
            raise Refusal("config.not_one_of", file=path, key="ble.recovery", wanted=", ".join(_REMEDIES), got=step)
    _check_sms(path, config.sms)
    level = config.gateway.log_level
    if level not in _LEVELS:
        raise Refusal("config.not_one_of", file=path, key="gateway.log_level", wanted=", ".join(_LEVELS), got=level)
    _check_limits(path, config)


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
        ("platform.port", config.platform.port, 1, 65535),
        ("platform.reconnect_most_s", config.platform.reconnect_most_s, 0.5, 300),
        ("platform.keepalive_s", config.platform.keepalive_s, 5, 600),
        ("sms.baud", config.sms.baud, 300, 4_000_000),
        ("sms.most_per_hour", config.sms.most_per_hour, 1, 1000),
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


def _is_host(name: str) -> bool:
    """Whether a resolver will take this as a host name at all; it raises on some others."""
    try:
        return bool(name.encode("idna")) and name.isprintable() and " " not in name
    except UnicodeError:
        return False


def as_toml(config: Config, comment: Callable[[str], str]) -> str:
    """Every setting with its value, each under its comment: `comment("config.<section>.<key>")` gives the text."""
    lines: list[str] = []
    for section in fields(config):
        lines += [*_comment(comment(f"config.{section.name}")), f"[{section.name}]"]
        part = getattr(config, section.name)
        for key in fields(part):
            lines += _comment(comment(f"config.{section.name}.{key.name}"))
            lines.append(f"{key.name} = {_toml(getattr(part, key.name))}")
        lines.append("")
    return "\n".join(lines)


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in text.splitlines()]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
