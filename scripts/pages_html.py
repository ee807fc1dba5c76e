#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pages_html.py MANDOC FOLDER: makes the manual pages as HTML, with an index and a style sheet.

Links between the pages hold without a server.  Links to pages of other programs become text.  The
Meson option `html` calls this; by hand: python3 scripts/pages_html.py mandoc build/html
"""

import glob
import html
import os
import re
import shutil
import subprocess
import sys

MAN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "man")
COMMENT = re.compile(r"<!--.*?-->\n?", re.S)
LINK = re.compile(r'<a class="Xr" href="([^"#]+)(?:#[^"]*)?">(.*?)</a>', re.S)
HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8"/>
  <meta name="viewport" content="width=device-width, initial-scale=1.0"/>
  <link rel="stylesheet" href="pages.css" type="text/css" media="all"/>
  <title>bpfengine: manual pages</title>
</head>
<body>
<h1>bpfengine: manual pages</h1>
<dl>
"""


def name_of(path):
    """The name of a page's file: bpfengine.1.html."""
    return os.path.basename(path) + ".html"


def make_page(mandoc, path, names):
    """The page as HTML; names are the files to which a link may lead."""
    done = subprocess.run(
        [mandoc, "-T", "html", "-O", "man=%N.%S.html,style=pages.css", path],
        capture_output=True,
        text=True,
        check=True,
    )
    text = COMMENT.sub("", done.stdout).replace("<html>", '<html lang="en">', 1)
    return LINK.sub(lambda m: m[0] if m[1] in names else f'<span class="Xr">{m[2]}</span>', text)


def describe(path):
    """(title, sentence) of a page: bpfengine(1) and what stands behind .Nd."""
    name, section = os.path.basename(path).rsplit(".", 1)
    with open(path, encoding="utf-8") as file:
        told = re.search(r"^\.Nd (.*)$", file.read(), re.M)
    return f"{name}({section})", told[1]


def main():
    mandoc, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    pages = sorted(glob.glob(os.path.join(MAN, "*.[1-9]")))
    names = {name_of(path) for path in pages}
    index = HEAD
    for path in pages:
        with open(os.path.join(folder, name_of(path)), "w", encoding="utf-8") as out:
            out.write(make_page(mandoc, path, names))
        title, told = describe(path)
        index += f'<dt><a href="{name_of(path)}">{title}</a></dt>\n<dd>{html.escape(told)}</dd>\n'
    with open(os.path.join(folder, "index.html"), "w", encoding="utf-8") as out:
        out.write(index + "</dl>\n</body>\n</html>\n")
    shutil.copyfile(os.path.join(MAN, "pages.css"), os.path.join(folder, "pages.css"))


if __name__ == "__main__":
    main()
