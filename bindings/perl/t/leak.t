use strict;
use warnings;

use Test::More;

use ESETS;

plan skip_all => 'needs /proc' unless -r '/proc/self/statm';

# Resident memory in KiB.
sub resident {
    open my $file, '<', '/proc/self/statm' or die $!;
    return 4 * (split ' ', readline $file)[1];
}

my $database = ESETS::Database->embedded;
my $scanner = ESETS::Scanner->new(database => $database, observer => sub { 0 }, passwords => ['x']);
my $dying = ESETS::Scanner->new(database => $database, observer => sub { die 'x' });
my %context = (agent => 'smtp', recipients => ['bob@example.org']);
my %loops = (
    'a scan and its verdict' => sub {
        my $verdict = $scanner->scan_bytes('text', 'a.pdf.exe');
        my @all = ($verdict->records, $verdict->threats, $verdict->json, $verdict->tree);
    },
    'an observer that dies' => sub { eval { $dying->scan_bytes('text') } },
    'a file that is not there' => sub { $scanner->scan_file('none') },
    'a scanner' => sub { ESETS::Scanner->new(database => $database, limits => { depth => 3 }) },
    'a database that is not there' => sub { eval { ESETS::Database->open('none') } },
    'misuse' => sub { eval { ESETS::Scanner->new(limits => { depth => 1 << 40 }) } },
    'a decision' => sub {
        my $policy = ESETS::Policy->default;
        my $verdict = $policy->scanner($database, %context)->scan_bytes('text');
        $policy->decide($verdict, %context)->rule;
    },
    'a message that passes' => sub {
        my ($decision, $verdict) =
            ESETS::Policy->default->handle($database, "Subject: x\n\ntext\n", 'x', %context);
        my @all = ($decision->dispositions, $decision->apply(0, $verdict, "Subject: x\n\ntext\n"));
    },
);
for my $name (sort keys %loops) {
    $loops{$name}->() for 1 .. 300;
    my $before = resident();
    $loops{$name}->() for 1 .. 2500;
    my $grown = resident() - $before;
    # One leaked object of the smallest size in each round would be 2500 * 32 bytes.
    cmp_ok($grown, '<', 64, "$name leaks nothing ($grown KiB)");
}

done_testing;
