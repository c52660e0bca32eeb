#!/usr/bin/env python3
"""The Kubernetes manifests: names, ports, selectors, probes and volumes agree with each other and with holdfastd.

No engine and no cluster: what the API server would refuse is not seen here.

    kubernetes_test.py HOLDFASTD"""
import json, os, pathlib, re, subprocess, sys, tempfile, unittest

import yaml

HOLDFASTD = sys.argv.pop()
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "broker/app/packaging"
STOP_PATIENCE = 10  # what holdfastd grants after the drain


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.all = list(yaml.safe_load_all((PACKAGING / "kubernetes/holdfast.yaml").read_text()))
        cls.set = cls.one("StatefulSet")
        cls.pod = cls.set["spec"]["template"]
        cls.container = cls.pod["spec"]["containers"][0]
        cls.configs = cls.effective()

    @classmethod
    def one(cls, kind, name="holdfast"):
        found = [each for each in cls.all if each["kind"] == kind and each["metadata"]["name"] == name]
        assert len(found) == 1, (kind, name, found)
        return found[0]

    @classmethod
    def effective(cls):
        """What holdfastd would run with in each pod: the container's own command, with the files in a folder of ours."""
        configs = []
        with tempfile.TemporaryDirectory(prefix="hf-pods-") as folder:
            config = cls.one("ConfigMap")["data"]["holdfast.json"]
            pathlib.Path(folder, "passwords").write_text("")
            pathlib.Path(folder, "admin-token").write_text("0123456789abcdef\n")
            pathlib.Path(folder, "holdfast.json").write_text(config.replace("/etc/holdfast/secrets", folder))
            shell, flag, script = cls.container["command"]
            script = script.replace("/etc/holdfast/config", folder).replace("exec holdfastd", f"exec {HOLDFASTD} --print-config")
            for number in range(cls.set["spec"]["replicas"]):
                environment = {"PATH": os.environ["PATH"], "HOSTNAME": f"{cls.set['metadata']['name']}-{number}",
                               "HOLDFAST_STORAGE_DATA_DIR": "/data",  # of the image
                               # What Kubernetes adds for the services.
                               "HOLDFAST_SERVICE_HOST": "10.0.0.1", "HOLDFAST_PORT": "tcp://10.0.0.1:1883",
                               "HOLDFAST_PORT_1883_TCP": "tcp://10.0.0.1:1883", "HOLDFAST_SERVICE_PORT_MQTT": "1883"}
                done = subprocess.run([shell, flag, script], env=environment, text=True, capture_output=True, timeout=20)
                assert done.returncode == 0, done.stderr
                configs.append(json.loads(done.stdout))
        return configs

    def test_selectors_find_the_pods(self):
        labels = self.pod["metadata"]["labels"]
        spec = self.pod["spec"]
        selectors = [self.set["spec"]["selector"]["matchLabels"], self.one("Service")["spec"]["selector"],
                     self.one("Service", "holdfast-peers")["spec"]["selector"],
                     self.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                     *[each["labelSelector"]["matchLabels"] for each in spec["topologySpreadConstraints"]],
                     *[each["labelSelector"]["matchLabels"] for each in
                       spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]]]
        for selector in selectors:
            self.assertTrue(selector.items() <= labels.items(), selector)

    def test_each_pod_is_a_member_under_the_name_that_the_headless_service_gives_it(self):
        peers = self.one("Service", self.set["spec"]["serviceName"])
        self.assertEqual(peers["spec"]["clusterIP"], "None")
        self.assertTrue(peers["spec"]["publishNotReadyAddresses"])
        for number, config in enumerate(self.configs):
            members = {member["id"]: member for member in config["cluster"]["members"]}
            self.assertEqual(len(members), self.set["spec"]["replicas"])
            self.assertEqual(config["node"]["id"], number + 1)
            self.assertEqual(members[number + 1]["address"],
                             f"{self.set['metadata']['name']}-{number}.{peers['metadata']['name']}:{config['listen']['peer_port']}")
            self.assertEqual(len({member["zone"] for member in members.values()}), len(members))

    def test_ports_are_those_of_holdfastd(self):
        ports = {each["name"]: each["containerPort"] for each in self.container["ports"]}
        config = self.configs[0]
        self.assertEqual(ports, {"mqtt": config["listen"]["port"], "peers": config["listen"]["peer_port"],
                                 "admin": config["admin"]["port"]})
        for service in (self.one("Service"), self.one("Service", "holdfast-peers")):
            for port in service["spec"]["ports"]:
                self.assertEqual(port["port"], ports[port["targetPort"]])
        self.assertEqual(self.pod["metadata"]["annotations"]["prometheus.io/port"], str(ports["admin"]))

    def test_probes_ask_for_health_at_a_port_that_can_be_reached_without_a_token(self):
        wanted = {"startupProbe": "/health/live", "livenessProbe": "/health/live", "readinessProbe": "/health/ready"}
        for probe, path in wanted.items():
            self.assertEqual(self.container[probe]["httpGet"], {"path": path, "port": "admin"})
        admin = self.configs[0]["admin"]
        self.assertEqual((admin["bind"], admin["open_health"], admin["open_metrics"]), ("0.0.0.0", True, True))

    def test_volumes_are_declared_and_lie_where_the_configuration_looks(self):
        mounts = {each["name"]: each["mountPath"] for each in self.container["volumeMounts"]}
        claims = {each["metadata"]["name"] for each in self.set["spec"]["volumeClaimTemplates"]}
        volumes = {each["name"] for each in self.pod["spec"]["volumes"]}
        self.assertEqual(set(mounts), claims | volumes)
        self.assertEqual(mounts["data"], self.configs[0]["storage"]["data_dir"])
        self.assertIn(mounts["config"], self.container["command"][2])
        for path in re.findall(r'"(/etc/[^"]*)"', self.one("ConfigMap")["data"]["holdfast.json"]):
            self.assertEqual(os.path.dirname(path), mounts["secrets"])
        config = next(each for each in self.pod["spec"]["volumes"] if each["name"] == "config")
        self.one("ConfigMap", config["configMap"]["name"])

    def test_there_is_time_for_the_drain(self):
        script = self.container["lifecycle"]["preStop"]["exec"]["command"][2]
        tries, settle = re.search(r"\{1\.\.(\d+)\}.*sleep (\d+)$", script).groups()
        drain = float(self.configs[0]["stop"]["drain"].removesuffix("s"))
        self.assertGreaterEqual(self.pod["spec"]["terminationGracePeriodSeconds"],
                                int(tries) + int(settle) + drain + STOP_PATIENCE)

    def test_the_user_is_that_of_the_image(self):
        user, group = re.search(r"^USER (\d+):(\d+)$", (PACKAGING / "container/Dockerfile").read_text(), re.M).groups()
        context = self.pod["spec"]["securityContext"]
        self.assertEqual((context["runAsUser"], context["runAsGroup"], context["fsGroup"]), (int(user), int(group), int(group)))
        self.assertTrue(context["runAsNonRoot"])

    def test_an_update_leaves_enough_nodes(self):
        self.assertEqual(self.one("PodDisruptionBudget")["spec"]["maxUnavailable"], 1)
        config = self.configs[0]
        self.assertLessEqual(config["cluster"]["write_quorum"], self.set["spec"]["replicas"] - 1)


unittest.main(verbosity=2)
