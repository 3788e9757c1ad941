"""`pingan provision` over a cable to a real MicroPython: what it does, what it refuses, what each end finds."""

from __future__ import annotations

import json
import os
import select
import time
import tty

import pytest

from hil_tests.wearable.provision import identity_record
from protocol import serial_link
from protocol.frame import UpOpener, rolling_id
from protocol.keys import derive
from protocol.rolling import RollingIds
from tests.tools.provision.conftest import BOARD, RECORDS_AT, RECORDS_SIZE, KitBench, PulledOn, on_board
from tools import image
from tools.label import code
from tools.provision import identity

WITHIN_S = 20.0


def test_a_bare_board_becomes_a_locked_wearable_with_a_record(bench: KitBench) -> None:
    near, far = os.openpty()
    tty.setraw(far)
    try:
        board = bench.flashed("a", serial=os.ttyname(far))
        ran = bench.provision(board, more=("--png", str(bench.directory), "--roll", str(bench.directory / "r.pdf")))
        assert ran.code == 0
        handle = ran.verdict["wearable"]
        assert ran.verdict["state"] == "done"
        assert (ran.verdict["code"], ran.verdict["replaces"]) == (code.of_handle(handle), None)
        assert ran.verdict["hardware"] == "6055f9000001"
        assert (bench.directory / f"{ran.verdict['code']}.png").exists()
        assert (bench.directory / "r.pdf").exists()
        root = bench.imported()[handle]
        keys = derive(root)
        (row,) = json.loads((bench.store / "enrolments" / f"{handle}.json").read_text())["wearables"]
        assert row == {"wearable": handle, "up": keys.up.hex(), "down": keys.down.hex(), "id": keys.id.hex()}
        assert bench.files("pending") == []
        # The release runs, under these keys: its first heartbeat comes out of its serial line.
        frame = _first_frame(near)
        counter = RollingIds(keys.id).find_any({rolling_id(frame)}, 0, 2048)[rolling_id(frame)]
        assert counter > 0, "0 was the proof's"
        assert UpOpener(keys.up).open(frame, counter)
        board.pull()
        assert on_board(board)[0] == handle
    finally:
        os.close(near)
        os.close(far)


def _first_frame(line: int) -> bytes:
    reader = serial_link.Decoder()
    until_s = time.monotonic() + WITHIN_S
    while True:
        left_s = until_s - time.monotonic()
        assert left_s > 0, "no frame came"
        if select.select([line], [], [], left_s)[0]:
            for frame in reader.feed(os.read(line, 4096)):
                return bytes(frame)


def test_the_record_on_the_cable_is_the_firmwares() -> None:
    keys = derive(b"test_only_root__")
    assert identity.record(keys) == identity_record(keys)


def test_the_keys_are_different_each_time_and_a_second_run_is_refused(bench: KitBench) -> None:
    boards = [bench.flashed(name, number) for number, name in enumerate("ab", 1)]
    ran = bench.provision(*boards, more=("--no-lock",))
    assert ran.code == 0
    handles = {row["wearable"] for row in ran.verdicts.values()}
    assert len(handles) == 2
    again = bench.provision(*boards, more=("--no-lock",))
    assert again.code == 2
    for port, row in again.verdicts.items():
        assert (row["state"], row["reason"]) == ("refused", "provision.already")
        assert row["code"] == ran.verdicts[port]["code"]
    assert set(bench.files("records")) == handles
    assert bench.files("pending") == []


def test_a_replaced_board_has_a_new_identity_and_the_old_one_is_revoked(bench: KitBench) -> None:
    board = bench.flashed("a")
    first = bench.provision(board, more=("--no-lock",)).verdict["wearable"]
    ran = bench.provision(board, more=("--no-lock", "--replace"))
    assert ran.code == 0
    assert ran.verdict["replaces"] == first
    second = ran.verdict["wearable"]
    assert second != first
    assert bench.live() == {"6055f9000001": second}
    assert json.loads((bench.store / "records" / f"{second}.json").read_text())["replaces"] == first
    assert set(bench.imported()) == {first, second}
    board.pull()
    assert on_board(board)[0] == second


def test_what_another_kit_had_made_is_told_to_be_revoked(bench: KitBench) -> None:
    board = bench.flashed("a")
    first = bench.provision(board, more=("--no-lock",)).verdict["wearable"]
    other = ("--no-lock", "--replace", "--store", str(bench.directory / "other"))
    ran = bench.provision(board, more=other)
    assert ran.code == 0
    assert (ran.verdict["reason"], ran.verdict["old"]) == ("provision.done_elsewhere", code.of_handle(first))


def test_what_a_cut_run_was_replacing_is_not_forgotten_though_the_board_has_forgotten_it(bench: KitBench) -> None:
    """Another kit made the old identity, so that only what is pending knows of it."""
    faults = PulledOn(word=b"_here.question(")
    board = bench.flashed("a", faults=faults)
    faults.armed = False
    first = bench.provision(board, more=("--no-lock",)).verdict["wearable"]
    other = ("--no-lock", "--replace", "--store", str(bench.directory / "other"))
    faults.armed = True
    assert bench.provision(board, more=other).verdict["reason"] == "provision.cable_lost"
    board.pull()
    assert on_board(board)[0] == "", "the old one went before the new one was proved"
    faults.armed, faults.pull_at = False, None
    board.plug()
    ran = bench.provision(board, more=(*other[:1], *other[2:]))
    assert ran.code == 0, "without --replace: the board has nothing that could be replaced"
    assert ran.verdict["replaces"] == first


def test_a_locked_board_gives_no_prompt_and_is_left_as_it_is(bench: KitBench) -> None:
    board = bench.flashed("a")
    handle = bench.provision(board).verdict["wearable"]
    # In a process of its own, where the kernel tells the chip's USB number.
    done = bench.pingan(*bench.arguments(board), "--replace")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert (rows[-1]["reason"], rows[-1]["code"]) == ("provision.locked", code.of_handle(handle))
    assert bench.live() == {"6055f9000001": handle}


def test_a_board_that_was_erased_is_known_by_the_books_and_its_old_identity_revoked(bench: KitBench) -> None:
    board = bench.flashed("a")
    first = bench.provision(board, more=("--no-lock",)).verdict["wearable"]
    board.pull()
    board.flash.erase(RECORDS_AT, RECORDS_SIZE)
    board.plug()
    ran = bench.provision(board, more=("--no-lock",))
    assert ran.code == 0
    assert ran.verdict["replaces"] == first
    assert bench.live() == {"6055f9000001": ran.verdict["wearable"]}


def test_records_that_are_neither_blank_nor_ours_are_never_formatted(bench: KitBench) -> None:
    board = bench.flashed("a")
    board.pull()
    board.flash.program(RECORDS_AT + 0x20000, b"something that somebody may want back")
    before = board.flash.read(RECORDS_AT, RECORDS_SIZE)
    board.plug()
    ran = bench.provision(board)
    assert ran.code == 2
    assert ran.verdict["reason"] == "provision.flash_fails"
    board.pull()
    assert board.flash.read(RECORDS_AT, RECORDS_SIZE) == before
    assert bench.files("pending") == []


def test_a_board_without_our_application_or_with_another_one_is_refused(
    bench: KitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = bench.flashed("a")
    from tools.provision import locking

    monkeypatch.setattr(locking, "_built", {BOARD: ("0" * 16, b"")})
    ran = bench.provision(board)
    assert (ran.code, ran.verdict["reason"]) == (2, "provision.other_application")
    assert ran.verdict["got"] == image.fingerprint(BOARD)
    board.pull()
    board.flash.erase(0x200000, 0x1C0000)
    board.plug()
    ran = bench.provision(board)
    assert (ran.code, ran.verdict["reason"]) == (2, "provision.no_application")
    board.pull()
    assert on_board(board)[0] == ""


def test_a_port_that_another_program_has_is_refused(bench: KitBench) -> None:
    import serial

    board = bench.flashed("a")
    with serial.Serial(board.port, exclusive=True):
        ran = bench.provision(board)
    assert (ran.code, ran.verdict["reason"]) == (2, "provision.port_busy")


def test_a_board_that_restarts_as_it_is_reached_is_reached_all_the_same(bench: KitBench) -> None:
    """As a board without identity does each minute: its port is gone for a moment."""
    import threading

    board = bench.flashed("a")
    board.faults.pull_at = board.faults.odometer + 3

    def comes_again() -> None:
        assert board.pulled.wait(WITHIN_S)
        board.faults.pull_at = None
        board.plug()

    again = threading.Thread(target=comes_again)
    again.start()
    ran = bench.provision(board, more=("--no-lock",))
    again.join()
    assert board.pulled.is_set()
    assert ran.code == 0, ran.said


def test_a_port_with_no_board_and_a_key_that_is_none_are_refused(bench: KitBench) -> None:
    from tools import cli

    public = str(bench.public)
    for arguments in (
        ["--port", "/dev/none", "--platform-key", public],
        ["--port", "/dev/null", "--platform-key", str(bench.private)],
    ):
        assert cli.main(["provision", *arguments, "--store", str(bench.store)]) == 2
