"""`pingan flash`: from a bare board to one that runs MicroPython and our application. README.md says what is proven.

Owns the command's arguments and the directory of a run. esptool and mpremote do the work.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tools.messages import Messages

if TYPE_CHECKING:
    from tools.cli_types import Commands
    from tools.flash.plan import Job
    from tools.kit.telling import Telling


def register(commands: Commands, words: Messages) -> None:
    """Add `flash`."""
    parser = commands.add_parser("flash", help=words.text("flash.about"), description=words.text("flash.about"))
    parser.add_argument("--port", action="append", metavar="PORT", help=words.text("flash.port"))
    parser.add_argument("--board", required=True, metavar="NAME", help=words.text("flash.board"))
    parser.add_argument("--micropython", type=Path, metavar="FILE", help=words.text("flash.micropython"))
    parser.add_argument("--sha256", metavar="HEX", help=words.text("flash.sha256"))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--keep", action="store_true", help=words.text("flash.keep"))
    what.add_argument("--erase", action="store_true", help=words.text("flash.erase"))
    parser.add_argument("--replace-identity", action="store_true", help=words.text("flash.replace_identity"))
    parser.add_argument("--no-application", action="store_true", help=words.text("flash.no_application"))
    parser.add_argument("--backups", type=Path, metavar="DIR", help=words.text("flash.backups"))
    parser.add_argument("--boards", type=Path, metavar="FILE", help=words.text("flash.boards"))
    parser.add_argument("--dry-run", action="store_true", help=words.text("flash.dry_run"))
    parser.add_argument("--json", action="store_true", help=words.text("kit.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, words: Messages) -> int:
    """Flash. Exit code 0: every board done; 1: any failed; 2: any refused. Raises Refusal before any board."""
    from tools import image  # noqa: PLC0415 # not for other commands
    from tools.flash import boards, micropython, plan, ports  # noqa: PLC0415
    from tools.flash.image import parts_of  # noqa: PLC0415
    from tools.kit.telling import Telling  # noqa: PLC0415

    board = boards.chosen(arguments.board, arguments.boards or boards.TABLE)
    data, file = micropython.read(board, arguments.micropython, arguments.sha256)
    parts = parts_of(board, data, file)
    found = ports.chosen(arguments.port)
    with (
        tempfile.TemporaryDirectory(prefix="pingan-flash-") as work,
        Telling("flash", words, as_json=arguments.json) as telling,
    ):
        place = Path(work)
        application = None if arguments.no_application else image.stage(board.name, place / "image")
        erase = arguments.erase, arguments.replace_identity
        jobs = [plan.Job(port, board, parts, place, *erase, application) for port in found]
        if arguments.dry_run:
            return _dry_run(jobs, telling)
        for part in parts:
            (place / part.name).write_bytes(part.data)
        (place / "block").write_bytes(b"\xff" * plan.LOOK_BYTES)
        (place / "records").write_bytes(b"\xff" * board.partitions["records"].size)
        return _flash(jobs, arguments.backups or _backups(), telling)


def _flash(jobs: list[Job], backups: Path, telling: Telling) -> int:
    from tools.flash import batch  # noqa: PLC0415
    from tools.flash.flashing import Flashing  # noqa: PLC0415

    stop = threading.Event()
    works = {job.port: Flashing(job, backups, telling, stop).run for job in jobs}
    return batch.exit_code(batch.run(works, telling, stop))


def _dry_run(jobs: list[Job], telling: Telling) -> int:
    """Every step with its command, and no board touched."""
    from tools.flash import plan  # noqa: PLC0415

    for job in jobs:
        for step in plan.steps(job):
            telling.end(job.port, step.name, "would", "flash.would", run=shlex.join(step.command))
        if job.image is not None:
            facts = {"files": len(job.image.sizes), "bytes": job.image.total, "fingerprint": job.image.fingerprint}
            telling.end(job.port, "application", "would", "flash.would_install", **facts)
        telling.verdict(job.port, "would")
    return 0


def _backups() -> Path:
    return Path.home() / ".local/share/pingan/kit/backups"
