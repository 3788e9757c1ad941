"""`pingan care plan`: two boxes for whom they are meant and for nobody else, given to a desk or into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_daemon.care import plan as care_plan
from protocol import box, settings
from tests.edge_daemon.schemas import check
from tools.care.versions import Versions

from .place import BADGE, CHILD, LI, OLDER, ROOTS, WANG, Place, shown, stand_in


def opened(key: bytes, purpose: int, row: dict[str, Any]) -> bytes | None:
    sealed = bytes.fromhex(row["box"])
    assert box.sequence(sealed) == row["version"]
    return box.opened(key, purpose, sealed)


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_box_opens_with_its_own_key_and_with_no_other(place: Place) -> None:
    one, two = place.rows(place.wearer(), place.wearer(WANG, CHILD, "two.toml"))
    check("care", {"v": 1, "rows": [one, two]})
    for row, keys, kind in ((one, LI, "older"), (two, WANG, "child")):
        assert row["wearable"] == keys.handle.hex()
        plan = opened(box.care_key(keys.down), box.CARE, row["plan"])
        own = opened(keys.trail, box.SETTINGS, row["settings"])
        assert plan is not None
        assert own is not None
        assert care_plan.read(plan).beneficiary == kind
        assert settings.unpack(own).kind == {"older": 1, "child": 3}[kind]
        # A gateway has `down` and not `trail`: it cannot read where a child's school is.
        for key in (keys.up, keys.down, keys.id, box.care_key(keys.down)):
            assert opened(key, box.SETTINGS, row["settings"]) is None
        assert opened(keys.trail, box.CARE, row["plan"]) is None
    assert opened(box.care_key(WANG.down), box.CARE, one["plan"]) is None


def test_each_time_the_version_is_higher_and_the_salt_another(place: Place) -> None:
    rows = [row for _ in range(3) for row in place.rows(place.wearer())]
    versions = [row["plan"]["version"] for row in rows]
    assert versions == sorted(set(versions)) == [row["settings"]["version"] for row in rows]
    assert len({row["plan"]["box"][10:26] for row in rows} | {row["settings"]["box"][10:26] for row in rows}) == 6


def test_neither_keys_nor_coordinates_are_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.rows(place.wearer(WANG, CHILD))
    assert place.show(place.wearer(WANG, CHILD)) == 0
    assert place.show(shown(WANG)) == 0
    text = "".join(capsys.readouterr()) + "".join(file.read_text() for file in place.store.glob("*.json"))
    for secret in (ROOTS["wang"], WANG.up, WANG.down, WANG.id, WANG.trail):
        assert secret.hex() not in text
    assert "30.657" not in text
    assert "104.06" not in text


def test_a_desk_is_given_it(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with stand_in() as desk:
        assert place.plan("--json", "--desk", desk.url + "/", place.wearer()) == 0
    (row,) = said(capsys)
    assert (row["of"], row["state"], row["reason"], row["gateways"]) == (shown(LI), "done", "care.plan.given", 2)
    (posted,) = desk.posted
    check("care", {"v": 1, "rows": [posted]})
    assert posted["plan"]["version"] == row["version"]
    assert "Origin" not in desk.headers[0]


def test_versions_that_were_lost_here_go_on_above_the_desks(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    high = 4_000_000_000
    older = json.dumps({"error": "too_old", "plan_version": high, "settings_version": None}).encode()
    with stand_in() as desk:
        desk.answers = [(409, older)]
        assert place.plan("--json", "--desk", desk.url, place.wearer()) == 0
        assert said(capsys)[0]["version"] == high + 1
        assert [row["plan"]["version"] for row in desk.posted][1:] == [high + 1]
        # Once more, and no oftener: somebody else goes on giving newer ones.
        newer = older.replace(b"4000000000", b"4100000000")
        desk.answers = [(409, newer), (409, newer)]
        assert place.plan("--json", "--desk", desk.url, place.wearer()) == 2
        assert said(capsys)[0]["reason"] == "care.overtaken"
        assert len(desk.posted) == 4


def test_what_somebody_else_made_meanwhile_is_not_overtaken_by_what_is_older(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Versions.take

    def taken_and_then_by_another(self: Versions, *names: str, above: int = 0) -> int:
        version = take(self, *names, above=above)
        take(self, *names)
        return version

    monkeypatch.setattr(Versions, "take", taken_and_then_by_another)
    with stand_in() as desk:
        desk.answers = [(409, b'{"error": "too_old", "plan_version": 5, "settings_version": 7}')]
        assert place.plan("--json", "--desk", desk.url, place.wearer()) == 2
        assert len(desk.posted) == 1
    (row,) = said(capsys)
    assert (row["state"], row["reason"], row["version"]) == ("refused", "care.overtaken", 7)


@pytest.mark.parametrize(
    ("status", "body", "code", "reason"),
    [
        (503, b'{"error": "store_failed"}', 1, "care.plan.not_given"),
        (500, b"oh no", 1, "care.plan.not_given"),
        (200, b"<html>", 1, "care.plan.not_given"),
        (200, b"[]", 1, "care.plan.not_given"),
        (302, b"", 1, "care.plan.not_given"),
        (413, b'{"error": 3}', 1, "care.plan.not_given"),
        (400, b'{"error": "not_genuine", "field": "plan"}', 2, "care.desk.not_genuine"),
        (400, b'{"error": "not_understood", "field": "plan.box"}', 2, "care.desk.not_understood"),
    ],
)
def test_what_a_desk_says_instead(
    place: Place, capsys: pytest.CaptureFixture[str], status: int, body: bytes, code: int, reason: str
) -> None:
    with stand_in() as desk:
        desk.answers = [(status, body)]
        assert place.plan("--json", "--desk", desk.url, place.wearer()) == code
        assert len(desk.posted) == 1
    assert said(capsys)[0]["reason"] == reason


@pytest.mark.parametrize(("lang", "words"), [("en", "HTTP 503 store_failed"), ("zh", "请重新执行")])
def test_what_a_desk_says_instead_is_told_in_a_line(
    place: Place, capsys: pytest.CaptureFixture[str], lang: str, words: str
) -> None:
    with stand_in() as desk:
        desk.answers = [(503, b'{"error": "store_failed"}')]
        assert place.plan("--desk", desk.url, place.wearer(), lang=lang) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(shown(LI))
    assert words in line


def test_a_desk_that_is_not_there_is_a_failure_and_one_that_is_none_is_refused(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    with stand_in() as desk:
        url = desk.url
    assert place.plan("--json", "--desk", url, place.wearer()) == 1
    assert said(capsys)[0]["reason"] == "care.plan.not_given"
    for wrong, reason in (
        ("http://desk.example:8080", "https"),
        ("ftp://127.0.0.1", "no URL"),
        ("127.0.0.1:8080", "no URL"),
        ("http://", "no URL"),
        ("http://[", "no URL"),
        ("http://me@127.0.0.1", "no URL"),
    ):
        assert place.plan("--desk", wrong, place.wearer()) == 2
        assert reason in capsys.readouterr().err
    assert not any(place.store.glob("made.json.*"))


def test_of_several_each_has_its_verdict_and_what_can_be_done_is(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write_keys([{"root": ROOTS["li"].hex()}, _derived()])
    good = place.wearer()
    files = [
        good,
        place.wearer(LI, OLDER, "again.toml"),
        place.wearer(WANG, CHILD, "derived.toml"),
        place.wearer(BADGE, 'profile = "worker"\ncentre = "a"\n', "unknown.toml"),
        place.wearer(LI, OLDER + "x = 1\n", "wrong.toml"),
        tmp_path / "none.toml",
    ]
    out = tmp_path / "out.json"
    assert place.plan("--json", "--out", out, *files) == 2
    assert [(row["of"], row["state"], row["reason"]) for row in said(capsys)] == [
        (shown(LI), "done", "care.plan.written"),
        (shown(LI), "refused", "care.same_wearable"),
        (shown(WANG), "refused", "care.no_root"),
        (shown(BADGE), "refused", "care.no_keys"),
        (str(files[4]), "refused", "care.unknown_key"),
        (str(files[5]), "refused", "care.unreadable"),
    ]
    assert [row["wearable"] for row in json.loads(out.read_text())["rows"]] == [LI.handle.hex()]
    assert out.stat().st_mode & 0o777 == 0o600
    for lang in ("en", "zh"):
        assert place.plan("--out", out, *files, lang=lang) == 2
        assert len(capsys.readouterr().out.splitlines()) == 6


def _derived() -> dict[str, Any]:
    keys = {"up": WANG.up, "down": WANG.down, "id": WANG.id}
    return {"wearable": WANG.handle.hex(), **{name: key.hex() for name, key in keys.items()}}


def test_keys_that_others_can_read_are_refused_and_no_version_is_taken(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.keys.chmod(0o644)
    assert place.plan("--json", "--out", place.directory / "out.json", place.wearer()) == 2
    assert said(capsys)[0]["reason"] == "private.too_open"
    assert not place.store.exists()
    assert not (place.directory / "out.json").exists()


def test_a_dry_run_needs_no_keys_and_leaves_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.keys.unlink()
    wrong = place.wearer(WANG, CHILD.replace("radius_m = 65", "radius_m = 5"), "two.toml")
    assert place.plan("--dry-run", "--json", place.wearer(), wrong) == 2
    assert [row["state"] for row in said(capsys)] == ["would", "refused"]
    assert not place.store.exists()
    assert place.plan("--dry-run", "--out", "x", place.wearer()) == 2


def test_keys_are_asked_for(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    from tools import cli

    assert cli.main(["--lang", "en", "care", "plan", str(place.wearer())]) == 2
    assert "--keys" in capsys.readouterr().err
