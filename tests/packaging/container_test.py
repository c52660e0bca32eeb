#!/usr/bin/env python3
"""Dockerfile and compose file, as far as they can be checked without an engine: nothing is built or run in a container.

    container_test.py HOLDFASTD"""
import json, os, pathlib, re, shlex, subprocess, sys, tempfile, unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from nodes import Cluster, eventually

HOLDFASTD = sys.argv.pop()
ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "broker/app/packaging/container"
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "VOLUME", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"}


def instructions(text):
    """(instruction, its words as one text), continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def settings(environment):
    """What holdfastd makes of HOLDFAST_... variables: its configuration in force."""
    done = subprocess.run([HOLDFASTD, "--print-config"], env={"PATH": os.environ["PATH"], **environment}, text=True,
                          capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Dockerfile(unittest.TestCase):
    def setUp(self):
        self.all = instructions((FOLDER / "Dockerfile").read_text())
        last = max(i for i, (name, _) in enumerate(self.all) if name == "FROM")
        self.build, self.final = self.all[:last], dict(self.all[last:])
        self.environment = dict(pair.split("=", 1) for pair in shlex.split(self.final["ENV"]))

    def test_it_has_known_instructions_and_two_stages(self):
        self.assertEqual({name for name, _ in self.all} - KNOWN, set())
        self.assertEqual([words for name, words in self.all if name == "FROM"],
                         ["debian:bookworm AS build", "debian:bookworm-slim"])

    def test_what_it_copies_is_there_and_nothing_that_is_built_is_missing(self):
        copied = {source for name, words in self.build if name == "COPY" for source in words.split()[:-1]}
        for source in copied:
            self.assertTrue((ROOT / source).exists(), source)
        # Each room that CMakeLists.txt names stands in a copied folder.
        rooms = re.search(r"set\(rooms (.*?)\)", (ROOT / "CMakeLists.txt").read_text(), re.S)[1].split()
        self.assertEqual({room.split("/")[0] for room in rooms} - copied, set())

    def test_it_runs_as_a_user_that_is_not_root_and_owns_the_volume(self):
        runs = " ".join(words for name, words in self.all if name == "RUN")
        user, group = self.final["USER"].split(":")
        self.assertNotEqual(user, "0")
        self.assertIn(f"--uid {user} ", runs)
        self.assertIn(f"--gid {group} holdfast", runs)
        self.assertIn(f"install -d -o holdfast -g holdfast -m 0750 {self.final['VOLUME']}", runs)

    def test_its_settings_are_settings_and_its_ports_the_defaults(self):
        config = settings(self.environment)
        self.assertEqual(config["storage"]["data_dir"], self.final["VOLUME"])
        self.assertEqual(self.final["EXPOSE"].split(), [str(config["listen"]["port"]), str(config["listen"]["peer_port"])])
        self.assertIn(f"/dev/tcp/{config['admin']['bind']}/{config['admin']['port']}", self.final["HEALTHCHECK"])

    def test_its_health_check_tells_a_node_that_lives_from_one_that_is_gone(self):
        command = json.loads(re.search(r"CMD (\[.*\])", self.final["HEALTHCHECK"])[1])
        with Cluster(HOLDFASTD, 1) as cluster:
            node = cluster.nodes[0]
            check = [word.replace("/8081", f"/{node.admin_port}") for word in command]
            self.assertNotEqual(check, command)
            cluster.start_all()
            eventually(lambda: subprocess.run(check, timeout=10).returncode == 0, what=" ".join(check))
            cluster.kill(node)
            self.assertNotEqual(subprocess.run(check, timeout=10, stderr=subprocess.DEVNULL).returncode, 0)


class Compose(unittest.TestCase):
    def setUp(self):
        self.all = yaml.safe_load((FOLDER / "compose.yaml").read_text())
        self.services = self.all["services"]

    def test_each_node_has_a_good_configuration_and_they_agree(self):
        docker = dict(instructions((FOLDER / "Dockerfile").read_text()))
        image = dict(pair.split("=", 1) for pair in shlex.split(docker["ENV"]))
        configs = {name: settings({**image, **service["environment"]}) for name, service in self.services.items()}
        members = {json.dumps(config["cluster"]["members"]) for config in configs.values()}
        self.assertEqual(len(members), 1)
        by_id = {member["id"]: member for member in json.loads(members.pop())}
        self.assertEqual(len(by_id), len(self.services))
        for name, config in configs.items():
            self.assertEqual(by_id[config["node"]["id"]]["address"], f"{name}:{config['listen']['peer_port']}")
            self.assertTrue(self.services[name]["ports"][0].endswith(f":{config['listen']['port']}"))

    def test_a_full_node_sheds_load_before_its_container_is_killed(self):
        for service in self.services.values():
            self.assertIn("mem_limit", service)
            self.assertRegex(settings(service["environment"])["limits"]["memory"], r"^[1-8]\d%$")

    def test_volumes_are_declared_mounted_once_and_at_the_data(self):
        mounts = [mount.split(":") for service in self.services.values() for mount in service["volumes"]]
        self.assertEqual(sorted(name for name, _ in mounts), sorted(self.all["volumes"]))
        self.assertEqual({path for _, path in mounts}, {"/data"})

    def test_the_build_is_that_of_the_dockerfile(self):
        for service in self.services.values():
            context = (FOLDER / service["build"]["context"]).resolve()
            self.assertEqual(context, ROOT)
            self.assertEqual((context / service["build"]["dockerfile"]).resolve(), FOLDER / "Dockerfile")


unittest.main(verbosity=2)
