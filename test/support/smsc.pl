#!/usr/bin/perl
# An SMSC that shares no code with ours: Net::SMPP (Debian's libnet-smpp-perl), SMPP 3.4 on 127.0.0.1.
# smsc.pl PORT PASSWORD. Each event is a line of JSON on stdout; each line of JSON on stdin is a deliver_sm to the newest bound ESME:
# { "fields": { "source_addr": "…", … }, "hex": { "short_message": "48616c6c6f", … } }, names as Net::SMPP has them.
# Ids are zero padded in submit_sm_resp and bare in the receipt, as with real carriers.
use strict; use warnings;
use Net::SMPP; use IO::Select; use JSON::PP;
$| = 1; $SIG{PIPE} = 'IGNORE';

my ($port, $password) = @ARGV;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34, interface_version => 0x34) or die "listen: $!";
my $select = IO::Select->new($listener, \*STDIN);
my ($typed, $count, $bound) = ('', 0, undef);

sub report { my ($event, %more) = @_; print encode_json({ event => $event, %more }), "\n" }

sub answer_bind {
  my ($session, $pdu, $kind, $answer) = @_;
  my $status = $pdu->{password} eq $password ? 0 : 0x0e;
  $session->$answer(seq => $pdu->{seq}, status => $status, system_id => 'PERL');
  report('bind', kind => $kind, system_id => $pdu->{system_id}, status => $status);
  $bound = $session if $status == 0 && $kind ne 'transmitter';
  return $status == 0;
}

sub receipt {
  my ($pdu, $id) = @_;
  $bound->deliver_sm(async => 1, source_addr => $pdu->{destination_addr}, destination_addr => $pdu->{source_addr}, esm_class => 4,
    short_message => "id:$id sub:001 dlvrd:001 submit date:2611220101 done date:2611220102 stat:DELIVRD err:000 text:");
}

sub answer_submit {
  my ($session, $pdu) = @_;
  my $id = sprintf('%010d', ++$count);
  my @shown = qw(source_addr source_addr_ton destination_addr dest_addr_ton esm_class data_coding registered_delivery validity_period);
  my @bytes = grep { defined $pdu->{$_} } qw(short_message message_payload sar_msg_ref_num sar_total_segments sar_segment_seqnum);
  report('submit_sm', id => $id, (map { $_ => $pdu->{$_} } @shown), hex => { map { $_ => unpack('H*', $pdu->{$_}) } @bytes });
  $session->submit_sm_resp(seq => $pdu->{seq}, message_id => $id);
  receipt($pdu, $count) if $bound && $pdu->{registered_delivery} & 1;
  return 1;
}

my %answers = (
  Net::SMPP::CMD_bind_transceiver, sub { answer_bind(@_, 'transceiver', 'bind_transceiver_resp') },
  Net::SMPP::CMD_bind_transmitter, sub { answer_bind(@_, 'transmitter', 'bind_transmitter_resp') },
  Net::SMPP::CMD_bind_receiver, sub { answer_bind(@_, 'receiver', 'bind_receiver_resp') },
  Net::SMPP::CMD_submit_sm, \&answer_submit,
  Net::SMPP::CMD_enquire_link, sub { report('enquire_link'); $_[0]->enquire_link_resp(seq => $_[1]{seq}); 1 },
  Net::SMPP::CMD_deliver_sm_resp, sub { report('deliver_sm_resp', seq => $_[1]{seq}, status => $_[1]{status}); 1 },
  Net::SMPP::CMD_unbind, sub { $_[0]->unbind_resp(seq => $_[1]{seq}); 0 },
);

# False when the session is over.
sub serve {
  my ($session) = @_;
  my $pdu = $session->read_pdu() or return 0;
  my $answer = $answers{$pdu->{cmd}} or do { $session->generic_nack(seq => $pdu->{seq}, status => 3) if $pdu->{cmd} < 0x80000000; return 1 };
  return $answer->($session, $pdu);
}

sub obey {
  sysread(STDIN, $typed, 65536, length $typed) or exit 0;
  while ($typed =~ s/^(.*)\n//) {
    my $order = decode_json($1);
    my %bytes = map { $_ => pack('H*', $order->{hex}{$_}) } keys %{ $order->{hex} };
    my $seq = $bound && $bound->deliver_sm(async => 1, %{ $order->{fields} }, %bytes);
    report($seq ? 'deliver_sm' : 'nobody bound', $seq ? (seq => $seq) : ());
  }
}

report('listening');
while (my @ready = $select->can_read) {
  for my $handle (@ready) {
    if ($handle == $listener) { $select->add($listener->accept) }
    elsif (fileno $handle == 0) { obey() }
    elsif (!serve($handle)) {
      $bound = undef if $bound && $bound == $handle;
      $select->remove($handle); close $handle; report('unbound');
    }
  }
}
