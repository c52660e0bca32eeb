#!/usr/bin/env python3
"""cmake --install into an empty folder: what is there, and that it works from there.

    install_test.py BUILD"""
import json, pathlib, re, shutil, subprocess, sys, tempfile, unittest

BUILD = sys.argv.pop()
ROOT = pathlib.Path(__file__).resolve().parents[2]
WANTED = ["bin/holdfastd", "bin/holdfast-sim", "etc/holdfast/holdfast.json", "lib/systemd/system/holdfast.service",
          "share/doc/holdfast/OPERATING.md", "share/doc/holdfast/README.md", "share/doc/holdfast/haproxy.cfg",
          "share/holdfast/holdfast.schema.json", "share/holdfast/kubernetes-members"]


def run(*command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **more)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="hf-install-")
        cls.prefix = pathlib.Path(cls.folder.name, "usr")
        done = run("cmake", "--install", BUILD, "--prefix", str(cls.prefix), "--strip")
        assert done.returncode == 0, done.stdout

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_everything_is_in_its_place_and_nothing_else(self):
        there = {str(file.relative_to(self.prefix)) for file in self.prefix.rglob("*") if file.is_file()}
        self.assertEqual(there - {"bin/holdfast-ctl"}, set(WANTED))
        if pathlib.Path(BUILD, "broker/ctl/holdfast-ctl").exists():
            self.assertIn("bin/holdfast-ctl", there)

    def test_the_prefix_usr_has_its_configuration_in_etc(self):
        stage = pathlib.Path(self.folder.name, "stage")
        done = run("cmake", "--install", BUILD, "--prefix", "/usr", "--strip", env={"DESTDIR": str(stage), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue((stage / "etc/holdfast/holdfast.json").exists())
        unit = (stage / "usr/lib/systemd/system/holdfast.service").read_text()
        self.assertIn("ExecStart=/usr/bin/holdfastd --config /etc/holdfast/holdfast.json\n", unit)

    def test_the_configuration_is_good_also_with_what_is_commented_out(self):
        holdfastd = str(self.prefix / "bin/holdfastd")
        config = self.prefix / "etc/holdfast/holdfast.json"
        done = run(holdfastd, "--config", str(config), "--check-config")
        self.assertEqual((done.returncode, done.stdout), (0, "the configuration is good\n"))
        # "// " before words is a comment; "//" before JSON is a setting that is off.
        whole = re.sub(r'^(\s*)//(?=["{}\[\]]| {2,3}["{])', r"\1", config.read_text(), flags=re.M)
        self.assertNotEqual(whole, config.read_text())
        everything = config.with_name("everything.json")
        for name in ("passwords", "acl"):
            config.with_name(name).write_text("")
            self.addCleanup(config.with_name(name).unlink)
        # It is its own authority; "--check-config" reads what it names.
        done = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=node",
                   "-keyout", str(config.with_name("node.key")), "-out", str(config.with_name("node.pem")))
        self.assertEqual(done.returncode, 0, done.stdout)
        names = {name for name in re.findall(r"/etc/holdfast/([a-z-]+\.(?:pem|key))", whole)} | {"node.pem", "node.key"}
        for name in names - {"node.pem", "node.key"}:
            config.with_name(name).write_text(config.with_name("node.pem").read_text())
        for name in names:
            self.addCleanup(config.with_name(name).unlink)
        config.with_name("token").write_text("0123456789abcdef\n")
        self.addCleanup(config.with_name("token").unlink)
        everything.write_text(whole.replace("/etc/holdfast/", f"{config.parent}/"))
        done = run(holdfastd, "--config", str(everything), "--check-config")
        everything.unlink()
        self.assertEqual((done.returncode, done.stdout), (0, "the configuration is good\n"))

    def test_the_schema_is_json_and_the_programs_tell_their_version(self):
        json.loads((self.prefix / "share/holdfast/holdfast.schema.json").read_text())
        self.assertRegex(run(str(self.prefix / "bin/holdfastd"), "--version").stdout, r"^holdfastd \d+\.\d+\.\d+\n$")

    def test_the_unit_is_one_that_systemd_understands(self):
        unit = self.prefix / "lib/systemd/system/holdfast.service"
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed (package systemd)")
        done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit))
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=40", str(unit))
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_unit_that_is_wrong_is_noticed(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed (package systemd)")
        unit = pathlib.Path(self.folder.name, "holdfast.service")
        text = (self.prefix / "lib/systemd/system/holdfast.service").read_text()
        unit.write_text(text.replace("bin/holdfastd", "bin/holdfast-nowhere"))
        self.assertNotEqual(run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)).returncode, 0)


unittest.main(verbosity=2)
