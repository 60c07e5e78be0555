#!/bin/bash
# esets_daemon side by side with Debian's clamd: the same client, mails and protocol. `cargo xtask
# bench daemon [FOLDER]` builds what this needs; FOLDER holds sources of signatures in clamd's
# formats, which both use; without it both have next to none, and what is compared is the service.
#
#   BUILD=target/release testdata/bench/daemon.sh [FOLDER] [MAILS]
BUILD=$(realpath "${BUILD:?the folder of the build}")
[ -z "$1" ] || set -- "$(realpath "$1")" "${@:2}"
export BUILD
. "$(dirname "$0")/../mta/lab.sh"
lab_enter clamd-bench "clamav-daemon procps" "$@"
SIGNATURES=$1 MAILS=${2:-5000} CLIENTS=50
install -m 755 "$BUILD/esets_daemon" "$BUILD/esets_cli" "$BUILD/esets" /usr/sbin/
install -m 755 "$BUILD/examples/clamd_load" load
chmod 755 "$LAB_ROOT" "$LAB_ROOT/.scratch" "$W"
mkdir -p /run/esets db base
if [ -n "$SIGNATURES" ]; then cp "$SIGNATURES"/* db/; else
  echo '44d88612fea8a8f36de82e1278abb02f:68:Eicar' >db/test.hdb
fi
chmod -R a+rX db
/usr/sbin/esets signature compile --output base/em002.dat db/* >compile.log 2>&1 ||
  { tail -n 3 compile.log; exit 1; }
chmod -R a+rX base

cat >esets.cfg <<CONF
[global]
daemon_sock_path = "/run/esets/esets.sock"
log_file = "$W/log"
base_dir = "$W/base"
syslog_class = "error:warning:summ"
[clamd]
agent_enabled = yes
clamd_sock_path = "/run/esets/clamd.ctl"
CONF
cat >clamd.conf <<CONF
Foreground yes
LocalSocket $W/clamd.ctl
DatabaseDirectory $W/db
LogFile $W/clamd.log
MaxThreads 50
CONF

family() { # family PID: the process and all below it
  local child
  echo "$1"
  for child in $(pgrep -P "$1"); do family "$child"; done
}
ticks() { # ticks PID...: processor time in ticks, of those that ended too
  local pid sum=0
  for pid in "$@"; do sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{print $12+$13+$14+$15}'))); done
  echo $sum
}
pss() { # pss PID...: KiB, shared pages counted once
  cat $(printf '/proc/%s/smaps_rollup ' "$@") | awk '/^Pss:/ {sum += $2} END {print sum}'
}
measure() { # measure NAME PID SOCKET KIND COUNT
  local before after cpu line
  before=$(ticks $(family "$2"))
  line=$(./load "$3" "$5" $CLIENTS "$4")
  after=$(ticks $(family "$2"))
  cpu=$((after - before))
  echo "$1, $4: $line, $(($5 * $(getconf CLK_TCK) / (cpu > 0 ? cpu : 1))) per processor second"
}
start() { # start NAME SOCKET COMMAND...: and how long it took to the first answer
  local name=$1 socket=$2 begun=$EPOCHREALTIME
  shift 2
  "$@" >out 2>&1 &
  PID=$!
  until ./load "$socket" 1 1 same >/dev/null 2>&1; do
    kill -0 $PID 2>/dev/null || { cat out; exit 1; }
    sleep 0.005
  done
  echo "$name: first answer after $(awk "BEGIN {printf \"%.3f\", $EPOCHREALTIME - $begun}") s"
}
reload() { # reload NAME PID SOCKET COMMAND...: 50 times under load
  local name=$1 pid=$2 socket=$3 line
  shift 3
  ./load "$socket" "$MAILS" $CLIENTS fresh >reload.out 2>&1 &
  local load=$!
  for _ in $(seq 50); do "$@" >/dev/null 2>&1; done
  wait $load && line=$(cat reload.out) || line="FAILED: $(cat reload.out)"
  echo "$name, fresh with 50 reloads: $line"
}

start esets_daemon /run/esets/clamd.ctl /usr/sbin/esets_daemon --config "$W/esets.cfg"
for kind in fresh fresh same; do measure esets_daemon $PID /run/esets/clamd.ctl $kind "$MAILS"; done
echo "esets_daemon: $(pss $(family $PID)) KiB in $(family $PID | wc -w) processes"
reload esets_daemon $PID /run/esets/clamd.ctl /usr/sbin/esets_daemon --config "$W/esets.cfg" reload
echo "esets_daemon: $(pss $(family $PID)) KiB after that"
if [ -n "$BENCH_HOOK" ]; then eval "$BENCH_HOOK"; fi
cat >mail <<MAIL
Subject: one small mail

text
MAIL
for way in --daemon-only --no-daemon; do
  begun=$EPOCHREALTIME
  for _ in $(seq 100); do esets_cli --config=esets.cfg $way mail >/dev/null || { bad "esets_cli $way"; break; }; done
  echo "esets_cli $way: $(awk "BEGIN {printf \"%.2f\", 10 * ($EPOCHREALTIME - $begun)}") ms for a small mail"
done
kill $PID; wait $PID
[ -z "$NO_CLAMD" ] || exit 0
start clamd "$W/clamd.ctl" clamd --config-file="$W/clamd.conf"
for kind in fresh fresh same; do measure clamd $PID "$W/clamd.ctl" $kind "$MAILS"; done
echo "clamd: $(pss $PID) KiB"
kill $PID; wait $PID
true
