"""Who may read what: secrets of others are refused, our own state is for us alone."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_daemon import private
from edge_daemon.errors import Refusal
from hil_tests.broker.mosquitto import Broker
from protocol import codes

from .home import WiredWearable, home
from .platform_end import platform
from .wearer import Wearer

# Debian's nobody; any user that is neither root nor us.
STRANGER = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    return _secret(tmp_path / "test_only_secret")


def _secret(path: Path, mode: int = 0o600) -> Path:
    path.write_text("test_only")
    path.chmod(mode)
    return path


def _refused(path: Path) -> Refusal:
    with pytest.raises(Refusal) as refused:
        private.read(path)
    assert refused.value.params["file"] == path
    assert "test_only" not in str({**refused.value.params, "file": ""})
    return refused.value


def test_a_secret_of_ours_is_read(secret: Path) -> None:
    assert private.read(secret) == b"test_only"
    secret.chmod(0o400)
    assert private.read(secret) == b"test_only"


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o666, 0o777])
def test_a_secret_that_anybody_else_may_touch_is_refused(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    refusal = _refused(secret)
    assert (refusal.key, refusal.params["mode"]) == ("private.too_open", f"{mode:04o}")


def test_what_is_missing_or_no_file_is_refused_and_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    assert _refused(tmp_path / "none").key == "private.unreadable"
    (tmp_path / "directory").mkdir(mode=0o700)
    assert _refused(tmp_path / "directory").key == "private.no_file"
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert _refused(tmp_path / "pipe").key == "private.no_file"
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    assert _refused(tmp_path / "nowhere").key == "private.unreadable"
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert _refused(tmp_path / "circle").key == "private.unreadable"


def test_a_link_is_followed_to_a_file_that_is_judged_itself(tmp_path: Path, secret: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret)
    assert private.read(link) == b"test_only"
    secret.chmod(0o644)
    assert _refused(link).key == "private.too_open"


def test_a_secret_that_everybody_can_exchange_is_refused(tmp_path: Path) -> None:
    common = tmp_path / "common"
    common.mkdir()
    secret = _secret(common / "secret")
    link = tmp_path / "link"
    link.symlink_to(secret)
    common.chmod(0o777)
    for path in (secret, link):
        refusal = _refused(path)
        assert (refusal.key, refusal.params["directory"]) == ("private.open_directory", common)
    # As /tmp is: nobody can take away what is another's there.
    common.chmod(0o1777)
    assert private.read(secret) == b"test_only"


@as_root
def test_the_secret_or_the_link_of_another_user_is_refused(tmp_path: Path, secret: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(secret)
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    refusal = _refused(link)
    assert (refusal.key, refusal.params["owner"]) == ("private.wrong_owner", STRANGER)
    os.chown(secret, STRANGER, -1)
    assert _refused(secret).key == "private.wrong_owner"


@as_root
def test_the_state_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, STRANGER, -1)
    with pytest.raises(Refusal) as refused:
        private.own_directory(tmp_path)
    assert refused.value.key == "private.wrong_owner"
    os.chown(tmp_path, os.geteuid(), -1)


def test_our_own_state_is_narrowed_and_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = _secret(tmp_path / "elsewhere", 0o644)
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o755)
    _secret(state / "journal.sqlite3", 0o644)
    _secret(state / "journal.sqlite3-wal", 0o600)
    (state / "link").symlink_to(elsewhere)
    with caplog.at_level(logging.WARNING):
        private.own_directory(state)
    assert [_mode(path) for path in (state, state / "journal.sqlite3", state / "journal.sqlite3-wal")] == [
        0o700,
        0o600,
        0o600,
    ]
    assert _mode(elsewhere) == 0o644, "a link in it leads nowhere"
    assert [record.message for record in caplog.records] == ["mode_narrowed"] * 2
    private.own_directory(tmp_path / "a" / "new" / "one")
    assert _mode(tmp_path / "a" / "new" / "one") == 0o700


def test_a_directory_that_others_need_is_not_taken_from_them(tmp_path: Path) -> None:
    everybodys = tmp_path / "var-lib"
    (everybodys / "somebody").mkdir(parents=True)
    program = _secret(everybodys / "program", 0o755)
    everybodys.chmod(0o755)
    with pytest.raises(Refusal) as refused:
        private.own_directory(everybodys)
    assert (refused.value.key, refused.value.params["found"]) == ("private.not_ours", "program")
    assert (_mode(everybodys), _mode(program)) == (0o755, 0o755)
    _secret(everybodys / "journal.sqlite3", 0o644)
    private.own_directory(everybodys)
    assert (_mode(everybodys), _mode(program)) == (0o700, 0o755), "it has been a gateway's before"


def test_a_state_directory_that_cannot_be_made_lets_alarms_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    private.own_directory(tmp_path / "file" / "state")
    assert [record.message for record in caplog.records] == ["state_directory_unusable"]


def test_a_file_that_decides_whom_we_believe_is_not_everybodys_to_write(tmp_path: Path, secret: Path) -> None:
    secret.chmod(0o664)
    private.check_trusted(secret)
    private.check_trusted(tmp_path / "none")
    secret.chmod(0o646)
    with pytest.raises(Refusal) as refused:
        private.check_trusted(secret)
    assert refused.value.key == "private.writable"


def _umask(pid: int) -> int:
    """As the kernel has it (proc(5))."""
    rows = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    return int(rows["Umask"], 8)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous_umask")
async def test_everything_the_running_gateway_writes_is_its_own(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o755)
    wearer = Wearer()
    with Broker() as broker:
        async with platform(broker.port) as there, home(tmp_path, broker.port, wearer) as gateway:
            # Made under the same umask, it would be anybody's to write, and refused.
            gateway.config.chmod(0o644)
            wearable = WiredWearable(tmp_path, wearer)
            try:
                await gateway.start()
                await wearable.until(wearable.press(), codes.ACCEPTED)
            finally:
                wearable.close()
            assert len(there.incidents) == 1
            assert _umask(gateway.process.pid) == 0o077
            found = {path.name: _mode(path) for path in state.iterdir()}
            assert _mode(state) == 0o700
            assert any(name.endswith("-wal") for name in found)
            assert {name: mode for name, mode in found.items() if mode != 0o600} == {}
