"""What the broker delivers is as untrusted as the radio."""

from __future__ import annotations

import json
import random

import pytest

from edge_daemon.uplinks import answers
from edge_daemon.uplinks.payload import result
from protocol import codes

EVENT = "00112233445566aa-000007"
READERS = (answers.read_answers, answers.read_strangers, answers.read_command)


def _answers(*rows: object) -> bytes:
    return json.dumps({"v": 1, "answers": list(rows)}).encode()


def test_a_life_sign_is_ours_and_of_this_version_or_none() -> None:
    answers.read_alive(b'{"v":1,"gateway":"gw-1","more":[]}', "gw-1")
    for data in (b"", b"{}", b'{"v":1}', b'{"v":true,"gateway":"gw-1"}', b'{"v":1,"gateway":["gw-1"]}', b"[" * 5000):
        with pytest.raises(answers.NotUnderstood):
            answers.read_alive(data, "gw-1")


def test_each_word_of_the_contract_is_understood() -> None:
    words = {"accepted": 2, "answered": 3, "closed": 4, "busy": 6, "refused": 7}
    for word, stage in words.items():
        (answer,) = answers.read_answers(_answers({"event": EVENT, "answer": word}))
        assert (answer.wearable, answer.number, answer.stage) == ("00112233445566aa", 7, stage)
    for reason, code in {
        "unknown_wearable": 1,
        "revoked": 2,
        "not_understood": 3,
        "of its own": 255,
        None: 255,
        ("revoked",): 255,
        True: 255,
    }.items():
        (answer,) = answers.read_answers(_answers({"event": EVENT, "answer": "refused", "reason": reason}))
        assert answer.reason == code
    (answer,) = answers.read_answers(_answers({"event": EVENT, "answer": "accepted", "reason": "revoked"}))
    assert answer.reason == codes.REASON_NONE


def test_rows_that_are_not_of_the_contract_are_left_out_and_the_rest_counts() -> None:
    good = {"event": EVENT, "answer": "accepted", "news_of_version_2": [1]}
    bad: list[object] = [
        None,
        7,
        "accepted",
        [],
        {},
        {"event": EVENT},
        {"event": EVENT, "answer": "ACCEPTED"},
        {"event": EVENT, "answer": ["accepted"]},
        {"event": EVENT.upper(), "answer": "accepted"},
        {"event": EVENT + "\n", "answer": "accepted"},
        {"event": EVENT.replace("7", "٧"), "answer": "accepted"},
        {"event": 7, "answer": "accepted"},
    ]
    assert len(answers.read_answers(_answers(*bad, good, *bad))) == 1


@pytest.mark.parametrize("seconds", [-1, 601, 1e999, float("nan"), True, "5", None, [], {}])
def test_an_impossible_wait_is_no_wait(seconds: object) -> None:
    (answer,) = answers.read_answers(_answers({"event": EVENT, "answer": "busy", "retry_after_s": seconds}))
    assert answer.retry_after_s is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff\xfe\x00",
        b"\x00",
        b'{"v": 2}',
        b'{"v": true, "answers": [], "frames": [], "command": "c-1", "name": "heartbeat"}',
        b'{"v": "1", "answers": [], "frames": [], "command": "c-1", "name": "heartbeat"}',
        b'{"v": 1}',
        b'{"v": 1, "answers": {}, "frames": 1, "command": 1}',
        b'{"v": 1, "answers": ' + b"[" * 100_000,
        b'{"v": ' + b"9" * 5000 + b"}",
        '{"v": 1, "answers": [], "frames": [], "command": "c-1"}'.encode("utf-16"),
        '{"v": 1, "answers": [], "frames": [], "command": "c-1"}'.encode("utf-32-le"),
        b'\xef\xbb\xbf{"v": 1, "answers": [], "frames": [], "command": "c-1"}',
        b'{"v": 1, "answers": [], "frames": [], "command": "c-1", "name": "\xed\xa0\x80"}',
        b"{" + b" " * (answers.SIZE_MAX + 1) + b"}",
    ],
)
def test_what_is_no_message_is_not_understood(data: bytes) -> None:
    for read in READERS:
        with pytest.raises(answers.NotUnderstood):
            read(data)


def test_any_bytes_are_read_or_not_understood_and_nothing_else() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    genuine = [
        _answers({"event": EVENT, "answer": "busy", "retry_after_s": 5}, {"event": EVENT, "answer": "refused"}),
        json.dumps({"v": 1, "frames": [{"rid": "00" * 8, "frame": "18" * 30}]}).encode(),
        json.dumps(
            {"v": 1, "command": "c-1", "name": "locate", "wearable": EVENT[:16], "args": {"seconds": 3}}
        ).encode(),
    ]
    for _ in range(3000):
        data = bytearray(chance.choice(genuine))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        for read in READERS:
            try:
                read(bytes(data))
            except answers.NotUnderstood:
                continue


def test_strangers_frames_of_impossible_size_or_direction_are_left_out() -> None:
    rows = [
        {"rid": "00" * 8, "frame": "18" * 17},
        {"rid": "00" * 7, "frame": "18" * 17},
        {"rid": "00" * 8, "frame": "18" * 16},
        {"rid": "00" * 8, "frame": "18" * 257},
        {"rid": "00" * 8, "frame": "11" * 17},
        {"rid": "00" * 8, "frame": "zz"},
        {"rid": "00 " * 8, "frame": "18" * 17},
        {"rid": "00" * 8, "frame": "1A" * 17},
        {"rid": None, "frame": None},
    ]
    found = answers.read_strangers(json.dumps({"v": 1, "frames": rows}).encode())
    assert [row.frame for row in found] == [bytes.fromhex("18" * 17)]


@pytest.mark.parametrize("command", ["", "x" * 65, "\ud800", "line\nfeed", 7, None])
def test_a_command_that_could_not_be_answered_is_not_taken(command: object) -> None:
    with pytest.raises(answers.NotUnderstood):
        answers.read_command(json.dumps({"v": 1, "command": command, "name": "heartbeat"}).encode())


def test_a_command_is_read_with_its_defaults_and_can_be_answered() -> None:
    data = {"v": 1, "command": "c-1", "name": "locate", "wearable": EVENT[:16]}
    command = answers.read_command(json.dumps(data).encode())
    assert (command.seconds, command.expires_s, command.understood) == (10, 3600.0, True)
    assert json.loads(result("gw-1", command.command, "queued", None))["command"] == "c-1"
