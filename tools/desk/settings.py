"""What a desk is told when it starts, and what is refused. Owns the settings and their checks; opens nothing."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_daemon import tls
from edge_daemon.errors import Refusal
from tools.messages import LANGUAGES, Messages

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_AREA = re.compile(r"\+|[a-z0-9-]{1,64}", re.ASCII)
_NAME = re.compile(r"[a-z0-9-]{0,64}", re.ASCII)
_PASSWORD_IN_URL = re.compile(r"://[^/@]*:[^/@]*@|[?&]password=")
_PORT_MAX = 65535


@dataclass(frozen=True)
class DeskSettings:
    """Everything a desk needs. `database` is a file path (SQLite) or a postgresql:// URL without a password."""

    broker_host: str
    broker_port: int
    database: str
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    # One county centre, or "+" for all.
    area: str = "+"
    # Desks that share their work under this name ($share/<share>/…), on one PostgreSQL.
    share: str = ""
    # Tells desks on one database apart; part of the MQTT client id.
    name: str = ""
    tls: bool = False
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password_file: str = ""
    allow_plain: bool = False
    # Keys of wearables, for frames that gateways could not open. None: strangers are not understood here.
    keys_file: Path | None = None
    language: str = "zh"
    # Drills answer real events with busy or refused: never on unless asked for.
    allow_drill: bool = False
    # Names (host or host:port) a proxy in front serves this desk under. Empty: loopback only.
    served_as: tuple[str, ...] = ()
    # Where gateways have a second broker: it is subscribed to as well.
    more_brokers: tuple[tuple[str, int], ...] = ()

    @property
    def brokers(self) -> tuple[tuple[str, int], ...]:
        """Host and port of every broker."""
        return ((self.broker_host, self.broker_port), *self.more_brokers)

    def check(self) -> None:
        """Raise Refusal for what cannot work or is not safe."""
        for host, _ in self.brokers:
            if not self.tls and not self.allow_plain and not tls.is_loopback(host):
                raise Refusal("desk.plain_mqtt", host=host)
        if len(set(self.brokers)) < len(self.brokers):
            raise Refusal("desk.broker_twice")
        if self.listen_host not in _LOOPBACK and not self.served_as:
            raise Refusal("desk.listen_open", host=self.listen_host)
        if not _AREA.fullmatch(self.area):
            raise Refusal("desk.bad_area", got=self.area)
        for option, value in (("--share", self.share), ("--name", self.name)):
            if not _NAME.fullmatch(value):
                raise Refusal("desk.bad_name", option=option, got=value)
        if _PASSWORD_IN_URL.search(self.database):
            # Arguments are readable by every user of the machine.
            raise Refusal("desk.password_in_url")


def address(text: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as (host, port). Raises Refusal."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _PORT_MAX or not host:
        raise Refusal("desk.bad_address", got=text)
    return host.strip("[]"), int(port)


def add_arguments(parser: argparse.ArgumentParser, words: Messages) -> None:
    """The options of `pingan desk`; what each is for stands in the catalogue under desk.option."""

    def option(name: str, **more: Any) -> None:
        parser.add_argument(f"--{name}", help=words.text(f"desk.option.{name}"), **more)

    # Not required by argparse, which would ask the sub-commands for them, too.
    option("broker", action="append", metavar="HOST:PORT")
    option("database", metavar="FILE|postgresql://…")
    option("listen", default="127.0.0.1:8080", metavar="HOST:PORT")
    option("area", default="+")
    option("share", default="", metavar="GROUP")
    option("name", default="")
    option("tls", action="store_true")
    option("ca", default="", metavar="FILE")
    option("cert", default="", metavar="FILE")
    option("key", default="", metavar="FILE")
    option("username", default="")
    option("password-file", default="", metavar="FILE")
    option("allow-plain", action="store_true")
    option("keys", type=Path, default=None, metavar="FILE")
    option("allow-drill", action="store_true")
    option("served-as", action="append", default=[], metavar="HOST[:PORT]")
    parser.add_argument("--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help=words.text("cli.lang"))


def from_arguments(arguments: argparse.Namespace, language: str) -> DeskSettings:
    """Settings of parsed options; the page begins in `language`. Raises Refusal."""
    if not arguments.broker or not arguments.database:
        raise Refusal("desk.needs_options")
    (broker_host, broker_port), *more_brokers = [address(one) for one in arguments.broker]
    listen_host, listen_port = address(arguments.listen)
    return DeskSettings(
        broker_host=broker_host,
        broker_port=broker_port,
        database=arguments.database,
        listen_host=listen_host,
        listen_port=listen_port,
        area=arguments.area,
        share=arguments.share,
        name=arguments.name,
        tls=arguments.tls or bool(arguments.ca or arguments.cert),
        ca_file=arguments.ca,
        cert_file=arguments.cert,
        key_file=arguments.key,
        username=arguments.username,
        password_file=arguments.password_file,
        allow_plain=arguments.allow_plain,
        keys_file=arguments.keys,
        language=language,
        allow_drill=arguments.allow_drill,
        served_as=tuple(arguments.served_as),
        more_brokers=tuple(more_brokers),
    )
