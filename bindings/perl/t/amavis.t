use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

use ESETS::Amavis;

my $folder = tempdir(CLEANUP => 1);
mkdir "$folder/parts" or die $!;

sub put {
    my ($name, $text) = @_;
    open my $file, '>', "$folder/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
}

# As amavisd calls an entry whose second element is a function.
sub ask {
    my ($names, @options) = @_;
    my @entry = ('ESETS', \&ESETS::Amavis::ask_esets, @options);
    return $entry[1]->($names, {}, $folder, @entry);
}

put('parts/p001', 'text');
put('parts/p002', 'more text');
put('parts/p003.pdf.exe', 'text');

is_deeply([ask(['p001', 'p002'])], [0, '', []], 'clean parts pass');
is_deeply(
    [ask(['p001', 'p003.pdf.exe', 'p002'])],
    [1, 'action_av_infected, default', ['Heur.DoubleExtension']],
    'a threat is told by name'
);
is(eval { ask(['p001', 'gone']); 1 }, undef, 'a part that cannot be read is a failure');
is($@, "ESETS: deferred by action_av_failed, default\n", '... with the reason');

put('esets.cfg', "[global]\naction_av_infected = \"accept\"\n");
is((ask(['p003.pdf.exe'], { config => "$folder/esets.cfg" }))[0], 0, 'the policy is obeyed');
put('strict.cfg', "[global]\naction_av_failed = \"reject\"\n");
is_deeply(
    [ask(['gone'], { config => "$folder/strict.cfg" })],
    [1, "action_av_failed in [global], $folder/strict.cfg:2", ['not scanned']],
    'a block without a threat has a name too'
);
put('wrong.cfg', "[global]\nnonsense = \"accept\"\n");
is(eval { ask(['p001'], { config => "$folder/wrong.cfg" }); 1 }, undef, 'a wrong policy is a failure');
like($@, qr/^ESETS: .*wrong\.cfg:2: unknown key/, '... with the reason');

{
    no warnings 'redefine';
    local *ESETS::Amavis::_scan = sub { kill 'SEGV', $$; sleep 10 };
    is(eval { ask(['p001']); 1 }, undef, 'a crash is a failure');
    like($@, qr/^scanner ended by signal/, '... and this process lives to tell it');

    local *ESETS::Amavis::_scan = sub { sleep 60 };
    my $start = time;
    is(eval { local $SIG{ALRM} = sub { die "too late\n" }; alarm 1; ask(['p001']); 1 }, undef,
        'an alarm of the caller ends it');
    is($@, "too late\n", '... as the caller wants');
    cmp_ok(time - $start, '<', 20, '... in time');
}

done_testing;
