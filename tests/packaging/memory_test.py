#!/usr/bin/env python3
"""limits.memory on a real node: what fills it is held back, who takes away is let in, and then all goes on.

    memory_test.py HOLDFASTD"""
import pathlib, re, subprocess, sys, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import Cluster, eventually

HOLDFASTD = sys.argv.pop()
LINES, SIZE = 12_000, 8_000  # 96 MB, against a limit of 64


def options(node):
    return ["--set", "limits.memory=67108864"]


class Memory(unittest.TestCase):
    def mosquitto(self, tool, *words, **more):
        return subprocess.run([tool, "-h", "127.0.0.1", "-p", str(self.node.port), "-V", "5", *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **more)

    def pressure(self):
        told = self.cluster.ask(self.node, "/metrics").decode()
        return int(re.search(r"^holdfast_memory_pressure (\d)", told, re.M)[1])

    def test_a_sleeper_whose_queue_fills_the_memory(self):
        with Cluster(HOLDFASTD, 1, options) as self.cluster:
            self.node = self.cluster.nodes[0]
            self.cluster.start_all()
            sleeper = ("-c", "-i", "sleeper", "-x", "3600", "-q", "1", "-t", "much")
            eventually(lambda: self.mosquitto("mosquitto_sub", *sleeper, "-E").returncode == 0, what="the sleeper subscribes")
            self.assertEqual(self.pressure(), 0)
            writer = subprocess.Popen(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.node.port), "-V", "5", "-q", "1",
                                       "-t", "much", "-l"], stdin=subprocess.PIPE, text=True)
            self.addCleanup(lambda: writer.poll() is None and writer.kill())
            lines = subprocess.Popen([sys.executable, "-c", f"for n in range({LINES}): print(n, 'x' * {SIZE})"],
                                     stdout=writer.stdin)
            self.addCleanup(lambda: lines.poll() is None and lines.kill())
            writer.stdin.close()

            eventually(lambda: self.pressure() == 2, 60, "memory is very short")
            self.assertIn("memory is very short", self.cluster.log(self.node))
            self.assertIsNone(writer.poll(), "it is held")
            refused = self.mosquitto("mosquitto_pub", "-t", "any", "-m", "any")
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("uota", refused.stdout)

            # Who comes for messages is let in; as it takes them, the publisher goes on, and nothing is missing.
            taken = self.mosquitto("mosquitto_sub", *sleeper, "-C", str(LINES), "-W", "110")
            numbers = [int(line.split(" ", 1)[0]) for line in taken.stdout.splitlines()]
            self.assertEqual(numbers, list(range(LINES)))
            self.assertEqual(writer.wait(30), 0)
            eventually(lambda: self.pressure() == 0, 60, "memory is enough again")
            eventually(lambda: self.mosquitto("mosquitto_pub", "-t", "any", "-m", "any").returncode == 0, what="anybody is served")


unittest.main(verbosity=2)
