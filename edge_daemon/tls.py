"""How this machine proves itself to a broker and the broker to it: TLS 1.2 or newer. Owns contexts, passwords, files.

Used by the gateway and the desk alike. Must not know MQTT. Files that are replaced on disk are taken up at the next
connection; if the new ones cannot be used, the last good ones stay and the log says so: an alarm that goes out under an
old certificate is better than none.
"""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Any, Protocol

from edge_daemon import private
from edge_daemon.errors import Refusal
from edge_daemon.log import Log

log = Log("tls")

# OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, as Python hands it on.
_EXPIRED = 10


class Settings(Protocol):
    """The part of a broker's settings that is read here."""

    @property
    def tls(self) -> bool: ...  # noqa: D102
    @property
    def ca_file(self) -> str: ...  # noqa: D102
    @property
    def cert_file(self) -> str: ...  # noqa: D102
    @property
    def key_file(self) -> str: ...  # noqa: D102
    @property
    def username(self) -> str: ...  # noqa: D102
    @property
    def password_file(self) -> str: ...  # noqa: D102


class Tls:
    """The files of one broker. `context` for each connection anew; `peer` is what the broker showed last (DER)."""

    def __init__(self, settings: Settings) -> None:
        self.ca_file = settings.ca_file
        self.cert_file = settings.cert_file
        self.key_file = settings.key_file or settings.cert_file
        self.peer: bytes | None = None
        # What the context in use was made of (PEM).
        self.own = b""
        self.authorities = b""
        # The last handshake failed because the broker's certificate, or one above it, has expired.
        self.peer_expired = False
        self._seen = self._stamp()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """The context for the next connection, of the files as they are now."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = self._load()
            except Refusal as refusal:
                log.error("new_certificate_unusable", why=refusal.key, names=refusal.params)
            else:
                log.info("new_certificate", cert_file=self.cert_file, ca_file=self.ca_file)
        return self._context

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        """What changes when a file is replaced or written to."""
        stamps: list[tuple[int, int, int] | None] = []
        for name in (self.ca_file, self.cert_file, self.key_file):
            try:
                found = Path(name).stat() if name else None
            except OSError:
                found = None
            stamps.append(None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size))
        return stamps

    def _load(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the broker's name checked, with our certificate when there is one."""
        for name in (self.ca_file, self.cert_file):
            if name:
                private.check_trusted(Path(name))
        if self.cert_file:
            private.check(Path(self.key_file))
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file:
                # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            own, authorities = (Path(name).read_bytes() if name else b"" for name in (self.cert_file, self.ca_file))
        except OSError as error:
            names = dict.fromkeys(name for name in (self.ca_file, self.cert_file, self.key_file) if name)
            raise Refusal("platform.bad_certificate", file=", ".join(names), why=error) from error
        self.own, self.authorities = own, authorities
        context.sslsocket_class = _watched(self)
        return context


def _watched(tls: Tls) -> type[ssl.SSLSocket]:
    """A socket that notes what the broker showed. This runs in the thread that connects; it only sets attributes."""

    class Watched(ssl.SSLSocket):
        def do_handshake(self, *arguments: Any, **named: Any) -> None:
            try:
                super().do_handshake(*arguments, **named)
            except ssl.SSLCertVerificationError as error:
                tls.peer_expired = error.verify_code == _EXPIRED
                raise
            tls.peer, tls.peer_expired = self.getpeercert(binary_form=True), False

    return Watched


class Password:
    """A password in a file of mode 0600, read for each connection. Raises Refusal if it cannot be used at the start."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last = self._read()

    def now(self) -> str | None:
        """What the file says now, or what it said when it could last be used. None: there is none."""
        try:
            self._last = self._read()
        except Refusal as refusal:
            log.error("new_password_unusable", why=refusal.key, names=refusal.params)
        return self._last

    def _read(self) -> str | None:
        if not self._name:
            return None
        path = Path(self._name)
        try:
            return private.read(path).decode().strip()
        except UnicodeDecodeError as error:
            raise Refusal("private.unreadable", file=path, why="not UTF-8") from error


def is_loopback(host: str) -> bool:
    """Whether what is sent to this host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def for_gateway(settings: Settings, host: str, section: str) -> Tls | None:
    """A gateway's TLS; None for plain. `section` of the configuration is named when it cannot be. Raises Refusal.

    A gateway that nobody can tell from another has no rights of its own: anybody could take its alarms for answered.
    """
    if not settings.tls:
        if not is_loopback(host):
            log.warning("not_encrypted", section=section, host=host, allowed_by=f"{section}.allow_plain")
        return None
    if not settings.cert_file and not (settings.username and settings.password_file):
        raise Refusal("platform.no_credentials", section=section)
    return Tls(settings)
