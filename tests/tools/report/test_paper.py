"""Paper: what is written stands in the PDF, in both languages, and goes on where a page ends."""

from __future__ import annotations

import re

from tools.report.paper import Paper

DRAWN = re.compile(rb"1 0 0 1 \S+ (\S+) Tm (?:/(F\d+) \S+ Tf \S+ TL )?\((.*?)(?<!\\)\) Tj", re.DOTALL)


def letters(pdf: bytes) -> str:
    """What is drawn, a line of the paper in a line: Helvetica as bytes, the other font, named each time, as UTF-16."""
    found, last = "", b""
    for y, font, drawn in DRAWN.findall(pdf):
        raw = re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m.group(1), 8)]), drawn)
        raw = re.sub(rb"\\(.)", rb"\1", raw, flags=re.DOTALL)
        found += "" if y == last else "\n"
        found += raw.decode("utf-16-be" if font else "latin-1")
        last = y
    return found


def test_what_is_written_stands_there() -> None:
    paper = Paper("行走测试 Walk test")
    paper.heading("房间")
    paper.line("Good: three presses, 每次都要存储。")
    paper.row(["kitchen", "-60 dBm"], [0.0, 0.5])
    paper.bar("bath", "-84 dBm", 0.3, 0.4, "WEAK")
    found = letters(paper.bytes())
    for text in (
        "行走测试 Walk test",
        "房间",
        "每次都要存储。",
        "kitchen",
        "-60 dBm",
        "bath",
        "WEAK",
    ):
        assert text in found, text


def test_a_long_text_is_broken_and_a_full_page_goes_on_on_the_next() -> None:
    paper = Paper("x")
    paper.line("word " * 100)
    for number in range(120):
        paper.line(f"line {number}")
    made = paper.bytes()
    assert letters(made).count("word") == 100
    assert len(re.findall(rb"/Type /Page\b", made)) == 3
    assert max(len(line) for line in letters(made).splitlines()) < 130


def test_a_cell_that_is_too_long_is_cut_and_says_so() -> None:
    paper = Paper("x")
    paper.row(["a cell that is far longer than its column is wide", "next"], [0.0, 0.1])
    assert "…" in letters(paper.bytes())
