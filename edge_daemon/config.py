"""The gateway's configuration: a TOML file over defaults. Owns every setting and its default.

Must not know what the settings do, nor which values are allowed: limits.py. A bad file is refused with a Refusal that
names file, key and remedy; the comments of each key live in the message catalogue (`config.<section>.<key>`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from edge_daemon import limits, private
from edge_daemon.errors import Refusal


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
    recovery: list[str] = field(default_factory=lambda: list(limits.REMEDIES))
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
    bind_address: str = ""


@dataclass(frozen=True)
class Backup(Platform):
    """The second broker: another host, reached over another line."""

    enabled: bool = False


@dataclass(frozen=True)
class Ways:
    """When which way out is taken, and what is said when none carries."""

    misses: int = 3
    back_after_s: float = 300.0
    lost_after_s: float = 60.0
    no_platform_s: float = 90.0
    no_answer_s: float = 60.0
    sms_repeat_s: float = 600.0
    test_every_s: float = 86400.0


@dataclass(frozen=True)
class Sign:
    """The gateway's own light or sound."""

    led: str = ""
    command: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Supervision:
    """After how long something is told to be lost."""

    wearable_lost_s: float = 4 * 3600.0
    wearable_missing_s: float = 24 * 3600.0
    link_lost_s: float = 60.0
    power_supply: str = "/sys/class/power_supply"
    ups: str = ""
    telemetry_most_mb: int = 128


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
    batch: int = 20
    heartbeat_s: float = 60.0
    strangers_per_s: float = 1.0
    strangers_burst: int = 5
    keep_closed_days: int = 30


@dataclass(frozen=True)
class Control:
    """The socket by which this machine's own commands ask and tell the gateway."""

    socket: str = ""


@dataclass(frozen=True)
class Config:
    """Everything, by section."""

    gateway: Gateway = field(default_factory=Gateway)
    wearables: Wearables = field(default_factory=Wearables)
    ble: Ble = field(default_factory=Ble)
    serial: Serial = field(default_factory=Serial)
    platform: Platform = field(default_factory=Platform)
    backup: Backup = field(default_factory=Backup)
    sms: Sms = field(default_factory=Sms)
    ways: Ways = field(default_factory=Ways)
    sign: Sign = field(default_factory=Sign)
    supervision: Supervision = field(default_factory=Supervision)
    forwarder: Forwarder = field(default_factory=Forwarder)
    control: Control = field(default_factory=Control)

    @property
    def control_socket(self) -> Path:
        """Where the control socket is: in the state directory unless it is named."""
        return Path(self.control.socket or Path(self.gateway.state_dir) / "control.sock")


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
    limits.check(path, config)
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
