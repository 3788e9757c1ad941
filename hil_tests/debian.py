"""Packages and sources from the machine's own Debian mirror, without touching the machine.

Owns a private apt (own lists, own cache, own sources); works without root. Must not know what the packages are for.
The mirror is read from the machine's apt sources; apt checks Debian's signatures as always.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ETC = Path("/etc/apt")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_WITHIN_S = 300
_TAIL = 2000


class DebianFailed(Exception):
    """A package could not be had; the message ends with what apt or dpkg printed last."""


@dataclass(frozen=True)
class Archive:
    """One mirror of Debian's archive and the keyring it is checked with."""

    uri: str
    keyring: str = _KEYRING


def release() -> str:
    """This machine's Debian code name; "" elsewhere."""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
    return fields.get("VERSION_CODENAME", "") if fields.get("ID") == "debian" else ""


def find_archive(etc: Path = _ETC, code_name: str | None = None) -> Archive:
    """The mirror that this machine takes Debian's main archive from. Raises DebianFailed where there is none."""
    suites = {code_name if code_name is not None else release(), "stable"}
    for file in sorted(etc.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", _read(file)):
            if archive := _from_stanza(stanza, suites):
                return archive
    for file in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        for line in _read(file).splitlines():
            if archive := _from_line(line, suites):
                return archive
    raise DebianFailed(f"{etc} names no mirror with Debian's main archive for {' or '.join(sorted(suites))}")


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return ""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def _from_stanza(stanza: str, suites: set[str]) -> Archive | None:
    fields = {
        name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)
    }
    enabled = fields.get("enabled", ["yes"])[0] != "no"
    ours = suites & set(fields.get("suites", [])) and "main" in fields.get("components", [])
    if not (enabled and ours and "deb" in fields.get("types", []) and fields.get("uris")):
        return None
    signed_by = fields.get("signed-by", [_KEYRING])[0]
    return Archive(fields["uris"][0], signed_by if signed_by.startswith("/") else _KEYRING)


def _from_line(line: str, suites: set[str]) -> Archive | None:
    match = re.match(r"\s*deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.*)", line)
    if not match or match["suite"] not in suites or "main" not in match["rest"].split():
        return None
    signed_by = re.search(r"signed-by=(/[^\s,]+)", match["options"] or "")
    return Archive(match["uri"], signed_by[1] if signed_by else _KEYRING)


class Apt:
    """A private apt under `place` that knows the given `suites` ("deb bookworm", "deb-src trixie")."""

    def __init__(self, place: Path, suites: list[str], architectures: list[str] | None = None) -> None:
        self._place = place
        for name in ("lists/partial", "archives/partial"):
            (place / name).mkdir(parents=True, exist_ok=True)
        self._write_config(find_archive(), suites, architectures or [])
        self._run(place, "apt-get", "update")

    def _write_config(self, archive: Archive, suites: list[str], architectures: list[str]) -> None:
        sources = self._place / "private.list"
        lines = [
            f"{kind} [signed-by={archive.keyring}] {archive.uri} {suite} main" for kind, suite in map(str.split, suites)
        ]
        sources.write_text("\n".join(lines) + "\n")
        settings = [
            f'Dir::Etc::sourcelist "{sources}";',
            'Dir::Etc::sourceparts "-";',
            f'Dir::State::lists "{self._place}/lists";',
            f'Dir::Cache "{self._place}";',
            'Acquire::Languages "none";',
            'Acquire::Retries "3";',
            'Acquire::http::Timeout "60";',
            # As root apt would hand over to a user who may not write here.
            'APT::Sandbox::User "root";',
            *[f'APT::Architectures:: "{name}";' for name in architectures],
        ]
        (self._place / "apt.conf").write_text("\n".join(settings) + "\n")

    def source(self, package: str, version: str, place: Path) -> None:
        """Download a source package's files into `place`."""
        self._run(place, "apt-get", "source", "--download-only", f"{package}={version}")

    def missing(self, package: str) -> list[str]:
        """The package and those of its dependencies that are not installed on this machine."""
        plan = self._run(self._place, "apt-get", "--simulate", "--no-install-recommends", "install", package)
        return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]

    def unpack(self, packages: list[str], place: Path) -> None:
        """Download binary packages and unpack them together under `place`."""
        place.mkdir(parents=True, exist_ok=True)
        self._run(place, "apt-get", "download", *packages)
        for file in sorted(place.glob("*.deb")):
            self._run(place, "dpkg-deb", "-x", str(file), str(place))
            file.unlink()

    def _run(self, place: Path, *command: str) -> str:
        environment = {**os.environ, "APT_CONFIG": str(self._place / "apt.conf"), "LC_ALL": "C"}
        try:
            done = subprocess.run(
                command, cwd=place, env=environment, capture_output=True, text=True, timeout=_WITHIN_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DebianFailed(f"{' '.join(command)}: {error}") from error
        if done.returncode:
            raise DebianFailed(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-_TAIL:]}")
        return done.stdout
