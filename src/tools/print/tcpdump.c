/* SPDX-License-Identifier: MIT */
/* tcpdump's form: the entry of a packet.
 *
 * The form was learned from runs of tcpdump 4.99.3 and from its manual.  tests/captures/
 * print_tcpdump.py compares the lines of both programs. */
#include "tcpdump_layers.h"

/* Layers that other layers reach as the payload of a tunnel. */
static const struct tcpdump_outer outer_layers = { .ethernet = tcpdump_put_ethernet,
	.ethertype = tcpdump_put_ethertype,
	.ip4 = tcpdump_put_ip4,
	.ip6 = tcpdump_put_ip6 };

void tcpdump_put_packet(struct print_line *line, const struct print_options *options,
	struct tcpdump_sequences *sequences, const struct print_packet *packet)
{
	struct tcpdump t = { .line = line,
		.options = options,
		.sequences = sequences,
		.layer = "unknown",
		.outer = &outer_layers,
		.whole = { packet->bytes, packet->caplen, packet->wirelen },
		.link_type = packet->link_type };

	if (!packet->caplen) {
		put_number(&t, "[Invalid header: caplen==0, len==", packet->wirelen);
		put_char(&t, ']');
		return;
	}
	tcpdump_put_link(&t, t.whole);
	if (t.sealed)
		line->end = t.line_end;
}
