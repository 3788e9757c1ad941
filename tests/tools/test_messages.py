"""The catalogue: both languages, the same names, and every key that the code asks for."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from edge_daemon.errors import Refusal
from tools.messages import LANGUAGES, Messages, catalogue, language

_ROOT = Path(__file__).resolve().parents[2]
_ASKED = re.compile(
    r"""(?:Refusal\(\s*|words\.text\(\s*|data-word=|word\(\s*)f?["']([a-z_]+(?:\.[A-Za-z_{}.]+)+)["']"""
)


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_each_sentence_is_there_in_both_languages_and_names_the_same_things(key: str) -> None:
    sentence = catalogue()[key]
    assert set(sentence) == set(LANGUAGES)
    assert all(text.strip() for text in sentence.values())
    assert _names(sentence["en"]) == _names(sentence["zh"])
    assert re.search(r"[\u4e00-\u9fff]", sentence["zh"]) or not re.search(r"[a-z]{4}", sentence["en"])


def _asked_for() -> set[str]:
    found: set[str] = set()
    for folder, endings in (("tools", ("*.py", "*.html", "*.js")), ("edge_daemon", ("*.py",))):
        for ending in endings:
            for file in (_ROOT / folder).rglob(ending):
                found |= set(_ASKED.findall(file.read_text(encoding="utf-8")))
    return found


def test_every_key_the_code_asks_for_is_in_the_catalogue() -> None:
    asked = _asked_for()
    assert len(asked) > 50
    whole = {key for key in asked if "{" not in key}
    assert sorted(whole - set(catalogue())) == []
    for key in asked - whole:
        pattern = re.compile(re.sub(r"\\{[^}]*\\}", r"[A-Za-z_.]+", re.escape(key)))
        assert any(pattern.fullmatch(known) for known in catalogue()), key


def test_a_refusal_is_one_line_with_its_names_in_it() -> None:
    refusal = Refusal("cli.bad_arguments", command="pingan", why="x")
    for lang in LANGUAGES:
        line = Messages(lang).refusal(refusal)
        assert "\n" not in line
        assert "pingan" in line


@pytest.mark.parametrize(
    ("locale", "lang"), [("zh_CN.UTF-8", "zh"), ("zh_HK", "zh"), ("en_GB.UTF-8", "en"), ("C", "en"), ("", "en")]
)
def test_the_language_comes_from_the_locale_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, locale: str, lang: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert language() == lang
    assert language("zh") == "zh"
