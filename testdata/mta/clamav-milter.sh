#!/bin/bash
# Debian's clamav-milter behind Postfix, before the clamd agent of esets_daemon, over its socket and
# over its port.
#
#   ESETS_DAEMON=target/debug/esets_daemon testdata/mta/clamav-milter.sh
. "$(dirname "$0")/lab.sh"
ESETS_DAEMON=$(realpath "${ESETS_DAEMON:?the esets_daemon to test}")
export ESETS_DAEMON
lab_enter clamav-milter "clamav-milter postfix procps python3-minimal" "$@"
SINK=10025 SMTP=2500
install -m 755 "$ESETS_DAEMON" /usr/sbin/esets_daemon
chmod 755 "$LAB_ROOT" "$LAB_ROOT/.scratch" "$W"
mkdir -p /run/esets /run/clamav pf spool data sink tmp
chown postfix data
chmod 1777 tmp
$PYTHON "$LAB_DIR/mails.py" mails

cat >esets.cfg <<CONF
[global]
daemon_sock_path = "/run/esets/esets.sock"
log_file = "$W/esets.log"
base_dir = "$W/esets"
[clamd]
agent_enabled = yes
listen_addr = "127.0.0.1"
listen_port = 3310
clamd_sock_path = "/run/clamav/clamd.ctl"
CONF
start_daemon() {
  /usr/sbin/esets_daemon --config "$W/esets.cfg" &
  DAEMON=$!
  wait_port 3310 || { cat esets.log; exit 1; }
}

cat >pf/main.cf <<CONF
compatibility_level = 3.6
queue_directory = $W/spool
data_directory = $W/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $W/postfix.log
maillog_file_prefixes = $LAB_ROOT, /var, /dev/stdout
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.lab.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:$SINK
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_milters = inet:127.0.0.1:7357
milter_default_action = tempfail
CONF
cat >pf/master.cf <<CONF
127.0.0.1:$SMTP inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CONF
start_milter() { # start_milter SOCKET OF CLAMD
  cat >milter.conf <<CONF
Foreground yes
MilterSocket inet:7357@127.0.0.1
ClamdSocket $1
OnInfected Reject
OnFail Defer
RejectMsg infected: %v
TemporaryDirectory $W/tmp
LogFile $W/tmp/milter.log
User clamav
CONF
  /usr/sbin/clamav-milter --config-file="$W/milter.conf" >milter.out 2>&1 &
  MILTER=$!
  wait_port 7357 || { cat milter.out; exit 1; }
}
send() { $PYTHON "$LAB_DIR/smtp.py" send $SMTP "$@"; }
arrived() { # arrived COUNT: whether so many mails came through
  local i
  for i in $(seq 100); do [ "$(find sink -name '*.eml' | wc -l)" -ge "$1" ] && return 0; sleep 0.1; done
  return 1
}

$PYTHON "$LAB_DIR/smtp.py" sink $SINK "$W/sink" &
wait_port $SINK || exit 1
start_daemon
postfix -c "$W/pf" start >/dev/null 2>&1
wait_port $SMTP || { tail -n 20 postfix.log; exit 1; }

for socket in unix:/run/clamav/clamd.ctl tcp:127.0.0.1:3310; do
  start_milter "$socket"
  for mail in mails/eicar-*.eml; do
    expect "$socket: $(basename "$mail") is refused by name" '^[^ ]+ 5[0-9]+ .*infected: Eicar' "$(send "$mail")"
  done
  rm -f sink/*.eml
  clean=0
  for mail in mails/clean-*.eml; do
    expect "$socket: $(basename "$mail") is accepted" '^[^ ]+ 250 ' "$(send "$mail")"
    clean=$((clean + 1))
  done
  if arrived $clean; then ok "$socket: all clean mails arrive"; else bad "$socket: clean mails are missing"; fi
  kill -9 $(pgrep -f -- '--scan-worker')
  expect "$socket: a mail after all workers were killed" '^[^ ]+ 5[0-9]+ .*infected: Eicar' \
    "$(send "$(ls mails/eicar-*.eml | head -n 1)")"
  kill "$DAEMON"; wait "$DAEMON"
  expect "$socket: without the daemon a mail is deferred" '^[^ ]+ 4[0-9]+ ' "$(send "$(ls mails/clean-*.eml | head -n 1)")"
  start_daemon
  kill "$MILTER"; wait "$MILTER"
done
postfix -c "$W/pf" stop >/dev/null 2>&1
