#!/usr/bin/env bash
# Builds the fuzz targets in build/cross: clang with -fsanitize=fuzzer,address,undefined.
set -euo pipefail

cd "$(dirname "$0")/../.."
cmake --preset cross
cmake --build build/cross --target fuzz_targets
