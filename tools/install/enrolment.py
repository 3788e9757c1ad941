"""The certificate's two files. Owns their names beside the configuration, and whether there is a certificate at all.

Must not know what a bundle looks like: bundle.py, which is imported only where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_daemon.config import Config
from edge_daemon.errors import Refusal
from tools.install import account, files, pending
from tools.install.configuration import AUTHORITIES, CERTIFICATE
from tools.install.places import PRIVATE_FILE, Places
from tools.install.step import Act, act
from tools.messages import Messages


@dataclass(frozen=True)
class Enrolment:
    """What is to lie beside the configuration: file name -> contents. Empty: what is there stays."""

    contents: dict[str, bytes]

    def wanted(self, places: Places) -> list[Act]:
        """Files that are missing or different."""
        return [act("file", file=places.seen(file), mode="0600") for file in self._missing(places)]

    def put(self, places: Places) -> None:
        """Put them there, and note that the service must be started anew."""
        owner = account.must_be(places)
        pending.mark(places, [pending.RESTART])
        for file in self._missing(places):
            files.write(file, self.contents[file.name], PRIVATE_FILE, owner)

    def _missing(self, places: Places) -> list[Path]:
        owner = account.owner(places) or files.ROOT
        found = [places.etc / name for name in self.contents]
        return [file for file in found if not files.is_written(file, self.contents[file.name], PRIVATE_FILE, owner)]


def chosen(
    places: Places, bundle: Path | None, passphrase_file: Path | None, settings: Config, words: Messages
) -> Enrolment:
    """The enrolment by a bundle, or as it is. Raises Refusal for a bundle that is not good, and where there is none.

    A configuration that names files of its own keeps them; one that talks to its broker in the clear, or by a password,
    needs none.
    """
    platform = settings.platform
    if bundle is not None:
        from tools.install import bundle as bundles  # noqa: PLC0415  # needs more than Python's own library

        own = str(places.seen(places.etc / CERTIFICATE))
        if (platform.cert_file, platform.key_file or own) != (own, own):
            raise Refusal("install.bundle_unused", file=bundle, wanted=own, got=platform.cert_file or '""')
        good = bundles.read(bundle, passphrase_file, settings.gateway.id, words)
        return Enrolment({AUTHORITIES: good.authorities, CERTIFICATE: good.key + good.certificate})
    if not platform.tls or platform.username:
        return Enrolment({})
    certificate = platform.cert_file and places.root / platform.cert_file.lstrip("/")
    if not certificate or not certificate.exists():
        raise Refusal("install.no_certificate", gateway=settings.gateway.id)
    return Enrolment({})
