from __future__ import annotations

from pathlib import Path

import pytest

from .place import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    return Place(tmp_path)
