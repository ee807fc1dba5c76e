#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpfbench_page.py BPFBENCH LIBPCAP OPTIONS: the page of a sweep, as a browser shows it.

Nothing here depends on fonts: boxes of plots, marks and bars, colours and pixels are compared, not
the places of letters.  Without Chromium the cases are skipped by name.
"""

import html
import os
import re

from bench_runs import D, Skip, measured_until, run_cases
from page_browser import Browser, Missing, colour, contrast, height_of, luminance

PHONE, WIDTHS = 360, (360, 800, 1300)
PAGE = os.path.join(D, "page.html")
EDGE = 24  # pixels at the bottom of a picture that a bar of the browser may cover
state = {}


def browser():
    if "browser" not in state:
        try:
            state["browser"] = Browser(D)
        except Missing as why:
            state["browser"] = None
            state["why"] = why
    if state["browser"] is None:
        raise Skip(state["why"])
    return state["browser"]


def measures():
    """The page at each width, light and dark; measured once."""
    if "measures" not in state:
        b = browser()
        state["measures"] = {
            (width, dark): b.measure(PAGE, width, dark)
            for width in WIDTHS
            for dark in (False, True)
        }
    return state["measures"]


def a_sweep_makes_the_page():
    """Three rounds, so that there are bars; rings that drop, so that there is loss."""
    r = measured_until(
        lambda r: all(x["packets"] for x in r["rows"]),
        "page",
        *("--sweep", "-i", "synth:flows=50", "--buffers", "16K,1M", "--sizes", "64,1514"),
        *("--workers", "0,1", "--rates", "10k,100k,max", "--rounds", "3"),
        *("--filters", "len < 2000 & 4095"),
        *("--ring", "64", "--overload", "drop"),
        seconds=0.05,
        formats=("json", "html"),
    )
    assert len(r["rows"]) == 2 * 2 * 2 * 3 * 3
    assert sorted({x["round"] for x in r["rows"]}) == [1, 2, 3]
    state["result"] = r
    text = open(PAGE).read()
    for sentence in r["result"]:
        assert html.escape(sentence, quote=False) in text, sentence
    assert "filter: len &lt; 2000 &amp; 4095" in text


def it_needs_no_sideways_scrolling():
    for (width, dark), m in measures().items():
        assert m["width"] == width and m["dark"] == dark, (m["width"], m["dark"])
        assert m["scrolls"] <= width and not m["wider"], (width, m["scrolls"], m["wider"])
        for table in m["tables"]:
            assert table["box"][2] <= width and table["overflow"] == "auto", table
            assert table["tab"] == 0 and table["named"], "the keyboard scrolls it, too"
        if width == PHONE:
            assert any(t["all"] > t["shown"] for t in m["tables"]), "the table scrolls by itself"
        assert m["fetched"] == 0 and m["title"] and m["lang"] == "en", m["fetched"]


def it_is_dark_where_the_system_is():
    for (width, dark), m in measures().items():
        back = colour(m["back"])
        assert luminance(back) < 0.03 if dark else luminance(back) > 0.9, (width, dark, back)
        for tag, ink, behind in m["texts"]:
            assert contrast(colour(ink), colour(behind)) >= 4.5, (dark, tag, ink, behind)
        for p in m["plots"]:
            for ink, size in p["texts"]:
                assert contrast(colour(ink), back) >= 4.5, (dark, ink)
                assert float(size.removesuffix("px")) * p["scale"] >= 8, (width, size, p["scale"])
            for ink, _ in p["lines"]:
                assert contrast(colour(ink), back) >= 3, (dark, ink)


def plots_are_within_their_axes():
    for (width, _), m in measures().items():
        assert len(m["plots"]) == 2 * 3, "loss, CPU and fill of two frame sizes"
        for p in m["plots"]:
            left, top, right, bottom = p["frame"]
            assert 0 <= p["box"][0] <= left < right <= p["box"][2] <= width, p["box"]
            assert len(p["marks"]) == 2 * 2 * 3, "a mark for each case"
            assert len(p["bars"]) == len(p["marks"]), "each case has three rounds"
            for box in [m[0] for m in p["marks"]] + p["bars"]:
                x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                reach = 5.5 * p["scale"]  # half of a mark, or of a bar's end
                assert left - 1 <= x <= right + 1 and top - 1 <= y <= bottom + 1, (box, p["frame"])
                assert box[0] >= left - reach and box[2] <= right + reach, (box, p["frame"])
                assert box[1] >= top - reach and box[3] <= bottom + reach, (box, p["frame"])


def lines_differ_in_more_than_colour():
    m = measures()[1300, False]
    for p in m["plots"]:
        assert p["role"] == "img" and p["named"] and p["says"] and p["describes"] > 20, p
        assert len(p["lines"]) > 1
        assert len({dash for _, dash in p["lines"]}) == len(p["lines"]), p["lines"]
        assert len({shape for _, _, shape in p["marks"]}) == len(p["lines"])
    dark = measures()[1300, True]
    for a, b in zip(m["plots"], dark["plots"]):
        assert a["frame"] == b["frame"] and [x[0] for x in a["marks"]] == [x[0] for x in b["marks"]]


def it_is_drawn_as_it_is_measured():
    """The pixels: the background, and a series' colour where a mark is; marks may overlap."""
    for width in (PHONE, 1300):
        for dark in (False, True):
            m, picture = measures()[width, dark], browser().draw(PAGE, width, dark)
            assert picture.width >= width and picture.height == height_of(width)
            back = colour(m["back"])
            assert picture.pixel(2, 2) == picture.pixel(width - 3, 2) == back
            seen = 0
            for p in m["plots"]:
                inks = [colour(ink) for _, ink, _ in p["marks"]]
                for box, _, _ in p["marks"]:
                    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                    if y > picture.height - EDGE:
                        continue
                    near = [
                        picture.pixel(min(max(x + dx, 0), width - 1), max(y + dy, 0))
                        for dx in (-2, -1, 0, 1, 2)
                        for dy in (-2, -1, 0, 1, 2)
                        if y + dy < picture.height
                    ]
                    far = min(
                        max(abs(a - b) for a, b in zip(got, ink)) for ink in inks for got in near
                    )
                    assert far <= 40, (width, dark, near, inks)
                    seen += 1
            assert seen > 2, "plots are in view"


def it_has_no_words_for_a_script():
    text = open(PAGE).read()
    assert not re.search(r"<script|javascript:|\son\w+=|https?://(?!www\.w3\.org/)", text)


run_cases(
    a_sweep_makes_the_page,
    it_needs_no_sideways_scrolling,
    it_is_dark_where_the_system_is,
    plots_are_within_their_axes,
    lines_differ_in_more_than_colour,
    it_is_drawn_as_it_is_measured,
    it_has_no_words_for_a_script,
)
