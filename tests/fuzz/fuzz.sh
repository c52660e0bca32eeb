#!/usr/bin/env bash
# Runs one target from its seeds: fuzz.sh TARGET SECONDS. What it finds is left in build/fuzz/found; new inputs that cover
# more go to build/fuzz/corpus, not into the tree.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=$1
seconds=$2
cd "$here/../.."
mkdir -p "build/fuzz/corpus/$target" build/fuzz/found
dictionary=()
if [ -f "$here/$target.dict" ]; then dictionary=("-dict=$here/$target.dict"); fi
UBSAN_OPTIONS=print_stacktrace=1 exec "build/fuzz/tests/fuzz/$target" "build/fuzz/corpus/$target" "$here/seeds/$target" \
  "${dictionary[@]}" -max_total_time="$seconds" -artifact_prefix="build/fuzz/found/$target-" -max_len=4096 -timeout=20 \
  -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0
