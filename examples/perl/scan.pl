# Scans files and prints what was found; ends as esets_scan does.
use strict;
use warnings;
use ESETS;

my %code = (clean => 0, not_scanned => 10, infected => 50);
my $scanner = ESETS::Scanner->new(limits => { time => 60_000 });
my $worst = 0;
for my $path (@ARGV) {
    my $code = 100;
    if (my $verdict = $scanner->scan_file($path)) {
        print $verdict->tree;
        $code = $code{ $verdict->status };
    } else {
        warn "$path: $!\n";
    }
    $worst = $code if $code > $worst;
}
exit $worst;
