"""The command: its help, its exit codes, and refusals as one line in the person's language."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from edge_daemon import config
from tools import cli


def test_the_shown_configuration_is_a_file_that_means_the_defaults(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for lang in ("en", "zh"):
        assert cli.main(["--lang", lang, "gateway", "config"]) == 0
        file = tmp_path / f"{lang}.toml"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        assert config.load(file) == config.Config()


def test_a_file_is_shown_with_its_defaults_filled_in(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[gateway]\nid = "gw-7"\n')
    assert cli.main(["gateway", "config", "--config", str(file)]) == 0
    shown = capsys.readouterr().out
    assert 'id = "gw-7"' in shown
    assert "keepalive_s = " in shown


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_bad_configuration_is_refused_in_one_line_that_names_file_key_and_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lang: str
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("[platform]\nprot = 8883\n")
    assert cli.main(["--lang", lang, "gateway", "run", "--config", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    for part in (str(file), "platform.prot", "port"):
        assert part in said.err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["gateway"], ["gateway", "config", "--loud"], ["--lang", "fr", "bench"]]
)
def test_bad_arguments_are_refused_with_exit_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main(arguments) == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_help_names_every_command(capsys: pytest.CaptureFixture[str], lang: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--lang", lang, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("demo", "gateway", "desk", "bench"))


@pytest.mark.parametrize(
    ("arguments", "chinese", "english"),
    [
        (["--help"], "用法：", "usage"),
        (["gateway", "config", "--help"], "显示本帮助并退出", "show this"),
        (["gateway", "config", "--loud"], "无法识别的参数", "unrecognized"),
        (["bench", "--lang"], "无法识别的参数", "unrecognized"),
    ],
)
def test_what_argparse_says_is_in_the_persons_language_too(
    capsys: pytest.CaptureFixture[str], arguments: list[str], chinese: str, english: str
) -> None:
    for lang, there, not_there in (("zh", chinese, english), ("en", english, chinese)):
        with contextlib.suppress(SystemExit):
            cli.main(["--lang", lang, *arguments])
        said = "".join(capsys.readouterr())
        assert there in said
        assert not_there not in said
