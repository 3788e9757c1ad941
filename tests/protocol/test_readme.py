"""protocol/README.md against the code: its tables, its constants, and every line of its worked example."""

from __future__ import annotations

import json
import re
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from edge_daemon import admission, commands, config, intake, wide_search
from firmware.sos import orders, testing
from protocol import codes, fragments, frame, keys, kinds, messages, rolling, serial_link
from tests.on_micropython import ROOT

README = (ROOT / "protocol" / "README.md").read_text(encoding="utf-8")
VECTORS = json.loads((ROOT / "tests" / "vectors" / "protocol_v1.json").read_text())


def section(title: str) -> str:
    """The text under the heading that begins with `title`, up to the next of its level or above."""
    level, _, name = title.partition(" ")
    found = re.search(
        rf"^{level} {re.escape(name)}.*?$(.*?)(?=^#{{2,{len(level)}}} |\Z)", README, re.MULTILINE | re.DOTALL
    )
    assert found is not None, title
    return found.group(1)


def tables(text: str) -> list[list[list[str]]]:
    """Each table of a text as rows of cells, headings first; code marks taken off."""
    found: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            if not set(line) <= set("|- "):
                found[-1].append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def example() -> dict[str, str]:
    """The labelled hex lines of section 11."""
    rows = re.findall(r"^([a-z_0-9]+) +([0-9a-f]+)$", section("## 11."), re.MULTILINE)
    assert len(rows) == len(dict(rows)) > 40
    return dict(rows)


def vector(name: str) -> dict[str, str]:
    """A vector by the beginning of its name."""
    (row,) = [row for row in VECTORS["up_frames"] + VECTORS["down_frames"] if row["name"].startswith(name)]
    return dict(row)


def test_the_kinds_are_those_of_the_code() -> None:
    """Every column of every row."""
    (table,) = tables(section("### 6.2"))
    told = {row[0]: row[1:7] for row in table[1:]}
    assert told == {
        f"{kind.code:02x}": [
            kind.name,
            kind.event_class,
            f"{kind.dty}/{kind.stc}",
            kind.lco or "-",
            kind.contact_id or "-",
            "yes" if kind.restore else "-",
        ]
        for kind in kinds.ON_AIR.values()
    }
    numbers = (codes.SOS_CANCELLED, codes.TEST_BY_HAND, codes.FENCE_LEFT, codes.FENCE_ENTERED)
    details = {row[0]: row[7] for row in table[1:] if row[7] != "-"}
    assert set(details) == {f"{code:02x}" for code in (*kinds.DETAILS, *numbers)}
    for code, names in kinds.DETAILS.items():
        assert details[f"{code:02x}"] == ", ".join(f"{number} {name}" for number, name in names.items())


@pytest.mark.parametrize(
    ("place", "prefix"), [(0, ""), (1, ""), (2, "REASON_"), (3, "COMMAND_"), (4, "RESULT_")], ids=str
)
def test_the_numbers_are_those_of_the_code(place: int, prefix: str) -> None:
    """Types, stages, reasons, commands and results: each row is a name of codes.py."""
    table = tables(section("### 6.1"))[place]
    assert len(table) > 2
    for row in table[1:]:
        assert getattr(codes, prefix + row[0]) == int(row[1]), row


def test_no_number_of_the_code_is_missing() -> None:
    """Whatever codes.py names stands in section 6.1, or where its field is described."""
    told = {row[0] for table in tables(section("### 6.1")) for row in table}
    for name in vars(codes):
        if name.startswith(("REASON_", "COMMAND_", "RESULT_")):
            assert name.partition("_")[2] in told, name
    for bit, name in enumerate(("HEARTBEAT_WAITS", "ASKS_STATE", "TRAIL_WAITS")):
        assert f"Bit {bit} `{name}`" in section("### 4.2") and getattr(codes, f"HELLO_{name}") == 1 << bit
    flags = [name.partition("_")[2] for name in vars(codes) if name.startswith("HEARTBEAT_")]
    assert flags == re.findall(r"[Bb]it \d `(\w+)`", section("### 6.3"))
    for bit, name in enumerate(flags):
        assert f"it {bit} `{name}`" in section("### 6.3") and getattr(codes, f"HEARTBEAT_{name}") == 1 << bit
    assert "bit 0 `CANCELS`" in section("### 6.1") and codes.TEST_CANCELS == 1
    for uuid in (codes.SERVICE_UUID, codes.UP_UUID, codes.DOWN_UUID):
        assert uuid in section("### 8.2")


def test_the_heartbeat_is_the_codes() -> None:
    """Written by the table's offsets, read by the code."""
    layout, causes = tables(section("### 6.3"))
    offsets = [(int(row[0]), int(row[1])) for row in layout[1:]]
    values = [86400, 2950, 78, 41000, 0x010203, 1, 7, 2, 1]
    body = bytearray(messages.HEARTBEAT_SIZE)
    for (at, size), value in zip(offsets, values, strict=True):
        body[at : at + size] = value.to_bytes(size, "big")
    assert bytes(body) == messages.pack_heartbeat(86400, 2950, 78, 41000, (1, 2, 3), 7, 2, 1)
    assert [int(row[1]) for row in causes[1:]] == list(range(8))


@pytest.mark.parametrize(
    ("title", "size"),
    [
        ("### 4.1", messages.EVENT_SIZE),
        ("### 4.2", messages.HELLO_SIZE),
        ("### 4.4", messages.RESULT_SIZE),
        ("### 6.3", messages.HEARTBEAT_SIZE),
    ],
)
def test_a_layout_adds_up(title: str, size: int) -> None:
    """No gap, no overlap, and the size that the code has."""
    at = 0
    for row in tables(section(title))[0][1:]:
        if row[1] != "…":
            assert int(row[0]) == at, row
            at += int(row[1])
    assert at == size


def test_what_a_result_of_test_tells_is_the_codes() -> None:
    """Its rows go on where those of every result end."""
    rows = [(int(row[0]), int(row[1])) for row in tables(section("### 4.4"))[1][1:]]
    assert rows == [(3, 3), (6, 1), (7, 2)]
    assert sum(size for _, size in rows) == messages.TESTED_SIZE
    told = messages.Tested(messages.Result(bytes.fromhex(vector("result of command 9")["body"])).more)
    assert (told.number, told.shown, told.took_ms) == (13, codes.CLOSED, 1400)
    assert messages.Result(bytes(messages.RESULT_SIZE)).more == b""


def test_the_bounds_of_test_mode_are_the_firmwares() -> None:
    """Its longest time, in the table and in the text."""
    assert f"0 to {orders.TEST_MOST_S} (more: {orders.TEST_MOST_S};" in section("### 6.1")
    assert f"for up to {orders.TEST_MOST_S // 60} min" in section("### 5.8")
    assert f"every {testing.HELLO_EVERY_MS // 1000} s it says HELLO" in section("### 5.8")


def test_the_tlvs_are_the_codes() -> None:
    """Tags and sizes."""
    (table,) = tables(section("### 4.6"))
    assert [(int(row[0]), int(row[1])) for row in table[1:]] == [
        (codes.TLV_BATTERY_MV, 2),
        (codes.TLV_AGE_MS, 4),
        (codes.TLV_ACTIVITY, len(messages.pack_activity(0, 0, 0))),
        (codes.TLV_SETTINGS, 4),
    ]


def test_the_bounds_in_the_text_are_the_codes() -> None:
    """Frame, serial block, numbers."""
    assert f"17 to {frame.FRAME_MAX} bytes" in section("## 3.") and frame.OVERHEAD == 17
    assert f"0 ≤ n ≤ {frame.BODY_MAX}" in section("## 3.")
    assert f"than {serial_link.ENCODED_MAX} bytes" in " ".join(section("## 9.").split())
    assert keys.SALT.decode() in section("## 2.")
    assert {row[0]: int(row[2]) for row in tables(section("## 2."))[0][1:]} == {
        name: len(getattr(keys.derive(bytes(16)), name)) for name in ("handle", "up", "down", "id", "trail")
    }


def test_the_keys_of_the_example() -> None:
    """By the text's own rule: T(1) of HKDF."""
    told = example()
    root = bytes.fromhex(told["root"])
    prk = keys.hmac_sha256(keys.SALT, root)
    assert prk.hex() == told["prk"]
    for name, size in (("handle", 8), ("up", 16), ("down", 16), ("id", 16), ("trail", 16)):
        assert keys.hmac_sha256(prk, name.encode() + b"\x01")[:size].hex() == told[name] == VECTORS[name]


def test_the_gateways_bounds_in_the_text_are_the_codes() -> None:
    """Windows, memory, pace of searches, told events, commands, waits."""
    settings, forwarder = config.Wearables(), config.Forwarder()
    fresh = " ".join(section("### 7.1").split())
    assert f"expects the next **{settings.window:,}** rolling ids" in fresh
    assert f"The **{admission.SPENT:,}** counters up to *taken* are known for spent" in fresh
    assert f"search through the next **{settings.wide_window:,}** counters" in fresh
    assert f"the first {admission._FIRST_SEARCH:,} of one" in fresh
    assert f"Up to {wide_search._WAITING_MOST:,} frames wait" in fresh
    assert "a search every half second" in fresh and settings.wide_searches_per_s == 2
    assert "at most a quarter of its time" in fresh and wide_search._BUSY_PART == 0.25
    told = " ".join(section("### 7.4").split())
    assert f"at most the {intake._TOLD_MOST} newest others" in told
    assert f"or {commands.AGAIN_MS / 1000:.0f} s or more later" in told
    strangers = " ".join(section("### 7.5").split())
    assert f"and at most {forwarder.strangers_burst} at once" in strangers and forwarder.strangers_per_s == 1
    assert f"{settings.wide_window:,} from its *taken*, {admission._FIRST_SEARCH:,} where it has none" in strangers
    assert f"gateways expect the next {settings.window:,} counters" in " ".join(section("### 5.1").split())


def test_what_a_wearable_shows_is_told_for_every_stage_and_every_answer() -> None:
    """The table of section 5.2: whole, and no answer takes back what stands above it."""
    table = next(table for table in tables(section("### 5.2")) if table[0][0] == "shown so far")
    answers = table[0][1:]
    assert [getattr(codes, name) for name in answers] == [1, 5, 6, 2, 3, 4, 7, 0]
    assert {name for row in table[2:] for name in re.findall("[A-Z_]{4,}", row[0])} == set(answers) - {"HEARD"}
    letters = {"S": 1, "N": 1, "B": 1, "A": 2, "O": 3, "C": 4, "R": 4}
    for height, row in enumerate(table[1:]):
        assert len(row) == len(table[0])
        assert all(letters[cell] >= height for cell in row[1:] if cell != "·"), row


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


def test_every_block_of_the_example() -> None:
    """From body to frame, as the text says it is done, without the code's CCM."""
    told = {name: bytes.fromhex(value) for name, value in example().items()}
    ecb = {name: Cipher(algorithms.AES(told[name]), modes.ECB()).encryptor() for name in ("id", "up")}
    assert told["id_block"] == ecb["id"].update(told["id_input"])
    assert int.from_bytes(told["id_input"], "big") == 1000
    assert told["rolling_id"] == told["id_block"][:8]
    assert told["head"] == b"\x11" + told["rolling_id"]
    assert told["nonce"] == b"\x01" + (1000).to_bytes(4, "big") + bytes(8)
    assert told["b0"] == b"\x59" + told["nonce"] + len(told["body"]).to_bytes(2, "big")
    assert told["aad_block"] == (b"\x00\x09" + told["head"]).ljust(16, b"\x00")
    assert told["body_block"] == told["body"].ljust(16, b"\x00")
    assert told["a0"] == b"\x01" + told["nonce"] + b"\x00\x00"
    assert told["a1"] == b"\x01" + told["nonce"] + b"\x00\x01"
    assert told["x1"] == ecb["up"].update(told["b0"])
    assert told["x2"] == ecb["up"].update(_xor(told["x1"], told["aad_block"]))
    assert told["mac"] == ecb["up"].update(_xor(told["x2"], told["body_block"]))
    assert told["s0"] == ecb["up"].update(told["a0"])
    assert told["s1"] == ecb["up"].update(told["a1"])
    assert told["ciphertext"] == _xor(told["body"], told["s1"])
    assert told["tag"] == _xor(told["mac"], told["s0"])[:8]
    assert told["frame"] == told["head"] + told["ciphertext"] + told["tag"]
    assert told["frame"].hex() == vector("sos by hold")["frame"]
    assert rolling.RollingIds(told["id"]).id_at(1000) == told["rolling_id"]


def test_the_body_of_the_example_says_what_the_text_says() -> None:
    """Event 12, held, 1.2 s ago, 78 %."""
    event = messages.Event(bytes.fromhex(example()["body"]))
    assert (event.kind, event.number, event.detail) == (codes.SOS, 12, codes.HOLD)
    assert (event.age_ms, event.battery_percent) == (1200, 78)


def test_the_links_of_the_example() -> None:
    """Advertisement, fragments, serial."""
    told = {name: bytes.fromhex(value) for name, value in example().items()}
    company = codes.COMPANY_ID.to_bytes(2, "little")
    advertisement = b"\x02\x01\x06" + bytes([1 + 2 + len(told["frame"]), 0xFF]) + company + told["frame"]
    assert told["advertisement"] == advertisement
    assert len(advertisement) == 31
    assert [told["fragment_1"], told["fragment_2"]] == fragments.split(told["frame"], 20)
    assert told["crc"] == zlib.crc32(told["frame"]).to_bytes(4, "little")
    assert told["wearable"] == serial_link.encode(told["frame"])


@pytest.mark.parametrize(
    ("line", "body", "name"),
    [
        ("gateway_1", "stored_body", "STORED for event 12"),
        ("gateway_2", "accepted_body", "ACCEPTED for event 12"),
        ("hello", "hello_body", "hello:"),
        ("gateway_3", "closed_body", "CLOSED for event 12"),
        ("gateway_4", "command_body", "command 7"),
    ],
)
def test_the_dialogue_of_the_example(line: str, body: str, name: str) -> None:
    """Each line on the wire is a vector, and says what stands beside it."""
    told, row = example(), vector(name)
    assert told[line] == row["serial"]
    assert told[body] == row["body"]


def test_the_answers_of_the_example() -> None:
    """The two whose frames are shown."""
    told = example()
    assert told["stored_nonce"] == vector("STORED")["nonce"]
    assert told["stored_frame"] == vector("STORED")["frame"]
    assert told["accepted_frame"] == vector("ACCEPTED")["frame"]
    for name in ("STORED", "ACCEPTED"):
        assert str(vector(name)["salt"]) in section("### 11.4")
