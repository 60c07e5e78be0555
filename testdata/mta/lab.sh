# Sourced by the labs in this folder: real mail programs in private namespaces.
#
# lab_enter NAME "debian packages" re-executes the calling script as root inside its own mount,
# network, process and host-name namespaces. /usr, /etc and /var are overlays: the machine below,
# the lab's packages (installed once) above it, a scratch layer on top. So mail servers that
# exclude each other can all be tested, the machine is not changed, every port is free, nothing
# leaves the machine, and every daemon dies with the script.
#
# LAB_ROOT  where the packages of the labs are kept (not below /usr, /etc or /var)

LAB_ROOT=${LAB_ROOT:-/opt/esets-lab}
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PYTHON=/usr/bin/python3
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8

lab_overlay() { # lab_overlay LOWER UPPER: lay UPPER over the machine, or over LOWER over the machine
  local dir
  for dir in usr etc var; do
    mkdir -p "$2/$dir/upper" "$2/$dir/work"
    mount -t overlay overlay -o \
      "lowerdir=${1:+$1/$dir/upper:}/$dir,upperdir=$2/$dir/upper,workdir=$2/$dir/work" "/$dir" || return 1
  done
}

lab_install() { # lab_install FOLDER PACKAGES: inside the mount namespace, with the machine's network
  lab_overlay "" "$1" || exit 1
  mount -t tmpfs tmpfs /run
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  [ -n "$(find /var/lib/apt/lists -name '*Packages*' -print -quit 2>/dev/null)" ] || apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2 ||
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2; }
}

lab_prepare() { # lab_prepare FOLDER PACKAGES: once per set of packages
  mkdir -p "$1"
  exec 9>"$1/lock"
  flock 9
  if [ "$(cat "$1/packages" 2>/dev/null)" != "$2" ]; then
    echo "# installing: $2" >&2
    rm -rf "$1/usr" "$1/etc" "$1/var"
    export -f lab_overlay lab_install
    unshare -m bash -c 'lab_install "$0" "$1"' "$1" "$2" >"$1/apt.log" 2>&1 ||
      { echo "cannot install $2:"; tail -n 5 "$1/apt.log"; exit 1; }
    echo "$2" >"$1/packages"
  fi
  exec 9>&-
}

lab_enter() { # lab_enter NAME PACKAGES [ARGUMENTS OF THE SCRIPT]
  local name=$1 packages=$2
  shift 2
  if [ "${LAB_INSIDE:-}" != "$name" ]; then
    [ "$(id -u)" = 0 ] || { echo "the labs need root: namespaces and apt-get"; exit 77; }
    lab_prepare "$LAB_ROOT/$name" "$packages"
    LAB_INSIDE=$name exec unshare -m -n -u -p -f --kill-child --mount-proc bash "$0" "$@"
  fi
  mkdir -p "$LAB_ROOT/.scratch"
  mount -t tmpfs -o mode=755 tmpfs "$LAB_ROOT/.scratch" || exit 1
  lab_overlay "$LAB_ROOT/$name" "$LAB_ROOT/.scratch" || exit 1
  mount -t tmpfs -o mode=755 tmpfs /run
  ip link set lo up
  hostname mx.lab.test
  printf '127.0.0.1 mx.lab.test mx localhost\n::1 localhost\n' >/etc/hosts
  rm -f /etc/resolv.conf
  printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >/etc/resolv.conf
  W=$LAB_ROOT/.scratch/w # the working folder, gone with the namespace
  mkdir -p "$W"
  cd "$W" || exit 1
  PASSES=0 FAILS=0
  trap lab_end EXIT
}

lab_end() {
  local code=$?
  echo "$PASSES passed, $FAILS failed"
  cd /
  [ "$code" = 0 ] && [ "$FAILS" = 0 ] || exit 1
}

ok()  { PASSES=$((PASSES + 1)); echo "ok   - $*"; }
bad() { FAILS=$((FAILS + 1)); echo "FAIL - $*"; }

expect() { # expect NAME PATTERN TEXT: whether TEXT matches the extended regular expression
  if grep -qE -- "$2" <<<"$3"; then ok "$1"; else bad "$1: expected $2, got: $3"; fi
}

wait_port() { # wait_port PORT: until something listens there
  local i
  for i in $(seq 200); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.1
  done
  bad "nothing listens on port $1"
  return 1
}
