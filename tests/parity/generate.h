/* SPDX-License-Identifier: MIT */
/* Expressions out of pcap-filter(7)'s grammar, by a seed: most are right, some are damaged. Numbers
 * are small or from the packets that the tests make, so that they match now and then. */
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
	int sound;    /* no damage, which may look like a host's name and be asked for */
	const uint8_t (*hosts)[4];
	uint32_t host_count; /* addresses that packets have */
};

static inline uint32_t pick(struct generator *g, uint32_t n)
{
	return (uint32_t)((g->state = g->state * 6364136223846793005u + 1442695040888963407u) >>
			  33) %
	       n;
}

static inline void say(struct generator *g, const char *word)
{
	size_t n = strlen(word);
	if (g->used + n + 2 > g->room)
		return;
	if (g->used && (pick(g, 30) || g->sound))
		g->text[g->used++] = ' ';
	memcpy(g->text + g->used, word, n + 1);
	g->used += n;
}

#define ONE_OF(g, ...)                                                                             \
	say(g, ((const char *const[]){ __VA_ARGS__ })[pick(                                        \
		       g, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

static inline void say_number(struct generator *g, uint32_t most)
{
	char t[16];
	uint32_t n = pick(g, 4) ? pick(g, most) : pick(g, 2) ? pick(g, 300) : most - pick(g, 2);
	snprintf(t, sizeof t, pick(g, 5) ? "%u" : pick(g, 2) ? "0x%x" : "0%o", n);
	say(g, t);
}

static inline void say_address(struct generator *g)
{
	static const uint8_t firsts[] = { 10, 10, 10, 127, 192, 224, 172, 255, 0 };
	char t[64];
	if (g->host_count && pick(g, 2)) {
		const uint8_t *a = g->hosts[pick(g, g->host_count)];
		snprintf(t, sizeof t, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		say(g, t);
		return;
	}
	switch (pick(g, 6)) {
	case 0:
		ONE_OF(g, "fe80::1", "2001:db8::1", "::1", "ff02::1", "::", "2001:db8:1:2::3",
			"::ffff:10.0.0.1", "fe80::211:22ff:fe33:4455");
		return;
	case 1:
		ONE_OF(g, "10.0.0.1", "10.0.0.2", "224.0.0.251", "127.0.0.1", "192.168.1.1",
			"255.255.255.255", "0.0.0.0");
		return;
	default:
		snprintf(t, sizeof t, "%u.%u.%u.%u", firsts[pick(g, sizeof firsts)], pick(g, 3),
			pick(g, 2) ? pick(g, 3) : pick(g, 256), pick(g, 256));
		say(g, t);
	}
}

static inline void say_net(struct generator *g)
{
	switch (pick(g, 7)) {
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

static inline void say_direction(struct generator *g)
{
	if (pick(g, 2))
		ONE_OF(g, "src", "dst", "src", "dst", "src or dst", "src and dst", "dst or src");
}

static inline void arithmetic_of(struct generator *g, int depth)
{
	switch (pick(g, depth > 0 ? 9 : 5)) {
	case 0:
		say_number(g, pick(g, 2) ? 64 : 70000);
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
		say(g, "[");
		if (depth > 1 && pick(g, 5) == 0)
			arithmetic_of(g, depth - 2);
		else
			say_number(g, 24);
		say(g, sizes[pick(g, sizeof sizes / sizeof *sizes)]);
		say(g, "]");
		return;
	}
	case 5:
		say(g, "-"), arithmetic_of(g, depth - 1);
		return;
	case 6:
		say(g, "("), arithmetic_of(g, depth - 1), say(g, ")");
		return;
	default:
		arithmetic_of(g, depth - 1);
		if (g->sound && pick(g, 6) == 0) { /* a division by 0 refuses the packet, if it is
						      made at all: as a load past the end does */
			say(g, "/ 3");
			return;
		}
		if (g->sound)
			ONE_OF(g, "+", "-", "*", "&", "|", "<<", ">>", "^", "&", "&");
		else
			ONE_OF(g, "+", "-", "*", "/", "&", "|", "<<", ">>", "%", "^", "&", "&");
		arithmetic_of(g, depth - 1);
	}
}

static inline void term_of(struct generator *g)
{
	switch (pick(g, 24)) {
	case 0:
	case 1:
	case 2:
		ONE_OF(g, "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "rarp", "sctp", "igmp",
			"pim", "ah", "esp", "vrrp", "carp", "igrp", "stp", "ipx", "iso", "netbeui",
			"atalk", "aarp", "decnet", "lat", "moprc", "mopdl", "sca", "isis", "esis",
			"clnp", "es-is", "is-is", "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp");
		return;
	case 3:
	case 4:
	case 5:
		if (pick(g, 3) == 0)
			ONE_OF(g, "ip", "ip6", "arp", "rarp", "tcp", "ether");
		say_direction(g);
		if (pick(g, 4))
			say(g, "host");
		say_address(g);
		return;
	case 6:
	case 7:
		if (pick(g, 4) == 0)
			ONE_OF(g, "ip", "ip6", "arp", "rarp", "udp");
		say_direction(g);
		say(g, "net");
		say_net(g);
		return;
	case 8:
	case 9:
	case 10:
		if (pick(g, 2))
			ONE_OF(g, "tcp", "udp", "sctp", "tcp", "udp", "ip", "icmp");
		say_direction(g);
		say(g, "port");
		if (pick(g, 2))
			ONE_OF(g, "80", "443", "53", "22", "0", "65535", "5353", "65536", "http",
				"domain", "ssh");
		else
			say_number(g, 2000);
		return;
	case 11:
		if (pick(g, 2))
			ONE_OF(g, "tcp", "udp");
		say_direction(g);
		say(g, "portrange");
		ONE_OF(g, "1-1023", "80-443", "443-80", "1024-65535", "53-53", "0-0", "6000-70000",
			"53");
		return;
	case 12:
		if (pick(g, 2))
			ONE_OF(g, "ether", "wlan", "fddi", "link");
		say_direction(g);
		if (pick(g, 2))
			say(g, "host");
		ONE_OF(g, "1:2:3:4:5:6", "ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01",
			"02:00:00:00:00:02", "01-00-5e-00-00-fb", "0200.0000.0001");
		return;
	case 13:
		if (pick(g, 3))
			ONE_OF(g, "ip", "ip6", "ether", "iso", "isis", "arp", "tcp");
		say(g, "proto");
		if (pick(g, 3) == 0)
			ONE_OF(g, "\\tcp", "\\udp", "\\icmp", "\\ip", "\\arp", "\\isis", "\\stp");
		else
			say_number(g, pick(g, 2) ? 256 : 65536);
		return;
	case 14:
		ONE_OF(g, "less", "greater"), say_number(g, 1600);
		return;
	case 15:
		ONE_OF(g, "broadcast", "multicast", "ether broadcast", "ether multicast",
			"ip multicast", "ip6 multicast", "ip broadcast", "tcp multicast");
		return;
	case 16:
		ONE_OF(g, "vlan", "vlan", "mpls", "pppoes", "pppoed");
		if (pick(g, 2))
			say_number(g, pick(g, 2) ? 16 : 5000);
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
	case 19:
		ONE_OF(g, "ifindex 3", "ifindex 1", "ifindex 0x100", "ip[9]", "vlan and vlan",
			"mpls and mpls 5", "pppoes 1 and ip6");
		return;
	case 20: /* what people write */
		if (g->variable) {
			term_of(g);
			return;
		}
		ONE_OF(g, "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
			"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
			"icmp[icmptype] != icmp-echo", "ip[6:2] & 0x1fff = 0",
			"udp port 53 and udp[10] & 0x80 = 0", "ip[0] & 0xf > 5", "ether[0] & 1 = 0",
			"ip6[6] = 58", "tcp portrange 1-1023", "len > ip[2:2]");
		return;
	default:
		if (g->variable) {
			say(g, "tcp");
			return;
		}
		arithmetic_of(g, (int)pick(g, 4));
		ONE_OF(g, "=", "!=", "<", ">", "<=", ">=", "==");
		arithmetic_of(g, (int)pick(g, 3));
	}
}

static inline void expression_of(struct generator *g, int depth)
{
	switch (pick(g, depth > 0 ? 7 : 2)) {
	case 0:
	case 1:
		term_of(g);
		return;
	case 2:
		ONE_OF(g, "not", "!"), expression_of(g, depth - 1);
		return;
	case 3:
		say(g, "("), expression_of(g, depth - 1), say(g, ")");
		return;
	case 4: /* the shorthand: what was said of the first holds for the others */
		say_direction(g);
		if (pick(g, 2)) {
			say(g, "port"), ONE_OF(g, "80", "53");
			do
				ONE_OF(g, "or", "and"), pick(g, 4) ? (void)0 : say(g, "not"),
					ONE_OF(g, "443", "22", "8080", "1");
			while (pick(g, 2));
		} else {
			say(g, "host"), say_address(g);
			do
				ONE_OF(g, "or", "and"), say_address(g);
			while (pick(g, 3) == 0);
		}
		return;
	default:
		expression_of(g, depth - 1);
		ONE_OF(g, "and", "or", "and", "or", "&&", "||");
		expression_of(g, depth - 1);
	}
}

/* The next expression into text. */
static inline void generate(struct generator *g)
{
	g->used = 0;
	g->text[0] = 0;
	expression_of(g, (int)pick(g, 5));
	if (pick(g, 12) || g->used < 4 || g->sound)
		return;
	size_t at = pick(g, (uint32_t)g->used),
	       n = 1 + pick(g, 4); /* a hole, or a thing said twice */
	if (at + n > g->used)
		n = g->used - at;
	if (pick(g, 2)) {
		memmove(g->text + at, g->text + at + n, g->used - at - n + 1);
		g->used -= n;
	} else if (g->used + n + 2 < g->room) {
		memmove(g->text + at + n, g->text + at, g->used - at + 1);
		g->used += n;
	}
}

#endif
