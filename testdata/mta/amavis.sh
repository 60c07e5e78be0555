#!/bin/bash
# The real amavisd-new of Debian with its own, unchanged ESETS entry, before our esets_cli.
#
#   ESETS_CLI=target/debug/esets_cli testdata/mta/amavis.sh
#
# AV_ENTRY=FILE  Perl that sets @av_scanners instead, see amavis-perl.sh
# AV_SETUP=FILE  shell commands that install what the entry needs, inside the lab
. "$(dirname "$0")/lab.sh"
lab_enter amavis "amavisd-new file procps iproute2 python3-minimal bzip2 cpio pax" "$@"
SINK=10025 AMAVIS=10024
id amavis >/dev/null || exit 1
if [ -n "${AV_SETUP:-}" ]; then . "$AV_SETUP" || exit 1; fi
install -m 755 "${ESETS_CLI:?the esets_cli to test}" esets_cli
mkdir -p tmp db var virusmails sink
chown amavis:amavis tmp db var virusmails
$PYTHON "$LAB_DIR/mails.py" mails

cat >base.conf <<CONF
use strict;
\$daemon_user = 'amavis'; \$daemon_group = 'amavis'; \$max_servers = 2;
\$MYHOME = '$W'; \$TEMPBASE = '$W/tmp'; \$ENV{TMPDIR} = \$TEMPBASE; \$QUARANTINEDIR = '$W/virusmails';
\$db_home = '$W/db'; \$helpers_home = '$W/var'; \$pid_file = '$W/var/pid'; \$lock_file = '$W/var/lock';
\$log_level = 2; \$do_syslog = 0; \$LOGFILE = '$W/var/log';
\$inet_socket_bind = '127.0.0.1'; \$inet_socket_port = $AMAVIS; \$unix_socketname = undef;
@inet_acl = ('127.0.0.1'); \$myhostname = 'mx.lab.test'; \$mydomain = 'lab.test'; @local_domains_maps = (1);
\$forward_method = 'smtp:[127.0.0.1]:$SINK'; \$notify_method = \$forward_method;
\$enable_db = 0; \$enable_zmq = 0; \$enable_ldap = 0; \$child_timeout = 60;
@bypass_spam_checks_maps = (1); \$sa_local_tests_only = 1; \$virus_admin = undef; \$banned_filename_re = undef;
\$final_virus_destiny = D_REJECT; \$final_banned_destiny = D_PASS; \$final_bad_header_destiny = D_PASS;
\$insert_received_line = 0; \$X_HEADER_TAG = undef;
1;
CONF
if [ -n "${AV_ENTRY:-}" ]; then cp "$AV_ENTRY" scanner.conf; else cat >scanner.conf <<CONF; fi
use strict;
@av_scanners = grep { \$_->[0] eq 'ESET Software ESETS Command Line Interface' } @av_scanners;
\$av_scanners[0]->[1] = ['$W/esets_cli'];
@av_scanners_backup = ();
1;
CONF
chmod 644 ./*.conf

start_amavis() { # start_amavis [MORE CONFIGURATION]
  echo "${1:-} 1;" >more.conf
  : >var/log
  chown amavis:amavis var/log
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C /usr/sbin/amavisd \
    $(printf -- '-c %s ' /etc/amavis/conf.d/[0-4]*) -c "$W/base.conf" -c "$W/scanner.conf" -c "$W/more.conf" \
    foreground >amavisd.out 2>&1 &
  AMAVISD=$!
  wait_port $AMAVIS || { tail -n 20 amavisd.out var/log; exit 1; }
}
stop_amavis() { kill "$AMAVISD"; wait "$AMAVISD" 2>/dev/null; }
send() { $PYTHON "$LAB_DIR/smtp.py" send $AMAVIS "$@"; }

$PYTHON "$LAB_DIR/smtp.py" sink $SINK "$W/sink" &
wait_port $SINK || exit 1
start_amavis

for mail in mails/eicar-*.eml; do
  expect "$(basename "$mail") is blocked by name" '^[^ ]+ 554 .*INFECTED: Eicar.test.file' "$(send "$mail")"
done
for mail in mails/clean-*.eml; do
  rm -f sink/*.eml
  expect "$(basename "$mail") is accepted" '^[^ ]+ 250 ' "$(send "$mail")"
  size=$(stat -c %s "$mail")
  if tail -c "$size" sink/1.eml 2>/dev/null | cmp -s - "$mail"; then
    ok "$(basename "$mail") arrives as it was sent"
  else
    bad "$(basename "$mail") was changed"
  fi
done
if [ -n "${AV_ENTRY:-}" ]; then exit 0; fi

# What amavisd makes of a client that fails; docs/amavis.md tells administrators what follows.
mv esets_cli esets_cli.real
fake() { printf '#!/bin/sh\n%s\n' "$1" >esets_cli.new; chmod 755 esets_cli.new; mv esets_cli.new esets_cli; }
for code in 1 4 100 127; do
  fake "exit $code"
  expect "by default amavisd delivers unscanned on exit $code" '^[^ ]+ 250 ' "$(send mails/eicar-zip.eml)"
done
fake 'kill -SEGV $$'
expect "by default amavisd delivers unscanned when the client is killed" '^[^ ]+ 250 ' "$(send mails/eicar-zip.eml)"
stop_amavis
start_amavis '$final_unchecked_destiny = D_TEMPFAIL;'
for code in 1 100; do
  fake "exit $code"
  expect "with D_TEMPFAIL the mail stays queued on exit $code" '^[^ ]+ 450 ' "$(send mails/eicar-zip.eml)"
done
fake 'kill -SEGV $$'
expect "with D_TEMPFAIL the mail stays queued when the client is killed" '^[^ ]+ 450 ' "$(send mails/eicar-zip.eml)"
mv esets_cli.real esets_cli
expect "with D_TEMPFAIL a clean mail still passes" '^[^ ]+ 250 ' "$(send mails/clean-zip.eml)"
expect "with D_TEMPFAIL an infected mail is still blocked" '^[^ ]+ 554 .*INFECTED: Eicar' "$(send mails/eicar-zip.eml)"
stop_amavis
mv esets_cli esets_cli.real
start_amavis '$final_unchecked_destiny = D_TEMPFAIL;'
expect "with D_TEMPFAIL a client missing at start defers" '^[^ ]+ 450 ' "$(send mails/eicar-zip.eml)"
