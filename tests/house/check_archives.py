#!/usr/bin/env python3
"""Archives of the core and of the simulator may ask the system for nothing that differs between two runs: time, chance,
threads, files, sockets, the surroundings. Usage: check_archives.py ARCHIVE... | check_archives.py --selftest COMPILER"""
import pathlib
import re
import subprocess
import sys
import tempfile

BANNED = re.compile(
    r"""^(
    clock_gettime|clock|gettimeofday|time|ftime|nanosleep|clock_nanosleep|usleep|sleep|localtime(_r)?|mktime|strftime|tzset|
    getrandom|getentropy|arc4random.*|s?rand(om)?(_r)?|[dlmn]rand48|
    pthread_create|thrd_create|fork|vfork|clone|execv.*|system|
    open(64)?|openat(64)?|fopen(64)?|creat(64)?|socket|connect|bind|accept4?|
    getenv|secure_getenv|setlocale|getpid|gethostname|uname|
    _ZNSt6chrono3_V21[0-9](system|steady)_clock3nowEv|_ZNSt13random_device.*|_ZNSt6thread.*|_ZNSt13basic_filebuf.*|
    _ZNSt14basic_[io]fstream.*|_ZSt11_Hash_bytes.*|_ZNSt6locale6globalE.*
    )$""",
    re.VERBOSE,
)


def faults(archives):
    found = []
    for archive in archives:
        text = subprocess.run(["nm", "-u", "-A", archive], capture_output=True, text=True, check=True).stdout
        for line in text.splitlines():
            symbol = line.split()[-1].split("@")[0]
            if BANNED.match(symbol):
                found.append(f"{line.split(' ')[0]} refers to {symbol}")
    return found


def selftest(compiler):
    """One archive that asks for each kind of thing, and one that asks for none."""
    spoilt = ("#include <chrono>\n#include <cstdlib>\n#include <fcntl.h>\n#include <random>\n#include <thread>\n#include <time.h>\n"
              "#include <string>\n#include <functional>\n"
              "long a() { return std::chrono::steady_clock::now().time_since_epoch().count(); }\n"
              "int b() { timespec t; return clock_gettime(CLOCK_REALTIME, &t); }\n"
              "int c(const char* f) { return open(f, 0); }\nunsigned d() { return std::random_device{}(); }\n"
              "void e() { std::thread(b).join(); }\nint f() { return rand(); }\nchar* g() { return getenv(\"TZ\"); }\n"
              "std::size_t h(const std::string& s) { return std::hash<std::string>{}(s); }\n")
    wanted = ["steady_clock", "clock_gettime", "open", "random_device", "thread", "rand", "getenv", "_Hash_bytes"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("spoilt", spoilt), ("clean", "#include <map>\nint a(std::map<int, int>& m) { return m[3]; }\n")):
            source = pathlib.Path(folder, name + ".cpp")
            source.write_text(text)
            subprocess.run([compiler, "-std=c++20", "-O1", "-c", str(source), "-o", f"{folder}/{name}.o"], check=True)
            subprocess.run(["ar", "rc", f"{folder}/{name}.a", f"{folder}/{name}.o"], check=True)
        found = "\n".join(faults([f"{folder}/spoilt.a"]))
        missed = [word for word in wanted if word not in found]
        if missed or faults([f"{folder}/clean.a"]):
            print(f"selftest: missed {missed}; of the clean one {faults([f'{folder}/clean.a'])}\n{found}")
            return 1
    print("selftest passed")
    return 0


def main(arguments):
    if arguments[:1] == ["--selftest"]:
        return selftest(arguments[1])
    if not arguments:
        print("check_archives: no archives named")
        return 2
    found = faults(arguments)
    print("\n".join(found) or f"{len(arguments)} archives refer to nothing of the system's that could differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
