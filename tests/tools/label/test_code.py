"""A wearable's code: back and forth, and every slip of whoever reads it aloud."""

from __future__ import annotations

import random

import pytest

from edge_daemon.errors import Refusal
from tools.label import code

HANDLE = "f0f8871521dda5de"
CODE = "PAT-F1Y47-2MGXV-9EY-U"


def test_a_code_is_a_handle_and_back() -> None:
    assert code.of_handle(HANDLE) == CODE
    assert code.handle_of(CODE) == HANDLE
    chance = random.Random(4)
    for handle in ["0" * 16, "f" * 16, *(chance.randbytes(8).hex() for _ in range(500))]:
        assert code.handle_of(code.of_handle(handle)) == handle


def test_the_check_symbol_is_crockfords() -> None:
    """His own page: the value modulo 37, beyond Z the symbols * ~ $ = U."""
    assert code.of_handle("00000000000004d2") == "PAT-00000-00000-16J-D"
    assert [code.of_handle(f"{n:016x}")[-1] for n in (0, 31, 32, 33, 34, 35, 36, 37)] == [*"0Z*~$=U0"]


@pytest.mark.parametrize(
    "said",
    ["pat-f1y47-2mgxv-9ey-u", "F1Y47 2MGXV 9EY U", "PAT-FIY47-2MGXV-9EY-U", "patfLy472mgxv9eyu", f" {CODE}\n",
     HANDLE, HANDLE.upper()],
)  # fmt: skip
def test_people_may_write_it_as_they_do(said: str) -> None:
    assert code.handle_of(said) == HANDLE


def test_a_code_that_begins_with_pat_itself_keeps_it() -> None:
    handle = code.handle_of(code.of_handle(f"{0x0A5_5D_0000000000 | 7:016x}"))
    assert code.handle_of(code.of_handle(handle)[4:]) == handle


def test_each_wrong_symbol_and_each_exchange_of_neighbours_is_seen() -> None:
    chance = random.Random(5)
    for handle in (chance.randbytes(8).hex() for _ in range(20)):
        bare = code.of_handle(handle)[4:].replace("-", "")
        for at in range(13):
            for symbol in "0123456789ABCDEFGHJKMNPQRSTVWXYZ":
                if symbol != bare[at]:
                    _refused(bare[:at] + symbol + bare[at + 1 :])
        for at in range(12):
            if bare[at] != bare[at + 1]:
                _refused(bare[:at] + bare[at + 1] + bare[at] + bare[at + 2 :])


def _refused(said: str) -> None:
    with pytest.raises(Refusal) as refused:
        code.handle_of(said)
    assert refused.value.key in ("label.wrong_check", "label.no_code")


@pytest.mark.parametrize("said", ["", "PAT", "PAT-F1Y47-2MGXV-9EY", CODE + "0", "F1Y47-2MGXV-9EY-ü", "U" * 14])
def test_what_is_no_code_is_refused(said: str) -> None:
    with pytest.raises(Refusal, match=r"label\.no_code"):
        code.handle_of(said)
    with pytest.raises(ValueError):
        code.of_handle("f0f8")
