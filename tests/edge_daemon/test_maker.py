"""Who makes the gateway's own events, when files come, go and come back."""

from __future__ import annotations

from edge_daemon.journal.maker import Maker


def _opened(maker: Maker, file: str, on_disk: dict[str, int], known: dict[str, int]) -> None:
    """As the journal does it: the file is read, then its mark is moved."""
    maker.opened(file, on_disk, known)
    assert maker.next()[0] != file, "nothing above a mark that is not on disk"
    maker.committed(dict([maker.mark]))


def test_without_a_file_each_run_has_a_name_of_its_own() -> None:
    one, other = Maker(), Maker()
    assert one.next() == (one.handle, 1)
    assert one.next() == one.mark == (one.handle, 2)
    one.opened("", {}, {})
    assert one.handle == one.next()[0] != other.handle


def test_a_file_that_comes_back_goes_on_above_what_was_given_under_its_name() -> None:
    maker, known = Maker(), {}
    _opened(maker, "a", {}, known)
    given = {maker.next() for _ in range(10)}
    known.update([maker.mark])
    _opened(maker, "b", {}, known)
    assert maker.next() == ("b", 1)
    known.update([maker.mark])
    # The card lacks what was said last.
    _opened(maker, "a", {"a": 4}, known)
    later = maker.next()
    assert later > max(given)
    assert later[0] == "a"


def test_an_older_copy_of_the_same_file_needs_its_mark_moved_first() -> None:
    maker = Maker()
    _opened(maker, "a", {}, {})
    assert max(maker.next() for _ in range(10)) == ("a", 10)
    _opened(maker, "a", {"a": 4}, {})
    assert maker.next() == ("a", 11), "none is left out while we run"
