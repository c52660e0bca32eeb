#!/usr/bin/env python3
"""Hostile input as cases: one fault a case, with the reason code that the specifications ask for.

    hostile.py FOLDER     writes FOLDER/*.json in the form of cases/*.json

The expectations are worked out here from the specifications' tables, not from the broker."""
import json, pathlib, sys

MALFORMED, PROTOCOL, TOPIC, TOO_LARGE, ALIAS = 0x81, 0x82, 0x90, 0x95, 0x94
OPEN = ["a> CONNECT id={}", "a< CONNACK ..."]
files, names = {}, set()


def case(file, name, steps, levels=(4, 5), config=None):
    assert name not in names, name
    names.add(name)
    if not any("CONNACK" in step for step in steps):
        steps = ["patience 2s"] + steps  # sooner than the connect timeout (10 s) closes whatever came
    one = {"name": name, "levels": list(levels), "steps": steps}
    if config:
        one["config"] = config
    files.setdefault(file, []).append(one)


def hexed(data):
    return "HEX " + data.hex()


def number(value, size):
    return value.to_bytes(size, "big")


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return number(len(value), 2) + value


def varint(value):
    out = b""
    while True:
        out += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
        value >>= 7
        if not value:
            return out


def packet(first, body):
    return bytes([first]) + varint(len(body)) + body


def refused(step, reason, level):
    """On an open connection: DISCONNECT tells 5.0 why; 3.1.1 sees the end."""
    return OPEN + [step] + ([f"a< DISCONNECT reason={reason:#04x} ..."] if level == 5 else []) + ["a< close"]


def refused_connect(step, reason, level):
    """CONNACK tells 5.0 why; 3.1.1 gets none for a packet that is malformed."""
    return [step] + ([f"a< CONNACK reason={reason:#04x} ..."] if level == 5 else []) + ["a< close"]


def at(file, name, step, reason, levels=(4, 5), opened=True):
    for level in levels:
        steps = (refused if opened else refused_connect)(step, reason, level)
        case(file, f"{name} ({level})", steps, [level])


def props(level, data=b""):
    return varint(len(data)) + data if level == 5 else b""


# --- before CONNECT: no version is known, so there is nobody to tell
for type in [0, *range(2, 16)]:
    case("before_connect", f"type {type} comes first", [f"a> HEX {type:x}0 00", "a< close"], [5])
for type, flags in [(3, f) for f in range(1, 16)] + [(8, 2), (10, 2), (6, 2)]:
    case("before_connect", f"type {type} with flags {flags} comes first", [f"a> HEX {type:x}{flags:x} 05 0001610001", "a< close"], [5])
for flags in range(1, 16):
    case("before_connect", f"CONNECT with flags {flags}", [f"a> HEX 1{flags:x} 0e 00044d5154540502000a00000161", "a< close"], [5])
for name, data in {"HTTP": b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n", "TLS": bytes.fromhex("1603010200010001fc0303"), "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
                   "zeros": bytes(64), "ones": b"\xff" * 64, "a line": b"hello\n", "AMQP": b"AMQP\x00\x00\x09\x01", "SMTP": b"EHLO broker\r\n",
                   "redis": b"*1\r\n$4\r\nPING\r\n", "a proxy's header": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"}.items():
    case("before_connect", f"not MQTT: {name}", ["a> " + hexed(data), "a< close"], [5])
case("before_connect", "CONNECT of 0 bytes", ["a> HEX 10 00", "a< close"], [5])
case("before_connect", "CONNECT with a remaining length of five bytes", ["a> HEX 10 ff ff ff ff 7f", "a< close"], [5])
case("before_connect", "CONNECT of 256 MiB", ["a> HEX 10 ff ff ff 7f 00 04", "a< close"], [5])
case("before_connect", "CONNECT larger than the maximum", ["a> HEX 10 80 80 04 00 04 4d", "a< close"], [5], {"mqtt.max_packet_size": 1000})

# --- CONNECT, cut at every byte
def connect(level, flags=0xF6, keep_alive=10, client=b"client", will_props=b"\x18\x00\x00\x00\x05", own=b"\x11\x00\x00\x00\x09"):
    body = text("MQTT") + bytes([level, flags]) + number(keep_alive, 2) + props(level, own) + text(client)
    if flags & 4:
        body += props(level, will_props) + text("will/topic") + text("gone")
    if flags & 0x80:
        body += text("user")
    if flags & 0x40:
        body += text("pass")
    return body

for level in (4, 5):
    body = connect(level)
    for size in range(1, len(body)):
        told = level == 5 and size >= 7  # name and level could be read
        steps = ["a> " + hexed(packet(0x10, body[:size]))] + (["a< CONNACK reason=0x81 ..."] if told else []) + ["a< close"]
        case("connect", f"CONNECT cut to {size} of {len(body)} bytes ({level})", steps, [level])
    at("connect", "CONNECT with a byte too many", "a> " + hexed(packet(0x10, body + b"x")), MALFORMED, [level], False)

for flags in [0x01, 0x03, 0x07, 0x83, 0xC3, 0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32, 0x3A, 0x1E, 0x3E, 0x1C, 0x9E, 0xDE, 0xFE]:
    at("connect", f"CONNECT flags {flags:#04x}", "a> " + hexed(packet(0x10, connect(5, flags))), MALFORMED, [5], False)
for flags in [0x01, 0x03, 0x07, 0x83, 0xC3, 0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32, 0x3A, 0x1E, 0x3E, 0x1C, 0x9E, 0xDE, 0xFE, 0x42, 0x46]:
    at("connect", f"CONNECT flags {flags:#04x}", "a> " + hexed(packet(0x10, connect(4, flags))), MALFORMED, [4], False)
for name in ["MQT", "MQTTT", "mqtt", "Mqtt", "MQTT ", "", "\0MQTT", "MQIsd", "AMQP"]:
    case("connect", f"protocol name {name!r}", ["a> " + hexed(packet(0x10, text(name) + connect(4)[6:])), "a< close"], [4])
for level in [0, 1, 2, 6, 7, 127, 128, 132, 255]:
    told = ["a< CONNACK reason=0x84 ..."] if level >= 5 else ["a< CONNACK reason=0x01"]
    case("connect", f"protocol level {level}", ["a> " + hexed(packet(0x10, text("MQTT") + bytes([level]) + connect(5 if level >= 5 else 4)[7:]))] + told + ["a< close"], [5 if level >= 5 else 4])
for wildcard in ["#", "+", "a/#", "a/+/b", "a+"]:
    at("connect", f"will topic {wildcard}", f"a> CONNECT id={{}} will={wildcard} will_payload=x", TOPIC, opened=False)
at("connect", "will topic is empty", "a> CONNECT id={} will= will_payload=x", TOPIC, opened=False)
case("connect", "empty client id in a persistent session", ["a> CONNECT id= clean=0", "a< CONNACK reason=0x02", "a< close"], [4])

# --- packets on an open connection, cut at every byte where that is a fault
def cuts(name, first, body, good, level):
    for size in range(len(body)):
        if size in good:
            continue
        reason = good.get(-size, MALFORMED) if size else good.get("empty", MALFORMED)
        at("cut", f"{name} cut to {size} of {len(body)} bytes", "a> " + hexed(packet(first, body[:size])), reason, [level])

for level in (4, 5):
    user = props(level, b"\x26" + text("k") + text("v"))
    for qos in (0, 1, 2):
        body = text("a/b") + (number(7, 2) if qos else b"") + user
        cuts(f"PUBLISH of QoS {qos}", 0x30 | qos << 1, body, {}, level)
    body = number(7, 2) + user + text("a/b") + b"\1"
    cuts("SUBSCRIBE", 0x82, body, {-(2 + len(user)): PROTOCOL}, level)
    cuts("UNSUBSCRIBE", 0xA2, body[:-1], {-(2 + len(user)): PROTOCOL}, level)
    for first, name in ((0x40, "PUBACK"), (0x50, "PUBREC"), (0x62, "PUBREL"), (0x70, "PUBCOMP")):
        cuts(name, first, number(7, 2) + (b"\0" + user if level == 5 else b""), {2: 0, 3: 0}, level)
user = props(5, b"\x26" + text("k") + text("v"))
cuts("DISCONNECT", 0xE0, b"\0" + user, {0: 0, 1: 0}, 5)

# --- flags of the fixed header
for type, name in ((4, "PUBACK"), (5, "PUBREC"), (6, "PUBREL"), (7, "PUBCOMP"), (8, "SUBSCRIBE"), (10, "UNSUBSCRIBE"), (12, "PINGREQ"), (14, "DISCONNECT")):
    for flags in range(16):
        if flags != (2 if type in (6, 8, 10) else 0):
            at("flags", f"{name} with flags {flags}", f"a> HEX {type:x}{flags:x} 02 0001", MALFORMED)
for flags in range(1, 16):
    at("flags", f"AUTH with flags {flags}", f"a> HEX f{flags:x} 02 1900", MALFORMED, [5])
for flags in (6, 7, 14, 15, 8, 9):
    at("flags", f"PUBLISH with flags {flags}", f"a> HEX 3{flags:x} 05 000161 0001", MALFORMED)

# --- properties: not theirs, twice, out of range
TYPES = {0x01: b"\1", 0x02: b"\0\0\0\1", 0x03: text("x"), 0x08: text("x"), 0x09: text("x"), 0x0B: b"\1", 0x11: b"\0\0\0\1", 0x12: text("x"), 0x13: b"\0\1",
         0x15: text("x"), 0x16: text("x"), 0x17: b"\1", 0x18: b"\0\0\0\1", 0x19: b"\1", 0x1A: text("x"), 0x1C: text("x"), 0x1F: text("x"), 0x21: b"\0\1",
         0x22: b"\0\1", 0x23: b"\0\1", 0x24: b"\1", 0x25: b"\1", 0x26: text("k") + text("v"), 0x27: b"\0\0\1\0", 0x28: b"\1", 0x29: b"\1", 0x2A: b"\1"}
ALLOWED = {  # table 2-4
    "CONNECT": {0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27}, "will": {0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26},
    "PUBLISH": {0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26}, "PUBACK": {0x1F, 0x26}, "PUBREC": {0x1F, 0x26}, "PUBREL": {0x1F, 0x26}, "PUBCOMP": {0x1F, 0x26},
    "SUBSCRIBE": {0x0B, 0x26}, "UNSUBSCRIBE": {0x26}, "DISCONNECT": {0x11, 0x1C, 0x1F, 0x26}, "AUTH": {0x15, 0x16, 0x1F, 0x26}}

def with_properties(name, data):
    p = props(5, data)
    if name == "CONNECT":
        return packet(0x10, connect(5, own=data))
    if name == "will":
        return packet(0x10, connect(5, will_props=data))
    return {"PUBLISH": lambda: packet(0x30, text("t") + p), "PUBACK": lambda: packet(0x40, number(7, 2) + b"\0" + p), "PUBREC": lambda: packet(0x50, number(7, 2) + b"\0" + p),
            "PUBREL": lambda: packet(0x62, number(7, 2) + b"\0" + p), "PUBCOMP": lambda: packet(0x70, number(7, 2) + b"\0" + p),
            "SUBSCRIBE": lambda: packet(0x82, number(7, 2) + p + text("t") + b"\0"), "UNSUBSCRIBE": lambda: packet(0xA2, number(7, 2) + p + text("t")),
            "DISCONNECT": lambda: packet(0xE0, b"\0" + p), "AUTH": lambda: packet(0xF0, b"\x19" + p)}[name]()

for name, allowed in ALLOWED.items():
    opened = name not in ("CONNECT", "will")
    for id, value in TYPES.items():
        one = bytes([id]) + value
        if id not in allowed:
            at("properties", f"{name} with property {id:#04x}", "a> " + hexed(with_properties(name, one)), MALFORMED, [5], opened)
        elif id not in (0x26, 0x0B, 0x16) and name != "AUTH":
            at("properties", f"{name} with property {id:#04x} twice", "a> " + hexed(with_properties(name, one + one)), PROTOCOL, [5], opened)
        if id in allowed and name != "AUTH" and not (id == 0x0B and name == "PUBLISH"):
            at("properties", f"{name} with property {id:#04x} cut short", "a> " + hexed(with_properties(name, one[:-1])), MALFORMED, [5], opened)
    for id in (0x00, 0x04, 0x0A, 0x0C, 0x2B, 0x7F):
        at("properties", f"{name} with unknown property {id:#04x}", "a> " + hexed(with_properties(name, bytes([id]) + b"\0\0\0\0")), MALFORMED, [5], opened)
for name, data, reason in [("CONNECT", b"\x21\0\0", PROTOCOL), ("CONNECT", b"\x27\0\0\0\0", PROTOCOL), ("CONNECT", b"\x17\2", PROTOCOL), ("CONNECT", b"\x19\2", PROTOCOL),
                           ("CONNECT", b"\x16" + text("data alone"), PROTOCOL), ("will", b"\1\2", PROTOCOL), ("PUBLISH", b"\1\2", PROTOCOL), ("PUBLISH", b"\x23\0\0", ALIAS),
                           ("PUBLISH", b"\x0b\1", PROTOCOL), ("PUBLISH", b"\x08" + text("a/#"), PROTOCOL), ("PUBLISH", b"\x08" + text("+"), PROTOCOL), ("SUBSCRIBE", b"\x0b\0", PROTOCOL),
                           ("SUBSCRIBE", b"\x0b\1\x0b\2", PROTOCOL), ("SUBSCRIBE", b"\x0b\xff\xff\xff\xff\1", MALFORMED), ("AUTH", b"", PROTOCOL), ("DISCONNECT", b"\x11\0\0\0\5", PROTOCOL)]:
    at("properties", f"{name} with properties {data.hex() or 'none'}", "a> " + hexed(with_properties(name, data)), reason, [5], name not in ("CONNECT", "will"))

# --- reason codes that are none of the packet's
REASONS = {0x40: ("PUBACK", {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}), 0x50: ("PUBREC", {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}), 0x62: ("PUBREL", {0x00, 0x92}), 0x70: ("PUBCOMP", {0x00, 0x92})}
for first, (name, good) in REASONS.items():
    for reason in [0x01, 0x04, 0x10, 0x18, 0x7F, 0x81, 0x8E, 0x92, 0x97, 0xFF]:
        if reason not in good:
            at("reasons", f"{name} with reason {reason:#04x}", "a> " + hexed(packet(first, number(7, 2) + bytes([reason]))), PROTOCOL, [5])
for reason in [0x01, 0x10, 0x18, 0x19, 0x7F, 0x84, 0x85, 0x86, 0x88, 0x8A, 0xA3, 0xFF]:
    at("reasons", f"DISCONNECT with reason {reason:#04x}", "a> " + hexed(packet(0xE0, bytes([reason]))), PROTOCOL, [5])
for reason in [0x00, 0x01, 0x17, 0x1A, 0x80, 0xFF]:
    at("reasons", f"AUTH with reason {reason:#04x}", "a> " + hexed(packet(0xF0, bytes([reason]) + props(5, b"\x15" + text("X")))), PROTOCOL, [5])

# --- strings
BAD = {"lone continuation": b"\x80", "overlong 2": b"\xc0\xaf", "overlong 3": b"\xe0\x80\xaf", "overlong 4": b"\xf0\x80\x80\xaf", "surrogate": b"\xed\xa0\x80", "low surrogate": b"\xed\xbf\xbf",
       "beyond U+10FFFF": b"\xf4\x90\x80\x80", "five bytes": b"\xf8\x88\x80\x80\x80", "0xFF": b"\xff", "cut short": b"a\xe2\x82", "null": b"a\0b", "only null": b"\0"}
PLACES = {
    "topic name": lambda s, l: packet(0x30, text(s) + props(l)), "topic filter": lambda s, l: packet(0x82, number(1, 2) + props(l) + text(s) + b"\0"),
    "unsubscribed filter": lambda s, l: packet(0xA2, number(1, 2) + props(l) + text(s))}
PLACES5 = {
    "response topic": lambda s, l: with_properties("PUBLISH", b"\x08" + text(s)), "content type": lambda s, l: with_properties("PUBLISH", b"\x03" + text(s)),
    "user property's name": lambda s, l: with_properties("PUBLISH", b"\x26" + text(s) + text("v")), "user property's value": lambda s, l: with_properties("SUBSCRIBE", b"\x26" + text("k") + text(s)),
    "reason string": lambda s, l: with_properties("DISCONNECT", b"\x1f" + text(s))}
for name, bad in BAD.items():
    for place, make in PLACES.items():
        for level in (4, 5):
            at("strings", f"{place}: {name}", "a> " + hexed(make(bad, level)), MALFORMED, [level])
    for place, make in PLACES5.items():
        at("strings", f"{place}: {name}", "a> " + hexed(make(bad, 5)), MALFORMED, [5])
    for level in (4, 5):
        at("strings", f"client id: {name}", "a> " + hexed(packet(0x10, connect(level, client=bad))), MALFORMED, [level], False)
for topic in ["#", "+", "a/+/b", "a/#", "a#", "+a", "#/a", "$SYS/+"]:
    at("strings", f"PUBLISH to {topic}", f"a> PUBLISH topic={topic} payload=x", TOPIC)
for filter in ["a/#/b", "#/", "##", "a#", "/#a", "a+", "+a", "a/b+/c", "++", "+/#+"]:
    for name in ("SUBSCRIBE", "UNSUBSCRIBE"):
        at("strings", f"{name} {filter}", f"a> {name} pid=1 filter={filter}" + (" qos=0" if name == "SUBSCRIBE" else ""), MALFORMED)
for filter in ["$share/", "$share/g", "$share//t", "$share/g/", "$share/g+/t", "$share/g#/t", "$share/+/t"]:
    at("strings", f"SUBSCRIBE {filter}", f"a> SUBSCRIBE pid=1 filter={filter} qos=0", MALFORMED, [5])

# --- too large
for first, name in ((0x30, "PUBLISH"), (0x32, "PUBLISH of QoS 1"), (0x40, "PUBACK"), (0x82, "SUBSCRIBE"), (0xA2, "UNSUBSCRIBE"), (0xC0, "PINGREQ"), (0xE0, "DISCONNECT"), (0x62, "PUBREL")):
    at("large", f"{name} announces 256 MiB", f"a> HEX {first:02x} ff ff ff 7f", TOO_LARGE)
    at("large", f"{name} has a length of five bytes", f"a> HEX {first:02x} ff ff ff ff 01", MALFORMED)
    if first not in (0xC0,):
        at("large", f"{name} of one byte too many", "a> " + hexed(bytes([first]) + varint(998)), TOO_LARGE)
        for one in files["large"][-2:]:
            one["config"] = {"mqtt.max_packet_size": 1000}
at("large", "PINGREQ with a body", "a> HEX c0 01 00", MALFORMED)
at("large", "DISCONNECT with a body", "a> HEX e0 01 00", MALFORMED, [4])

# --- in the wrong place
at("order", "a second CONNECT", "a> CONNECT id={}", PROTOCOL)
at("order", "AUTH in 3.1.1", "a> HEX f0 00", MALFORMED, [4])
for first, name in ((0x20, "CONNACK"), (0x90, "SUBACK"), (0xB0, "UNSUBACK"), (0xD0, "PINGRESP")):
    at("order", f"a client sends {name}", f"a> HEX {first:02x} 02 0000", PROTOCOL)
at("order", "packet type 0", "a> HEX 00 00", MALFORMED)
for name in ("PUBLISH topic={}/t payload=x qos=1", "PUBLISH topic={}/t payload=x qos=2", "SUBSCRIBE filter={}/t qos=0", "UNSUBSCRIBE filter={}/t", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP"):
    at("order", f"packet id 0 in {name.split(' topic')[0].split(' filter')[0]} {'2' if 'qos=2' in name else ''}".strip(), f"a> {name} pid=0", PROTOCOL)
case("order", "acknowledgements of nothing", OPEN + ["a> PUBACK pid=1 ; PUBCOMP pid=2 ; PUBACK pid=65535 ; PINGREQ", "a< PINGRESP", "a< nothing"])
case("order", "a release of nothing", OPEN + ["a> PUBREL pid=9 ; PINGREQ", "4|a~ PUBCOMP pid=9", "5|a~ PUBCOMP pid=9 reason=0x92", "a~ PINGRESP"])
case("order", "a flood of pings", OPEN + ["a> PINGREQ times=500", *["a< PINGRESP"] * 500, "a< nothing"])
case("order", "a hundred unsubscribes of nothing", OPEN + ["a> UNSUBSCRIBE pid=1 filter={}/none times=100", *["4|a< UNSUBACK pid=1", "5|a< UNSUBACK pid=1 codes=0x11"] * 100])

# --- slow
TIGHT = {"mqtt.connect_timeout": "1s"}
case("slow", "no byte at all", ["a> open", "a< nothing 700ms", "a< close"], [5], TIGHT)
for size in (1, 2, 6, 8, 12):
    case("slow", f"{size} bytes of a CONNECT", ["a> " + hexed(packet(0x10, connect(5))[:size]), "a< nothing 700ms", "a< close"], [5], TIGHT)
case("slow", "a CONNECT that drips", [step for i in range(8) for step in (f"a> {hexed(packet(0x10, connect(5))[i:i + 1])}", "wait 150ms")] + ["a< close"], [5], TIGHT)
for name, data in {"PUBLISH": packet(0x30, text("t") + b"\0" + bytes(100))[:20], "one byte": b"\x30", "a length": b"\x82\x80"}.items():
    case("slow", f"half a packet, then silence: {name}", ["a> CONNECT id={} keepalive=1", "a< CONNACK ...", "a> " + hexed(data), "a< nothing 1s", "a< DISCONNECT reason=0x8d ...", "a< close"], [5])
case("slow", "a packet that drips past the keep alive", ["a> CONNECT id={} keepalive=1", "a< CONNACK ...", "a> HEX 30 e8 07 00 01 74", *["wait 300ms", "a> HEX 61"] * 8, "patience 100ms", "a< DISCONNECT reason=0x8d ...", "a< close"], [5])

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for file, cases in files.items():
    (folder / f"{file}.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")
