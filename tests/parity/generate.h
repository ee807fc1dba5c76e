/* SPDX-License-Identifier: MIT */
/* Generates expressions from pcap-filter(7)'s grammar, by a seed.  Most are right, some are
 * damaged. Numbers are small, or from the packets of the tests, so expressions match now and then.
 */
#ifndef GENERATE_H
#define GENERATE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct generator {
	uint64_t state;
	char *text;
	size_t used, room;
	int variable; /* the headers' lengths vary: no arithmetic */
	int sound;    /* no damage, which could be taken for a host's name and resolved */
	const uint8_t (*hosts)[4]; /* addresses of packets */
	uint32_t host_count;
};

/* Returns a random number below n. */
static inline uint32_t generate_below(struct generator *g, uint32_t n)
{
	g->state = g->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(g->state >> 33) % n;
}

/* Adds a word to the text, mostly behind a blank. */
static inline void generate_word(struct generator *g, const char *word)
{
	size_t n = strlen(word);
	if (g->used + n + 2 > g->room)
		return;
	if (g->used && (generate_below(g, 30) || g->sound))
		g->text[g->used++] = ' ';
	memcpy(g->text + g->used, word, n + 1);
	g->used += n;
}

#define ONE_OF(g, ...)                                                                             \
	generate_word(g, ((const char *const[]){ __VA_ARGS__ })[generate_below(g,                  \
				 sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

static inline void generate_number(struct generator *g, uint32_t most)
{
	char t[16];
	uint32_t n;

	if (generate_below(g, 4))
		n = generate_below(g, most);
	else
		n = generate_below(g, 2) ? generate_below(g, 300) : most - generate_below(g, 2);
	if (generate_below(g, 5))
		snprintf(t, sizeof t, "%u", n);
	else
		snprintf(t, sizeof t, generate_below(g, 2) ? "0x%x" : "0%o", n);
	generate_word(g, t);
}

static inline void generate_address(struct generator *g)
{
	static const uint8_t firsts[] = { 10, 10, 10, 127, 192, 224, 172, 255, 0 };
	char t[64];
	if (g->host_count && generate_below(g, 2)) {
		const uint8_t *a = g->hosts[generate_below(g, g->host_count)];
		snprintf(t, sizeof t, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		generate_word(g, t);
		return;
	}
	switch (generate_below(g, 6)) {
	case 0:
		ONE_OF(g, "fe80::1", "2001:db8::1", "::1", "ff02::1", "::", "2001:db8:1:2::3",
			"::ffff:10.0.0.1", "fe80::211:22ff:fe33:4455");
		return;
	case 1:
		ONE_OF(g, "10.0.0.1", "10.0.0.2", "224.0.0.251", "127.0.0.1", "192.168.1.1",
			"255.255.255.255", "0.0.0.0");
		return;
	default:
		snprintf(t, sizeof t, "%u.%u.%u.%u", firsts[generate_below(g, sizeof firsts)],
			generate_below(g, 3),
			generate_below(g, 2) ? generate_below(g, 3) : generate_below(g, 256),
			generate_below(g, 256));
		generate_word(g, t);
	}
}

static inline void generate_net(struct generator *g)
{
	switch (generate_below(g, 7)) {
	case 0:
		ONE_OF(g, "10", "10.0", "192.168.1", "10.0.0.0", "224", "127");
		return;
	case 1:
		ONE_OF(g, "10.0.0.0/8", "10.0.0.0/9", "10.0.0.0/31", "192.168.0.0/16", "0.0.0.0/0",
			"224.0.0.0/4", "128.0.0.0/1", "10.0.0.1/24", "10.0.0.1/33");
		return;
	case 2:
		ONE_OF(g, "10.0.0.0 mask 255.0.0.0", "10.0 mask 255.255.0.0",
			"10.0.0.0 mask 255.0.255.0", "10.0.0.5 mask 255.255.255.0");
		return;
	case 3:
		ONE_OF(g, "fe80::/10", "2001:db8::/32", "::/0", "ff00::/8", "2001:db8::1/127",
			"2001:db8::/129", "fe80::/64");
		return;
	default:
		ONE_OF(g, "10.0.0.0/8", "10.0.0.0/24", "10.1.0.0/16", "172.16.0.0/12",
			"192.168.0.0/16");
		return;
	}
}

static inline void generate_direction(struct generator *g)
{
	if (generate_below(g, 2))
		ONE_OF(g, "src", "dst", "src", "dst", "src or dst", "src and dst", "dst or src");
}

static inline void generate_arithmetic(struct generator *g, int depth)
{
	switch (generate_below(g, depth > 0 ? 9 : 5)) {
	case 0:
		generate_number(g, generate_below(g, 2) ? 64 : 70000);
		return;
	case 1:
		ONE_OF(g, "len", "tcp-syn", "tcp-ack", "icmp-echo", "tcpflags", "length");
		return;
	case 2:
	case 3:
	case 4: {
		static const char *const sizes[] = { "", "", ":1", ":2", ":4", ":3" };
		ONE_OF(g, "ip", "ip", "ip6", "tcp", "tcp", "udp", "icmp", "icmp6", "ether", "arp",
			"rarp", "sctp", "igmp", "link", "pim", "vrrp", "decnet", "stp");
		generate_word(g, "[");
		if (depth > 1 && generate_below(g, 5) == 0)
			generate_arithmetic(g, depth - 2);
		else
			generate_number(g, 24);
		generate_word(g, sizes[generate_below(g, sizeof sizes / sizeof *sizes)]);
		generate_word(g, "]");
		return;
	}
	case 5:
		generate_word(g, "-");
		generate_arithmetic(g, depth - 1);
		return;
	case 6:
		generate_word(g, "(");
		generate_arithmetic(g, depth - 1);
		generate_word(g, ")");
		return;
	default:
		generate_arithmetic(g, depth - 1);
		/* A division by 0 refuses the packet if computed at all, as a load past the end. */
		if (g->sound && generate_below(g, 6) == 0) {
			generate_word(g, "/ 3");
			return;
		}
		if (g->sound)
			ONE_OF(g, "+", "-", "*", "&", "|", "<<", ">>", "^", "&", "&");
		else
			ONE_OF(g, "+", "-", "*", "/", "&", "|", "<<", ">>", "%", "^", "&", "&");
		generate_arithmetic(g, depth - 1);
	}
}

/* Adds a protocol's name. */
static inline void generate_protocol(struct generator *g)
{
	ONE_OF(g, "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "rarp", "sctp", "igmp", "pim",
		"ah", "esp", "vrrp", "carp", "igrp", "stp", "ipx", "iso", "netbeui", "atalk",
		"aarp", "decnet", "lat", "moprc", "mopdl", "sca", "isis", "esis", "clnp", "es-is",
		"is-is", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp");
}

/* Adds a term of qualifiers and a value.  kind: 3 to 13. */
static inline void generate_qualified(struct generator *g, uint32_t kind)
{
	switch (kind) {
	case 3:
	case 4:
	case 5:
		if (generate_below(g, 3) == 0)
			ONE_OF(g, "ip", "ip6", "arp", "rarp", "tcp", "ether");
		generate_direction(g);
		if (generate_below(g, 4))
			generate_word(g, "host");
		generate_address(g);
		return;
	case 6:
	case 7:
		if (generate_below(g, 4) == 0)
			ONE_OF(g, "ip", "ip6", "arp", "rarp", "udp");
		generate_direction(g);
		generate_word(g, "net");
		generate_net(g);
		return;
	case 8:
	case 9:
	case 10:
		if (generate_below(g, 2))
			ONE_OF(g, "tcp", "udp", "sctp", "tcp", "udp", "ip", "icmp");
		generate_direction(g);
		generate_word(g, "port");
		if (generate_below(g, 2))
			ONE_OF(g, "80", "443", "53", "22", "0", "65535", "5353", "65536", "http",
				"domain", "ssh");
		else
			generate_number(g, 2000);
		return;
	case 11:
		if (generate_below(g, 2))
			ONE_OF(g, "tcp", "udp");
		generate_direction(g);
		generate_word(g, "portrange");
		ONE_OF(g, "1-1023", "80-443", "443-80", "1024-65535", "53-53", "0-0", "6000-70000",
			"53");
		return;
	case 12:
		if (generate_below(g, 2))
			ONE_OF(g, "ether", "wlan", "fddi", "link");
		generate_direction(g);
		if (generate_below(g, 2))
			generate_word(g, "host");
		ONE_OF(g, "1:2:3:4:5:6", "ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01",
			"02:00:00:00:00:02", "01-00-5e-00-00-fb", "0200.0000.0001");
		return;
	default:
		if (generate_below(g, 3))
			ONE_OF(g, "ip", "ip6", "ether", "iso", "isis", "arp", "tcp");
		generate_word(g, "proto");
		if (generate_below(g, 3) == 0)
			ONE_OF(g, "\\tcp", "\\udp", "\\icmp", "\\ip", "\\arp", "\\isis", "\\stp");
		else
			generate_number(g, generate_below(g, 2) ? 256 : 65536);
		return;
	}
}

/* Adds a term with a keyword of its own.  kind: 14 to 19. */
static inline void generate_keyword(struct generator *g, uint32_t kind)
{
	switch (kind) {
	case 14:
		ONE_OF(g, "less", "greater");
		generate_number(g, 1600);
		return;
	case 15:
		ONE_OF(g, "broadcast", "multicast", "ether broadcast", "ether multicast",
			"ip multicast", "ip6 multicast", "ip broadcast", "tcp multicast");
		return;
	case 16:
		ONE_OF(g, "vlan", "vlan", "mpls", "pppoes", "pppoed");
		if (generate_below(g, 2))
			generate_number(g, generate_below(g, 2) ? 16 : 5000);
		return;
	case 17:
		ONE_OF(g, "llc", "llc i", "llc s", "llc u", "llc ui", "llc rr", "llc xid",
			"decnet host 1.2", "decnet src 63.1023", "llc q");
		return;
	case 18:
		ONE_OF(g, "type mgt", "type data", "type ctl", "subtype beacon",
			"type data subtype qos-data", "dir tods", "wlan addr1 1:2:3:4:5:6",
			"wlan ra 5:6:1:2:3:4", "wlan ta 5:6:1:2:3:4", "wlan addr3 1:2:3:4:5:6",
			"type mgt subtype rts", "wlan addr4 1:2:3:4:5:6", "wlan src 5:6:1:2:3:4");
		return;
	default:
		ONE_OF(g, "ifindex 3", "ifindex 1", "ifindex 0x100", "ip[9]", "vlan and vlan",
			"mpls and mpls 5", "pppoes 1 and ip6");
		return;
	}
}

/* Adds a comparison. */
static inline void generate_relation(struct generator *g)
{
	generate_arithmetic(g, (int)generate_below(g, 4));
	ONE_OF(g, "=", "!=", "<", ">", "<=", ">=", "==");
	generate_arithmetic(g, (int)generate_below(g, 3));
}

/* Adds a comparison as people write them. */
static inline void generate_usual_relation(struct generator *g)
{
	ONE_OF(g, "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "icmp[icmptype] != icmp-echo",
		"ip[6:2] & 0x1fff = 0", "udp port 53 and udp[10] & 0x80 = 0", "ip[0] & 0xf > 5",
		"ether[0] & 1 = 0", "ip6[6] = 58", "tcp portrange 1-1023", "len > ip[2:2]");
}

static inline void generate_term(struct generator *g)
{
	const uint32_t kind = generate_below(g, 24);

	if (kind < 3)
		generate_protocol(g);
	else if (kind < 14)
		generate_qualified(g, kind);
	else if (kind < 20)
		generate_keyword(g, kind);
	else if (g->variable && kind == 20)
		generate_term(g);
	else if (g->variable)
		generate_word(g, "tcp");
	else if (kind == 20)
		generate_usual_relation(g);
	else
		generate_relation(g);
}

/* Adds values behind the qualifiers of the first ("port 80 or 443"). */
static inline void generate_shorthand(struct generator *g)
{
	generate_direction(g);
	if (generate_below(g, 2)) {
		generate_word(g, "port");
		ONE_OF(g, "80", "53");
		do {
			ONE_OF(g, "or", "and");
			if (!generate_below(g, 4))
				generate_word(g, "not");
			ONE_OF(g, "443", "22", "8080", "1");
		} while (generate_below(g, 2));
		return;
	}
	generate_word(g, "host");
	generate_address(g);
	do {
		ONE_OF(g, "or", "and");
		generate_address(g);
	} while (generate_below(g, 3) == 0);
}

static inline void generate_part(struct generator *g, int depth)
{
	switch (generate_below(g, depth > 0 ? 7 : 2)) {
	case 0:
	case 1:
		generate_term(g);
		return;
	case 2:
		ONE_OF(g, "not", "!");
		generate_part(g, depth - 1);
		return;
	case 3:
		generate_word(g, "(");
		generate_part(g, depth - 1);
		generate_word(g, ")");
		return;
	case 4:
		generate_shorthand(g);
		return;
	default:
		generate_part(g, depth - 1);
		ONE_OF(g, "and", "or", "and", "or", "&&", "||");
		generate_part(g, depth - 1);
	}
}

/* Damages the text: removes a few letters, or repeats them. */
static inline void damage_text(struct generator *g)
{
	const size_t at = generate_below(g, (uint32_t)g->used);
	size_t n = 1 + generate_below(g, 4);

	if (at + n > g->used)
		n = g->used - at;
	if (generate_below(g, 2)) {
		memmove(g->text + at, g->text + at + n, g->used - at - n + 1);
		g->used -= n;
	} else if (g->used + n + 2 < g->room) {
		memmove(g->text + at + n, g->text + at, g->used - at + 1);
		g->used += n;
	}
}

/* Writes the next expression to g->text. */
static inline void generate_expression(struct generator *g)
{
	g->used = 0;
	g->text[0] = 0;
	generate_part(g, (int)generate_below(g, 5));
	if (!generate_below(g, 12) && g->used >= 4 && !g->sound)
		damage_text(g);
}

#endif
