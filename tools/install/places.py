"""Where a gateway lies on a machine. Owns every path and mode; `root` is "/", or a directory that is to become one.

Must not know what is put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

USER = "pingan"
UNIT = "pingan-gateway.service"
PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600
PUBLIC_DIRECTORY = 0o755
PUBLIC_FILE = 0o644
PROGRAM = 0o755
SOCKET = "/run/pingan/control.sock"


@dataclass(frozen=True)
class Places:
    """All paths under one root."""

    root: Path = Path("/")

    @property
    def live(self) -> bool:
        """Whether this is the machine that runs, with services to start."""
        return self.root == Path("/")

    @property
    def opt(self) -> Path:
        """The program: its versions, which is current, what is still to be told to the system."""
        return self.root / "opt/pingan"

    @property
    def versions(self) -> Path:
        """A directory for each version."""
        return self.opt / "versions"

    @property
    def current(self) -> Path:
        """A symbolic link to the version that runs."""
        return self.opt / "current"

    @property
    def previous(self) -> Path:
        """A symbolic link to the version before."""
        return self.opt / "previous"

    @property
    def etc(self) -> Path:
        """Configuration, certificate, keys of the wearables."""
        return self.root / "etc/pingan"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.etc / "gateway.toml"

    @property
    def key_file(self) -> Path:
        """The enrolled wearables and their keys."""
        return self.etc / "wearables.json"

    @property
    def state(self) -> Path:
        """The journal and what else must outlive a restart."""
        return self.root / "var/lib/pingan"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.state / "journal.sqlite3"

    @property
    def command(self) -> Path:
        """What a technician types."""
        return self.root / "usr/local/bin/pingan"

    @property
    def lock(self) -> Path:
        """Held by whoever installs, upgrades or uninstalls."""
        return self.opt / "lock"

    def for_system(self) -> dict[str, Path]:
        """Files of edge_daemon/deploy/ and where the system looks for them."""
        return {
            "pingan-gateway.sysusers.conf": self.root / "etc/sysusers.d/pingan.conf",
            "pingan-gateway.udev.rules": self.root / "etc/udev/rules.d/60-pingan-gateway.rules",
            "pingan-gateway.polkit.rules": self.root / "etc/polkit-1/rules.d/50-pingan-gateway.rules",
            UNIT: self.root / "etc/systemd/system" / UNIT,
        }

    def seen(self, path: Path) -> Path:
        """A path as the machine sees it that has this root."""
        return Path("/") / path.relative_to(self.root)
