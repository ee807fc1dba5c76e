/* SPDX-License-Identifier: MIT */
/* UDP's part of tcpdump's line. */
#include "tcpdump_layers.h"

enum { UDP_PROTOCOL = 17 };

static void put_udp_checksum(struct tcpdump *t, const struct tcpdump_ip *ip, const struct span *s)
{
	const uint32_t bytes = span_u16(t, s, 4);
	uint16_t found;
	uint16_t left;

	if (!t->options->verbose || t->options->no_checksums || ip->is_fragment)
		return;
	found = (uint16_t)span_u16(t, s, 6);
	if (!found && ip->version == 4) {
		if (t->options->verbose > 1)
			put_text(t, "[no cksum] ");
		return;
	}
	if (bytes < 8 || bytes > s->length || !span_has(s, 0, bytes))
		return;
	left = tcpdump_checksum(ip, s->at, bytes, UDP_PROTOCOL);
	if (!left) {
		put_text(t, "[udp sum ok] ");
		return;
	}
	put_text(t, "[bad udp cksum ");
	put_0x(t, found, 4);
	put_text(t, " -> ");
	put_0x(t, tcpdump_right_sum(found, left), 4);
	put_text(t, "!] ");
}

static void put_udp_payload(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s,
	const uint16_t ports[2], uint32_t announced)
{
	if (!t->options->quick && tcpdump_put_udp_payload(t, ip, s, ports))
		return;
	if (announced > s.length && !ip->is_fragment) {
		put_number(t, "UDP, bad length ", announced);
		put_number(t, " > ", s.length);
	} else {
		put_number(t, "UDP, length ", announced);
	}
}

void tcpdump_put_udp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s)
{
	uint16_t ports[2];
	uint32_t announced;
	struct span payload;

	t->layer = "udp";
	if (!span_has(&s, 0, 4)) {
		tcpdump_put_addresses(t, ip);
		put_text(t, ": ");
		tcpdump_put_cut(t);
		return;
	}
	ports[0] = (uint16_t)span_u16(t, &s, 0);
	ports[1] = (uint16_t)span_u16(t, &s, 2);
	tcpdump_put_ends(t, ip, ports[0], ports[1]);
	if (s.length < 8) {
		put_number(t, "truncated-udp ", s.length);
		return;
	}
	if (!span_need(t, &s, 0, 8))
		return;
	announced = span_u16(t, &s, 4);
	if (!announced && s.length > 65535)
		announced = s.length;
	if (!t->sealed && announced < 8) {
		put_number(t, "truncated-udplength ", announced);
		return;
	}
	payload = span_behind(&s, 8);
	announced -= 8;
	if (announced < payload.length)
		payload.length = announced;
	put_udp_checksum(t, ip, &s);
	put_udp_payload(t, ip, payload, ports, announced);
}
