#!/usr/bin/env python3
"""holdfastd as systemd runs it: what it says at NOTIFY_SOCKET.

    service_test.py HOLDFASTD"""
import os, pathlib, signal, socket, subprocess, sys, tempfile, time, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import free_ports

HOLDFASTD = sys.argv.pop()


class Manager:
    """The end of the socket that is systemd's, and the service."""

    def __init__(self, folder, abstract=False, watchdog=None, node_id="1"):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"@holdfast-test-{os.getpid()}" if abstract else f"{folder}/notify"
        self.socket.bind(name.replace("@", "\0", 1) if abstract else name)
        self.port, peer = free_ports(2)
        environment = {**os.environ, "NOTIFY_SOCKET": name}
        if watchdog:
            environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.config = pathlib.Path(folder, "node.json")
        self.config.write_text('{"log.level": "info"}')
        self.log = open(f"{folder}/log", "wb")
        self.service = subprocess.Popen(
            [HOLDFASTD, "--config", str(self.config), "--bind", "127.0.0.1", "--port", str(self.port), "--peer-bind",
             "127.0.0.1", "--peer-port", str(peer), "--admin-port", "0", "--data-dir", f"{folder}/data", "--node-id",
             node_id],
            env=environment, stdout=self.log, stderr=self.log)

    def next(self, patience=10.0, but=("WATCHDOG=1",)):
        """The next datagram as a dict, but for those that say no more than `but`."""
        self.socket.settimeout(patience)
        while True:
            text = self.socket.recv(65536).decode()
            if text not in but:
                return dict(line.split("=", 1) for line in text.split("\n"))

    def beats(self, seconds):
        """How many signs of life come in that time."""
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                count += self.socket.recv(65536) == b"WATCHDOG=1"
            except TimeoutError:
                break
        return count

    def close(self):
        if self.service.poll() is None:
            self.service.send_signal(signal.SIGCONT)
            self.service.kill()
            self.service.wait(10)
        self.socket.close()
        self.log.close()


class Service(unittest.TestCase):
    def manager(self, **how):
        folder = tempfile.TemporaryDirectory(prefix="hf-service-")
        self.addCleanup(folder.cleanup)
        manager = Manager(folder.name, **how)
        self.addCleanup(manager.close)
        return manager

    def test_ready_reload_and_stop(self):
        manager = self.manager()
        ready = manager.next()
        self.assertEqual(ready["READY"], "1")
        self.assertIn("node 1 of 1", ready["STATUS"])
        # Ready means: takes connections, and signals, at once.
        socket.create_connection(("127.0.0.1", manager.port), 5).close()
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        manager.service.send_signal(signal.SIGHUP)
        reloading = manager.next()
        self.assertEqual(reloading["RELOADING"], "1")
        at = int(reloading["MONOTONIC_USEC"]) / 1e6
        self.assertTrue(before - 0.001 <= at <= time.clock_gettime(time.CLOCK_MONOTONIC), (before, at))
        self.assertEqual(manager.next(), {"READY": "1"})
        # A reload that is refused is over, too.
        manager.config.write_text("{")
        manager.service.send_signal(signal.SIGHUP)
        self.assertEqual(manager.next()["RELOADING"], "1")
        self.assertEqual(manager.next(), {"READY": "1"})
        manager.service.send_signal(signal.SIGTERM)
        self.assertEqual(manager.next()["STOPPING"], "1")
        self.assertEqual(manager.service.wait(20), 0)

    def test_signs_of_life_come_from_the_loop(self):
        manager = self.manager(watchdog=0.4)
        manager.next()
        # Every 0.2 s while idle: at least half of the wait each.
        self.assertIn(manager.beats(2.0), range(6, 12))
        manager.service.send_signal(signal.SIGSTOP)
        manager.beats(0.3)  # what was under way
        self.assertEqual(manager.beats(1.0), 0)
        manager.service.send_signal(signal.SIGCONT)
        self.assertGreater(manager.beats(1.0), 1)

    def test_an_abstract_socket(self):
        manager = self.manager(abstract=True)
        self.assertEqual(manager.next()["READY"], "1")

    def test_no_watchdog_no_beats(self):
        manager = self.manager()
        manager.next()
        self.assertEqual(manager.beats(1.0), 0)

    def test_what_cannot_start_is_never_ready(self):
        manager = self.manager(node_id="0")
        self.assertEqual(manager.service.wait(10), 2)
        with self.assertRaises(TimeoutError):
            manager.next(0.3)

    def test_a_manager_that_is_gone_does_no_harm(self):
        manager = self.manager(watchdog=0.2)
        manager.next()
        manager.socket.close()
        time.sleep(0.5)
        manager.service.send_signal(signal.SIGHUP)
        manager.service.send_signal(signal.SIGTERM)
        self.assertEqual(manager.service.wait(20), 0)


unittest.main(verbosity=2)
