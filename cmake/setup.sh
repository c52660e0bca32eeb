# shellcheck shell=bash
# Sourced by ./run and ./test: installs the packages that are missing, builds with one line of progress.

packages=(g++ clang libclang-rt-14-dev cmake ninja-build ccache mold python3
  libboost1.81-dev librocksdb-dev libmimalloc-dev libprotobuf-dev protobuf-compiler libexpected-dev libssl-dev openssl
  curl jq nlohmann-json3-dev libspdlog-dev libfmt-dev libcli11-dev
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
  libpaho-mqtt-dev libpaho-mqttpp-dev mosquitto mosquitto-clients chromium
  dpkg-dev haproxy python3-yaml python3-paho-mqtt)
# For MQTT.js. By command: other packagings of nodejs bring npm along and bear no package of that name.
commands=(node:nodejs npm:npm)

# Runs a command as root, by sudo if need be. A variable of the environment may come first.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env "$@"
  elif command -v sudo >/dev/null; then
    sudo env "$@"
  else
    echo "set-up: neither root nor sudo: cannot run: $*" >&2
    return 1
  fi
}

# Prints the packages of the list that are not installed.
missing_packages() {
  local installed
  # dpkg-query fails if it knows one of them not at all; what it prints is what counts.
  # shellcheck disable=SC2016
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p' || true)
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) <(printf '%s\n' "$installed" | sort)
  local each
  for each in "${commands[@]}"; do
    command -v "${each%%:*}" >/dev/null || printf '%s\n' "${each#*:}"
  done
}

# Mosquitto and HAProxy are here for tests that start their own: their packages must not leave a service behind.
# dpkg asks policy-rc.d before it starts one; 101 is "no".
install_without_services() {
  local policy=/usr/sbin/policy-rc.d ours=no status=0
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" || status=$?
  if [ "$ours" = yes ]; then as_root rm -f "$policy"; fi
  local each
  for each in mosquitto haproxy; do
    case " $* " in
      *" $each "*)
        if command -v systemctl >/dev/null; then
          as_root systemctl disable "$each.service" || true
          as_root systemctl stop "$each.service" || true
        fi ;;
    esac
  done
  return "$status"
}

# set_up LOG: installs what is missing; silent and quick if nothing is.
set_up() {
  local log=$1
  local -a missing
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "set-up: apt-get and dpkg-query are needed (Debian 12); install by hand: ${packages[*]}" >&2
    return 1
  fi
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "set-up: installing ${missing[*]}"
  mkdir -p "$(dirname "$log")"
  if ! { as_root apt-get update -q && install_without_services "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "set-up: could not install ${missing[*]} (log: $log)" >&2
    return 1
  fi
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "set-up: still missing after the installation: ${missing[*]}" >&2
    return 1
  fi
}

# Reads ninja's lines, shows them as one moving line on a terminal, else a line each tenth.
show_progress() {
  local line done_edges all_edges tenth shown=-1
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    done_edges=${BASH_REMATCH[1]} all_edges=${BASH_REMATCH[2]}
    if [ -t 1 ]; then
      printf '\rbuild: %s/%s\033[K' "$done_edges" "$all_edges"
    else
      tenth=$((done_edges * 10 / all_edges))
      if [ "$tenth" -gt "$shown" ]; then
        shown=$tenth
        echo "build: $done_edges/$all_edges"
      fi
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# build_quietly LOG PRESET [cmake --build options]: configures and builds in the current folder; the
# whole log on failure only.
build_quietly() {
  local log=$1 preset=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    echo "configure failed (log: $log)" >&2
    return 1
  fi
  if ! cmake --build "build/$preset" "$@" 2>&1 | tee -a "$log" | show_progress; then
    cat "$log" >&2
    echo "build failed (log: $log)" >&2
    return 1
  fi
}
