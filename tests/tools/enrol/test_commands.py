"""`pingan enrol`, `revoke`, `replace`: at a gateway that does not run, by its key file; codes, lists and pipes."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from edge_daemon import registry
from tests.edge_daemon.test_config import key_file
from tests.edge_daemon.wearer import Wearer
from tools import cli
from tools.enrol import as_owner, gateway
from tools.label import code

A, B, C = Wearer("a"), Wearer("b"), Wearer("c")


def shown(wearer: Wearer) -> str:
    return code.of_handle(wearer.handle)


class Place:
    """A stopped gateway's configuration, and a kit's store beside it."""

    def __init__(self, directory: Path, *known: Wearer) -> None:
        self.keys = directory / "etc" / "wearables.json"
        self.keys.parent.mkdir(mode=0o700)
        key_file(self.keys, [wearer.registry_row() for wearer in known])
        self.config = directory / "gateway.toml"
        self.config.write_text(
            f'[gateway]\nstate_dir = "{directory}/state"\n[wearables]\nkey_file = "{self.keys}"\n', encoding="utf-8"
        )
        self.store = directory / "data" / "pingan" / "kit"
        (self.store / "enrolments").mkdir(parents=True, mode=0o700)

    def provisioned(self, wearer: Wearer, **more: object) -> Path:
        return key_file(self.store / "enrolments" / f"{wearer.handle}.json", [{**wearer.registry_row(), **more}])

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["wearable"]: row for row in json.loads(self.keys.read_text())["wearables"]}

    def run(self, *arguments: str, lang: str = "en") -> int:
        return cli.main(["--lang", lang, arguments[0], "--config", str(self.config), *arguments[1:]])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return Place(tmp_path, A)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_by_the_code_on_the_label_out_of_the_kits_store(
    place: Place, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    place.provisioned(B)
    assert place.run("enrol", shown(B), lang=lang) == 0
    assert place.run("enrol", shown(B).lower().replace("-", " "), lang=lang) == 0
    assert place.rows() == {A.handle: A.registry_row(), B.handle: B.registry_row()}
    first, second = capsys.readouterr().out.splitlines()
    for line in (first, second):
        assert line.startswith(shown(B))
    words = ("next start", "already") if lang == "en" else ("下次启动", "此前已登记")
    assert words[0] in first
    assert words[1] in second


def test_a_list_with_remarks_and_something_wrong_in_it_does_what_it_can(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    revoked, missing = Wearer("r"), Wearer("m")
    for wearer in (B, C):
        place.provisioned(wearer)
    place.provisioned(revoked, revoked=True)
    wrong = shown(B)[:-1] + ("0" if shown(B)[-1] != "0" else "1")
    names = tmp_path / "homes.csv"
    names.write_text(
        f"# the roaming set\n{shown(B)},by the window\n\n{shown(C)}\t7  # spare\n{shown(B)}\n"
        f"{shown(revoked)}\n{shown(missing)}\n{wrong}\nnonsense\n",
        encoding="utf-8",
    )
    assert place.run("enrol", "--json", "--role", "roaming", str(names)) == 2
    said = {row["of"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert {of: (row["step"], row["state"], row["reason"]) for of, row in said.items()} == {
        shown(B): ("all", "done", "enrol.enrolled.later"),
        shown(C): ("all", "done", "enrol.enrolled.later"),
        shown(revoked): ("all", "refused", "registry.was_revoked"),
        shown(missing): ("all", "refused", "enrol.no_row"),
        wrong: ("all", "refused", "label.wrong_check"),
        "nonsense": ("all", "refused", "label.no_code"),
    }
    assert said[shown(B)]["live"] is False
    assert {handle: row.get("role") for handle, row in place.rows().items()} == {
        A.handle: None,
        B.handle: "roaming",
        C.handle: "roaming",
    }


def test_all_of_a_file_a_directory_or_a_pipe(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [B.registry_row(), {**C.registry_row(), "revoked": True}]
    file = key_file(tmp_path / "set.json", rows)
    assert place.run("enrol", "--from", str(file)) == 0
    assert set(place.rows()) == {A.handle, B.handle}
    place.provisioned(C)
    assert place.run("enrol", "--from", str(place.store), shown(C)) == 0
    assert place.run("revoke", "--forget", shown(B), shown(C)) == 0
    piped = io.TextIOWrapper(io.BytesIO(json.dumps({"v": 1, "wearables": [B.registry_row()]}).encode()))
    monkeypatch.setattr("sys.stdin", piped)
    assert place.run("enrol", "--from", "-") == 0
    assert set(place.rows()) == {A.handle, B.handle}
    assert place.run("enrol", "--from", str(place.store)) == 0
    assert set(place.rows()) == {A.handle, B.handle, C.handle}
    said = capsys.readouterr()
    for wearer in (B, C):
        for key in (wearer.keys.up, wearer.keys.down, wearer.keys.id):
            assert key.hex() not in said.out + said.err


@pytest.mark.parametrize("text", ["no json", "[]", '{"v":2}', '{"v":1,"wearables":[{"wearable":"00"}]}'])
def test_a_pipe_with_anything_else_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert place.run("enrol", "--from", "-") == 2
    assert capsys.readouterr().err.startswith("pingan: -: ")
    assert set(place.rows()) == {A.handle}


def test_a_file_of_keys_that_others_can_read_is_refused(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = key_file(tmp_path / "set.json", [B.registry_row()], 0o644)
    assert place.run("enrol", "--from", str(file)) == 2
    assert "0644" in capsys.readouterr().err
    place.provisioned(B).chmod(0o640)
    assert place.run("enrol", "--json", shown(B)) == 2
    assert json.loads(capsys.readouterr().out)["reason"] == "private.too_open"
    assert set(place.rows()) == {A.handle}


@pytest.mark.parametrize(
    "arguments", [["enrol"], ["revoke"], ["replace", "x"], ["enrol", "--gateway", "a", "--config", "b", "x"]]
)
def test_what_is_not_said_is_asked_for(place: Place, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main(arguments if "--gateway" in arguments else [*arguments, "--config", str(place.config)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_revoked_forgotten_and_again(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = Wearer("s")
    assert place.run("revoke", shown(A)) == 0
    assert place.rows()[A.handle]["revoked"] is True
    assert place.run("revoke", shown(A)) == 0
    place.provisioned(A)
    assert place.run("enrol", shown(A)) == 2
    assert place.run("revoke", shown(stranger), shown(A)) == 2
    assert place.run("revoke", "--forget", shown(A)) == 0
    assert place.run("enrol", shown(A)) == 0
    assert place.rows() == {A.handle: A.registry_row()}
    lines = capsys.readouterr().out.splitlines()
    assert [shown(A) in line for line in lines] == [True, True, True, False, True, True, True]
    assert shown(stranger) in lines[3]
    assert "no such wearable" in lines[3]


def test_one_command_replaces_a_lost_one_in_its_role(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for wearer in (B, C):
        place.provisioned(wearer)
    assert place.run("replace", shown(A), shown(B)) == 0
    assert place.rows()[A.handle]["revoked"] is True
    assert place.rows()[B.handle] == {**B.registry_row(), "role": "home"}
    assert place.run("enrol", shown(B), "--role", "roaming") == 0
    assert place.run("replace", shown(B), shown(C)) == 0
    assert place.rows()[C.handle]["role"] == "roaming"
    assert place.run("enrol", shown(C), "--role", "worker") == 0
    assert place.rows()[C.handle]["role"] == "worker"
    assert place.run("enrol", shown(C), "--role", "roaming") == 0
    # Once more is no harm: who was cut off does it again.
    assert place.run("replace", shown(B), shown(C)) == 0
    capsys.readouterr()
    before = place.keys.read_bytes()
    for old, new, about in ((Wearer("s"), C, "s"), (C, Wearer("m"), "m")):
        assert place.run("replace", "--json", shown(old), shown(new)) == 2
        (row,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (row["of"], row["state"]) == (shown(Wearer(about)), "refused")
    assert place.run("replace", shown(C), shown(C)) == 2
    assert place.keys.read_bytes() == before


def test_a_gateway_that_is_named_by_its_socket_must_run(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["revoke", "--gateway", str(tmp_path / "none.sock"), shown(A)]) == 2
    said = capsys.readouterr()
    assert "none.sock" in said.err
    assert said.out == ""
    assert "revoked" not in place.rows()[A.handle]


def test_a_gateway_without_a_key_file_gets_one_and_without_a_directory_none(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.provisioned(B)
    place.keys.unlink()
    assert place.run("enrol", shown(B)) == 0
    assert set(registry.load(place.keys)) == {B.handle}
    place.keys.unlink()
    place.keys.parent.rmdir()
    assert place.run("enrol", shown(B)) == 2
    assert str(place.keys) in capsys.readouterr().err


def test_two_hundred_go_in_few_writes_and_one_that_is_wrong_stops_none(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [Wearer(f"n{n}") for n in range(150)]
    rows = [wearer.registry_row() for wearer in many]
    file = key_file(tmp_path / "set.json", rows)
    writes: list[int] = []
    change = gateway.key_file.change
    monkeypatch.setattr(
        gateway.key_file, "change", lambda path, wanted, **more: (writes.append(1), change(path, wanted, **more))[1]
    )
    assert place.run("enrol", "--from", str(file)) == 0
    assert (len(writes), len(place.rows())) == (2, 151)
    assert place.run("revoke", shown(many[7])) == 0
    capsys.readouterr()
    assert place.run("enrol", "--json", "--from", str(file)) == 2
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(said) == 150
    assert [row["of"] for row in said if row["state"] == "refused"] == [shown(many[7])]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
def test_roots_hand_leaves_the_file_the_gateways_own(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not below pytest's own directory, into which nobody else may look.
    directory = Path(tempfile.mkdtemp(prefix="pingan-enrol-"))
    try:
        directory.chmod(0o711)
        monkeypatch.setenv("XDG_DATA_HOME", str(directory / "data"))
        place = Place(directory, A)
        place.provisioned(B)
        for path in (place.keys.parent, place.keys):
            os.chown(path, 12345, 12346)
        assert place.run("replace", shown(A), shown(B)) == 0
        found = place.keys.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (12345, 12346, 0o600)
        assert (os.geteuid(), os.getegid()) == (0, 0)
        assert place.rows()[A.handle]["revoked"] is True
    finally:
        shutil.rmtree(directory)


def test_who_is_not_root_writes_as_himself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_owner.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(as_owner.os, "seteuid", lambda uid: pytest.fail("nobody may change"))
    with as_owner.owner_of(tmp_path):
        pass
