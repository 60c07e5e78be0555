use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

# The fragment for old AMaViS, run as its hosts ran it: pasted into a function, with their variables.
my $fragment = do {
    local $/;
    open my $file, '<', 'amavis/av/esets_cli' or die "amavis/av/esets_cli: $!";
    readline $file;
};

my $folder = tempdir(CLEANUP => 1);
mkdir "$folder/parts" or die $!;
my $program = "$folder/esets_cli";

# An esets_cli that says what it was called with, prints a text and ends with a code.
sub client {
    my ($code, $text) = @_;
    open my $file, '>', $program or die $!;
    print {$file} "#!/bin/sh\nprintf '%s ' \"\$\@\" >'$folder/called'\ncat <<'END'\n${text}END\nexit $code\n";
    close $file or die $!;
    chmod 0755, $program or die $!;
}

{
    package Host;
    our ($esets_cli, $TEMPDIR, $output, $errval, $scanner_errors, @virusname, @log, $reported);
    sub do_log { push @log, $_[1] if $_[0] == 0 }
    sub retcode { my ($status) = @_; $status & 127 ? -1 : $status >> 8 }
    sub do_virus { $reported = $_[0] }
    sub run {
        ($scanner_errors, @virusname, @log) = (1);
        undef $reported;
        ($esets_cli, $TEMPDIR) = ($program, $folder);
        eval "$fragment; 1" or die $@;
        return [$scanner_errors, [@virusname], defined $reported ? 1 : 0, scalar @log];
    }
}

my $clean = qq{p001: action="accepted"\np001: virus=""\n};
my $found = qq{p002: action="rejected"\np002: virus="Eicar test file"\n};
my $allowed = qq{p003: action="accepted"\np003: virus="Tool.Ping"\n};

client(0, $clean);
is_deeply(Host::run(), [0, [], 0, 0], 'accepted');
is(do { open my $file, '<', "$folder/called"; readline $file }, "--subdir $folder/parts ", 'called');
client(3, $clean . $found . $allowed);
is_deeply(Host::run(), [0, ['Eicar test file'], 1, 0], 'rejected, by name');
client(2, $found =~ s/rejected/discarded/r . $found =~ s/Eicar test file/Second/r);
is_deeply(Host::run(), [0, ['Eicar test file', 'Second'], 1, 0], 'discarded, all names');
client(3, qq{p001: action="rejected"\np001: virus=""\n});
is_deeply(Host::run(), [0, ['not scanned'], 1, 0], 'rejected without a threat');
for my $code (1, 4, 100, 127) {
    client($code, $found);
    is_deeply(Host::run(), [1, [], 0, 1], "exit $code is a failure");
}
unlink $program;
is_deeply(Host::run(), [1, [], 0, 1], 'so is a missing program');

done_testing;
