"""An MQTT client nobody here wrote (Paho, Python) that keeps its session and comes back for ever."""
import collections, random, socket, threading, time

import paho.mqtt.client as paho


class PatientClient:
    """Persistent session. `where()` answers (host, port) for each attempt; a thread does the rest.

    `received(topic, payload, qos)` is called for each message, on that thread."""

    def __init__(self, name, where, received=None, subscriptions=(), keep_alive=10, bind="", clean=False, will=None):
        self.name, self.where, self.subscriptions, self.keep_alive, self.bind = name, where, list(subscriptions), keep_alive, bind
        self.connections, self.subscribed = 0, threading.Event()
        self.kept_released = 0  # times that a message was kept from being published twice
        self.acknowledged = set()  # what stands for a message in publish()
        self._todo = collections.deque()  # published by others; Paho is only touched on our thread
        self._names, self._early = {}, set()
        self._over = self._leave = self._quietly = False
        self.client = paho.Client(name, clean_session=clean, protocol=paho.MQTTv311)
        self.client.max_inflight_messages_set(20)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_publish = lambda _c, _u, mid: self._on_publish(mid)
        if received:
            self.client.on_message = lambda _c, _u, m: received(m.topic, m.payload.decode(), m.qos)
        if will:
            self.client.will_set(*will)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _on_connect(self, client, _userdata, flags, code):
        if code != 0:
            return
        self.connections += 1
        if self.subscriptions and not (flags["session present"] and self.subscribed.is_set()):
            client.subscribe(self.subscriptions)

    def _on_publish(self, mid):
        if mid in self._names:
            self.acknowledged.add(self._names.pop(mid))
        else:
            self._early.add(mid)  # quicker than publish() returned

    def _publish(self, topic, payload, qos, retain, name):
        mid = self.client.publish(topic, payload, qos, retain).mid
        if mid in self._early:
            self._early.discard(mid)
            self.acknowledged.add(name)
        else:
            self._names[mid] = name

    def _keep_released(self):
        """Paho 1.6.1 forgets, at each attempt that ends before its CONNACK, that a message was released, and would publish it
        anew [MQTT-4.3.3-6]: a new message to the broker, which has forgotten the packet id."""
        for message in self.client._out_messages.values():
            if message.state == paho.mqtt_ms_resend_pubrel:
                self.kept_released += 1
                message.state = paho.mqtt_ms_wait_for_pubcomp

    def _run(self):
        while not self._over:
            self._leave = False
            try:
                host, port = self.where()
                self._keep_released()
                self.client.connect(host, port, self.keep_alive, self.bind)
                while self.client.loop(0.05) == paho.MQTT_ERR_SUCCESS and not self._over and not self._leave:
                    while self._todo and self.client.is_connected():
                        self._publish(*self._todo.popleft())
                if self._leave or self._over and not self._quietly:
                    self.client.disconnect()
                self.cut()
            except (OSError, ValueError):
                pass
            if not self._over:
                time.sleep(random.uniform(0.05, 0.3))

    def publish(self, topic, payload, qos, name=None, retain=False):
        """`name` goes into `acknowledged` once the broker has taken the message over (QoS 0: once it is written)."""
        self._todo.append((topic, payload, qos, retain, name))

    def cut(self):
        """Ends the connection without a word."""
        held = self.client.socket()
        if held:
            try:
                held.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def leave(self):
        """DISCONNECT, then back."""
        self._leave = True

    def connected(self):
        return self.client.is_connected()

    def unacknowledged(self):
        return len(self._names) + len(self._todo)

    def stop(self, quietly=False):
        """For good; `quietly` without DISCONNECT."""
        self._quietly = quietly
        self._over = True
        self._thread.join(10)
