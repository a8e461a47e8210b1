#!/usr/bin/env bash
# Makes everything `make` needs: system packages, a virtual environment, pinned Python packages.
#
#   scripts/setup.sh [dev] [browser] [engine]
#   scripts/setup.sh where                        only says where the environment is
#
# dev adds the tools of `make test` and `make check`, browser a Chromium for the tests that look
# at a page, engine podman and debootstrap for the tests that grade in containers. What is there
# already is left alone; with nothing to do this ends at once. Settings:
#
#   VENV         where the environment is        (.venv; see below for folders below /tmp)
#   PYTHON       the Python to make it from      (the first of python3, python3.13, .12, .11 that fits)
#   TORCH_INDEX  one more place for pip to find torch in, for example the CPU builds at
#                https://download.pytorch.org/whl/cpu (200 MB instead of gigabytes of CUDA)
#
# On Debian and Ubuntu, as root or with sudo, missing system packages are installed by apt.
# Anywhere else the script says what to install, and stops.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
# A box mounts a /tmp of its own, which hides whatever lies below the real one. So a clone there
# has its environment elsewhere, in a folder named by the clone's path: no two clones share one.
away=""
case $root/ in
  /tmp/* | /var/tmp/* | /dev/shm/*)
    away=${HOME:-/root}/.cache/five-beats/venv-$(printf %s "$root" | sha256sum | cut -c1-12) ;;
esac
venv=${VENV:-${away:-$root/.venv}}
extras=""
browser=no
engine=no
for word in "$@"; do
  case $word in
    dev) extras="[dev]" ;;
    browser) browser=yes ;;
    engine) engine=yes ;;
    where) echo "$venv"; exit ;;
    *) echo "setup: unknown word '$word' (known: dev, browser, engine, where)" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*" >&2; }
stop() { say "$*"; exit 1; }

chromium() { type -P chromium || type -P chromium-browser || type -P google-chrome; }

fits() { # a Python of 3.11 to 3.13 that can make environments
  command -v "$1" >/dev/null && "$1" - 2>/dev/null <<'EOF'
import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info < (3, 14))
EOF
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if fits "$candidate"; then command -v "$candidate"; return; fi
  done
}

seccomp() {
  local ldconfig
  ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
  "$ldconfig" -p 2>/dev/null | grep -q 'libseccomp\.so\.2'
}

# What the system lacks, by Debian's names.
missing() {
  command -v bwrap >/dev/null || echo bubblewrap
  seccomp || echo libseccomp2
  [ -n "$(find_python)" ] || echo python3 python3-venv
  if [ "$browser" = yes ] && ! chromium >/dev/null; then echo chromium; fi
  if [ "$engine" = yes ]; then
    command -v podman >/dev/null || echo podman
    # crun, podman's own choice, refuses machines that mix both versions of cgroups
    command -v runc >/dev/null || echo runc
    command -v debootstrap >/dev/null || echo debootstrap
  fi
}

install_system() {
  local want as_root=()
  want=$(missing | xargs)
  [ -n "$want" ] || return 0
  local by_hand="install these first: $want (Debian, Ubuntu: apt-get install $want), then run this again"
  command -v apt-get >/dev/null || stop "this is not a Debian or Ubuntu system; $by_hand"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || stop "neither root nor sudo; $by_hand"
    if [ -t 0 ]; then as_root=(sudo); else as_root=(sudo -n); fi
    "${as_root[@]}" true || stop "sudo was refused; $by_hand"
  fi
  say "installing $want"
  # One broken source in a machine's list must not stop the rest; the install itself decides.
  "${as_root[@]}" apt-get update -q >&2 || say "apt-get update had errors; going on"
  # shellcheck disable=SC2086 # a list of names
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $want >&2 </dev/null || stop "apt-get failed; $by_hand"
  want=$(missing | xargs)
  [ -z "$want" ] || stop "still missing after apt-get: $want (Python must be 3.11 to 3.13; set PYTHON=...)"
}

install_python() {
  # The stamp names what the environment was made from; VENV may name one that another clone made.
  local wanted stamp="$venv/.five-beats${extras:+-dev}" hook=autograder/inside/torchvision_compat.py
  wanted=$(cat pyproject.toml constraints.txt scripts/setup.sh "$hook" <(echo "$root") | sha256sum)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  rm -f "$venv"/.five-beats*
  if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    say "making the environment in $venv"
    if [ "$venv" = "$away" ]; then
      say "(not in this clone, where a box could not see it; it is this clone's own: remove both)"
    fi
    mkdir -p "$(dirname "$venv")"
    "$(find_python)" -m venv --clear "$venv"
  fi
  local quiet=()
  [ -t 2 ] || quiet=(-q)
  pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@" </dev/null >&2; }
  local pinned=(install "${quiet[@]}" -c constraints.txt)
  say "installing Python packages; torch is large, so the first time takes minutes"
  pip "${pinned[@]}" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
  pip "${pinned[@]}" numpy pillow setuptools
  pip "${pinned[@]}" --no-deps torchvision
  pip "${pinned[@]}" --no-build-isolation -e ".$extras"
  "$venv/bin/python" -m autograder.inside.torchvision_compat >/dev/null # so that every process of it can import torchvision
  "$venv/bin/python" -c 'import autograder.course.config, torchvision' || stop "the environment does not work; remove $venv and run this again"
  echo "$wanted" >"$stamp"
  if [ -n "$extras" ]; then echo "$wanted" >"$venv/.five-beats"; fi
}

[ "$(uname -s)" = Linux ] || stop "boxes need Linux (bubblewrap, seccomp); use Debian 12, in a virtual machine or WSL 2"
install_system
install_python
