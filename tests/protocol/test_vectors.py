"""The vectors, on this Python. On the wearable's: test_on_micropython.py."""

from __future__ import annotations

from tests.on_micropython import ROOT
from tests.protocol import vectors_check

VECTORS = str(ROOT / "tests" / "vectors")


def test_ccm_is_rfc_3610s() -> None:
    """Our own and the host's."""
    vectors_check.check_ccm(VECTORS)


def test_hkdf_is_rfc_5869s() -> None:
    """Appendix A."""
    vectors_check.check_hkdf(VECTORS)


def test_our_frames_are_as_written_down() -> None:
    """Derivation, sealing, opening, serial and GATT forms."""
    vectors_check.check_ours(VECTORS)
