package ESETS;

use strict;
use warnings;

our $VERSION = '0.1.0';

require XSLoader;
XSLoader::load('ESETS', $VERSION);

# The numbers of esets.h, in their order; undef where there is none.
our @STATUSES = qw(clean not_scanned infected);
our @CLASSES  = (undef, qw(malware unsafe unwanted suspicious));
our @SOURCES  = (undef, qw(signature heuristic));
our @REASONS  = (undef, qw(cancelled corrupt encrypted fault limit truncated unsupported));
our @LIMITS   = (undef, qw(depth memory objects object_size ratio readings scan_size time));
our @OPTIONS  = (undef, qw(heuristics all_records unsafe unwanted));
our @ACTIONS  = qw(accept defer discard reject);

# A pointer belongs to one interpreter.
for my $class (qw(Database Interrupt Scanner::Handle Verdict Context Policy Decision Client)) {
    no strict 'refs';
    *{"ESETS::${class}::CLONE_SKIP"} = sub { 1 };
}

# The number of a word; dies of a word that is none.
sub _number {
    my ($kind, $words, $word) = @_;
    for my $number (0 .. $#$words) {
        return $number if defined $words->[$number] && $words->[$number] eq $word;
    }
    require Carp;
    Carp::croak("no such $kind: $word");
}

# A hash of the C side, its numbers in words.
sub _detection {
    my ($detection) = @_;
    $detection->{class}  = $CLASSES[ $detection->{class} ];
    $detection->{source} = $SOURCES[ $detection->{source} ];
    return $detection;
}

sub _record {
    my ($record) = @_;
    $record->{status} = $STATUSES[ $record->{status} ] // 'not_scanned';
    _detection($_) for @{ $record->{detections} };
    for my $reason (@{ $record->{reasons} }) {
        $reason->{code}  = $REASONS[ $reason->{code} ];
        $reason->{limit} = $LIMITS[ $reason->{limit} ];
    }
    return $record;
}

package ESETS::Scanner;

use Carp ();

sub new {
    my ($class, %wanted) = @_;
    my $handle = delete $wanted{handle};
    my $database = delete $wanted{database};
    $handle ||= ESETS::Scanner::Handle->new($database || ESETS::Database->embedded);
    my $self = bless { handle => $handle }, $class;
    my $limits  = delete $wanted{limits}  || {};
    my $options = delete $wanted{options} || {};
    $handle->set_limit(ESETS::_number('limit', \@ESETS::LIMITS, $_), $limits->{$_})
        for sort keys %$limits;
    $handle->set_option(ESETS::_number('option', \@ESETS::OPTIONS, $_), $options->{$_} ? 1 : 0)
        for sort keys %$options;
    $handle->skip_format($_) for @{ delete $wanted{skip} || [] };
    for my $key (qw(observer interrupt)) {
        $self->{$key} = delete $wanted{$key} if exists $wanted{$key};
    }
    $self->{passwords} = [map { my $bytes = $_; utf8::encode($bytes) if utf8::is_utf8($bytes); $bytes }
        @{ delete $wanted{passwords} || [] }];
    Carp::croak('interrupt is not an ESETS::Interrupt')
        if defined $self->{interrupt} && !UNIVERSAL::isa($self->{interrupt}, 'ESETS::Interrupt');
    Carp::croak('unknown argument: ' . join ', ', sort keys %wanted) if %wanted;
    return $self;
}

sub scan_file {
    my ($self, $path) = @_;
    Carp::croak('no path') unless defined $path;
    return $self->_scan(undef, $path, -1);
}

sub scan_bytes {
    my ($self, $bytes, $name) = @_;
    Carp::croak('no bytes') unless defined $bytes;
    return $self->_scan($bytes, $name // '', -1);
}

sub scan_handle {
    my ($self, $handle, $name) = @_;
    my $fd = fileno $handle;
    Carp::croak('not an open file') unless defined $fd && $fd >= 0;
    return $self->_scan(undef, $name // '', $fd);
}

sub _scan {
    my ($self, $bytes, $name, $fd) = @_;
    my $observer = $self->{observer};
    my $watch = $observer && sub { $observer->(ESETS::_record($_[0])) };
    return $self->{handle}->scan($bytes, $name, $fd, $self->{passwords}, $watch, $self->{interrupt});
}

package ESETS::Verdict;

sub status      { $ESETS::STATUSES[ $_[0]->_status ] // 'not_scanned' }
sub is_clean    { $_[0]->status eq 'clean' }
sub is_infected { $_[0]->status eq 'infected' }
sub records     { map { ESETS::_record($_) } $_[0]->_records }
sub threats     { map { ESETS::_detection($_) } $_[0]->_threats }
sub threat_names { my %seen; grep { !$seen{$_}++ } map { $_->{name} } $_[0]->_threats }
sub reasons     { map { @{ $_->{reasons} } } $_[0]->records }

package ESETS::Policy;

sub scanner {
    my ($self, $database, %known) = @_;
    my %scanner = map { exists $known{$_} ? ($_ => delete $known{$_}) : () }
        qw(passwords observer interrupt);
    my $handle = $self->_scanner(ESETS::Context->new(%known), $database) or return undef;
    return ESETS::Scanner->new(handle => $handle, %scanner);
}

sub decide {
    my ($self, $verdict, %known) = @_;
    Carp::croak('not an ESETS::Verdict')
        if defined $verdict && !UNIVERSAL::isa($verdict, 'ESETS::Verdict');
    return $self->_decide(ESETS::Context->new(%known), $verdict);
}

sub handle {
    my ($self, $database, $bytes, $name, %known) = @_;
    Carp::croak('no bytes') unless defined $bytes;
    my ($decision, $verdict) =
        $self->_handle(ESETS::Context->new(%known), $database, $bytes, $name // '');
    return wantarray ? ($decision, $verdict) : $decision;
}

package ESETS::Context;

sub new {
    my ($class, %known) = @_;
    my $self = $class->_new(delete $known{agent} // Carp::croak('no agent'));
    $self->recipient($_) for @{ delete $known{recipients} || [] };
    for my $key (qw(client server sender user modifiable)) {
        next unless exists $known{$key};
        my $value = delete $known{$key};
        $self->$key($value) if defined $value;
    }
    Carp::croak('unknown argument: ' . join ', ', sort keys %known) if %known;
    return $self;
}

package ESETS::Client;

sub new {
    my ($class, $socket, %wanted) = @_;
    Carp::croak('no socket') unless defined $socket;
    my $patience = delete $wanted{patience} // 0;
    Carp::croak('unknown argument: ' . join ', ', sort keys %wanted) if %wanted;
    return $class->_new($socket, $patience);
}

sub scan_file {
    my ($self, $path, %known) = @_;
    Carp::croak('no path') unless defined $path;
    return $self->_answer(\%known, undef, $path, -1);
}

sub scan_bytes {
    my ($self, $bytes, $name, %known) = @_;
    Carp::croak('no bytes') unless defined $bytes;
    return $self->_answer(\%known, $bytes, $name // '', -1);
}

sub scan_handle {
    my ($self, $handle, $name, %known) = @_;
    my $fd = fileno $handle;
    Carp::croak('not an open file') unless defined $fd && $fd >= 0;
    return $self->_answer(\%known, undef, $name // '', $fd);
}

sub _answer {
    my ($self, $known, @what) = @_;
    my ($decision, $verdict) = $self->_scan(ESETS::Context->new(%$known), @what);
    return $decision unless wantarray;
    return defined $decision ? ($decision, $verdict) : ();
}

package ESETS::Decision;

sub action { $ESETS::ACTIONS[ $_[0]->_action ] // 'defer' }

sub dispositions {
    my ($self) = @_;
    return map { $_->{action} = $ESETS::ACTIONS[ $_->{action} ] // 'defer'; $_ } $self->_dispositions;
}

sub apply {
    my ($self, $index, $verdict, $bytes) = @_;
    Carp::croak('no bytes') unless defined $bytes;
    Carp::croak('not an ESETS::Verdict')
        if defined $verdict && !UNIVERSAL::isa($verdict, 'ESETS::Verdict');
    return $self->_apply($index, $verdict, $bytes);
}

1;

__END__

=encoding UTF-8

=head1 NAME

ESETS - objects in, verdicts out

=head1 SYNOPSIS

  use ESETS;

  my $scanner = ESETS::Scanner->new(limits => { time => 60_000 });
  my $verdict = $scanner->scan_file('mail.eml') or die "mail.eml: $!\n";
  print $_->{name}, "\n" for $verdict->threats;
  print $verdict->tree unless $verdict->is_clean;

=head1 DESCRIPTION

This is libesets for Perl. A scan does not fail: what could not be looked at is part of the verdict,
and such a verdict is never clean. Methods die of misuse (an unknown argument, a configuration with
mistakes), never of what is scanned.

=head1 ESETS::Scanner

=head2 new(database => $database, limits => {...}, options => {...}, ...)

All arguments are optional. C<database> is an L</ESETS::Database>, else the one that the library
carries. C<limits> may have C<depth>, C<memory>, C<objects>, C<object_size>, C<ratio>, C<readings>,
C<scan_size> and C<time> (in milliseconds, 0 for none). C<options> may have C<heuristics>,
C<all_records>, C<unsafe> and C<unwanted>. C<skip> is a list of formats that are not opened,
C<passwords> a list to try on encrypted members. C<observer> is called with a L<record|/records>
for every object once it is done; a true answer cancels the scan. C<interrupt> is an
L</ESETS::Interrupt>.

=head2 scan_file($path), scan_bytes($bytes, $name), scan_handle($handle, $name)

Return an L</ESETS::Verdict>. A path must lead to a regular file. C<scan_handle> scans all of a
regular file, or what a pipe or socket yields up to its end. If a file cannot be opened or read they
return undef, and C<$!> says why: treat that as "not scanned".

=head1 ESETS::Verdict

=head2 status

C<clean>, C<not_scanned> or C<infected>. There are also C<is_clean> and C<is_infected>.

=head2 records

A list of hashes, one for each object that has something to say: C<name> (bytes), C<parent> (the
position of the container's record, undef for the scanned object), C<size>, C<status>, C<formats>
and C<defects> (texts), C<detections> (hashes with C<name>, C<class>, C<source>, C<offset>) and
C<reasons> why part of it was not looked at (hashes with C<code>, C<limit>, C<text>).

=head2 threats, threat_names, reasons

The detections of all records, the deepest object that shows each only, with the position of their
C<record>; their names, each once; the reasons of all records.

=head2 objects, bytes, json, tree

How many objects were met, how many bytes were scanned, and the verdict as text.

=head1 ESETS::Database

C<< ESETS::Database->embedded >> is the database that the library carries,
C<< ESETS::Database->open($path) >> a compiled one, a source of signatures or a folder with either;
it dies if there is none. C<reload> opens the same path again, also for the scanners that use it,
C<signatures> counts them, C<version> and C<warnings> (lines of sources that are not used) are texts.

=head1 ESETS::Interrupt

C<< ESETS::Interrupt->new >> is a cancel button: C<raise> ends every scan that was given it, C<clear>
lets scans run again. Perl holds back signals during a scan, but handles them while an observer
runs; for a bound on time set the limit C<time>.

=head1 ESETS::Policy

=head2 open($path), default

Reads F<esets.cfg>, or takes what an empty one would say. C<open> dies with one line for each
mistake. C<reload> reads the file again.

=head2 scanner($database, agent => 'smtp', client => $address, ...)

The scanner that the policy wants for this context, or undef if it needs no scan. The context may
have C<agent> (required), C<client>, C<server>, C<sender>, C<recipients> (a list), C<user> and
C<modifiable>; C<passwords>, C<observer> and C<interrupt> go to the scanner.

=head2 decide($verdict, agent => 'smtp', ...)

Returns a decision: C<action> is C<accept>, C<defer>, C<discard> or C<reject>, C<rule> names the line
that decided, C<json> tells all. Where a scan was needed, an undefined verdict counts as a failed
scan. C<dispositions> are hashes, one for recipients with the same fate: C<action>, C<rule>,
C<quarantine>, C<recipients> (positions in those of the context) and what is changed in the mail that
passes: C<removals> (positions of records), C<part_notice>, C<headers>, C<subject_prefix>, C<footnote>.

=head2 handle($database, $bytes, $name, agent => 'smtp', modifiable => 1, ...)

All of an agent's work on a mail: asks, scans and decides. Where parts are to be taken out, the mail
without them is scanned too. Returns the decision, in list context also the verdict (undef if no scan
was needed). C<< $decision->apply($index, $verdict, $bytes) >> makes the mail that passes for the
recipients of a disposition; undef if a part cannot be taken out, then it must not pass.

=head1 ESETS::Client

C<< ESETS::Client->new($socket, patience => 60_000) >> is a client of F<esets_daemon>, which scans and
decides by its own configuration; C<patience>, in milliseconds, bounds the wait for an answer. A
socket that belongs neither to root nor to the caller's own user is not believed.

=head2 scan_file($path, agent => 'smtp', ...), scan_bytes($bytes, $name, ...), scan_handle($handle, $name, ...)

Return the decision, in list context also the verdict (undef if none was needed); the context is that
of L</scanner>. Files are opened here and handed over open. Without an answer they return undef or an
empty list, and C<$!> says why: scan the object yourself, or defer it.

=head1 SEE ALSO

F<esets.h>, L<ESETS::Amavis>

=cut
