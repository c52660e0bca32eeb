#!/usr/bin/env bash
# Runs one target from its seeds: fuzz.sh TARGET SECONDS [SEED]. What it finds is left in build/cross/found; new inputs that cover
# more go to build/cross/corpus, not into the tree.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=$1
seconds=$2
seed=${3:-0}  # 0: another each time
cd "$here/../.."
mkdir -p "build/cross/corpus/$target" build/cross/found
dictionary=()
if [ -f "$here/$target.dict" ]; then dictionary=("-dict=$here/$target.dict"); fi
UBSAN_OPTIONS=print_stacktrace=1 exec "build/cross/tests/fuzz/$target" "build/cross/corpus/$target" "$here/seeds/$target" \
  "${dictionary[@]}" -seed="$seed" -max_total_time="$seconds" -artifact_prefix="build/cross/found/$target-" -max_len=4096 -timeout=20 \
  -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0
