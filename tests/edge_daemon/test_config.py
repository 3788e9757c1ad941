"""Configuration and key file: what is wrong is refused in one error that names file, key and remedy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from edge_daemon import config, registry
from edge_daemon.errors import Refusal

from .wearer import Wearer


def test_every_default_is_shown_and_reads_back_as_itself(tmp_path: Path) -> None:
    commented: list[str] = []

    def comment(key: str) -> str:
        commented.append(key)
        return f"{key}\nin two lines"

    text = config.as_toml(config.Config(), comment)
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    assert config.load(path) == config.Config()
    for section in dataclasses.fields(config.Config):
        for key in dataclasses.fields(getattr(config.Config(), section.name)):
            assert f"config.{section.name}.{key.name}" in commented
            assert f"\n{key.name} = " in text


@pytest.mark.parametrize(
    ("text", "key", "named"),
    [
        ("[gateway", "config.not_toml", {}),
        ("[radio]\n", "config.unknown_section", {"section": "radio"}),
        ("gateway = 1\n", "config.not_a_section", {"section": "gateway"}),
        ("[gateway]\nidd = 'x'\n", "config.unknown_key", {"key": "gateway.idd"}),
        ("[platform]\nport = 'x'\n", "config.wrong_type", {"key": "platform.port"}),
        ("[platform]\nport = true\n", "config.wrong_type", {"key": "platform.port"}),
        ("[serial]\nports = [1]\n", "config.wrong_type", {"key": "serial.ports"}),
        ("[platform]\nport = 65536\n", "config.out_of_range", {"key": "platform.port"}),
        ("[platform]\nport = 0\n", "config.out_of_range", {"key": "platform.port"}),
        ("[platform]\nhost = ''\n", "config.bad_host", {"key": "platform.host"}),
        ("[platform]\nhost = 'a..b'\n", "config.bad_host", {"key": "platform.host"}),
        ("[platform]\nreconnect_most_s = 0\n", "config.out_of_range", {"key": "platform.reconnect_most_s"}),
        ("[platform]\nreconnect_most_s = nan\n", "config.out_of_range", {"key": "platform.reconnect_most_s"}),
        ("[wearables]\nwide_searches_per_s = 0\n", "config.out_of_range", {"key": "wearables.wide_searches_per_s"}),
        ("[forwarder]\nkeep_closed_days = 0\n", "config.out_of_range", {"key": "forwarder.keep_closed_days"}),
        ("[gateway]\nid = 'a/b'\n", "config.bad_name", {"key": "gateway.id"}),
        ("[gateway]\narea = ''\n", "config.bad_name", {"key": "gateway.area"}),
        ("[platform]\ntls = false\nhost = 'broker.example'\n", "config.plain_mqtt", {"key": "platform.tls"}),
        (
            "[backup]\nenabled = true\ntls = false\nhost = 'broker.example'\n",
            "config.plain_mqtt",
            {"key": "backup.tls"},
        ),
        ("[backup]\nenabled = true\nhost = 'a..b'\n", "config.bad_host", {"key": "backup.host"}),
        ("[backup]\nenabled = true\nbind_address = 'wwan0'\n", "config.bad_address", {"key": "backup.bind_address"}),
        ("[platform]\nbind_address = '10.0.0.256'\n", "config.bad_address", {"key": "platform.bind_address"}),
        ("[ways]\nmisses = 0\n", "config.out_of_range", {"key": "ways.misses"}),
        ("[sms]\nenabled = true\nnumbers = ['+8613800138000']\n", "config.sms_incomplete", {"key": "sms.port"}),
        ("[sms]\nenabled = true\nport = '/dev/ttyUSB2'\n", "config.sms_incomplete", {"key": "sms.numbers"}),
        ("[sms]\nnumbers = ['+8613800138000', '13800138000']\n", "config.bad_number", {"place": 2}),
        ("[sms]\nnumbers = ['+86 138']\n", "config.bad_number", {"place": 1}),
        ("[sms]\nnumbers = ['+861380013\u0663']\n", "config.bad_number", {"place": 1}),
        ('[sms]\nnumbers = ["+8613800138000\\r"]\n', "config.bad_number", {"place": 1}),
        ("[sms]\nnumbers = ['+8613800138000', '+8613800138000']\n", "config.numbers_twice", {"key": "sms.numbers"}),
        ("[sms]\nmost_per_hour = 0\n", "config.out_of_range", {"key": "sms.most_per_hour"}),
        ("[gateway]\nlog_level = 'LOUD'\n", "config.not_one_of", {"key": "gateway.log_level"}),
    ],
)
def test_bad_config_is_refused_by_name(tmp_path: Path, text: str, key: str, named: dict[str, object]) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Refusal) as refused:
        config.load(path)
    assert refused.value.key == key
    assert refused.value.params["file"] == path
    assert named.items() <= refused.value.params.items()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        config.load(tmp_path / "none.toml")
    assert refused.value.key == "config.unreadable"


def key_file(path: Path, rows: object, mode: int = 0o600) -> Path:
    path.write_text(json.dumps({"v": 1, "wearables": rows}))
    path.chmod(mode)
    return path


def test_the_key_file_is_read_and_its_keys_never_show_in_a_repr(tmp_path: Path) -> None:
    wearer = Wearer()
    wearables = registry.load(key_file(tmp_path / "keys.json", [wearer.registry_row()]))
    assert wearables[wearer.handle].up == wearer.keys.up
    assert wearer.keys.up.hex() not in repr(wearables)
    assert repr(wearer.keys.up) not in repr(wearables)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Refusal) as refused:
        registry.load(key_file(tmp_path / "keys.json", [Wearer().registry_row()], mode))
    assert refused.value.key == "private.too_open"
    assert refused.value.params["mode"] == f"{mode:04o}"


@pytest.mark.parametrize(
    "row",
    [
        {"wearable": "00"},
        {**Wearer().registry_row(), "up": "zz"},
        {**Wearer().registry_row(), "down": "00"},
        {**Wearer().registry_row(), "id": 5},
        "row",
    ],
)
def test_a_bad_row_is_named_by_its_place_and_its_keys_are_not_quoted(tmp_path: Path, row: object) -> None:
    with pytest.raises(Refusal) as refused:
        registry.load(key_file(tmp_path / "keys.json", [Wearer("ok").registry_row(), row]))
    assert refused.value.key == "registry.bad_row"
    assert refused.value.params["number"] == 2
    assert Wearer().keys.up.hex() not in str(refused.value)


def test_the_same_wearable_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        registry.load(key_file(tmp_path / "keys.json", [Wearer().registry_row()] * 2))
    assert refused.value.key == "registry.twice"


def test_every_number_has_its_limits(tmp_path: Path) -> None:
    default = config.Config()
    for section in dataclasses.fields(default):
        part = getattr(default, section.name)
        for key in dataclasses.fields(part):
            value = getattr(part, key.name)
            if type(value) not in (int, float):
                continue
            path = tmp_path / "gateway.toml"
            path.write_text(f"[{section.name}]\n{key.name} = {type(value)(1e12)}\n", encoding="utf-8")
            with pytest.raises(Refusal) as refused:
                config.load(path)
            assert refused.value.key == "config.out_of_range"
            assert refused.value.params["key"] == f"{section.name}.{key.name}"
