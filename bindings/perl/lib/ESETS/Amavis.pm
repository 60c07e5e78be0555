package ESETS::Amavis;

use strict;
use warnings;

use Carp ();
use ESETS;
use POSIX ();

our $VERSION = '0.1.0';

# Entry for @av_scanners: called with the names of the parts, the folder they lie below and the rest
# of the entry; answers as amavisd expects: whether something is found, a report, the names.
sub ask_esets {
    my ($names, undef, $folder, $scanner, undef, $options) = @_;
    my @paths = map { "$folder/parts/$_" } @$names;
    my $answer = _in_child(sub { _scan($options || {}, @paths) });
    my ($action, $report, @threats) = split /\n/, $answer;
    die "$scanner: no answer\n" unless defined $action;
    die "$scanner: $report\n" if $action eq 'failed';
    return ($action eq 'accept' ? 0 : 1, $report // '', \@threats);
}

# What is found in all parts together, in lines. A deferral has no word in amavisd's protocol; a
# scanner that fails comes closest, see $final_unchecked_destiny.
sub _scan {
    my ($options, @paths) = @_;
    my ($config, $signatures) = @$options{qw(config database)};
    my $policy = defined $config ? ESETS::Policy->open($config) : ESETS::Policy->default;
    my $database =
        defined $signatures ? ESETS::Database->open($signatures) : ESETS::Database->embedded;
    my ($worst, $why, %seen, @threats) = (0, '');
    for my $path (@paths) {
        my ($verdict, $rank, $rule) = _judge($policy, $database, $path);
        ($worst, $why) = ($rank, $rule) if $rank > $worst;
        next if $rank < 2;
        my @found = $verdict ? $verdict->threat_names : ();
        @found = ('not scanned') unless @found;
        push @threats, grep { !$seen{$_}++ } map { tr/\r\n/  /r } @found;
    }
    return "failed\ndeferred by $why" if $worst == 1;
    return join "\n", $worst == 0 ? 'accept' : 'block', $why, @threats;
}

# The verdict on one part, the rank of the action in ESETS_ACTION_... and the line that decided.
sub _judge {
    my ($policy, $database, $path) = @_;
    my %context = (agent => 'cli');
    my $scanner = $policy->scanner($database, %context);
    my $verdict = $scanner && $scanner->scan_file($path);
    my $decision = $policy->decide($verdict, %context);
    return ($verdict, $decision->_action, $decision->rule);
}

# Runs a function in a child: whatever mail makes of it must not take the process of amavisd along.
sub _in_child {
    my ($body) = @_;
    pipe my $reader, my $writer or die "pipe: $!\n";
    my $child = fork // die "fork: $!\n";
    if (!$child) {
        close $reader;
        my $answer = eval { $body->() } // "failed\n" . ($@ =~ tr/\n/ /r);
        utf8::encode($answer) if utf8::is_utf8($answer);
        syswrite $writer, $answer;
        POSIX::_exit(0);    # amavisd's own objects are the parent's to clean up
    }
    close $writer;
    my $answer = '';
    # amavisd ends what takes too long by dying out of its alarm.
    my $read = eval {
        while (1) {
            my $count = sysread $reader, $answer, 65536, length $answer;
            next if !defined $count && $!{EINTR};
            die "read: $!\n" unless defined $count;
            last unless $count;
        }
        1;
    };
    my $error = $@;
    kill 'KILL', $child unless $read;
    { local $?; waitpid $child, 0; $error ||= "scanner ended by signal $?\n" if $? }
    die $error if $error;
    return $answer;
}

1;

__END__

=encoding UTF-8

=head1 NAME

ESETS::Amavis - libesets as a virus scanner of amavisd-new

=head1 SYNOPSIS

In F<amavisd.conf>:

  use ESETS::Amavis;
  @av_scanners = (['ESETS', \&ESETS::Amavis::ask_esets, { config => '/etc/esets/esets.cfg' }]);
  $final_unchecked_destiny = D_TEMPFAIL;

=head1 DESCRIPTION

Each message is scanned in a child of its amavisd process, so that a crash costs an answer and not
the process. What the policy accepts passes; what it discards or rejects is blocked with the names of
the threats (C<not scanned> if there are none); what it defers makes the scanner fail. amavisd passes
mail on unscanned after that unless C<$final_unchecked_destiny> is C<D_TEMPFAIL>.

Without C<config> the policy is that of an empty F<esets.cfg>; without C<database>, the path of a
database or of a folder with one, the signatures are those that the library carries. Both are opened
anew for every message, so that a change needs no restart; a compiled database costs nothing to open.

=cut
