use strict;
use warnings;

use Errno qw(EINVAL ENOENT EPROTO);
use File::Temp qw(tempdir);
use Test::More;

use ESETS;

my $folder = tempdir(CLEANUP => 1);
my %context = (agent => 'cli', sender => 'alice@example.org');

my $nobody = ESETS::Client->new("$folder/none", patience => 1000);
is($nobody->scan_bytes('x', 'x', %context), undef, 'without a daemon there is no decision');
is($! + 0, ENOENT, '... and $! says why');
is_deeply([$nobody->scan_bytes('x', 'x', %context)], [], '... also in a list');
is($nobody->scan_file($folder, %context), undef, 'a folder is no file');
is($! + 0, EINVAL, '... and $! says why');

for my $misuse (
    [sub { ESETS::Client->new }, qr/^no socket/],
    [sub { ESETS::Client->new('x', wait => 1) }, qr/^unknown argument: wait/],
    [sub { $nobody->scan_bytes('x', 'x') }, qr/^no agent/],
    [sub { $nobody->scan_bytes(undef) }, qr/^no bytes/],
    [sub { $nobody->scan_file(undef) }, qr/^no path/],
) {
    my ($call, $message) = @$misuse;
    is(eval { $call->(); 1 }, undef, "misuse dies: $message");
    like($@, $message, '... with a reason');
}

SKIP: {
    my $socket = $ENV{ESETS_TEST_SOCKET};
    skip 'no daemon to ask', 1 unless defined $socket;
    my $client = ESETS::Client->new($socket);
    my $path = "$folder/content";
    open my $file, '+>', $path or die "$path: $!";
    print {$file} 'content';
    $file->flush;
    for my $way (
        ['scan_file', $client->scan_file($path, %context)],
        ['scan_bytes', $client->scan_bytes('content', 'x', %context)],
        ['scan_handle', $client->scan_handle($file, 'x', %context)],
    ) {
        my ($name, $decision, $verdict) = @$way;
        is($decision->action, 'discard', "$name: action");
        is($decision->rule, 'action_av in [global], x:2', "$name: rule");
        is(($verdict->records)[0]{name}, 'content', "$name: the content arrived");
    }
    is($client->scan_bytes('x', 'refuse', %context), undef, 'a refusal is no decision');
    is($! + 0, EPROTO, '... and $! says so');
}

done_testing;
