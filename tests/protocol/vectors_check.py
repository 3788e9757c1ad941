"""Holds the protocol to tests/vectors, on whichever Python runs it: `<python> vectors_check.py <vectors folder>`.

Prints one line per group with its count and ends with "ok"; any difference is an AssertionError.
"""

import json
import sys
from binascii import hexlify, unhexlify

from protocol import aead, ccm, fragments, frame, keys, rolling, serial_link


def _load(folder, name):
    with open(folder + "/" + name) as file:
        return json.load(file)


def check_ccm(folder):
    """RFC 3610: our in-place CCM and the host's own, sealing, opening, and refusing each flipped byte."""
    rows = _load(folder, "rfc3610.json")
    for row in rows:
        key, nonce, aad, plain, sealed = (unhexlify(row[k]) for k in ("key", "nonce", "aad", "plain", "sealed"))
        assert aead.Aead(key).seal(nonce, plain, aad) == sealed, row["name"]
        assert aead.Aead(key).open(nonce, sealed, aad) == plain, row["name"]
        own = ccm.Ccm(key)
        buf = bytearray(plain) + bytearray(8)
        end = own.seal(buf, 0, len(plain), bytearray(nonce), bytearray(aad), len(aad))
        assert end == len(sealed) and bytes(buf) == sealed, row["name"]
        for i in range(len(sealed)):
            bad = bytearray(sealed)
            bad[i] ^= 1 << (i % 8)
            kept = bytes(bad)
            assert not own.open(bad, 0, len(plain), bytearray(nonce), bytearray(aad), len(aad)), row["name"]
            assert bytes(bad) == kept, "a refused buffer must be left as it came"
        assert own.open(buf, 0, len(plain), bytearray(nonce), bytearray(aad), len(aad))
        assert bytes(buf[: len(plain)]) == plain, row["name"]
    print("ccm", len(rows))


def check_hkdf(folder):
    """RFC 5869 appendix A."""
    rows = _load(folder, "rfc5869.json")
    for row in rows:
        secret, salt, info, out = (unhexlify(row[k]) for k in ("secret", "salt", "info", "out"))
        assert keys.hkdf_sha256(secret, salt, info, len(out)) == out, row["name"]
    print("hkdf", len(rows))


def _check_up(ours, row):
    body, wire = unhexlify(row["body"]), unhexlify(row["frame"])
    buf = bytearray(len(wire))
    buf[frame.BODY_AT : frame.BODY_AT + len(body)] = body
    sealer = frame.UpSealer(unhexlify(ours["up"]), unhexlify(ours["id"]))
    assert sealer.seal(row["type"], row["counter"], buf, len(body)) == len(wire)
    assert bytes(buf) == wire, row["name"]
    assert hexlify(rolling.RollingIds(unhexlify(ours["id"])).id_at(row["counter"])).decode() == row["rolling_id"]
    assert frame.parse_head(wire) == row["type"]
    assert frame.UpOpener(unhexlify(ours["up"])).open(wire, row["counter"]) == body, row["name"]


def _check_down(ours, row):
    body, wire, salt = unhexlify(row["body"]), unhexlify(row["frame"]), unhexlify(row["salt"])
    counter = row["question_counter"]
    assert frame.DownSealer(unhexlify(ours["down"])).seal(row["type"], counter, salt, body) == wire, row["name"]
    opener = frame.DownOpener(unhexlify(ours["down"]))
    buf = bytearray(wire)
    assert not opener.open(buf, len(wire), counter + 1) and bytes(buf) == wire
    assert opener.open(buf, len(wire), counter)
    assert bytes(buf[frame.BODY_AT : len(wire) - frame.TAG_SIZE]) == body, row["name"]


def _check_links(row):
    wire = unhexlify(row["frame"])
    assert serial_link.encode(wire) == unhexlify(row["serial"]), row["name"]
    assert serial_link.Decoder().feed(unhexlify(row["serial"])) == [wire]
    pieces = [unhexlify(piece) for piece in row["fragments_20"]]
    assert fragments.split(wire, 20) == pieces, row["name"]
    joiner = fragments.Joiner()
    assert [joiner.feed(piece) for piece in pieces][-1] == wire


def check_ours(folder):
    """Our own frames: derivation, sealing, opening, serial and GATT forms."""
    ours = _load(folder, "protocol_v1.json")
    derived = keys.derive(unhexlify(ours["root"]))
    for name in ("handle", "up", "down", "id", "trail"):
        assert hexlify(getattr(derived, name)).decode() == ours[name], name
    for row in ours["up_frames"]:
        _check_up(ours, row)
    for row in ours["down_frames"]:
        _check_down(ours, row)
    for row in ours["up_frames"] + ours["down_frames"]:
        _check_links(row)
    print("ours", len(ours["up_frames"]) + len(ours["down_frames"]))


if __name__ == "__main__":
    check_ccm(sys.argv[1])
    check_hkdf(sys.argv[1])
    check_ours(sys.argv[1])
    print("ok")
