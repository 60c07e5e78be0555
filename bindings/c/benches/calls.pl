# Scans 1 kB again and again and prints how many calls one second has room for.
use strict;
use warnings;
use ESETS;
use Time::HiRes qw(time);

my $scanner = ESETS::Scanner->new;
my $bytes = 'a' x 1024;
my ($calls, $clean) = (100_000, 0);
my $start = time;
for (1 .. $calls) {
    $clean++ if $scanner->scan_bytes($bytes, 'name')->is_clean;
}
printf "Perl   %8.0f calls per second\n", $calls / (time - $start);
exit($clean == $calls ? 0 : 1);
