#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""metrics_peers.py PROGRAM: promtool, Prometheus and prometheus_client read the metrics.

Each peer is left out by name if it is missing; without any the test is skipped.  All expressions of
the dashboard (packaging/grafana) and of the rules (packaging/prometheus) are given to Prometheus,
and use metrics that the page has.  The last line counts the cases.
"""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))

import peers
from program import PROGRAM, Cases, run

case = Cases()
FOLDER = tempfile.TemporaryDirectory(prefix="bpfengine-metrics-")
os.chmod(FOLDER.name, 0o777)
RULES = os.path.join(TOP, "packaging", "prometheus", "bpfengine.rules.yml")
DASHBOARD = os.path.join(TOP, "packaging", "grafana", "bpfengine.json")
DOCS = os.path.join(TOP, "docs", "metrics.md")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
# A proxy of the environment has no business with this host.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url, **headers):
    with OPENER.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return answer.read().decode()


class Page:
    """A program that shows its page until the block ends."""

    def __enter__(self):
        self.port = peers.free_port()
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        words = ["--metrics", str(self.port), "--flow-active", "1", "--workers", "2", "-q"]
        self.process = subprocess.Popen(
            [PROGRAM, "-i", "synth:rate=2000,flows=50", *words], stdout=subprocess.DEVNULL
        )
        peers.wait(lambda: peers.accepts(self.port), "the page", 550)
        peers.wait(lambda: "bpfengine_packets_total" in fetch(self.url), "counters", 550)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(550) == 0


def expressions():
    """All expressions of dashboard and rules."""
    with open(DASHBOARD, encoding="utf-8") as f:
        found = [t["expr"] for p in json.load(f)["panels"] for t in p.get("targets", ())]
    text = re.sub(r"expr: >-\n((?: {10}.*\n)+)", join_lines, open(RULES, encoding="utf-8").read())
    found += re.findall(r"expr: (.*)", text)
    assert len(found) > 40
    for name, value in (("$__rate_interval", "1m"), ("$__range", "1h"), ("$instance", ".*")):
        found = [expression.replace(name, value) for expression in found]
    return found


def join_lines(m):
    return "expr: " + " ".join(m[1].split()) + "\n"


@case
def dashboard_and_rules_use_what_is_there():
    with open(DOCS, encoding="utf-8") as f:
        tables = f.read().partition("## Statistics of the run")[2]
    names = {"bpfengine_" + m for m in re.findall(r"^\| (\w+)", tables, re.M)}
    for expression in expressions():
        used = set(re.findall(r"\b(bpfengine_\w+)", expression))
        used = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
        assert used <= names, (used - names, expression)
        assert used or "up{" in expression, expression


@case
def the_dashboard_is_complete():
    with open(DASHBOARD, encoding="utf-8") as f:
        dashboard = json.load(f)
    ids = [p["id"] for p in dashboard["panels"]]
    assert len(ids) == len(set(ids)) and dashboard["uid"] == "bpfengine"
    taken = set()
    for p in dashboard["panels"]:
        g = p["gridPos"]
        cells = {
            (x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])
        }
        assert g["x"] + g["w"] <= 24 and not cells & taken, p["title"]
        taken |= cells
        assert p["type"] == "row" or p["targets"] and p["description"], p["title"]


def promtool_is_content():
    path = os.path.join(FOLDER.name, "out.prom")
    p = run("-i", "synth:count=3000", "--metrics-file", path, "-q")
    assert p.returncode == 0, p.stderr
    with open(path, "rb") as f:
        texts = [f.read()]
    if HAS_PAGE:
        with Page() as page:
            texts.append(fetch(page.url).encode())
    for text in texts:
        p = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True)
        assert p.returncode == 0 and not p.stderr and not p.stdout, p
    p = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True)
    assert p.returncode == 0, p


def prometheus_client_reads_both_forms():
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as open_parser

    with Page() as page:
        plain = list(parser.text_string_to_metric_families(fetch(page.url)))
        text = fetch(page.url, Accept=OPENMETRICS)
        strict = list(open_parser.text_string_to_metric_families(text))
    assert len(strict) == len(plain) > 90

    def names(families):
        return {(s.name, frozenset(s.labels.items())) for f in families for s in f.samples}

    assert names(plain) == names(strict)
    kinds = {f.name: f.type for f in strict}
    assert kinds["bpfengine_packets"] == "counter" and kinds["bpfengine_build"] == "info"
    assert kinds["bpfengine_tcp_rtt_seconds"] == "histogram"
    units = {f.name: f.unit for f in strict}
    assert units["bpfengine_tcp_rtt_seconds"] == "seconds"
    assert units["bpfengine_wire_bytes"] == "bytes"


def prometheus_scrapes():
    port = peers.free_port()
    with Page() as page:
        config = os.path.join(FOLDER.name, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as f:
            json.dump(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [RULES],
                    "scrape_configs": [
                        {
                            "job_name": "bpfengine",
                            "static_configs": [{"targets": [f"127.0.0.1:{page.port}"]}],
                        }
                    ],
                },
                f,
            )
        words = [
            f"--config.file={config}",
            f"--storage.tsdb.path={FOLDER.name}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with open(os.path.join(FOLDER.name, "log"), "w") as log:
            server = subprocess.Popen([PROMETHEUS, *words], stdout=log, stderr=log)
        try:
            ask_prometheus(f"http://127.0.0.1:{port}/api/v1/", page)
        finally:
            peers.stop(server)


def ask_prometheus(api, page):
    def query(expression):
        answer = json.loads(fetch(api + "query?query=" + urllib.parse.quote(expression)))
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def rates():
        try:
            return query('rate(bpfengine_packets_total{stage="read"}[1m]) > 0')
        except OSError:
            return None  # Prometheus starts

    found = peers.wait(rates, "a rate of packets in Prometheus", 550)
    assert found[0]["metric"]["instance"] == f"127.0.0.1:{page.port}"
    targets = json.loads(fetch(api + "targets"))["data"]["activeTargets"]
    assert [t["health"] for t in targets] == ["up"] and targets[0]["lastError"] == "", targets
    for expression in expressions():
        query(expression)
    assert query('up{job="bpfengine"}')[0]["value"][1] == "1"
    quantile = "histogram_quantile(0.5, sum by (le) (bpfengine_tcp_rtt_seconds_bucket)) > 0"
    peers.wait(lambda: query(quantile), "a quantile of round trips", 550)
    # what Prometheus keeps is what the page says
    total = query("sum(bpfengine_export_sent_records_total) + 1")[0]["value"][1]
    line = re.search(r"bpfengine_export_sent_records_total\{.*\} (\d+)", fetch(page.url))
    assert 0 < float(total) - 1 <= int(line[1])
    rules = json.loads(fetch(api + "rules"))["data"]["groups"][0]["rules"]
    assert len(rules) == 10 and not any(r.get("lastError") for r in rules), rules
    kept = json.loads(fetch(api + "label/__name__/values"))["data"]
    assert len([name for name in kept if name.startswith("bpfengine_")]) > 90


HAS_PAGE = b"without libmicrohttpd" not in run("-r", "/nonexistent", "--metrics", "1").stderr
PROMTOOL = peers.find_program("promtool")
PROMETHEUS = peers.find_program("prometheus")
missing = []
if PROMTOOL:
    case(promtool_is_content)
else:
    missing.append("promtool")
if HAS_PAGE and importlib.util.find_spec("prometheus_client"):
    case(prometheus_client_reads_both_forms)
else:
    missing.append("prometheus_client")
if HAS_PAGE and PROMETHEUS:
    case(prometheus_scrapes)
else:
    missing.append("prometheus")
FOLDER.cleanup()
if missing:
    print(f"left out: {', '.join(missing)}" + ("" if HAS_PAGE else " (no libmicrohttpd)"))
if len(missing) == 3 and not case.failed:
    peers.skip("no peer is installed (scripts/setup.sh tests)")
case.finish()
