#!/usr/bin/env python3
"""Three nodes behind HAProxy, with the configuration that is shipped: no stickiness, PROXY protocol, health checks.

    haproxy_test.py HOLDFASTD"""
import collections, json, pathlib, re, shutil, subprocess, sys, threading, time, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import Cluster, eventually, free_ports
from patient_client import PatientClient

HOLDFASTD = sys.argv.pop()
CONFIG = pathlib.Path(__file__).resolve().parents[2] / "broker/app/packaging/haproxy/haproxy.cfg"
PUBLISHERS, MESSAGES = 6, 60


def behind_proxy(node):
    return ["--set", "listeners=" + json.dumps([
        {"name": "direct", "port": node.port},
        {"name": "balanced", "port": node.proxy_port, "proxy_protocol": True}]), "--set", "access.anonymous=true"]


def shipped_configuration(cluster, port):
    """The file as it is, but for addresses, ports, and how many descriptors a test may have."""
    text = CONFIG.read_text().replace("maxconn 100000", "maxconn 1000")
    assert text.count("bind :1883") == 1 and text.count(" check port 8081 ") == 1
    text = text.replace("bind :1883", f"bind 127.0.0.1:{port}").replace(" check port 8081 ", " check ")
    for node in cluster.nodes:
        text, count = re.subn(rf"^  server node-{node.number} 10\.0\.0\.{node.number}:1884$",
                              f"  server node-{node.number} 127.0.0.1:{node.proxy_port} port {node.admin_port}", text, flags=re.M)
        assert count == 1, node.number
    return text


class Haproxy(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(HOLDFASTD, 3, behind_proxy)
        self.addCleanup(self.cluster.close, lambda: self.went_well)
        self.went_well = False
        self.port = free_ports(1)[0]
        config = self.cluster.folder / "haproxy.cfg"
        config.write_text(shipped_configuration(self.cluster, self.port))
        self.cluster.start_all()
        for node in self.cluster.nodes:
            eventually(lambda: self.cluster.ready(node), 30, f"node {node.number} is ready")
        checked = subprocess.run(["haproxy", "-c", "-f", str(config)], capture_output=True, text=True)
        self.assertEqual((checked.returncode, re.findall("WARNING|ALERT", checked.stderr)), (0, []), checked.stderr)
        with open(self.cluster.folder / "haproxy.log", "ab") as log:
            self.balancer = subprocess.Popen(["haproxy", "-db", "-f", str(config)], stdout=log, stderr=log)
        self.addCleanup(self.balancer.wait)
        self.addCleanup(self.balancer.kill)
        self.clients = []

    def client(self, name, **more):
        client = PatientClient(name, lambda: ("127.0.0.1", self.port), keep_alive=5, **more)
        self.addCleanup(client.stop, quietly=True)
        self.clients.append(client)
        return client

    def connections(self, node):
        """Of clients, as the kernel has them: from the balancer to the node's port for it."""
        listing = subprocess.run(["ss", "-Htn", "state", "established", f"( sport = :{node.proxy_port} )"], capture_output=True, text=True)
        return len(listing.stdout.splitlines())

    def test_a_node_dies_and_its_clients_come_back_through_the_balancer(self):
        got = {1: collections.Counter(), 2: collections.Counter()}
        lock = threading.Lock()

        def received(_topic, payload, qos):
            with lock:
                got[qos][payload] += 1

        readers = [self.client(f"reader-{n}", received=received, subscriptions=[(f"through/{n}/1", 1), (f"through/{n}/2", 2)])
                   for n in range(PUBLISHERS)]
        writers = [self.client(f"writer-{n}", bind=f"127.0.0.{50 + n}") for n in range(PUBLISHERS)]
        eventually(lambda: all(client.connected() for client in self.clients), 30, "all are connected")
        eventually(lambda: all(reader.subscribed.is_set() for reader in readers), 20, "all have subscribed")

        # Round robin: each node has its share. And the address is the client's, not the balancer's.
        for node in self.cluster.nodes:
            self.assertEqual(self.connections(node), 2 * PUBLISHERS // 3)
        seen = {item["client"]: item["remote"] for node in self.cluster.nodes
                for item in json.loads(self.cluster.ask(node, "/api/v1/clients"))["items"]}
        for n in range(PUBLISHERS):
            self.assertRegex(seen[f"writer-{n}"], rf"^127\.0\.0\.{50 + n}:")

        victim = self.cluster.nodes[1]
        for number in range(MESSAGES):
            for n, writer in enumerate(writers):
                for qos in (1, 2):
                    writer.publish(f"through/{n}/{qos}", f"{n}/{qos}/{number}", qos, name=f"{n}/{qos}/{number}")
            time.sleep(0.05)
            if number == MESSAGES // 3:
                self.cluster.kill(victim)
        eventually(lambda: all(client.connected() for client in self.clients), 40, "all are back")
        eventually(lambda: not any(writer.unacknowledged() for writer in writers), 60, "all is acknowledged")
        self.assertGreater(sum(client.connections for client in self.clients), 2 * PUBLISHERS, "nobody was on the node that died")

        wanted = {name for writer in writers for name in writer.acknowledged}
        self.assertEqual(len(wanted), PUBLISHERS * MESSAGES * 2)
        eventually(lambda: wanted <= got[1].keys() | got[2].keys(), 30, "all that was acknowledged has come")
        time.sleep(1)
        self.assertEqual([name for name, count in got[2].items() if count != 1], [])

        # The node comes back: the balancer sends clients there again.
        self.cluster.start(victim)
        eventually(lambda: self.cluster.ready(victim), 30, "the node is ready again")

        def comes_to_the_victim():
            for reader in readers:
                reader.leave()
            time.sleep(1)
            return self.connections(victim) > 0
        eventually(comes_to_the_victim, 30, "the node that came back has clients")
        self.went_well = True


if not shutil.which("haproxy"):
    print("skipped: haproxy is not installed")
    sys.exit(77)
unittest.main(verbosity=2)
