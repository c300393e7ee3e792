# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts have in common. Source it first: it sets `root` and goes there.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$root" || exit 2

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
[[ -t 2 ]] || say() { printf '==> %s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# need_root WHY
need_root() {
  ((EUID == 0)) || die "needs root: $1. Run: sudo $0"
}

ensure_dependencies() {
  scripts/bootstrap --check >/dev/null || scripts/bootstrap
}

# One compiler takes up to 1 GiB: never more of them than memory holds.
jobs() {
  local cpus memory
  cpus=$(nproc)
  memory=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  ((memory >= 1)) || memory=1
  echo $((cpus < memory ? cpus : memory))
}

# Runs a command as the owner of the source tree, so that `sudo scripts/test` leaves no files of root's behind.
as_owner() {
  local owner
  owner=$(stat -c %U -- "$root")
  if ((EUID == 0)) && [[ $owner != root && $owner != UNKNOWN ]]; then
    runuser -u "$owner" -- env HOME="$(getent passwd "$owner" | cut -d: -f6)" "$@"
  else
    "$@"
  fi
}

# configure PRESET: says nothing unless it fails.
configure() {
  local log
  if [[ -z ${CMAKE_CXX_COMPILER_LAUNCHER+set} ]] && command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  log=$(as_owner cmake --preset "$1" 2>&1) || {
    printf '%s\n' "$log" >&2
    die "the configuration failed"
  }
}

# build PRESET [cmake --build arguments]
build() {
  local preset=$1
  shift
  configure "$preset"
  as_owner cmake --build --preset "$preset" --parallel "$(jobs)" "$@"
}
