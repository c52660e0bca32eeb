#!/usr/bin/env bash
# Installs what package-lock.json says into a folder of the build, once per lock file.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
if [ -d node_modules ] && cmp -s "$here/package-lock.json" installed.json; then exit 0; fi
cp "$here/package.json" "$here/package-lock.json" .
npm ci --ignore-scripts --no-audit --no-fund
cp package-lock.json installed.json
