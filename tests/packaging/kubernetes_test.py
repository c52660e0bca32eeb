#!/usr/bin/env python3
"""The Kubernetes manifests: names, ports, selectors, probes and volumes agree with each other and with holdfastd.

No engine and no cluster: what the API server would refuse is not seen here.

    kubernetes_test.py HOLDFASTD"""
import contextlib, http.server, json, os, pathlib, re, subprocess, sys, tempfile, threading, unittest

import yaml

HOLDFASTD = sys.argv.pop()
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "broker/app/packaging"
STOP_PATIENCE = 10  # what holdfastd grants after the drain


class ApiServer(http.server.BaseHTTPRequestHandler):
    """Says of pods where they are (the first time: nowhere yet), and of nodes their labels, to who bears the token."""
    asked = {}
    zones = ("eu-1", "eu-2", "eu-1")

    def log_message(self, *_):
        pass

    def do_GET(self):
        count = self.asked[self.path] = self.asked.get(self.path, 0) + 1
        pod = re.fullmatch(r"/api/v1/namespaces/here/pods/holdfast-(\d)", self.path)
        node = re.fullmatch(r"/api/v1/nodes/worker-(\d)", self.path)
        if self.headers["Authorization"] != "Bearer secret" or not (pod or node):
            return self.send_error(403)
        if pod:
            found = {"spec": {"nodeName": f"worker-{pod[1]}"} if count > 1 else {}}
        else:
            found = {"metadata": {"labels": {"topology.kubernetes.io/zone": self.zones[int(node[1])]}}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())


@contextlib.contextmanager
def api_server():
    ApiServer.asked = {}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), ApiServer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def members_script(command, folder, api, **more):
    """The init container's command with what a pod has; `folder` stands for /data and the service account."""
    for name, text in (("namespace", "here"), ("token", "secret"), ("ca.crt", "")):
        pathlib.Path(folder, name).write_text(text)
    command = [str(PACKAGING / "kubernetes/members"), *[word.replace("/data", folder) for word in command[1:]]]
    environment = {"PATH": os.environ["PATH"], "KUBERNETES_API": api, "SERVICE_ACCOUNT": folder, **more}
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60)


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
            with api_server() as api:
                done = members_script(cls.pod["spec"]["initContainers"][0]["command"], folder, api)
                assert done.returncode == 0, done.stderr
            shell, flag, script = cls.container["command"]
            script = script.replace("/data/members.json", f"{folder}/members.json")
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
                     self.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
                     *[each["labelSelector"]["matchLabels"] for each in spec["topologySpreadConstraints"]],
                     *[each["labelSelector"]["matchLabels"] for each in
                       spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]]]
        for selector in selectors:
            self.assertTrue(selector.items() <= labels.items(), selector)

    def test_a_full_node_sheds_load_before_its_container_is_killed(self):
        self.assertIn("memory", self.container["resources"]["limits"])
        for config in self.configs:
            # A tenth above the limit publishers wait: that must be within the container's, too.
            self.assertRegex(config["limits"]["memory"], r"^[1-8]\d%$")

    def test_the_network_lets_peers_to_peers_and_the_namespace_to_the_administration(self):
        policy = self.one("NetworkPolicy")["spec"]
        self.assertEqual(policy["policyTypes"], ["Ingress"])
        rules = {each["name"]: [rule for rule in policy["ingress"] if {"port": each["name"]} in rule["ports"]] for each in self.container["ports"]}
        self.assertEqual({name: len(found) for name, found in rules.items()}, {"mqtt": 1, "peers": 1, "admin": 1})
        self.assertNotIn("from", rules["mqtt"][0])
        self.assertEqual(rules["peers"][0]["from"], [{"podSelector": {"matchLabels": self.pod["metadata"]["labels"]}}])
        self.assertEqual(rules["admin"][0]["from"], [{"podSelector": {}}], "this namespace, and no other")

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
            self.assertEqual(tuple(members[i + 1]["zone"] for i in range(len(members))), ApiServer.zones)

    def test_the_init_container_is_of_this_set_and_may_ask_what_it_asks(self):
        init = self.pod["spec"]["initContainers"][0]
        script, name, replicas, service, port, file = init["command"]
        self.assertEqual(script, "/usr/share/holdfast/kubernetes-members")
        self.assertIn("install(PROGRAMS kubernetes/members DESTINATION share/holdfast RENAME kubernetes-members)",
                      (PACKAGING / "CMakeLists.txt").read_text())
        self.assertEqual((name, int(replicas), service), (self.set["metadata"]["name"], self.set["spec"]["replicas"],
                                                          self.set["spec"]["serviceName"]))
        self.assertEqual(int(port), self.configs[0]["listen"]["peer_port"])
        self.assertIn(file, self.container["command"][2])
        mounts = {each["name"]: each["mountPath"] for each in init["volumeMounts"]}
        self.assertEqual(os.path.dirname(file), mounts["data"])
        self.assertEqual(init["image"], self.container["image"])
        account = self.one("ServiceAccount", self.pod["spec"]["serviceAccountName"])["metadata"]["name"]
        for kind, resource in (("Role", "pods"), ("ClusterRole", "nodes")):
            role, binding = self.one(kind), self.one(f"{kind}Binding")
            self.assertEqual(role["rules"], [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}])
            self.assertEqual((binding["roleRef"]["kind"], binding["roleRef"]["name"]), (kind, role["metadata"]["name"]))
            self.assertEqual([each["name"] for each in binding["subjects"]], [account])
        packages = re.search(r"install -y --no-install-recommends (.*?) /packages", (PACKAGING / "container/Dockerfile").read_text())[1]
        self.assertLessEqual({"curl", "jq"}, set(packages.split()))

    def test_the_members_that_were_written_stay(self):
        command = self.pod["spec"]["initContainers"][0]["command"]
        with tempfile.TemporaryDirectory(prefix="hf-members-") as folder:
            with api_server() as api:
                first = members_script(command, folder, api)
            again = members_script(command, folder, "http://127.0.0.1:1")  # nobody is asked
            self.assertEqual((first.returncode, again.returncode, again.stdout), (0, 0, first.stdout), first.stderr + again.stderr)
            more = members_script([*command[:2], "5", *command[3:]], folder, "http://127.0.0.1:1")
            self.assertEqual(more.returncode, 1)
            self.assertIn("has 3 members, the set has 5", more.stderr)

    def test_a_pod_without_a_node_or_a_right_is_told(self):
        command = self.pod["spec"]["initContainers"][0]["command"]
        with tempfile.TemporaryDirectory(prefix="hf-members-") as folder, api_server() as api:
            done = members_script([command[0], "other", *command[2:]], folder, api, MEMBERS_PATIENCE="1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("403", done.stderr)
            self.assertIn("no node of pod other-0", done.stderr)
            self.assertFalse(pathlib.Path(folder, "members.json").exists())

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
