#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""example.py PAGE NAME OUTPUT: copies a program out of a manual page, as a reader would.

The program stands behind the comment "example: NAME".
"""

import re, sys

page, name, output = sys.argv[1:]
source = open(page).read()
found = re.findall(
    r'^\.\\" example: ' + re.escape(name) + r"\n\.Bd [^\n]*\n(.*?)^\.Ed$", source, re.M | re.S
)
if len(found) != 1:
    sys.exit(f"{page} has {len(found)} examples called {name}, not one")
text = found[0]
if re.search(r"^[.']", text, re.M):
    sys.exit(f"{page}: a line of the example {name} is a request to roff")
text = text.replace("\\e", "\\").replace("\\&", "")
with open(output, "w") as f:
    f.write(text)
