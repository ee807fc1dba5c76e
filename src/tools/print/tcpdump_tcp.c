/* SPDX-License-Identifier: MIT */
/* TCP in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
	TCP_URG = 32,
};

struct tcp_header {
	uint16_t source, destination;
	uint32_t sequence, acknowledgment;
	uint32_t flags, window, urgent, bytes;
	uint32_t first[2]; /* where the numbers above are counted from */
};

static void put_tcp_flags(struct tcpdump *t, uint32_t flags)
{
	static const char letters[] = "FSRP.UEW"; /* by bit */

	put_text(t, "Flags [");
	if (flags == TCP_ACK)
		put_char(t, '.');
	else if (!flags)
		put_text(t, "none");
	else
		for (int i = 0; i < 8; i++)
			if (flags >> i & 1)
				put_char(t, letters[i]);
	put_char(t, ']');
}

/* Fills the key of a connection; returns true if the source is its second end. */
static bool fill_connection(
	struct tcpdump_connection *key, const struct tcpdump_ip *ip, const struct tcp_header *tcp)
{
	const size_t n = ip->version == 4 ? 4 : 16;
	bool turned = tcp->source > tcp->destination;

	if (tcp->source == tcp->destination)
		turned = memcmp(ip->source, ip->destination, n) > 0;
	memset(key, 0, sizeof *key);
	key->version = ip->version;
	memcpy(key->address[turned], ip->source, n);
	memcpy(key->address[!turned], ip->destination, n);
	key->port[turned] = tcp->source;
	key->port[!turned] = tcp->destination;
	return turned;
}

/* Makes sequence numbers relative to the first of their connection, from its second packet on. */
static void count_from_first(struct tcpdump *t, const struct tcpdump_ip *ip, struct tcp_header *tcp)
{
	struct tcpdump_connection key;
	struct tcpdump_connection *connection;
	bool is_new = false;
	bool turned;

	if (t->options->absolute || !(tcp->flags & TCP_ACK) || !t->sequences)
		return;
	turned = fill_connection(&key, ip, tcp);
	connection = tcpdump_connection_find(t->sequences, &key, &is_new);
	if (is_new || tcp->flags & TCP_SYN) {
		connection->first[turned] = tcp->sequence;
		connection->first[!turned] = tcp->acknowledgment - 1;
	} else {
		tcp->sequence -= connection->first[turned];
		tcp->acknowledgment -= connection->first[!turned];
	}
	tcp->first[0] = connection->first[turned];
	tcp->first[1] = connection->first[!turned];
}

static void put_tcp_checksum(struct tcpdump *t, const struct tcpdump_ip *ip, const struct span *s)
{
	uint16_t left;
	uint16_t found;

	if (!t->options->verbose || t->options->no_checksums || ip->is_fragment ||
		!span_has(s, 0, s->length))
		return;
	left = tcpdump_checksum(ip, s->at, s->length, 6);
	found = (uint16_t)span_u16(t, s, 16);
	put_text(t, ", cksum ");
	put_0x(t, found, 4);
	if (left) {
		put_text(t, " (incorrect -> ");
		put_0x(t, tcpdump_right_sum(found, left), 4);
		put_char(t, ')');
	} else {
		put_text(t, " (correct)");
	}
}

static void put_tcp_sequence(struct tcpdump *t, const struct tcp_header *tcp, uint32_t payload)
{
	if (t->options->verbose > 1 || payload || tcp->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
		put_number(t, ", seq ", tcp->sequence);
		if (payload) {
			put_char(t, ':');
			put_decimal(t, (uint32_t)(tcp->sequence + payload));
		}
	}
	if (tcp->flags & TCP_ACK)
		put_number(t, ", ack ", tcp->acknowledgment);
	put_number(t, ", win ", tcp->window);
	if (tcp->flags & TCP_URG)
		put_number(t, ", urg ", tcp->urgent);
}

static void read_tcp(struct tcpdump *t, const struct span *s, struct tcp_header *tcp)
{
	tcp->sequence = span_u32(t, s, 4);
	tcp->acknowledgment = span_u32(t, s, 8);
	tcp->flags = span_u16(t, s, 12) & 0xff;
	tcp->window = span_u16(t, s, 14);
	tcp->urgent = span_u16(t, s, 18);
}

/* Puts words about a header beyond the end; returns false otherwise. */
static bool put_tcp_bad_length(struct tcpdump *t, const struct tcp_header *tcp, uint32_t length)
{
	if (tcp->bytes <= length)
		return false;
	put_number(t, " [bad hdr length ", tcp->bytes);
	put_number(t, " - too long, > ", length);
	put_char(t, ']');
	return true;
}

void tcpdump_put_tcp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s)
{
	struct tcp_header tcp = { 0 };
	struct span options;

	t->layer = "tcp";
	if (!span_has(&s, 0, 4)) {
		tcpdump_put_addresses(t, ip);
		put_char(t, ':');
		tcpdump_put_cut(t);
		return;
	}
	tcp.source = (uint16_t)span_u16(t, &s, 0);
	tcp.destination = (uint16_t)span_u16(t, &s, 2);
	tcpdump_put_ends(t, ip, tcp.source, tcp.destination);
	tcp.bytes = (span_u8(t, &s, 12) >> 4) * 4;
	if (tcp.bytes < 20) {
		put_number(t, " tcp ", s.length - tcp.bytes);
		put_number(t, " [bad hdr length ", tcp.bytes);
		put_text(t, " - too short, < 20]");
		return;
	}
	read_tcp(t, &s, &tcp);
	if (t->sealed)
		return;
	if (t->options->quick) {
		put_text(t, "tcp ");
		put_decimal(t, (uint32_t)(s.length - tcp.bytes));
		put_tcp_bad_length(t, &tcp, s.length);
		return;
	}
	put_tcp_flags(t, tcp.flags);
	count_from_first(t, ip, &tcp);
	if (put_tcp_bad_length(t, &tcp, s.length))
		return;
	put_tcp_checksum(t, ip, &s);
	put_tcp_sequence(t, &tcp, s.length - tcp.bytes);
	options = span_behind(&s, 20);
	options.length = tcp.bytes - 20;
	if (options.length && !tcpdump_put_tcp_options(t, options, tcp.flags, tcp.first))
		return;
	s = span_behind(&s, tcp.bytes);
	put_number(t, ", length ", s.length);
	if (s.length)
		tcpdump_put_tcp_payload(t, s, tcp.source, tcp.destination);
}
