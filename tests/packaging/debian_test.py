#!/usr/bin/env python3
"""The Debian package on this machine: build, install, serve, upgrade, purge. Root only; exit status 77: skipped.

    debian_test.py BUILD

Nothing is compiled: the package takes what BUILD holds. systemd need not run; the node is started by hand as its user."""
import fcntl, os, pathlib, pwd, shutil, subprocess, sys, tempfile, unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import eventually, free_ports

BUILD = pathlib.Path(sys.argv.pop()).resolve()
LEFTOVERS = ["/etc/holdfast", "/var/lib/holdfast", "/usr/bin/holdfastd", "/usr/bin/holdfast-sim", "/usr/bin/holdfast-ctl",
             "/usr/lib/systemd/system/holdfast.service", "/usr/share/holdfast", "/usr/share/doc/holdfast"]


def run(*command, fine=(0,), **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=180, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **more)
    assert done.returncode in fine, f"{' '.join(command)}: {done.returncode}\n{done.stdout}"
    return done.stdout


def user_exists():
    try:
        return pwd.getpwnam("holdfast")
    except KeyError:
        return None


def purge():
    run("dpkg", "--purge", "holdfast", fine=(0, 1))


class Node:
    """The installed node, started by hand."""

    def __init__(self, folder):
        self.port, peer, self.admin_port = free_ports(3)
        with open(folder / "log", "ab") as log:
            self.process = self.start(peer, log)
        eventually(lambda: self.client("mosquitto_pub", "-t", "up", "-m", "up", fine=range(256)) == "", 20, "the node serves")

    def start(self, peer, log):
        return subprocess.Popen(
            ["/usr/bin/holdfastd", "--config", "/etc/holdfast/holdfast.json", "--bind", "127.0.0.1", "--port", str(self.port),
             "--peer-bind", "127.0.0.1", "--peer-port", str(peer), "--admin-port", str(self.admin_port)],
            user="holdfast", group="holdfast", extra_groups=[], cwd="/var/lib/holdfast", stdout=log, stderr=log)

    def client(self, tool, *options, fine=(0,)):
        return run(tool, "-h", "127.0.0.1", "-p", str(self.port), "-V", "5", *options, fine=fine)

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)


class Package(unittest.TestCase):
    def build(self, version):
        run("cpack", "-G", "DEB", "-B", str(self.folder), "-D", f"CPACK_PACKAGE_VERSION={version}", cwd=BUILD)
        return next(self.folder.glob(f"holdfast_{version}_*.deb"))

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-debian-"))
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(purge)

    def node(self):
        node = Node(self.folder)
        self.addCleanup(lambda: node.process.poll() is None and node.process.kill())
        return node

    def test_a_life(self):
        old, new = self.build("0.0.1"), self.build("0.0.2")
        fields = run("dpkg-deb", "--field", str(old))
        for library in ("librocksdb", "libprotobuf", "libc6", "adduser"):
            self.assertIn(library, fields)
        self.assertLess(old.stat().st_size, 40_000_000, "not stripped?")

        run("dpkg", "--install", str(old))
        self.assertEqual(run("holdfastd", "--config", "/etc/holdfast/holdfast.json", "--check-config"),
                         "the configuration is good\n")
        user, data = user_exists(), os.stat("/var/lib/holdfast")
        self.assertEqual((data.st_uid, data.st_gid, data.st_mode & 0o777), (user.pw_uid, user.pw_gid, 0o750))
        self.assertEqual(os.stat("/etc/holdfast/holdfast.json").st_mode & 0o777, 0o640)

        # An operator's changes, and what a client leaves behind.
        config, token = pathlib.Path("/etc/holdfast/holdfast.json"), pathlib.Path("/etc/holdfast/token")
        config.write_text(config.read_text().replace('"log.level": "info"', '"log.level": "debug"')
                          .replace('//"token_file"', '"token_file"'))
        token.write_text("0123456789abcdef\n")
        shutil.chown(token, "root", "holdfast")
        token.chmod(0o640)
        node = self.node()
        status = ["holdfast-ctl", "--url", f"http://127.0.0.1:{node.admin_port}", "status"]
        self.assertIn("readiness", run(*status))
        self.assertIn("a token is needed", run(*status, fine=(3,), user="nobody"))
        node.client("mosquitto_sub", "-c", "-i", "sleeper", "-x", "3600", "-q", "1", "-t", "kept/#", "-E")
        node.client("mosquitto_pub", "-q", "1", "-t", "kept/queued", "-m", "for the sleeper")
        node.client("mosquitto_pub", "-q", "2", "-r", "-t", "state/retained", "-m", "still here")
        self.assertEqual(node.stop(), 0)

        run("dpkg", "--install", str(new))
        self.assertIn("Version: 0.0.2", run("dpkg", "--status", "holdfast"))
        self.assertIn('"log.level": "debug"', config.read_text())
        self.assertEqual(os.stat(config).st_mode & 0o777, 0o640)
        self.assertEqual(os.stat("/var/lib/holdfast").st_uid, user_exists().pw_uid)
        node = self.node()
        self.assertEqual(node.client("mosquitto_sub", "-c", "-i", "sleeper", "-x", "3600", "-q", "1", "-t", "kept/#", "-C", "1", "-W", "10"),
                         "for the sleeper\n")
        self.assertEqual(node.client("mosquitto_sub", "-t", "state/#", "-C", "1", "-W", "10"), "still here\n")
        self.assertEqual(node.stop(), 0)

        # Removal keeps configuration and data; a new installation finds both.
        run("dpkg", "--remove", "holdfast")
        self.assertFalse(os.path.exists("/usr/bin/holdfastd"))
        self.assertTrue(config.exists() and os.listdir("/var/lib/holdfast"))
        run("dpkg", "--install", str(new))
        self.assertIn('"log.level": "debug"', config.read_text())

        run("dpkg", "--purge", "holdfast")
        self.assertEqual([path for path in LEFTOVERS if os.path.lexists(path)], [])
        self.assertIsNone(user_exists())
        self.assertEqual(run("getent", "group", "holdfast", fine=(2,)), "")
        self.assertEqual(run("dpkg-query", "--show", "holdfast", fine=(1,)).strip(), "dpkg-query: no packages found matching holdfast")


if os.geteuid() != 0 or not shutil.which("dpkg"):
    print("skipped: installing a package needs root and dpkg")
    sys.exit(77)
# One at a time on this machine, whichever tree it runs in.
lock = open("/run/lock/holdfast-debian-test", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
if subprocess.run(["dpkg-query", "--show", "holdfast"], capture_output=True).returncode == 0 or user_exists():
    print("skipped: holdfast is installed on this machine, or its user exists; the test would purge it")
    sys.exit(77)
unittest.main(verbosity=2)
