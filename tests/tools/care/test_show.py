"""`pingan care show`: 80 columns, both languages, what a file comes to and who lives by what was made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from tools.care.versions import Versions

from .place import CHILD, LI, OLDER, WANG, Place, shown, stand_in

KEPT: dict[str, Any] = {
    "wearable": LI.handle.hex(),
    "plan_version": 1_800_000_007,
    "settings_version": 1_800_000_007,
    "lives_by": {"settings_version": 1_800_000_001, "at": None},
    "gateways": [
        {"area": "jinjiang-3", "gateway": "gw-1", "plan_version": 1_800_000_007, "result": "taken", "reason": None},
        {"area": "jinjiang-3", "gateway": "gw-2", "plan_version": 5, "result": "refused", "reason": "not_genuine"},
        {"area": "jinjiang-3", "gateway": "gw-3", "plan_version": None, "result": None, "reason": None},
    ],
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_fits_eighty_columns(place: Place, capsys: pytest.CaptureFixture[str], lang: str) -> None:
    long = OLDER.replace('"morning"', f'"{"m" * 32}"').replace('"jinjiang-3"', f'"{"j" * 64}"')
    with stand_in() as desk:
        desk.kept = KEPT
        assert place.show(lang=lang) == 0
        assert place.show(place.wearer(text=long), "--desk", desk.url, lang=lang) == 0
        assert place.show(place.wearer(text=CHILD), "--desk", desk.url, lang=lang) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    assert {"child", "disabled", "older", "worker"} <= {line.strip() for line in lines}


@pytest.mark.parametrize(
    ("lang", "parts"),
    [
        ("en", ("older person", "08:00  every day", "19:30  on days 1, 3, 5", "1: home, 200 m; told when left", "21:30",
                "gw-2 refused it (not_genuine)", "gw-3 has said nothing", "lives by settings 1800000001")),
        ("zh", ("老年人", "08:00  每天", "19:30  星期 1, 3, 5", "家，200 米；离开时上报", "21:30",
                "gw-2 已拒绝（not_genuine）", "gw-3 尚未答复", "正在使用设置 1800000001")),
    ],
)  # fmt: skip
def test_what_a_file_comes_to_and_what_became_of_it(
    place: Place, capsys: pytest.CaptureFixture[str], lang: str, parts: tuple[str, ...]
) -> None:
    with stand_in() as desk:
        desk.kept = KEPT
        place.plan("--out", place.directory / "o.json", place.wearer())
        capsys.readouterr()
        assert place.show(place.wearer(), "--desk", desk.url, lang=lang) == 0
    made = Versions(place.store).last(LI.handle.hex())
    assert made is not None
    text = capsys.readouterr().out
    for part in (*parts, str(made.version)):
        assert part in text


def test_as_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.plan("--out", place.directory / "o.json", place.wearer(WANG, CHILD))
    capsys.readouterr()
    with stand_in() as desk:
        assert place.show("--json", "child", place.wearer(WANG, CHILD), shown(LI), "--desk", desk.url) == 0
    profile, file, code = map(json.loads, capsys.readouterr().out.splitlines())
    assert profile["profile"]["retention_days"] == 7
    assert (file["of"], file["wearable"]) == (shown(WANG), WANG.handle.hex())
    assert file["plan"]["beneficiary"] == "child"
    assert file["settings"]["fences"][1]["radius_m"] == 65
    assert (file["made"]["guardian"], file["desk"]) == ("g-00017", None)
    assert (code["of"], code["made"], code["desk"]) == (shown(LI), None, None)


def test_what_there_is_none_of_is_refused(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("nobody", "PAT-00000", "../older"):
        assert place.show(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1
    with stand_in() as desk:
        url = desk.url
    assert place.show(shown(LI), "--desk", url) == 2
    assert url in capsys.readouterr().err
    assert not place.store.exists()
