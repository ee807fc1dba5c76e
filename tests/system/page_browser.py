# SPDX-License-Identifier: MIT
"""A page in headless Chromium: measured in the document, and drawn as pixels.

Chromium's window has a least width, so that a phone is a frame of the phone's width within a page
made here.  Measures and pixels come from the same page, so that both have the same layout.
"""

import html
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

NARROW = 600  # a page that is narrower has its plots below each other
LEAST_WINDOW = 500  # Chromium makes no narrower window

FRAME = """<!DOCTYPE html><html><head><meta charset='utf-8'/><meta name='color-scheme'
content='light dark'/><style>body{margin:0}iframe{border:0;display:block;width:%dpx;height:%dpx}
</style></head><body><iframe id='page' src='%s'></iframe><pre id='out'></pre><script>
const page = document.getElementById('page');
page.onload = () => {
  const d = page.contentDocument, w = page.contentWindow;
  document.getElementById('out').textContent = JSON.stringify((%s)(d, w));
};
</script></body></html>"""

# Boxes are in pixels of the frame.  A colour is what the browser computed.
MEASURE = """(d, w) => {
  const box = e => {
    const r = e.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom];
  };
  const style = (e, name) => w.getComputedStyle(e)[name];
  const inside = e => e.closest('.wide') === null;
  return {
    width: w.innerWidth,
    scrolls: d.documentElement.scrollWidth,
    dark: w.matchMedia('(prefers-color-scheme: dark)').matches,
    title: d.title, lang: d.documentElement.lang,
    fetched: w.performance.getEntriesByType('resource').length,
    back: style(d.body, 'backgroundColor'),
    texts: [...d.querySelectorAll('h1,h2,p,dt,dd,li,th,td')].map(e => {
      let at = e;
      while (at && style(at, 'backgroundColor') === 'rgba(0, 0, 0, 0)') at = at.parentElement;
      return [e.tagName, style(e, 'color'), style(at || d.body, 'backgroundColor')];
    }),
    wider: [...d.body.querySelectorAll('*')].filter(e => inside(e) && !e.closest('svg') &&
      e.getBoundingClientRect().right > w.innerWidth + 0.5).map(e => e.tagName + '.' + e.className),
    tables: [...d.querySelectorAll('.wide')].map(e => ({ box: box(e), shown: e.clientWidth,
      all: e.scrollWidth, overflow: style(e, 'overflowX'), tab: e.tabIndex,
      named: d.getElementById(e.getAttribute('aria-labelledby')) !== null })),
    plots: [...d.querySelectorAll('svg')].map(s => ({
      box: box(s), frame: box(s.querySelector('rect')),
      role: s.getAttribute('role'),
      scale: s.getBoundingClientRect().width / s.viewBox.baseVal.width,
      says: (s.querySelector('title') || {}).textContent,
      named: d.getElementById(s.getAttribute('aria-labelledby')) === s.querySelector('title'),
      describes: d.getElementById(s.getAttribute('aria-describedby')).textContent.length,
      texts: [...s.querySelectorAll('text')].map(e => [style(e, 'fill'), style(e, 'fontSize')]),
      lines: [...s.querySelectorAll('polyline')].map(
        e => [style(e, 'stroke'), style(e, 'strokeDasharray')]),
      marks: [...s.querySelectorAll('.point .mark')].map(
        e => [box(e), style(e, 'fill'), e.getAttribute('d')]),
      bars: [...s.querySelectorAll('.bar')].map(box) }))
  };
}"""


def height_of(width):
    """The height of a drawn page, on which plots can be seen; measures are of the whole page."""
    return 1800 if width < NARROW else 900


class Missing(Exception):
    """No Chromium, or a Chromium that does not run here."""


class Browser:
    """Measures and draws a page, light or dark, at any width."""

    def __init__(self, folder):
        self.program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not self.program:
            raise Missing("chromium is not installed")
        self.folder = folder
        probe = self.run(["--dump-dom", "data:text/html,<p>good</p>"], dark=False, width=600)
        if "good" not in probe:
            raise Missing("chromium does not run here")

    def run(self, words, dark, width):
        """Returns what the browser prints.  A browser that hangs, as happens once in many runs, is
        started again."""
        for _ in range(2):
            try:
                return self.run_once(words, dark, width, 120)
            except subprocess.TimeoutExpired:
                print("the browser hangs and is started again", flush=True)
        return self.run_once(words, dark, width, 550)

    def run_once(self, words, dark, width, timeout):
        with tempfile.TemporaryDirectory(dir=self.folder) as profile:
            p = subprocess.run(
                [
                    self.program,
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--hide-scrollbars",
                    "--allow-file-access-from-files",
                    "--virtual-time-budget=5000",
                    f"--user-data-dir={profile}",
                    f"--blink-settings=preferredColorScheme={0 if dark else 1}",
                    f"--window-size={max(width, LEAST_WINDOW)},{height_of(width)}",
                    *words,
                ],
                capture_output=True,
                text=True,
                timeout=timeout,
            )
        return p.stdout

    def frame(self, page, width):
        path = os.path.join(self.folder, f"frame-{width}.html")
        with open(path, "w") as f:
            f.write(FRAME % (width, height_of(width), os.path.basename(page), MEASURE))
        return "file://" + path

    def measure(self, page, width, dark):
        """Returns the measures of the page, which lies in the browser's folder."""
        text = self.run(["--dump-dom", self.frame(page, width)], dark, width)
        found = re.search(r"<pre id=\"out\">(.+?)</pre>", text, re.S)
        assert found, "the page was not measured: " + text[-500:]
        return json.loads(html.unescape(found.group(1)))

    def draw(self, page, width, dark):
        """Returns the upper part of the page as a picture."""
        path = os.path.join(self.folder, "drawn.png")
        self.run(["--screenshot=" + path, self.frame(page, width)], dark, width)
        with open(path, "rb") as f:
            return Picture(f.read())


class Picture:
    """A PNG of 8 bits a channel, as Chromium writes it."""

    def __init__(self, data):
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        at, packed = 8, b""
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at : at + 8])
            body = data[at + 8 : at + 8 + size]
            if kind == b"IHDR":
                self.width, self.height, depth, colour, *rest = struct.unpack(">IIBBBBB", body)
                assert depth == 8 and colour in (2, 6) and not any(rest), (depth, colour, rest)
                self.channels = 3 if colour == 2 else 4
            elif kind == b"IDAT":
                packed += body
            at += 12 + size
        self.rows = self.unfilter(zlib.decompress(packed))

    def unfilter(self, raw):
        n, stride = self.channels, self.width * self.channels
        rows, before = [], bytes(stride)
        for y in range(self.height):
            start = y * (stride + 1)
            kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + stride])
            if kind == 2:
                row = bytearray((a + b) & 255 for a, b in zip(row, before))
            elif kind:
                self.undo(kind, row, before, n)
            rows.append(bytes(row))
            before = row
        return rows

    @staticmethod
    def undo(kind, row, before, n):
        for i in range(len(row)):
            left = row[i - n] if i >= n else 0
            up, corner = before[i], before[i - n] if i >= n else 0
            if kind == 1:
                guess = left
            elif kind == 3:
                guess = (left + up) // 2
            else:
                p = left + up - corner
                guess = min((left, up, corner), key=lambda v: abs(p - v))
            row[i] = (row[i] + guess) & 255

    def pixel(self, x, y):
        at = int(x) * self.channels
        return tuple(self.rows[int(y)][at : at + 3])


def colour(text):
    """Returns the red, green and blue of rgb(1, 2, 3)."""
    return tuple(int(float(v)) for v in re.findall(r"[\d.]+", text)[:3])


def luminance(rgb):
    """The relative luminance of WCAG 2: 0 is black, 1 is white."""
    parts = [v / 255 for v in rgb]
    parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    """The contrast of WCAG 2, from 1 to 21."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)
