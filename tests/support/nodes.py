"""Nodes of holdfastd on loopback, on free ports, for tests and measurements in Python."""
import os, pathlib, shutil, signal, socket, subprocess, tempfile, time, urllib.request


given = set()


def free_ports(count):
    """Free a moment ago; none is given twice, so that what is not listened at yet stays free."""
    held, ports = [], []
    while len(ports) < count:
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
        port = held[-1].getsockname()[1]
        if port not in given:
            given.add(port)
            ports.append(port)
    for each in held:
        each.close()
    return ports


def eventually(done, patience=20.0, what="it"):
    """Asks until the answer is true, and gives it back; AssertionError when patience is over."""
    end = time.monotonic() + patience
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {patience} s")
        time.sleep(0.05)


class Node:
    def __init__(self, number, ports):
        self.number, self.process = number, None
        self.port, self.peer_port, self.admin_port, self.proxy_port = ports


class Cluster:
    """`options(node)` answers further options of a node's command line. Use it in a with statement."""

    def __init__(self, holdfastd, size, options=lambda node: []):
        self.holdfastd, self.options = holdfastd, options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-nodes-"))
        ports = free_ports(4 * size)
        self.nodes = [Node(n + 1, ports[4 * n:4 * n + 4]) for n in range(size)]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close(lambda: kind is None)

    def close(self, went_well):
        for node in self.nodes:
            self.kill(node)
        if went_well():
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"logs and data are kept in {self.folder}")

    def log(self, node):
        path = self.folder / f"n{node.number}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, node):
        command = [self.holdfastd, "--node-id", str(node.number), "--bind", "127.0.0.1", "--port", str(node.port),
                   "--peer-bind", "127.0.0.1", "--peer-port", str(node.peer_port), "--admin-port", str(node.admin_port),
                   "--data-dir", str(self.folder / f"n{node.number}")]
        for other in self.nodes:
            command += ["--member", f"id={other.number},name=n{other.number},zone=z{other.number},"
                                    f"address=127.0.0.1:{other.peer_port}"]
        with open(self.folder / f"n{node.number}.log", "ab") as log:
            node.process = subprocess.Popen(command + self.options(node), stdout=log, stderr=log)

    def start_all(self):
        for node in self.nodes:
            self.start(node)
        for node in self.nodes:
            eventually(lambda: self.answers(node), 30, f"node {node.number} accepts\n{self.log(node)}")

    @staticmethod
    def answers(node):
        """Whether it takes connections."""
        with socket.socket() as trial:
            trial.settimeout(1)
            return trial.connect_ex(("127.0.0.1", node.port)) == 0

    @staticmethod
    def ask(node, path):
        """What the administration answers; OSError when it cannot, or says no."""
        with urllib.request.urlopen(f"http://127.0.0.1:{node.admin_port}{path}", timeout=2) as answer:
            return answer.read()

    @classmethod
    def ready(cls, node):
        try:
            cls.ask(node, "/health/ready")
            return True
        except OSError:
            return False

    @staticmethod
    def kill(node):
        if node.process and node.process.poll() is None:
            os.kill(node.process.pid, signal.SIGKILL)
            node.process.wait(10)

    @staticmethod
    def stop(node, patience=30):
        """SIGTERM; its exit status."""
        node.process.send_signal(signal.SIGTERM)
        return node.process.wait(patience)
