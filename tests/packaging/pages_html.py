#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pages_html.py: the manual pages as HTML (scripts/pages_html.py) are whole.

Every element is closed, every id is unique, every link leads to a file or an id that is there, no
link leaves the folder, and each page has its headings and all its options.  Exit code 77 (skipped)
without mandoc.
"""

import glob
import html.parser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from options import TOP

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "wbr"}
passed = failed = 0


class Page(html.parser.HTMLParser):
    """What a page has: ids, links, its text, and elements that are not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.faults, self.words = [], [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"{tag} ends another element, line {self.getpos()[0]}")

    def handle_data(self, data):
        self.words.append(data)


def tell(what, faults):
    """Counts a case, which is good without faults."""
    global passed, failed
    passed, failed = passed + (not faults), failed + bool(faults)
    if faults:
        print(f"FAILED {what}: " + "; ".join(faults[:20]))


def wrong_links(name, pages):
    """The links of a page that lead nowhere, or out of the folder."""
    for link in pages[name].links:
        file, _, anchor = link.partition("#")
        if ":" in file or file.startswith("/"):
            yield f"{link} leaves the folder"
        elif file and not os.path.exists(os.path.join(folder.name, file)):
            yield f"{link}: no such file"
        elif anchor and anchor not in pages[file or name].ids:
            yield f"{link}: no such id"


def missing_words(path, page):
    """Headings and options of the source that the page lacks."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    shown = re.sub(r"\s+", " ", "".join(page.words))
    heads = re.findall(r"^\.S[hs] (.*)$", source, re.M)
    options = [
        ("--" if double else "-") + word
        for double, word in re.findall(r"^\.It Fl (Fl )?(-?[A-Za-z][\w-]*)", source, re.M)
    ]
    return [w for w in heads + options if w.replace("\\-", "-").replace("\\&", "") not in shown] + (
        [] if heads else ["no heading"]
    )


mandoc = shutil.which("mandoc")
if not mandoc:
    print("mandoc is not installed: the manual pages were not made as HTML")
    sys.exit(77)
folder = tempfile.TemporaryDirectory()
script = os.path.join(TOP, "scripts/pages_html.py")
subprocess.run([sys.executable, script, mandoc, folder.name], check=True, timeout=550)
sources = sorted(glob.glob(os.path.join(TOP, "man/*.[1-9]")))
pages = {}
for name in sorted(os.listdir(folder.name)):
    if name.endswith(".html"):
        with open(os.path.join(folder.name, name), encoding="utf-8") as file:
            pages[name] = Page(file.read())
wanted = {os.path.basename(path) + ".html" for path in sources} | {"index.html"}
tell("a file for each page", sorted(wanted ^ set(pages)))
tell("the index leads to each page", sorted(wanted - {"index.html", *pages["index.html"].links}))
for name, page in pages.items():
    twice = sorted({f"id {i} twice" for i in page.ids if page.ids.count(i) > 1})
    tell(f"{name}: elements", page.faults + twice)
    tell(f"{name}: links", list(wrong_links(name, pages)))
for path in sources:
    name = os.path.basename(path) + ".html"
    tell(f"{name}: headings and options", missing_words(path, pages[name]))
# The checks find what they look for.
bad = Page('<p><b id="a">x</p><i id="a"></i><a href="#b"></a><a href="http://x/"></a>')
tell("a planted fault", [] if len(bad.faults) >= 1 and bad.ids == ["a", "a"] else ["not found"])
found = list(wrong_links("bad", {"bad": bad}))
tell("planted links", [] if len(found) == 2 else found or ["not found"])
folder.cleanup()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
