use strict;
use warnings;

use Errno qw(ENOENT EINVAL);
use File::Temp qw(tempdir);
use Test::More;

use ESETS;

my $folder = tempdir(CLEANUP => 1);
my $path = "$folder/invoice.pdf.exe";
{
    open my $file, '>', $path or die "$path: $!";
    print {$file} 'not really a program';
    close $file or die "$path: $!";
}

like(ESETS::version(), qr/^\d+\.\d+\.\d+$/, 'the library says its version');

my $scanner = ESETS::Scanner->new;
for my $way (
    ['scan_file', sub { $scanner->scan_file($path) }],
    ['scan_bytes', sub { $scanner->scan_bytes('not really a program', $path) }],
    ['scan_handle', sub { open my $file, '<', $path or die $!; $scanner->scan_handle($file, $path) }],
) {
    my ($name, $scan) = @$way;
    my $verdict = $scan->();
    is($verdict->status, 'infected', "$name: status");
    ok($verdict->is_infected && !$verdict->is_clean, "$name: in other words");
    is_deeply(
        [$verdict->threats],
        [{ name => 'Heur.DoubleExtension', class => 'suspicious', source => 'heuristic',
           offset => undef, record => 0 }],
        "$name: threats"
    );
    is_deeply([$verdict->threat_names], ['Heur.DoubleExtension'], "$name: names");
    my ($record) = $verdict->records;
    is($record->{name}, $path, "$name: record");
    is($record->{size}, 20, "$name: size");
    is($record->{parent}, undef, "$name: parent");
    is_deeply($record->{reasons}, [], "$name: reasons");
    is($verdict->objects, 1, "$name: objects");
    is($verdict->bytes, 20, "$name: bytes");
    is($verdict->tree, "$path [] 20 !Heur.DoubleExtension\n", "$name: tree");
    like($verdict->json, qr/^\{"status":"infected",/, "$name: json");
}

ok($scanner->scan_bytes('')->is_clean, 'nothing is clean');
is($scanner->scan_bytes("\0\xff", "\xff\xe9")->tree, "\\xff\\xe9 [] 2\n", 'bytes stay bytes');

is($scanner->scan_file("$folder/none"), undef, 'a missing file has no verdict');
is($! + 0, ENOENT, '... and $! says why');
is($scanner->scan_file($folder), undef, 'a folder has no verdict');
is($! + 0, EINVAL, '... and $! says why');

my $small = ESETS::Scanner->new(limits => { scan_size => 3 }, options => { heuristics => 0 });
my $cut = $small->scan_file($path);
is($cut->status, 'not_scanned', 'what is too large is not scanned');
is_deeply(
    [$cut->reasons],
    [{ code => 'limit', limit => 'scan_size', text => 'limit reached: ScanSize' }],
    '... with the reason'
);
ok(ESETS::Scanner->new(options => { heuristics => 0 })->scan_file($path)->is_clean, 'options work');

my $eicar = 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-' . 'ANTIVIRUS-TEST-FILE!$H+H*';
is_deeply([$scanner->scan_bytes($eicar)->threat_names], ['Eicar test file'], 'signatures find');

sub source {
    open my $file, '>', "$folder/test.ndb" or die $!;
    print {$file} @_;
    close $file or die $!;
}
source("Test.Marker:0:*:61206d61726b6572\n");
my $database = ESETS::Database->open("$folder/test.ndb");
is($database->signatures, 1, 'a source is opened');
is($database->version, 'compiled in memory', '... with a version');
my $marked = ESETS::Scanner->new(database => $database);
is_deeply([$marked->scan_bytes('a marker')->threat_names], ['Test.Marker'], '... and finds');
source("Test.Other:0:*:616e6f74686572\nnonsense\n");
$database->reload;
ok($marked->scan_bytes('a marker')->is_clean, 'a reload changes what scanners find');
like($database->warnings, qr/test\.ndb:2: /, '... and tells what is not used');
source('');
is(eval { $database->reload; 1 }, undef, 'a database without signatures dies');
like($@, qr/test\.ndb: no signatures/, '... with a reason');
ok($marked->scan_bytes('another')->is_infected, '... and the old one stays');

my @seen;
my $watched = ESETS::Scanner->new(observer => sub { push @seen, $_[0]; 0 }, passwords => ["\x{263a}"]);
ok($watched->scan_file($path)->is_infected, 'an observer changes nothing');
is($seen[0]{status}, 'infected', '... and sees what was found');
my $dying = ESETS::Scanner->new(observer => sub { die "seen enough\n" });
is(eval { $dying->scan_file($path); 1 }, undef, 'what an observer dies of arrives');
is($@, "seen enough\n", '... as it was');

my $interrupt = ESETS::Interrupt->new;
my $button = ESETS::Scanner->new(interrupt => $interrupt);
$interrupt->raise;
is(($button->scan_file($path)->reasons)[0]{code}, 'cancelled', 'a raised button cancels');
$interrupt->clear;
ok($button->scan_file($path)->is_infected, 'a cleared one does not');

for my $misuse (
    [sub { ESETS::Scanner->new(limits => { width => 1 }) }, qr/^no such limit: width at /],
    [sub { ESETS::Scanner->new(limits => { depth => 1 << 40 }) }, qr/^unknown key or unsuitable/],
    [sub { ESETS::Scanner->new(options => { magic => 1 }) }, qr/^no such option: magic at /],
    [sub { ESETS::Scanner->new(skip => ['no such format']) }, qr/^unknown key or unsuitable/],
    [sub { ESETS::Scanner->new(colour => 'red') }, qr/^unknown argument: colour at /],
    [sub { ESETS::Scanner->new(database => 'x') }, qr/of type ESETS::Database/],
    [sub { ESETS::Scanner->new(interrupt => 'x') }, qr/^interrupt is not an ESETS::Interrupt/],
    [sub { $scanner->scan_file(undef) }, qr/^no path/],
    [sub { $scanner->scan_bytes(undef) }, qr/^no bytes/],
    [sub { $scanner->scan_bytes("\x{263a}") }, qr/^Wide character/],
) {
    my ($call, $message) = @$misuse;
    is(eval { $call->(); 1 }, undef, "misuse dies: $message");
    like($@, $message, '... with a reason');
}

done_testing;
