#!/usr/bin/env python3
"""Spoils a tiny tree in each way check_house.py knows and sees each reported, and a clean one pass."""
import pathlib, subprocess, sys, tempfile, unittest

CHECKER = pathlib.Path(__file__).parent / "check_house.py"
CLEAN = {
    "tests/house/rooms.txt":
        "# room may include outside ring\n"
        "broker/base - tl pure\n"
        "broker/slot broker/base google pure\n"
        "broker/replica broker/base broker/slot - pure\n"
        "broker/host broker/base boost host\n"
        "reports broker/base nlohmann boost/unordered pure\n",
    "broker/base/CMakeLists.txt": "hf_room(base HEADERS bytes.hpp SOURCES bytes.cpp)\n",
    "broker/base/bytes.hpp": "// Bytes.\n#pragma once\n#include <tl/expected.hpp>\n#include <map>\n",
    "broker/base/bytes.cpp": '// Bytes.\n#include "broker/base/bytes.hpp"\n',
    "broker/slot/CMakeLists.txt": "hf_room(slot HEADERS slot.hpp PROTOS operation.proto)\n",
    "broker/slot/slot.hpp": '// A slot.\n#pragma once\n#include "broker/slot/operation.pb.h"\n'
                            '#include <google/protobuf/arena.h>\n',
    "broker/slot/operation.proto": '// Operations.\nsyntax = "proto3";\n'
                                   'import "google/protobuf/empty.proto";\n',
    "broker/replica/CMakeLists.txt": "hf_room(replica HEADERS copy.hpp)\n",
    "broker/replica/copy.hpp": '// A copy.\n#pragma once\n#include "broker/slot/operation.pb.h"\n',
    "broker/host/CMakeLists.txt": "hf_room(host SOURCES net/tcp.cpp)\n",
    "broker/host/net/tcp.cpp": "// Sockets.\n#include <boost/asio.hpp>\n#include <sys/socket.h>\n"
                               "auto now = std::chrono::steady_clock::now();\n",
    "reports/CMakeLists.txt": "hf_room(reports SOURCES table.cpp)\n",
    "reports/table.cpp": "// Tables.\n#include <nlohmann/json.hpp>\n"
                         "#include <boost/unordered/unordered_flat_map.hpp>\n"
                         "// std::unordered_map in a comment\n/* and\nrand() */\n"
                         "int x = rand();  // house-allows: to see that it can be allowed\n",
    "tests/base/CMakeLists.txt": "hf_test(base_test SOURCES bytes_test.cpp)\n",
    "tests/base/bytes_test.cpp": "// Bytes, tested.\n#include <gtest/gtest.h>\n#include <thread>\n",
    "tests/base/naive.hpp": "// A twin.\n",
}


def run(changes):
    """The checker's exit status and lines for the clean tree with `changes` (None deletes)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**CLEAN, **changes}.items():
            if text is None:
                continue
            file = pathlib.Path(folder) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        done = subprocess.run([sys.executable, CHECKER, folder], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines(), done.stderr


def appended(path, text):
    return {path: CLEAN[path] + text}


class HouseTest(unittest.TestCase):
    def expect(self, changes, *breaches):
        status, lines, errors = run(changes)
        self.assertEqual(errors, "")
        self.assertEqual(lines, sorted(breaches))
        self.assertEqual(status, 1)

    def expect_ban(self, code, what):
        """`code` is reported in a pure room, at its line, and allowed in a host room."""
        status, lines, _ = run(appended("broker/base/bytes.cpp", code + "\n"))
        self.assertEqual(status, 1, code)
        self.assertTrue(any(line.startswith(f"broker/base/bytes.cpp:3: {what}: ") for line in lines),
                        (code, lines))
        self.assertEqual(run(appended("broker/host/net/tcp.cpp", code + "\n"))[0], 0, code)

    def test_clean_tree_passes(self):
        self.assertEqual(run({}), (0, ["house in order"], ""))

    def test_layer_breach(self):
        self.expect(appended("broker/base/bytes.cpp", '\n\n#include "broker/slot/slot.hpp"\n'),
                    "broker/base/bytes.cpp:5: broker/base may not include broker/slot")

    def test_layer_breach_through_generated_header(self):
        self.expect(appended("broker/base/bytes.cpp", '#include "broker/slot/operation.pb.h"\n'),
                    "broker/base/bytes.cpp:3: broker/base may not include broker/slot")

    def test_layer_breach_of_a_proto(self):
        self.expect(appended("broker/slot/operation.proto", 'import "broker/replica/x.proto";\n'),
                    "broker/slot/operation.proto:4: broker/slot may not include broker/replica")

    def test_layer_breach_of_reports(self):
        self.expect(appended("reports/table.cpp", '#include "broker/slot/slot.hpp"\n'),
                    "reports/table.cpp:8: reports may not include broker/slot")

    def test_outside_library(self):
        self.expect(appended("broker/base/bytes.cpp", "#include <boost/asio.hpp>\n"),
                    "broker/base/bytes.cpp:3: broker/base may not use <boost/asio.hpp>")
        self.expect(appended("reports/table.cpp", "#include <boost/asio.hpp>\n"),
                    "reports/table.cpp:8: reports may not use <boost/asio.hpp>")

    def test_relative_include(self):
        self.expect(appended("broker/base/bytes.cpp", '#include "bytes.hpp"\n'),
                    'broker/base/bytes.cpp:3: "bytes.hpp": include by full path from the root')

    def test_include_cycle(self):
        changes = appended("broker/base/bytes.hpp", '#include "broker/base/hash.hpp"\n')
        changes["broker/base/hash.hpp"] = '// Hash.\n#include "broker/base/bytes.hpp"\n'
        changes["broker/base/CMakeLists.txt"] = "hf_room(base HEADERS bytes.hpp hash.hpp SOURCES bytes.cpp)\n"
        self.expect(changes, "broker/base/hash.hpp:2: include cycle: broker/base/bytes.hpp -> "
                             "broker/base/hash.hpp -> broker/base/bytes.hpp")

    def test_cycle_of_rooms(self):
        table = CLEAN["tests/house/rooms.txt"].replace("broker/base - tl", "broker/base broker/slot tl")
        self.expect({"tests/house/rooms.txt": table},
                    "broker/slot:1: room cycle: broker/base -> broker/slot -> broker/base")

    def test_bans_of_pure_rooms(self):
        for code, what in [
            ("auto t = std::chrono::steady_clock::now();", "steady_clock"),
            ("auto t = std::chrono::system_clock::now();", "system_clock"),
            ("auto t = time(nullptr);", "time(nullptr)"),
            ("std::unordered_map<int, int> m;", "std::unordered_map"),
            ("std::unordered_set<int> m;", "std::unordered_set"),
            ("std::random_device d;", "std::random_device"),
            ("std::mt19937 g;", "std::mt19937"),
            ("std::hash<int> h;", "std::hash"),
            ("std::shuffle(a, b, g);", "std::shuffle"),
            ("std::uniform_int_distribution<int> d;", "std::uniform_int_distribution"),
            ("std::uniform_real_distribution d;", "std::uniform_real_distribution"),
            ("std::locale l;", "std::locale"),
            ("std::thread t;", "std::thread"),
            ("std::mutex m;", "std::mutex"),
            ("std::this_thread::yield();", "this_thread"),
            ("usleep(1);", "usleep("),
            ("std::cout << 1;", "std::cout"),
            ("std::ifstream f;", "std::ifstream"),
            ("getenv(x);", "getenv("),
            ("reinterpret_cast<std::uintptr_t>(p);", "reinterpret_cast<std::uintptr_t"),
            ("#include <iostream>", "#include <iostream>"),
        ]:
            with self.subTest(code):
                self.expect_ban(code, what)

    def test_orphans(self):
        self.expect({"broker/base/other.cpp": "// Other.\n"},
                    "broker/base/other.cpp:1: orphan: in no CMakeLists.txt")
        self.expect({"broker/base/other.hpp": "// Other.\n"},
                    "broker/base/other.hpp:1: orphan: in no CMakeLists.txt")
        self.expect({"tests/base/other_test.cpp": "// Other.\n"},
                    "tests/base/other_test.cpp:1: orphan: in no CMakeLists.txt")

    def test_orphan_with_a_namesake_built_elsewhere(self):
        self.expect({"broker/slot/bytes.cpp": "// Other.\n"},
                    "broker/slot/bytes.cpp:1: orphan: in no CMakeLists.txt")
        self.expect({"broker/base/tes.cpp": "// The end of a built file's name.\n"},
                    "broker/base/tes.cpp:1: orphan: in no CMakeLists.txt")

    def test_first_line(self):
        what = "1: first line must say what the file is for: // ..."
        self.expect({"broker/base/bytes.cpp": '#include "broker/base/bytes.hpp"\n'},
                    f"broker/base/bytes.cpp:{what}")
        self.expect({"tests/base/bytes_test.cpp": "\n// Late.\n"}, f"tests/base/bytes_test.cpp:{what}")

    def test_junk_names(self):
        for name in ("util.hpp", "string_utils.hpp", "common.hpp", "slot_manager.hpp", "helpers.hpp"):
            lists = f"hf_room(base HEADERS bytes.hpp {name} SOURCES bytes.cpp)\n"
            self.expect({f"broker/base/{name}": "// Junk.\n", "broker/base/CMakeLists.txt": lists},
                        f"broker/base/{name}:1: name says nothing: name the one thing it is about")

    def test_too_long(self):
        self.assertEqual(run({"broker/base/bytes.cpp": "// Long.\n" * 400})[0], 0)
        self.expect({"broker/base/bytes.cpp": "// Long.\n" * 401},
                    "broker/base/bytes.cpp:400: over 400 lines: split by concept")
        self.expect({"tests/base/bytes_test.cpp": "// Long.\n" * 601},
                    "tests/base/bytes_test.cpp:600: over 600 lines: split by concept")

    def test_unknown_room(self):
        self.expect({"broker/attic/box.hpp": "// A box.\n", "broker/attic/CMakeLists.txt": "box.hpp\n"},
                    "broker/attic/box.hpp:1: stands in no room of rooms.txt")

    def test_table_names_unknown_room(self):
        table = CLEAN["tests/house/rooms.txt"] + "sim/world sim/attic - pure\n"
        self.expect({"tests/house/rooms.txt": table},
                    "tests/house/rooms.txt:1: sim/world may include sim/attic: no such room")

    def test_unfinished(self):
        self.expect(appended("broker/base/bytes.cpp", "// FIX" + "ME later\n"),
                    "broker/base/bytes.cpp:3: FIXME: finish it, or make it a TODO(#issue)")

    def test_run_of_the_readme(self):
        golden = {"tests/sim_scenario/golden.txt": "# all\nsplit 3 9s 00\nsplit 3 whole 11\n"}
        shown = "# It\n`./run scenarios/split.json --seed 3`:\n```\ndigest: {}\n```\n"
        self.assertEqual(run({**golden, "README.md": shown.format("11")})[0], 0)
        self.expect({**golden, "README.md": shown.format("00")},
                    'README.md:4: "split 3 whole 00" is not in tests/sim_scenario/golden.txt')
        self.expect({**golden, "README.md": "# It\n"}, "README.md:1: shows no run with its digest")


if __name__ == "__main__":
    unittest.main()
