/* SPDX-License-Identifier: MIT */
/* Phrases in English for the terms of an expression.  Most are rows of tables. */
#include "filter/phrases.h"

#include "base/pktap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_BYTES 200

/* NULL: the protocol has no phrase.  The rows are in the order of the enum, with no row left
 * out, because C++17 takes no other designators. */
static const char *const protocol_phrases[P_COUNT] = {
	[P_DEFAULT] = NULL,
	[P_LINK] = NULL,
	[P_IP] = "IPv4",
	[P_ARP] = "ARP",
	[P_RARP] = "RARP",
	[P_SCTP] = "SCTP",
	[P_TCP] = "TCP",
	[P_UDP] = "UDP",
	[P_ICMP] = "ICMP over IPv4",
	[P_IGMP] = "IGMP",
	[P_IGRP] = "IGRP",
	[P_ATALK] = "AppleTalk",
	[P_DECNET] = "DECnet",
	[P_LAT] = NULL,
	[P_SCA] = NULL,
	[P_MOPRC] = NULL,
	[P_MOPDL] = NULL,
	[P_IP6] = "IPv6",
	[P_ICMP6] = "ICMPv6",
	[P_AH] = "IPsec AH",
	[P_ESP] = "IPsec ESP",
	[P_PIM] = "PIM",
	[P_VRRP] = "VRRP or CARP (IPv4 protocol 112)",
	[P_CARP] = "VRRP or CARP (IPv4 protocol 112)",
	[P_AARP] = "AppleTalk ARP",
	[P_ISO] = "OSI (CLNP, ES-IS, IS-IS)",
	[P_ESIS] = "ES-IS",
	[P_ISIS] = "IS-IS",
	[P_CLNP] = "CLNP",
	[P_STP] = "the spanning tree protocol",
	[P_IPX] = "IPX",
	[P_NETBEUI] = "NetBEUI",
};

static const char *const direction_phrases[] = {
	[D_DEFAULT] = "from or to",
	[D_SRC] = "from",
	[D_DST] = "to",
	[D_OR] = "from or to",
	[D_AND] = "from and to",
	[D_ADDR1] = "with the first 802.11 address",
	[D_ADDR2] = "with the second 802.11 address",
	[D_ADDR3] = "with the third 802.11 address",
	[D_ADDR4] = "with the fourth 802.11 address",
	[D_RA] = "received by the 802.11 station",
	[D_TA] = "transmitted by the 802.11 station",
};

/* How a term's phrase goes on behind the row's text. */
enum phrase_rest {
	REST_NONE,
	REST_NUMBER, /* the term's last word, if there are several; `infix` in front, `after` behind
		      */
	REST_WORDS   /* the whole term */
};

#define ANY_NUMBER UINT32_MAX

struct term_phrase {
	int token;
	uint32_t number; /* of the token, or ANY_NUMBER */
	uint8_t rest;    /* enum phrase_rest */
	const char *text, *infix, *after;
};

/* The first matching row is taken. */
static const struct term_phrase term_phrases[] = {
	{ T_LESS, ANY_NUMBER, REST_NUMBER, "at most", "", " bytes long" },
	{ T_GREATER, ANY_NUMBER, REST_NUMBER, "at least", "", " bytes long" },
	{ T_BROADCAST, ANY_NUMBER, REST_NONE, "to the link's broadcast address", "", "" },
	{ T_MULTICAST, ANY_NUMBER, REST_NONE, "to a multicast or broadcast address of the link", "",
		"" },
	{ T_INBOUND, ANY_NUMBER, REST_NONE, "received by this host", "", "" },
	{ T_OUTBOUND, ANY_NUMBER, REST_NONE, "sent by this host", "", "" },
	{ T_VLAN, ANY_NUMBER, REST_NUMBER, "with a VLAN tag (802.1Q, 802.1ad)", " of VLAN",
		"; what follows is looked for behind it" },
	{ T_MPLS, ANY_NUMBER, REST_NUMBER, "with an MPLS label", "",
		"; what follows is looked for behind it" },
	{ T_PPPOED, ANY_NUMBER, REST_NONE, "PPPoE discovery", "", "" },
	{ T_PPPOES, ANY_NUMBER, REST_NUMBER, "in a PPPoE session", "",
		"; what follows is looked for behind it" },
	{ T_TUNNEL, BPE_THROUGH_VXLAN, REST_NUMBER, "in VXLAN", ", network",
		"; what follows is looked for in the packet inside" },
	{ T_TUNNEL, ANY_NUMBER, REST_NUMBER, "in Geneve", ", network",
		"; what follows is looked for in the packet inside" },
	{ T_IFINDEX, ANY_NUMBER, REST_NUMBER, "seen on the interface of number", "", "" },
	{ T_TYPE, ANY_NUMBER, REST_WORDS, "802.11 frames: ", "", "" },
	{ T_SUBTYPE, ANY_NUMBER, REST_WORDS, "802.11 frames: ", "", "" },
	{ T_DIR, ANY_NUMBER, REST_WORDS, "802.11 frames: ", "", "" },
	{ T_LLC, ANY_NUMBER, REST_NUMBER, "with an LLC header", ":", "" },
	{ T_ATM, ATM_WORD_LANE, REST_NONE,
		"a frame of ATM's LAN emulation; what follows is looked for in it", "", "" },
	{ T_ATM, ANY_NUMBER, REST_WORDS, "on an ATM circuit: ", "", "" },
	{ T_SIGNAL_UNIT, ANY_NUMBER, REST_WORDS, "a signal unit of SS7: ", "", "" },
	{ T_FIELD, ANY_NUMBER, REST_WORDS, "where ", "", "" },
	{ T_PF, ANY_NUMBER, REST_WORDS, "logged by pf: ", "", "" },
	{ T_PKTAP, PKTAP_PID, REST_NUMBER, "of process:", "", "" },
	{ T_PKTAP, PKTAP_EPID, REST_NUMBER, "on behalf of process:", "", "" },
	{ T_PKTAP, PKTAP_COMM, REST_NUMBER, "of a process called:", "", "" },
	{ T_PKTAP, PKTAP_ECOMM, REST_NUMBER, "on behalf of a process called:", "", "" },
	{ T_PKTAP, PKTAP_SVC, REST_NUMBER, "of service class:", "", "" },
	{ T_PKTAP, ANY_NUMBER, REST_NUMBER, "on interface:", "", "" },
};

/* ---- Notes ---- */

static bool grow_phrases(struct bpei_phrases *p)
{
	const uint32_t room = p->room * 2 + 16;
	struct bpei_phrase *list = realloc(p->list, room * sizeof *list);

	if (!list)
		return false;
	p->list = list;
	p->room = room;
	return true;
}

void bpei_phrase_add(struct bpei_compile *c, int32_t node, const char *format, ...)
{
	struct bpei_phrases *p = c->phrases;
	char text[512];
	va_list args;

	if (!p || node < 0 || c->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (p->count == p->room && !grow_phrases(p))
		return;
	p->list[p->count] = (struct bpei_phrase){ node, strdup(text) };
	if (p->list[p->count].text)
		p->count++;
}

/* Copies the expression's words from `from` to the current token.  A backslash in front is left
 * out. */
static void copy_words(const struct bpei_compile *c, size_t from, char to[WORDS_BYTES])
{
	size_t end = c->token_at > from ? c->token_at : from;

	from += c->text[from] == '\\';
	while (end > from && strchr(" \t\r\n", c->text[end - 1]))
		end--;
	const size_t n = end - from < WORDS_BYTES ? end - from : WORDS_BYTES - 1;
	snprintf(to, WORDS_BYTES, "%.*s", (int)n, c->text + from);
}

/* ---- Values ---- */

static void note_host(
	struct bpei_compile *c, int32_t node, const struct qualifiers *q, const char *value)
{
	const char *end = direction_phrases[q->direction];
	const char *over = protocol_phrases[q->proto];

	if (!over)
		over = q->proto == P_LINK ? "Ethernet" : "IPv4, ARP or RARP";
	if (q->proto == P_DEFAULT && strchr(value, ':'))
		over = "IPv6";
	if (q->address == A_NET)
		bpei_phrase_add(c, node, "%s network %s (%s)", end, value, over);
	else if (q->proto != P_LINK)
		bpei_phrase_add(c, node, "%s host %s (%s)", end, value, over);
	else
		bpei_phrase_add(c, node, "%s %s%s", end,
			q->direction < D_ADDR1 ? "Ethernet address " : "", value);
}

void bpei_phrase_value(
	struct bpei_compile *c, int32_t node, const struct qualifiers *q, size_t from)
{
	const char *end = direction_phrases[q->direction];
	const char *proto = protocol_phrases[q->proto];
	const char *over_ip = proto ? proto : "IPv4 or IPv6";
	const char *over_ports = proto ? proto : "TCP, UDP or SCTP";
	char value[WORDS_BYTES];

	if (!c->phrases)
		return;
	copy_words(c, from, value);
	switch (q->address) {
	case A_PORT:
	case A_PORTRANGE:
		bpei_phrase_add(c, node, "%s %s port%s %s", over_ports, end,
			q->address == A_PORTRANGE ? "s" : "", value);
		return;
	case A_PROTO:
		if (q->proto == P_LINK)
			bpei_phrase_add(c, node, "the link header says %s follows", value);
		else
			bpei_phrase_add(c, node, "the protocol over %s is %s", over_ip, value);
		return;
	case A_PROTOCHAIN:
		bpei_phrase_add(
			c, node, "protocol %s is among the first headers over %s", value, over_ip);
		return;
	case A_GATEWAY:
		bpei_phrase_add(c, node,
			"through the gateway %s: its hardware address, none of its own", value);
		return;
	default:
		note_host(c, node, q, value);
	}
}

/* ---- Terms ---- */

static void note_broadcast(struct bpei_compile *c, int32_t node, enum proto p)
{
	const char *address = "the link's broadcast address";

	if (p == P_IP && c->has_netmask)
		address = "an IPv4 broadcast address";
	else if (p == P_IP)
		address = "255.255.255.255 or 0.0.0.0 (the netmask is not known)";
	bpei_phrase_add(c, node, "to %s", address);
}

/* Notes a term with a protocol in front, but no protocol[index]. */
static void note_protocol(struct bpei_compile *c, int32_t node, enum proto p, const char *words)
{
	const char *name = protocol_phrases[p];
	const char *rest = words + strlen(bpei_proto_text(p));

	if (!*rest)
		bpei_phrase_add(c, node, "%s", name ? name : words);
	else if (!strcmp(rest, " broadcast"))
		note_broadcast(c, node, p);
	else if (!strcmp(rest, " multicast"))
		bpei_phrase_add(c, node, "to a multicast address of %s", name ? name : "the link");
	else {
		if (!name)
			name = p == P_LINK ? "the link layer" : bpei_proto_text(p);
		bpei_phrase_add(c, node, "%s: %s", name, rest + (*rest == ' '));
	}
}

/* Appends to *used bytes of text, if there is room. */
static void append_phrase(
	char *text, size_t room, size_t *used, const char *a, const char *b, const char *end)
{
	const int n = snprintf(text + *used, room - *used, "%s%s%s", a, b, end);

	if (n > 0 && *used + (size_t)n < room)
		*used += (size_t)n;
}

/* Notes a comparison, and each protocol indexed there, since packets must have them all. */
static void note_comparison(struct bpei_compile *c, int32_t node, const char *words)
{
	static const struct {
		enum proto proto;
		bool over_ip;
	} indexed[] = { { P_TCP, true }, { P_UDP, true }, { P_SCTP, true }, { P_ICMP, true },
		{ P_IGMP, true }, { P_PIM, true }, { P_VRRP, true }, { P_IP, false },
		{ P_IP6, false }, { P_ARP, false }, { P_ICMP6, false } };
	const bool through = c->through & BPE_THROUGH_IPV6_EXT;
	const char *over = through ? " over IPv4 or IPv6" : " over IPv4, no later fragments";
	char with[120] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof indexed / sizeof *indexed; i++) {
		const char *end = indexed[i].over_ip ? over : "";
		char begin[16];

		snprintf(begin, sizeof begin, "%s[", bpei_proto_text(indexed[i].proto));
		const char *at = strstr(words, begin);
		if (!at || (at > words && at[-1] >= 'a' && at[-1] <= 'z'))
			continue;
		append_phrase(with, sizeof with, &used, used ? ", " : "; in ",
			protocol_phrases[indexed[i].proto], end);
	}
	bpei_phrase_add(c, node, "where %s%s", words, with);
}

static const struct term_phrase *find_term_phrase(int token, uint32_t number)
{
	for (size_t i = 0; i < sizeof term_phrases / sizeof *term_phrases; i++) {
		const struct term_phrase *p = &term_phrases[i];

		if (p->token == token && (p->number == number || p->number == ANY_NUMBER))
			return p;
	}
	return NULL;
}

static void note_listed_term(
	struct bpei_compile *c, int32_t node, const struct term_phrase *p, const char *words)
{
	const char *last_word = strrchr(words, ' ');

	if (p->rest == REST_NONE)
		bpei_phrase_add(c, node, "%s", p->text);
	else if (p->rest == REST_WORDS)
		bpei_phrase_add(c, node, "%s%s", p->text, words);
	else if (last_word)
		bpei_phrase_add(c, node, "%s%s%s%s", p->text, p->infix, last_word, p->after);
	else
		bpei_phrase_add(c, node, "%s%s", p->text, p->after);
}

void bpei_phrase_term(struct bpei_compile *c, int32_t node, int token, uint32_t number, size_t from)
{
	const struct term_phrase *listed = find_term_phrase(token, number);
	char words[WORDS_BYTES] = "";

	if (!c->phrases)
		return;
	copy_words(c, from, words);
	if (listed)
		note_listed_term(c, node, listed, words);
	else if (token == T_PROTO_NAME && words[strlen(bpei_proto_text(number))] != '[')
		note_protocol(c, node, number, words);
	else
		note_comparison(c, node, words);
}
