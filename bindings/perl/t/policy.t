use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

use ESETS;

my $folder = tempdir(CLEANUP => 1);
my $config = "$folder/esets.cfg";

sub configure {
    open my $file, '>', $config or die "$config: $!";
    print {$file} @_;
    close $file or die "$config: $!";
}

my $database = ESETS::Database->embedded;
my %context = (
    agent => 'smtp', client => '192.0.2.1', server => '2001:db8::1', sender => 'alice@example.org',
    recipients => ['bob@example.org', 'carol@example.org'], user => 'bob', modifiable => 1,
);

my $default = ESETS::Policy->default;
my $scanner = $default->scanner($database, %context);
my $verdict = $scanner->scan_bytes('text', 'a.pdf.exe');
my $decision = $default->decide($verdict, %context);
is($decision->action, 'reject', 'a threat is rejected');
is($decision->rule, 'action_av_infected, default', '... by the default');
like($decision->json, qr/^\{"action":"reject"/, '... in JSON too');
is($default->decide($scanner->scan_bytes('text', 'a.txt'), %context)->action, 'accept', 'clean passes');
is($default->decide(undef, %context)->action, 'defer', 'without a verdict nothing passes');

configure("[smtp]\naction_av = \"discard\"\n");
my $policy = ESETS::Policy->open($config);
is($policy->scanner($database, %context), undef, 'a settled object needs no scanner');
is($policy->decide(undef, %context)->action, 'discard', '... and has a decision');
configure("[smtp]\naction_av = \"accept\"\n");
$policy->reload;
is($policy->decide(undef, %context)->rule, "action_av in [smtp], $config:2", 'a reload is heard');

configure("[smtp]\nacton_av = \"accept\"\n");
is(eval { ESETS::Policy->open($config); 1 }, undef, 'a mistake in the configuration dies');
like($@, qr/^\Q$config\E:2: unknown key "acton_av"; did you mean action_av\?/, '... with its line');
is(eval { $policy->reload; 1 }, undef, 'also when it is read again');
is($policy->decide(undef, %context)->action, 'accept', '... and the policy is what it was');

my $mail = join "\r\n", 'From: alice@example.org', 'Subject: Report', 'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=edge', '', '--edge', 'Content-Type: text/plain', '',
    'See below.', '--edge', 'Content-Type: application/octet-stream; name="report.pdf.exe"',
    'Content-Transfer-Encoding: base64', '', 'dGV4dA==', '--edge--', '';
configure(qq{[smtp]\nav_clean_mode = "delete"\naction_av_deleted = "accept"\n});
my $cleaner = ESETS::Policy->open($config);
($decision, $verdict) = $cleaner->handle($database, $mail, 'mail', %context);
is($decision->action, 'accept', 'a mail that can be cleaned passes');
my ($fate, @others) = $decision->dispositions;
is(scalar @others, 0, '... in one way');
is_deeply($fate->{recipients}, [0, 1], '... to all');
is_deeply([$fate->{action}, $fate->{quarantine}], ['accept', 0], '... at once');
is(scalar @{ $fate->{removals} }, 1, '... without a part');
like($fate->{part_notice}, qr/%FILENAME%/, '... for which a notice stands');
my $passed = $decision->apply(0, $verdict, $mail);
unlike($passed, qr/dGV4dA==/, '... which is gone');
like($passed, qr/\r\nSee below\.\r\n--edge\r\n/, '... and the rest is there');
is($decision->apply(0, undef, $mail), undef, 'without the verdict no part is taken out');
is(eval { $decision->apply(1, $verdict, $mail); 1 }, undef, 'another disposition there is not');
($decision, $verdict) = $cleaner->handle($database, $mail, 'mail', %context, modifiable => 0);
is($decision->action, 'reject', 'who cannot change it refuses it');

for my $misuse (
    [sub { $cleaner->handle($database, undef, 'mail', %context) }, qr/^no bytes/],
    [sub { $decision->apply(0, 'x', $mail) }, qr/^not an ESETS::Verdict/],
    [sub { $policy->decide(undef) }, qr/^no agent/],
    [sub { $policy->decide(undef, agent => 'smtp', helo => 'x') }, qr/^unknown argument: helo/],
    [sub { $policy->decide('x', agent => 'smtp') }, qr/^not an ESETS::Verdict/],
    [sub { $policy->decide(undef, agent => 'smtp', client => 'x') }, qr/^unknown key or unsuitable/],
    [sub { ESETS::Policy->open("$folder/none") }, qr/^\Q$folder\E\/none: No such file/],
) {
    my ($call, $message) = @$misuse;
    is(eval { $call->(); 1 }, undef, "misuse dies: $message");
    like($@, $message, '... with a reason');
}

done_testing;
