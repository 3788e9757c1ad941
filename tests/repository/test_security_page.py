"""SECURITY.md shows for each thing that stops an attack the test that shows it: those tests exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:[\w/]+/)?test_\w+\.py)`", PAGE))))
def test_each_test_it_names_exists(name: str) -> None:
    path = ROOT / name if "/" in name else ROOT / "tests/edge_daemon" / name
    assert "def test_" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"campaigns? `(\w+)`", PAGE))))
def test_each_campaign_it_names_exists(name: str) -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "hil_tests/faults").glob("*.py"))
    assert re.search(rf"""Campaign\(\s*(?:name=)?["']{name}["']""", source)


def test_it_names_some() -> None:
    assert len(re.findall(r"`(?:[\w/]+/)?test_\w+\.py`", PAGE)) > 15
    assert len(re.findall(r"campaigns? `(\w+)`", PAGE)) >= 3


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:edge_daemon|tests|hil_tests|tools)/[\w/]*)`", PAGE))))
def test_each_folder_it_names_exists(path: str) -> None:
    assert (ROOT / path).is_dir()
