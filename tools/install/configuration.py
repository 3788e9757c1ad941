"""The gateway's first configuration: asked for, or given. Owns the questions, and which file becomes gateway.toml.

Three answers (id, area, broker) make a configuration; all else has a default (`pingan gateway config` shows them), and
is left out so that a newer version's better default counts. Whatever it comes from, the gateway's own reader judges it.
"""

from __future__ import annotations

import json
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_daemon import config, private
from edge_daemon.config import Config
from edge_daemon.errors import Refusal
from tools.install.places import SOCKET, Places
from tools.messages import Messages

# What is asked, and what counts when nothing is typed; None: there must be an answer.
_QUESTIONS: dict[str, str | None] = {"id": None, "area": "area-1", "broker": None}
# Key and certificate in one file: they change together, or not at all.
CERTIFICATE = "gateway.pem"
AUTHORITIES = "ca.pem"
_TOML = """\
# Written by `pingan gateway install`. Every other setting, its meaning and its default: pingan gateway config
[gateway]
id = {id}
area = {area}

[platform]
host = {broker}
ca_file = {ca_file}
cert_file = {cert_file}
key_file = {key_file}
"""


@dataclass(frozen=True)
class Given:
    """What gateway.toml shall hold, and what the gateway reads in it. `text` None: what is there stays."""

    text: bytes | None
    settings: Config


def chosen(places: Places, file: Path | None, answers: Path | None, words: Messages) -> Given:
    """The configuration by file, by answers, as it is, or by question. Raises Refusal."""
    if file is not None:
        settings = config.load(file)
        return _fit(places, file, Given(file.read_bytes(), settings))
    if answers is not None:
        return _of_answers(places, answers, _read_answers(answers))
    if places.config.exists():
        return _fit(places, places.config, Given(None, config.load(places.config)))
    if not sys.stdin.isatty():
        raise Refusal("install.no_configuration")
    return _of_answers(places, places.config, _ask(words))


def _read_answers(path: Path) -> dict[str, str]:
    private.check_trusted(path)
    try:
        answers: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refusal("config.unreadable", file=path, why=error.strerror) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal("config.not_toml", file=path, why=error) from error
    for name, value in answers.items():
        if name not in _QUESTIONS or not isinstance(value, str):
            raise Refusal("install.bad_answer", file=path, name=name, known=", ".join(_QUESTIONS))
    whole = {name: answers.get(name, default) for name, default in _QUESTIONS.items()}
    missing = [name for name, value in whole.items() if value is None]
    if missing:
        raise Refusal("install.no_answer", file=path, name=missing[0])
    return {name: str(value) for name, value in whole.items()}


def _ask(words: Messages) -> dict[str, str]:
    answers = {}
    for name, default in _QUESTIONS.items():
        answer = ""
        while not answer:
            shown = words.text(f"install.ask.{name}") + (f" [{default}]" if default else "")
            print(shown, end=": ", file=sys.stderr, flush=True)
            line = sys.stdin.readline()
            if not line:
                raise Refusal("install.no_configuration")
            answer = line.strip() or default or ""
        answers[name] = answer
    return answers


def _of_answers(places: Places, named: Path, answers: dict[str, str]) -> Given:
    etc = places.seen(places.etc)
    files = {"ca_file": etc / AUTHORITIES, "cert_file": etc / CERTIFICATE, "key_file": etc / CERTIFICATE}
    # JSON's strings are TOML's.
    values = {name: json.dumps(str(value), ensure_ascii=False) for name, value in (answers | files).items()}
    text = _TOML.format(**values)
    if hasattr(Config(), "control"):
        text += f'\n[control]\nsocket = "{SOCKET}"\n'
    with tempfile.TemporaryDirectory(prefix="pingan-") as directory:
        candidate = Path(directory) / "gateway.toml"
        candidate.write_text(text, encoding="utf-8")
        try:
            settings = config.load(candidate)
        except Refusal as refusal:
            raise Refusal(refusal.key, **(refusal.params | {"file": named})) from None
    return _fit(places, named, Given(text.encode(), settings))


def _fit(places: Places, file: Path, given: Given) -> Given:
    """Refuse what the gateway could live with and the service cannot: it may write to two directories alone."""
    settings = given.settings
    if Path(settings.gateway.state_dir) != places.seen(places.state):
        raise Refusal("install.elsewhere", file=file, key="gateway.state_dir", wanted=places.seen(places.state))
    if Path(settings.wearables.key_file).parent not in (places.seen(places.etc), places.seen(places.state)):
        raise Refusal("install.elsewhere", file=file, key="wearables.key_file", wanted=places.seen(places.key_file))
    return given
