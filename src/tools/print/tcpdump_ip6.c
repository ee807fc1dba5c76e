/* SPDX-License-Identifier: MIT */
/* IPv6's part of tcpdump's line: the fixed header and the extension headers. */
#include "tcpdump_layers.h"

enum { MOST_EXTENSIONS = 64 };

/* A packet, and the place in the chain of headers. */
struct ip6_chain {
	struct tcpdump_ip ip;
	struct span rest;
	uint8_t next;
	bool is_jumbo_allowed, has_hop_options;
};

static void put_ip6_details(struct tcpdump *t, const struct span *s)
{
	const uint32_t first = span_u32(t, s, 0);

	put_char(t, '(');
	if (first & 0x0ff00000) {
		put_text(t, "class ");
		put_0x(t, first >> 20 & 255, 2);
		put_text(t, ", ");
	}
	if (first & 0xfffff) {
		put_text(t, "flowlabel ");
		put_0x(t, first & 0xfffff, 5);
		put_text(t, ", ");
	}
	put_number(t, "hlim ", span_u8(t, s, 7));
	put_text(t, ", next-header ");
	tcpdump_put_protocol_name(t, (uint8_t)span_u8(t, s, 6));
	put_number(t, " payload length: ", span_u16(t, s, 4));
	put_text(t, ") ");
}

/* Puts an option for -v: type and n bytes of data at `at`. */
static void put_ip6_option(
	struct tcpdump *t, const struct span *s, uint32_t at, uint32_t type, uint32_t n)
{
	if (!t->options->verbose)
		return;
	if (type == 1) {
		put_text(t, "(padn)");
	} else if (type == 5 && n == 2) {
		put_text(t, "(rtalert: ");
		put_0x(t, span_u16(t, s, at), 4);
		put_text(t, ") ");
	} else if (type == 0xc2 && n == 4) {
		put_number(t, "(jumbo: ", span_u32(t, s, at));
		put_text(t, ") ");
	} else if (type == 0xc9 && n >= 16) {
		put_text(t, "(homeaddr: ");
		put_span_ip6(t, s, at);
		put_char(t, ')');
	} else {
		put_text(t, "(opt_type ");
		put_0x(t, type, 2);
		put_number(t, ": len=", n);
		put_char(t, ')');
	}
}

/* Puts the options of a header of `bytes` bytes; *jumbo becomes the length of a jumbogram. */
static void put_ip6_options(
	struct tcpdump *t, const struct span *s, uint32_t bytes, uint32_t *jumbo)
{
	uint32_t n = 0;

	for (uint32_t at = 2; at < bytes && !t->sealed; at += n) {
		const uint32_t type = s->at[at];

		if (!type) {
			n = 1;
			if (t->options->verbose)
				put_text(t, "(pad1)");
			continue;
		}
		if (bytes - at < 2) {
			tcpdump_put_cut(t);
			break;
		}
		n = s->at[at + 1] + 2u;
		if (n > bytes - at) {
			tcpdump_put_cut(t);
			break;
		}
		if (type == 0xc2 && n == 6 && jumbo)
			*jumbo = span_u32(t, s, at + 2);
		put_ip6_option(t, s, at + 2, type, n - 2);
	}
	if (t->options->verbose)
		put_char(t, ' ');
}

/* Takes a header of options; returns false when the line ends there. */
static bool take_options(struct tcpdump *t, struct ip6_chain *chain)
{
	const bool is_hop = chain->next == 0;
	const uint32_t bytes = (span_u8(t, &chain->rest, 1) + 1) * 8;
	uint32_t jumbo = 0;

	t->layer = is_hop ? "hbhopt" : "dstopt";
	if (t->sealed)
		return false;
	if (is_hop && chain->has_hop_options) {
		put_text(t, "[The Hop-by-Hop Options header was already found] (invalid)");
		return false;
	}
	if (!span_need(t, &chain->rest, 0, bytes))
		return false;
	put_string(t, is_hop ? "HBH " : "DSTOPT ");
	put_ip6_options(t, &chain->rest, bytes, is_hop ? &jumbo : NULL);
	if (is_hop)
		chain->has_hop_options = true;
	if (jumbo && chain->is_jumbo_allowed) {
		if (chain->rest.length < jumbo) {
			put_number(t, "truncated-ip6 - ", jumbo - chain->rest.length);
			put_text(t, " bytes missing!");
		}
		chain->rest.length = jumbo;
	}
	chain->next = chain->rest.at[0];
	chain->rest = span_behind(&chain->rest, bytes);
	return true;
}

static bool take_fragment(struct tcpdump *t, struct ip6_chain *chain)
{
	uint32_t offset;

	t->layer = "frag6";
	if (!span_need(t, &chain->rest, 0, t->options->verbose ? 8 : 4))
		return false;
	offset = span_u16(t, &chain->rest, 2) & 0xfff8;
	put_text(t, "frag (");
	if (t->options->verbose) {
		put_0x(t, span_u32(t, &chain->rest, 4), 8);
		put_char(t, ':');
	}
	put_decimal(t, offset);
	/* tcpdump counts below 0 in 64 bits */
	put_number(t, "|", (uint64_t)chain->rest.length - 8);
	put_char(t, ')');
	if (offset)
		return false;
	put_char(t, ' ');
	if (!span_has(&chain->rest, 0, 8))
		return false;
	chain->ip.is_fragment = true;
	chain->next = chain->rest.at[0];
	chain->rest = span_behind(&chain->rest, 8);
	return true;
}

/* Puts n addresses at `at`. */
static void put_route(struct tcpdump *t, const struct span *s, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n && !t->sealed; i++) {
		put_number(t, ", [", i);
		put_char(t, ']');
		put_span_ip6(t, s, at + 16 * i);
	}
}

static void put_segment_routing(struct tcpdump *t, const struct span *s)
{
	put_number(t, ", last-entry=", span_u8(t, s, 4));
	if (span_u8(t, s, 5)) {
		put_text(t, ", flags=");
		put_0x(t, span_u8(t, s, 5), 1);
	}
	put_text(t, ", tag=");
	put_hex(t, span_u16(t, s, 6), 1);
}

static bool take_routing(struct tcpdump *t, struct ip6_chain *chain)
{
	const struct span *s = &chain->rest;
	uint32_t words;
	uint32_t type;

	t->layer = "rt6";
	words = span_has(s, 1, 1) ? s->at[1] : 0;
	if (!s->caplen) {
		t->layer = "ip6";
		tcpdump_put_cut(t);
		return false;
	}
	type = span_has(s, 2, 1) ? s->at[2] : 0;
	put_text(t, "RT6");
	span_need(t, s, 1, 1);
	put_number(t, " (len=", words);
	put_number(t, ", type=", span_u8(t, s, 2));
	if (type == 0)
		put_text(t, " [Deprecated]");
	put_number(t, ", segleft=", span_u8(t, s, 3));
	if (type != 0 && type != 2 && type != 4) {
		put_text(t, " (unknown type) (invalid)");
		return false;
	}
	if (type == 4) {
		put_segment_routing(t, s);
	} else if (t->options->verbose || span_u32(t, s, 4)) {
		put_text(t, ", rsv=");
		put_0x(t, span_u32(t, s, 4), 1);
	}
	if (words % 2) {
		put_number(t, " (invalid length ", words);
		put_text(t, ") (invalid)");
		return false;
	}
	put_route(t, s, 8, words / 2);
	put_text(t, ") ");
	if (t->sealed || !span_need(t, s, 0, (words + 1) * 8))
		return false;
	chain->next = chain->rest.at[0];
	chain->rest = span_behind(s, (words + 1) * 8);
	return true;
}

/* Takes the extension headers, then the layer behind. */
static void put_ip6_chain(struct tcpdump *t, struct ip6_chain *chain)
{
	for (int i = 0; i < MOST_EXTENSIONS && !t->sealed; i++) {
		bool go_on;

		if (chain->next == 0 || chain->next == 60) {
			go_on = take_options(t, chain);
		} else if (chain->next == 44) {
			go_on = take_fragment(t, chain);
		} else if (chain->next == 43) {
			go_on = take_routing(t, chain);
		} else {
			tcpdump_put_protocol(t, &chain->ip, chain->next, chain->rest);
			return;
		}
		if (!go_on)
			return;
	}
}

void tcpdump_put_ip6(struct tcpdump *t, struct span s)
{
	struct ip6_chain chain = { .ip = { .version = 6 } };
	uint32_t length;

	t->layer = "ip6";
	if (s.length < 40) {
		tcpdump_put_cut(t);
		return;
	}
	if (!span_need(t, &s, 0, 40))
		return;
	if (!t->options->link)
		put_text(t, "IP6 ");
	if (s.at[0] >> 4 != 6) {
		put_number(t, "version error: ", s.at[0] >> 4);
		put_text(t, " != 6");
		return;
	}
	length = span_u16(t, &s, 4) + 40;
	if (s.length < length) {
		put_number(t, "truncated-ip6 - ", length - s.length);
		put_text(t, " bytes missing!");
	}
	chain.next = s.at[6];
	chain.is_jumbo_allowed = length == 40;
	if (length > 40 || chain.next != 0) {
		s.length = length;
		if (s.caplen > length)
			s.caplen = length;
	}
	if (t->options->verbose)
		put_ip6_details(t, &s);
	chain.ip.next = chain.next;
	chain.ip.ttl = s.at[7];
	chain.ip.source = s.at + 8;
	chain.ip.destination = s.at + 24;
	chain.rest = span_behind(&s, 40);
	if (chain.next != 6 && chain.next != 17 && chain.next != 132 && chain.next != 33) {
		tcpdump_put_addresses(t, &chain.ip);
		put_text(t, ": ");
	}
	put_ip6_chain(t, &chain);
}
