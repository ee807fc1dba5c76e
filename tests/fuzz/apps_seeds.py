# SPDX-License-Identifier: MIT
"""Seeds of fuzz_apps: the samples of the unit tests, behind 4 bytes of choices."""

import os
import re

SAMPLES = os.path.join(os.path.dirname(__file__), "..", "unit", "inspect", "app_samples.h")
ROW = re.compile(
    r"\{ BPE_APP_(\w+), BPEI_OVER_(\w+), (\d), \w+, (true|false), (true|false), \d+,"
    r'((?:\s*"(?:\\.|[^"\\])*")+) \}'
)


def read_text(pieces):
    """The bytes of C's strings."""
    text = "".join(re.findall(r'"((?:\\.|[^"\\])*)"', pieces))
    return text.encode().decode("unicode_escape").encode("latin-1")


def apps_seeds():
    with open(SAMPLES, encoding="utf-8") as samples:
        rows = ROW.findall(samples.read())
    assert len(rows) > 60, "app_samples.h reads otherwise than it did"
    for number, (app, over, end, known, digits, pieces) in enumerate(rows):
        payload, steps = read_text(pieces), []
        if digits == "true":
            datagrams = [bytes.fromhex(part) for part in payload.decode().split("|")]
            payload, steps = b"".join(datagrams), [len(d) for d in datagrams[:-1]]
        choices = (over == "UDP") | int(end) << 1 | (number % 2) << 2 | (app == "NTP") << 3
        choices |= (known == "true") << 4
        lengths = [min(step, 255) for step in steps] + [0, 0, 0]
        yield f"{number:02}-{app.lower()}", bytes([choices, *lengths[:3]]) + payload
