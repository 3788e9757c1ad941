"""The text of an SMS: what it says comes back, it is safe on the way, and any text at all is read or refused."""

from __future__ import annotations

import os
import random
import re

import pytest

from protocol import kinds
from protocol.sms_text import AGE_MOST_S, SIZE_MOST, SmsEvent, SmsTextRefused, pack, parse
from tests.protocol.test_contract import PLATFORM

README = (PLATFORM / "README.md").read_text(encoding="utf-8")
EVENT = "1d4f35debd828018-00000c"
# 3GPP TS 23.038, 6.2.1: those of the default alphabet that have the number that ASCII gives them.
GSM_IS_ASCII = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&'()*+,-./:;<=>?",
)
KINDS = [*kinds.BY_CODE.values(), kinds.UNKNOWN]


def said(**given: object) -> SmsEvent:
    values = {"gateway": "gw-test-1", "event": EVENT, "kind": "sos", "age_s": 12, "age_quality": "exact"}
    return SmsEvent(**{**values, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("quality", ["exact", "coarse", "at_least", "unknown"])
@pytest.mark.parametrize("gateway", ["g", "g" * 64])
def test_each_kind_fits_and_comes_back(kind: kinds.Kind, quality: str, gateway: str) -> None:
    one = said(
        gateway=gateway,
        kind=kind.name,
        age_s=None if quality == "unknown" else AGE_MOST_S,
        age_quality=quality,
        contact_id=kind.contact_id or "",
        restore=kind.restore and kind.contact_id is not None,
        test=kind.test,
        refers_to="1d4f35debd828018-00000b" if kind.name == "sos_cancelled" else None,
    )
    text = pack(one)
    assert len(text) <= SIZE_MOST
    assert set(text) <= GSM_IS_ASCII
    read = vars(parse(text))
    wanted = vars(one)
    if " c=" not in text:
        wanted = {**wanted, "contact_id": "", "restore": False}
        assert len(gateway) == 64 or kind.contact_id is None
    assert read == wanted


def test_an_age_beyond_all_is_over_and_a_negative_one_is_now() -> None:
    old = parse(pack(said(age_s=10**9)))
    assert (old.age_s, old.age_quality) == (AGE_MOST_S, "at_least")
    assert parse(pack(said(age_s=-5))).age_s == 0


@pytest.mark.parametrize(
    "given",
    [
        {"event": "x"},
        {"event": EVENT.upper()},
        {"gateway": "a b"},
        {"gateway": "g" * 65},
        {"gateway": ""},
        {"kind": "sos\r\nPINGAN1"},
        {"kind": "李"},
        {"kind": "k" * 41},
        {"contact_id": "1 1"},
        {"refers_to": "1d4f35debd828018-00000"},
        {"refers_to": "2d4f35debd828018-00000b"},
    ],
)
def test_what_is_not_of_the_contract_is_not_packed(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not an event|^event$"):
        pack(said(**given))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "foreign"),
        ("   \r\n", "foreign"),
        ("Your balance is 3.20", "foreign"),
        ("gw=a PINGAN1 ev=" + EVENT, "foreign"),
        ("PINGAN2 ev=" + EVENT, "version"),
        ("PINGAN1", "event"),
        ("PINGAN1 gw=a k=sos age=1s", "event"),
        ("PINGAN1 ev=1d4f35debd828018-00000", "event"),
        ("PINGAN1 ev=1d4f35debd828018_00000c", "event"),
        ("PINGAN1 ev=" + "٣" * 16 + "-00000c", "event"),
    ],
)
def test_what_is_no_event_of_ours_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SmsTextRefused) as refused:
        parse(text)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("rest", "wanted"),
    [
        ("", {"kind": "not_understood", "age_s": None, "age_quality": "unknown", "gateway": "", "test": False}),
        ("k=SOS age=-1s", {"kind": "not_understood", "age_s": None, "age_quality": "unknown"}),
        ("age=1234567s", {"age_s": None}),
        ("age=٣s", {"age_s": None}),
        ("age=over-s", {"age_s": None, "age_quality": "unknown"}),
        ("k=later-kind zz=1 junk = =", {"kind": "later_kind"}),
        ("k=sos k=test-by-hand", {"kind": "sos"}),
        ("c=X101", {"contact_id": "", "restore": False}),
        ("test=true", {"test": False}),
        ("test=1", {"test": True}),
        ("re=zz", {"refers_to": None}),
        ("re=00000B", {"refers_to": "1d4f35debd828018-00000b"}),
    ],
)
def test_what_else_is_wrong_costs_no_event(rest: str, wanted: dict[str, object]) -> None:
    read = parse(f"  PINGAN1   ev={EVENT.upper()}\r\n{rest} ")
    assert read.event == EVENT
    assert wanted.items() <= vars(read).items()


def test_any_text_is_read_or_refused() -> None:
    seed = int(os.getenv("PINGAN_SEED") or int.from_bytes(os.urandom(3), "big"))
    print("PINGAN_SEED =", seed)
    rng = random.Random(seed)
    whole = pack(said(kind="no_motion_after_fall", contact_id="120", test=True, refers_to=EVENT))
    read = 0
    for _ in range(5000):
        text = list(whole)
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(text) + 1)
            text[at : at + rng.randrange(3)] = rng.choice([*whole, "\x00", "\n", "é", "𝟏", "=", " ", "_", "\ud800"])
        try:
            one = parse("".join(text))
        except SmsTextRefused:
            continue
        read += 1
        assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{6}", one.event)
        assert re.fullmatch(r"[a-z0-9_]{1,40}", one.kind)
        assert re.fullmatch(r"[a-z0-9-]{0,64}", one.gateway)
        assert (one.age_s is None) == (one.age_quality == "unknown")
    assert read > 100


def test_the_texts_of_the_specification_are_read_as_it_says() -> None:
    section = README.partition("## 9b. SMS")[2].partition("\n## ")[0]
    texts = re.findall(r"^    (PINGAN1 .+)$", section, re.MULTILINE)
    assert len(texts) == 2
    first, second = [parse(text) for text in texts]
    assert (first.gateway, first.event, first.kind) == ("gw-test-1", EVENT, "sos")
    assert (first.contact_id, first.age_s, first.age_quality, first.test) == ("101", 12, "exact", False)
    assert (second.kind, second.age_quality, second.refers_to) == ("sos_cancelled", "at_least", EVENT)
    assert [pack(one) for one in (first, second)] == texts
    for word in ("gw", "ev", "k", "c", "age", "re", "test"):
        assert f"| `{word}=` |" in section, word
