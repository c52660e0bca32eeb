"""Brokers to measure, and a client of MQTT 3.1.1 that is no more than the measurements need."""
import contextlib, os, pathlib, shutil, signal, socket, struct, subprocess, tempfile, time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def string(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def packet(kind, body):
    out, n = bytearray([kind]), len(body)
    while True:
        out.append(n % 128 | (128 if n > 127 else 0))
        n //= 128
        if n == 0:
            return bytes(out) + body


class Client:
    def __init__(self, port, name, clean=True):
        for _ in range(200):  # a node that still reads its data resets
            try:
                self.data = bytearray()
                self.socket = socket.create_connection(("127.0.0.1", port))
                self.socket.settimeout(60)
                self.send(packet(0x10, string("MQTT") + b"\x04" + (b"\x02" if clean else b"\x00") + b"\x00\x00" + string(name)))
                if self.packets(1)[0][0] == 0x20:
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("no CONNACK")

    def send(self, data):
        self.socket.sendall(data)

    def packets(self, at_least):
        """Whole packets that have come, at least so many."""
        found = []
        while True:
            at = 0
            while True:
                length, shift, i = 0, 0, at + 1
                while i < len(self.data):
                    length |= (self.data[i] & 127) << shift
                    shift += 7
                    i += 1
                    if self.data[i - 1] < 128:
                        break
                else:
                    break
                if i + length > len(self.data):
                    break
                found.append((self.data[at], bytes(self.data[i:i + length])))
                at = i + length
            del self.data[:at]
            if len(found) >= at_least:
                return found
            more = self.socket.recv(1 << 18)
            if not more:
                raise SystemExit("the broker closed the connection")
            self.data += more


def resident(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def broker(name, build, settings=()):
    """Starts `holdfastd` or `mosquitto` with fresh data; gives (process, port). `settings`: of holdfastd, "path=value"."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
    port = free_port()
    if name == "holdfastd":
        command = [build / "broker/app/holdfastd", "--port", str(port), "--data-dir", folder / "data"]
        for each in (f"listen.peer_port={free_port()}", "admin.enabled=false", *settings):
            command += ["--set", each]
    else:
        (folder / "m.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\n"
                                       "max_queued_messages 0\n")
        command = ["mosquitto", "-c", folder / "m.conf"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        shutil.rmtree(folder)


def brokers():
    return ["holdfastd"] + (["mosquitto"] if shutil.which("mosquitto") else [])
