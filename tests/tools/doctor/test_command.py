"""The command: sentences in both languages at 80 columns, JSON for programs, exit codes; a real gateway beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from edge_daemon import config
from hil_tests.house import House
from tools import cli
from tools.doctor import brokers, command, host, links, service
from tools.doctor.finding import DEADLY, GOOD, LEVELS
from tools.messages import LANGUAGES, catalogue


def test_every_sentence_belongs_to_a_finding_and_every_trouble_has_a_remedy() -> None:
    sources = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (brokers, host, links, service))
    sources = sources.replace('f"radio_blocked_{blocked}"', '"radio_blocked_hard" "radio_blocked_soft"')
    for key in [key for key in catalogue() if key.startswith("doctor.found.")]:
        code = key.removeprefix("doctor.found.")
        assert f'"{code}"' in sources
        assert (f"doctor.remedy.{code}" in catalogue()) is not code.endswith("_good")


def _config(directory: Path, port: int) -> Path:
    state = directory / "state"
    state.mkdir(mode=0o700)
    file = directory / "gateway.toml"
    file.write_text(
        f'[gateway]\nid = "gw-1"\narea = "bench"\nstate_dir = "{state}"\n'
        f'[wearables]\nkey_file = "{directory}/none.json"\n[ble]\nenabled = false\n'
        f'[platform]\nhost = "127.0.0.1"\nport = {port}\ntls = false\n'
    )
    return file


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_is_wrong_is_shown_worst_first_with_its_remedy_at_80_columns(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    file = _config(tmp_path, 1)
    assert cli.main(["--lang", lang, "doctor", "--config", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    assert lines[0].startswith(" !!")
    whole = "".join(line.strip() for line in lines)
    assert "127.0.0.1:1" in whole
    assert cli.main(["--lang", lang, "doctor", "--json", "--config", str(file)]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    order = [list(LEVELS.values()).index(row["harm"]) for row in rows]
    assert order == sorted(order)
    assert all(bool(row["remedy"]) is (row["harm"] != LEVELS[GOOD]) for row in rows if not row["unsure"])
    assert {"service_down", "broker_away", "keys_unusable", "no_link"} <= {row["code"] for row in rows}


def test_without_a_configuration_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--config", str(tmp_path / "none.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.timeout(120)
async def test_a_house_that_works_has_nothing_deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    house = await House.build(tmp_path / "house")
    try:
        await house.open_desk()
        pendant = await house.add_wearable("pendant-1", serial=True)
        await house.open_gateway()
        await pendant.hold()
        await pendant.shown("ACCEPTED", within_s=30)
        found = await command.look(config.load(tmp_path / "house" / "gw-1" / "gateway.toml"))
    finally:
        await house.leave()
    deadly = {finding.code for finding in found if finding.harm == DEADLY}
    # The bench has no bluetoothd: bleak there talks to a simulated adapter.
    assert deadly <= {"bus_absent"}
    assert {"service_good", "broker_good", "path_good", "wearables_good", "keys_good"} <= {one.code for one in found}
