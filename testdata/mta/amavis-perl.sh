#!/bin/bash
# The real amavisd-new of Debian with libesets inside: the entry of bindings/perl/amavis.
#
#   ESETS_CLI=target/debug/esets_cli testdata/mta/amavis-perl.sh
#
# ESETS_CLI  only tells where Cargo put libesets.so
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
library=$(cd "$(dirname "${ESETS_CLI:?the folder of libesets.so}")" && pwd)/libesets.so
[ -f "$library" ] || { echo "$library is missing: cargo build -p esets-capi"; exit 1; }

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
mkdir -p "$build/prefix/lib"
ln -s "$root/bindings/c/include" "$build/prefix/include"
ln -s "$library" "$build/prefix/lib/libesets.so"
cp -r "$root/bindings/perl" "$build/perl"
# The Perl that amavisd runs in, not the first in PATH.
(cd "$build/perl" && /usr/bin/perl Makefile.PL ESETS="$build/prefix" INSTALLDIRS=site && make) \
  >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }

cat >"$build/setup" <<SETUP
install -D "$library" /usr/lib/libesets.so.0 && make -s -C "$build/perl" install >/dev/null
SETUP
AV_SETUP=$build/setup AV_ENTRY=$root/bindings/perl/amavis/esets-perl.conf bash "$here/amavis.sh"
