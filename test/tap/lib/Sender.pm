# A sender of the examples as a process: started, killed, started again.
package Sender;
use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(program start_process kill_process is_there wait_for_port work_through_kills);

# The example's program, which scripts/prove.sh has built; undef where it could not be.
sub program
{
    my $path = ($ENV{NURTURE_EXAMPLES} // '') . "/$_[0]";
    return -x $path ? $path : undef;
}

sub start_process
{
    my ($log, @command) = @_;
    my $pid = fork() // die "fork: $!";
    return $pid if $pid;
    open(STDIN, '<', '/dev/null');
    open(STDOUT, '>>', $log);
    open(STDERR, '>&', \*STDOUT);
    exec(@command) or exit(127);
}

sub kill_process
{
    my ($pid, $signal) = @_;
    kill($signal, $pid);
    waitpid($pid, 0);
    return;
}

sub is_there
{
    my ($module) = @_;
    return system("python3 -c 'import $module' >/dev/null 2>&1") == 0;
}

sub wait_for_port
{
    my ($port) = @_;
    foreach (1 .. 300)
    {
        my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Proto => 'tcp');
        return 1 if $socket;
        sleep(0.1);
    }
    return 0;
}

# Runs the sender and kills it at random until nothing is left to do; how often it was killed.
sub work_through_kills
{
    my ($node, $log, $left, @command) = @_;
    my ($kills, $until) = (0, time() + 180);
    my $sender = start_process($log, @command);
    while (time() < $until && $node->safe_psql('postgres', $left) ne '0')
    {
        sleep(0.05 + rand(0.35));
        next if $kills >= 25;
        kill_process($sender, 'KILL');
        $kills++;
        $sender = start_process($log, @command);
    }
    kill_process($sender, 'TERM');
    is($? >> 8, 0, 'asked to stop it stops cleanly');
    return $kills;
}

1;
