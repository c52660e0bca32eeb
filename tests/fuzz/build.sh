#!/usr/bin/env bash
# Builds the fuzz targets in build/fuzz: clang with -fsanitize=fuzzer,address,undefined.
set -euo pipefail

cd "$(dirname "$0")/../.."
cmake --preset fuzz
cmake --build build/fuzz --target fuzz_targets
