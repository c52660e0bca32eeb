#!/usr/bin/env python3
"""The operators' page against the program: settings, metrics and files that it names are there, Mosquitto's are all in its table.

    operating_test.py HOLDFASTD"""
import json, os, pathlib, re, subprocess, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import Cluster, eventually

HOLDFASTD = sys.argv.pop()
ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "broker/OPERATING.md").read_text()
MOSQUITTO = pathlib.Path("/usr/share/doc/mosquitto/examples/mosquitto.conf")
# Named in its example file, and no setting: an address of a bridge, in words.
NOT_SETTINGS = {"ciphers_tls"}


def paths(config, prefix=""):
    for name, value in config.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from paths(value, prefix + name + ".")


class Page(unittest.TestCase):
    def test_every_setting_that_it_names_is_one(self):
        printed = subprocess.run([HOLDFASTD, "--print-config"], text=True, capture_output=True, timeout=20).stdout
        known = set(paths(json.loads(printed)))
        sections = {path.split(".")[0] for path in known if "." in path}
        named = {name for name in re.findall(r"`([a-z]+(?:\.[a-z_]+)+)", PAGE) if name.split(".")[0] in sections}
        self.assertGreater(len(named), 25)
        self.assertEqual(named - known, set())

    def test_every_metric_that_it_names_is_told(self):
        named = set(re.findall(r"`((?:holdfast|process)_[a-z_]+)`", PAGE))
        self.assertGreater(len(named), 10)
        with Cluster(HOLDFASTD, 2) as cluster:
            cluster.start_all()
            eventually(lambda: all(cluster.ready(node) for node in cluster.nodes), 30, "both are ready")
            told = cluster.ask(cluster.nodes[0], "/metrics").decode()
        families = set(re.findall(r"^# TYPE (\S+)", told, re.M))
        # One that has TLS only has an expiry.
        self.assertEqual(named - families - {"holdfast_certificate_expiry_timestamp_seconds"}, set())

    def test_a_node_that_is_alone_acknowledges_with_one_copy_and_says_so(self):
        self.assertIn('`holdfast_stable_copies_total{copies="1"}`', PAGE)
        with Cluster(HOLDFASTD, 3) as cluster:
            cluster.start_all()
            eventually(lambda: all(cluster.ready(node) for node in cluster.nodes), 30, "all are ready")
            node = cluster.nodes[0]

            def told(metric):
                return int(re.search(f"^{re.escape(metric)} (\\d+)", cluster.ask(node, "/metrics").decode(), re.M)[1])

            def mosquitto(tool, *words):
                return subprocess.run([tool, "-h", "127.0.0.1", "-p", str(node.port), "-q", "1", "-t", "t", *words], timeout=30,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

            eventually(lambda: mosquitto("mosquitto_sub", "-c", "-i", "sleeper", "-E"), what="a session")
            alone = 'holdfast_stable_copies_total{copies="1"}'
            self.assertTrue(mosquitto("mosquitto_pub", "-m", "with all of them"))
            before = told(alone)
            for other in cluster.nodes[1:]:
                cluster.kill(other)
            eventually(lambda: len(re.findall(r"^holdfast_peer_reachable\{.*\} 0$", cluster.ask(node, "/metrics").decode(), re.M)) == 2,
                       30, "it is alone")
            eventually(lambda: told('holdfast_slots{state="unserved"}') == 0, 30, "it serves all slots")
            self.assertTrue(mosquitto("mosquitto_pub", "-m", "alone"))
            self.assertGreater(told(alone), before)

    @unittest.skipUnless(MOSQUITTO.exists(), "mosquitto's example configuration is not installed")
    def test_every_setting_of_mosquitto_has_a_row(self):
        example = set(re.findall(r"^#([a-z_]+)(?= |$)", MOSQUITTO.read_text(), re.M)) - NOT_SETTINGS
        self.assertGreater(len(example), 80)
        table = PAGE[PAGE.index("## From Mosquitto"):]
        rows = {name for row in re.findall(r"^\| ([^|]*) \|", table, re.M) for name in re.split(r", ", row)}
        self.assertEqual(example - rows, set())

    def test_every_link_leads_somewhere(self):
        for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
            self.assertTrue((ROOT / "broker" / target).exists(), target)


unittest.main(verbosity=2)
