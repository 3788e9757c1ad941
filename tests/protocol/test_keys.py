"""Derivation: each key its own, each root its own. RFC vectors: vectors_check.py. Runs under both Pythons."""

from protocol import keys


def test_no_two_keys_are_alike():
    """Of one root, and of two that differ in a bit."""
    first, second = keys.derive(b"test_only_root_a"), keys.derive(b"test_only_root_`")
    found = [own for k in (first, second) for own in (k.handle, k.up, k.down, k.id, k.trail)]
    assert len({own[:8] for own in found}) == 10
    assert [len(own) for own in found] == [8, 16, 16, 16, 16] * 2


def test_a_root_of_another_size_is_refused():
    """Shorter and longer."""
    for size in (0, 15, 17, 32):
        try:
            keys.derive(bytes(size))
        except ValueError:
            continue
        raise AssertionError("derived from a root of another size")


def test_hmac_of_rfc_4231():
    """Cases 1, 2 and 6: short key, words, and a key longer than a block."""
    rows = (
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    )
    for key, message, expected in rows:
        assert keys.hmac_sha256(key, message) == bytes.fromhex(expected)
