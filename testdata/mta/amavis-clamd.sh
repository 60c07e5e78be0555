#!/bin/bash
# The real amavisd-new of Debian with its own, unchanged ClamAV-clamd entry, before the clamd agent of
# esets_daemon. amavisd names files of its working folder, which the account of the agent must be able
# to read: as amavis' own account it can.
#
#   ESETS_DAEMON=target/debug/esets_daemon testdata/mta/amavis-clamd.sh
here=$(cd "$(dirname "$0")" && pwd)
daemon=$(realpath "${ESETS_DAEMON:?the esets_daemon to test}")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

cat >"$build/setup" <<SETUP
install -m 755 "$daemon" /usr/sbin/esets_daemon
mkdir -p /run/esets /run/clamav
chmod 755 "\$LAB_ROOT" "\$LAB_ROOT/.scratch" "\$W"
cat >esets.cfg <<CONF
[global]
daemon_sock_path = "/run/esets/esets.sock"
log_file = "\$W/esets.log"
base_dir = "\$W/esets"
worker_user = "amavis"
[clamd]
agent_enabled = yes
clamd_sock_path = "/run/clamav/clamd.ctl"
CONF
/usr/sbin/esets_daemon --config "\$W/esets.cfg" &
for _ in \$(seq 100); do grep -q 'the agent clamd serves' esets.log 2>/dev/null && break; sleep 0.1; done
grep -q 'the agent clamd serves' esets.log
SETUP
cat >"$build/entry" <<'ENTRY'
use strict;
@av_scanners = grep { $_->[0] eq 'ClamAV-clamd' } @av_scanners;
@av_scanners_backup = ();
1;
ENTRY
ESETS_CLI=/bin/true AV_SETUP=$build/setup AV_ENTRY=$build/entry bash "$here/amavis.sh"
