#!/bin/bash
# Debian's own clients of clamd before the clamd agent of esets_daemon: clamdscan in all its modes,
# Exim's av_scanner, and our own esets_cli (if ESETS_CLI names it) by the daemon's own protocol.
#
#   ESETS_DAEMON=target/debug/esets_daemon testdata/mta/clamd.sh
. "$(dirname "$0")/lab.sh"
ESETS_DAEMON=$(realpath "${ESETS_DAEMON:?the esets_daemon to test}")
[ -z "${ESETS_CLI:-}" ] || ESETS_CLI=$(realpath "$ESETS_CLI")
export ESETS_DAEMON ESETS_CLI
lab_enter clamd "clamdscan exim4-daemon-heavy procps" "$@"
install -m 755 "$ESETS_DAEMON" /usr/sbin/esets_daemon
chmod 755 "$LAB_ROOT" "$LAB_ROOT/.scratch" "$W"
mkdir -p /run/esets /run/clamav
cat >esets.cfg <<CONF
[global]
daemon_sock_path = "/run/esets/esets.sock"
log_file = "$W/log"
base_dir = "$W"
quarantine_dir = "$W/quarantine"
[clamd]
agent_enabled = yes
listen_addr = "127.0.0.1"
listen_port = 3310
clamd_sock_path = "/run/clamav/clamd.ctl"
av_limit_object_size = 8M
CONF
/usr/sbin/esets_daemon --config "$W/esets.cfg" &
wait_port 3310 || { cat log; exit 1; }

mkdir -p files/sub
eicar='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STAND'
eicar=$eicar'ARD-ANTIVIRUS-TEST-FILE!$H+H*'
printf '%s' "$eicar" >files/infected
printf '%s' "$eicar" >files/sub/infected
gzip -kc files/infected >files/infected.gz
echo harmless >files/clean
chmod -R a+rX files

printf 'LocalSocket /run/clamav/clamd.ctl\n' >local.conf
printf 'TCPAddr 127.0.0.1\nTCPSocket 3310\n' >network.conf

check() { # check NAME CODE PATTERN COMMAND...: the exit code and the output of a client
  local name=$1 code=$2 pattern=$3 output
  shift 3
  output=$(timeout 60 "$@" 2>&1)
  local got=$?
  if [ "$got" = "$code" ] && grep -qE -- "$pattern" <<<"$output"; then
    ok "$name"
  else
    bad "$name: exit $got instead of $code, or no $pattern in: $output"
  fi
}

for config in local network; do
  scan="clamdscan --config-file=$W/$config.conf --no-summary"
  modes="--stream"
  [ $config = local ] && modes="--stream --fdpass --multiscan --allmatch --fdpass_--multiscan --stream_--multiscan --fdpass_--allmatch"
  for mode in $modes; do
    mode=${mode//_/ }
    check "$config $mode: clean" 0 ': OK$' $scan $mode files/clean
    check "$config $mode: infected" 1 'infected: Eicar.* FOUND$' $scan $mode files/infected
    check "$config $mode: packed" 1 'infected.gz: Eicar.* FOUND$' $scan $mode files/infected.gz
    check "$config $mode: folder" 1 'sub/infected: Eicar.* FOUND$' $scan $mode files
    check "$config $mode: missing" 2 'No such file|Can.t access|ERROR' $scan $mode files/none
  done
  check "$config --ping" 0 'PONG' clamdscan --config-file="$W/$config.conf" --ping 3:1
done
check "local, by path" 1 'infected: Eicar.* FOUND$' clamdscan --config-file="$W/local.conf" --no-summary "$W/files/infected"
check "local, standard input" 1 'Eicar.* FOUND$' bash -c "clamdscan --config-file='$W/local.conf' --no-summary - <files/infected"
check "local --reload" 0 '' clamdscan --config-file="$W/local.conf" --reload
check "local --version" 0 'ESETS' clamdscan --config-file="$W/local.conf" --version
chmod 600 files/clean
check "local --fdpass: a private file" 0 ': OK$' clamdscan --config-file="$W/local.conf" --no-summary --fdpass files/clean
check "local, by path: a private file" 2 'Permission denied' clamdscan --config-file="$W/local.conf" --no-summary "$W/files/clean"
head -c 9000000 /dev/zero >files/long
check "local --stream: longer than allowed" 2 'size limit exceeded' clamdscan --config-file="$W/local.conf" --no-summary --stream files/long

if [ -n "$ESETS_CLI" ]; then
  install -m 755 "$ESETS_CLI" /usr/bin/esets_cli
  cli="esets_cli --config=$W/esets.cfg"
  check "esets_cli: clean and private" 0 'files/clean: action="accepted"' $cli --daemon-only files/clean
  check "esets_cli: infected" 3 'infected: virus="Eicar' $cli --daemon-only files/infected
  check "esets_cli: folder" 3 'sub/infected: virus="Eicar' $cli --daemon-only --subdir --jobs 4 files
  check "esets_cli: logged by the daemon" 0 'agent=cli.*infected' cat log
  # Its own signatures lie in base_dir.
  echo '44d88612fea8a8f36de82e1278abb02f:68:Eicar test file' >lab.hdb
  mv /run/esets/esets.sock /run/esets/away
  check "esets_cli: no daemon" 3 'infected: virus="Eicar' $cli files/infected
  check "esets_cli: no daemon, no answer" 100 'cannot be reached' $cli --daemon-only files/infected
  mv /run/esets/away /run/esets/esets.sock
fi

# Exim's own client. Over a local socket it names a file of its spool, which the account of the agent
# may not read: the mail is deferred, never accepted unscanned. Over a port it sends the content.
exim=/usr/sbin/exim4
for server in /run/clamav/clamd.ctl "127.0.0.1 3310"; do
  cat >exim.conf <<CONF
primary_hostname = mx.lab.test
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = $W/spool
log_file_path = $W/spool/%slog
keep_environment =
av_scanner = clamd:$server
acl_smtp_rcpt = accept
acl_smtp_data = check
begin acl
check:
  deny malware = *
       message = infected: \$malware_name
  accept
begin routers
hole:
  driver = redirect
  data = :blackhole:
CONF
  mkdir -p spool && chown -R Debian-exim:Debian-exim spool
  smtp() { # smtp TEXT: the answers to a message with this text
    printf 'EHLO a\r\nMAIL FROM:<a@lab.test>\r\nRCPT TO:<b@lab.test>\r\nDATA\r\nSubject: x\r\n\r\n%s\r\n.\r\nQUIT\r\n' "$1" |
      timeout 30 "$exim" -C "$W/exim.conf" -bs 2>&1
  }
  if [ "$server" = "127.0.0.1 3310" ]; then
    expect "exim by $server: clean" '^250 OK id=' "$(smtp harmless)"
    expect "exim by $server: infected" '^550 infected: Eicar' "$(smtp "$eicar")"
  else
    expect "exim by $server: a file that the agent may not read" '^451 ' "$(smtp harmless)"
  fi
done
