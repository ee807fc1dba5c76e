/* SPDX-License-Identifier: MIT */
/* An expression in words: what its terms say, joined as they stand; what its program costs; what a
 * kernel does of it and what is left. */
#include "filter/explain.h"

#include "base/error.h"
#include "base/pktap.h"
#include "filter/kernel.h"
#include "filter/terms.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 12u /* of what "or" joins */

/* ---- Notes ---- */

void bpei_say(struct bpei_compile *c, int32_t node, const char *format, ...)
{
	char text[512];
	va_list args;
	struct bpei_phrases *p = c->phrases;
	if (!p || node < 0 || c->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (p->count == p->room) {
		uint32_t room = p->room * 2 + 16;
		struct bpei_phrase *list = realloc(p->list, room * sizeof *list);
		if (!list)
			return;
		p->list = list, p->room = room;
	}
	p->list[p->count] = (struct bpei_phrase){ node, strdup(text) };
	if (p->list[p->count].text)
		p->count++;
}

/* The expression's own words. */
static const char *source(const struct bpei_compile *c, size_t from, char *to, size_t room)
{
	size_t end = c->token_at > from ? c->token_at : from;
	from += c->text[from] == '\\'; /* as keywords are written that are names here */
	while (end > from && strchr(" \t\r\n", c->text[end - 1]))
		end--;
	snprintf(
		to, room, "%.*s", (int)(end - from < room ? end - from : room - 1), c->text + from);
	return to;
}

static const char *names_of(enum proto p)
{
	switch (p) {
	case P_IP:
		return "IPv4";
	case P_IP6:
		return "IPv6";
	case P_ARP:
		return "ARP";
	case P_RARP:
		return "RARP";
	case P_TCP:
		return "TCP";
	case P_UDP:
		return "UDP";
	case P_SCTP:
		return "SCTP";
	case P_ICMP:
		return "ICMP over IPv4";
	case P_ICMP6:
		return "ICMPv6";
	case P_IGMP:
		return "IGMP";
	case P_IGRP:
		return "IGRP";
	case P_PIM:
		return "PIM";
	case P_AH:
		return "IPsec AH";
	case P_ESP:
		return "IPsec ESP";
	case P_VRRP:
	case P_CARP:
		return "VRRP or CARP (IPv4 protocol 112)";
	case P_ATALK:
		return "AppleTalk";
	case P_AARP:
		return "AppleTalk ARP";
	case P_DECNET:
		return "DECnet";
	case P_ISO:
		return "OSI (CLNP, ES-IS, IS-IS)";
	case P_ESIS:
		return "ES-IS";
	case P_ISIS:
		return "IS-IS";
	case P_CLNP:
		return "CLNP";
	case P_STP:
		return "the spanning tree protocol";
	case P_IPX:
		return "IPX";
	case P_NETBEUI:
		return "NetBEUI";
	default:
		return NULL;
	}
}

static const char *end_of(enum direction d)
{
	static const char *const ends[] = { "from or to", "from", "to", "from or to", "from and to",
		"with the first 802.11 address", "with the second 802.11 address",
		"with the third 802.11 address", "with the fourth 802.11 address",
		"received by the 802.11 station", "transmitted by the 802.11 station" };
	return ends[d];
}

void bpei_say_value(struct bpei_compile *c, int32_t node, const struct qualifiers *q, size_t from)
{
	char value[200];
	const char *end = end_of(q->direction), *proto = names_of(q->proto),
		   *over = proto                ? proto
			   : q->proto == P_LINK ? "Ethernet"
						: "IPv4, ARP or RARP";
	if (!c->phrases)
		return;
	source(c, from, value, sizeof value);
	if (q->proto == P_DEFAULT && strchr(value, ':'))
		over = "IPv6";
	switch (q->address) {
	case A_PORT:
	case A_PORTRANGE:
		bpei_say(c, node, "%s %s port%s %s", proto ? proto : "TCP, UDP or SCTP", end,
			q->address == A_PORTRANGE ? "s" : "", value);
		return;
	case A_PROTO:
		if (q->proto == P_LINK)
			bpei_say(c, node, "the link header says %s follows", value);
		else
			bpei_say(c, node, "the protocol over %s is %s",
				proto ? proto : "IPv4 or IPv6", value);
		return;
	case A_PROTOCHAIN:
		bpei_say(c, node, "protocol %s is among the first headers over %s", value,
			proto ? proto : "IPv4 or IPv6");
		return;
	case A_GATEWAY:
		bpei_say(c, node, "through the gateway %s: its hardware address, none of its own",
			value);
		return;
	case A_NET:
		bpei_say(c, node, "%s network %s (%s)", end, value, over);
		return;
	default:
		if (q->proto == P_LINK)
			bpei_say(c, node, "%s %s%s", end,
				q->direction < D_ADDR1 ? "Ethernet address " : "", value);
		else
			bpei_say(c, node, "%s host %s (%s)", end, value, over);
	}
}

void bpei_say_term(struct bpei_compile *c, int32_t node, int token, uint32_t number, size_t from)
{
	char words[200];
	if (!c->phrases)
		return;
	const char *name = token == T_PROTO_NAME ? names_of(number) : NULL,
		   *what = source(c, from, words, sizeof words), *number_at = strrchr(what, ' ');
	size_t plain =
		strlen(bpei_proto_text(token == T_PROTO_NAME ? (enum proto)number : P_DEFAULT));
	switch (token) {
	case T_PROTO_NAME:
		if (strlen(what) == plain && name)
			bpei_say(c, node, "%s", name);
		else if (strlen(what) == plain)
			bpei_say(c, node, "%s", what);
		else if (what[plain] == '[')
			break;
		else if (!strcmp(what + plain, " broadcast"))
			bpei_say(c, node, "to %s",
				number != P_IP ? "the link's broadcast address"
				: c->has_netmask
					? "an IPv4 broadcast address"
					: "255.255.255.255 or 0.0.0.0 (the netmask is not known)");
		else if (!strcmp(what + plain, " multicast"))
			bpei_say(c, node, "to a multicast address of %s", name ? name : "the link");
		else
			bpei_say(c, node, "%s: %s",
				name               ? name
				: number == P_LINK ? "the link layer"
						   : bpei_proto_text(number),
				what + plain + (what[plain] == ' '));
		return;
	case T_LESS:
		bpei_say(c, node, "at most%s bytes long", number_at ? number_at : "");
		return;
	case T_GREATER:
		bpei_say(c, node, "at least%s bytes long", number_at ? number_at : "");
		return;
	case T_BROADCAST:
		bpei_say(c, node, "to the link's broadcast address");
		return;
	case T_MULTICAST:
		bpei_say(c, node, "to a multicast or broadcast address of the link");
		return;
	case T_INBOUND:
		bpei_say(c, node, "received by this host");
		return;
	case T_OUTBOUND:
		bpei_say(c, node, "sent by this host");
		return;
	case T_VLAN:
		bpei_say(c, node,
			"with a VLAN tag (802.1Q, 802.1ad)%s%s; what follows is looked for behind it",
			number_at ? " of VLAN" : "", number_at ? number_at : "");
		return;
	case T_MPLS:
		bpei_say(c, node, "with an MPLS label%s; what follows is looked for behind it",
			number_at ? number_at : "");
		return;
	case T_PPPOED:
		bpei_say(c, node, "PPPoE discovery");
		return;
	case T_PPPOES:
		bpei_say(c, node, "in a PPPoE session%s; what follows is looked for behind it",
			number_at ? number_at : "");
		return;
	case T_TUNNEL:
		bpei_say(c, node, "in %s%s%s; what follows is looked for in the packet inside",
			number == BPE_THROUGH_VXLAN ? "VXLAN" : "Geneve",
			number_at ? ", network" : "", number_at ? number_at : "");
		return;
	case T_IFINDEX:
		bpei_say(c, node, "seen on the interface of number%s", number_at ? number_at : "");
		return;
	case T_TYPE:
	case T_SUBTYPE:
	case T_DIR:
		bpei_say(c, node, "802.11 frames: %s", what);
		return;
	case T_LLC:
		bpei_say(c, node, "with an LLC header%s%s", number_at ? ":" : "",
			number_at ? number_at : "");
		return;
	case T_ATM:
		bpei_say(c, node,
			number == ATM_WORD_LANE ? "a frame of ATM's LAN emulation; what follows "
						  "is looked for in it"
						: "on an ATM circuit: %s",
			what);
		return;
	case T_SIGNAL_UNIT:
		bpei_say(c, node, "a signal unit of SS7: %s", what);
		return;
	case T_FIELD:
		bpei_say(c, node, "where %s", what);
		return;
	case T_PF:
		bpei_say(c, node, "logged by pf: %s", what);
		return;
	case T_PKTAP:
		bpei_say(c, node, "%s:%s",
			number == PKTAP_PID     ? "of process"
			: number == PKTAP_EPID  ? "on behalf of process"
			: number == PKTAP_COMM  ? "of a process called"
			: number == PKTAP_ECOMM ? "on behalf of a process called"
			: number == PKTAP_SVC   ? "of service class"
						: "on interface",
			number_at ? number_at : "");
		return;
	default:
		break;
	}
	/* A comparison.  Each protocol that is indexed must be there. */
	static const enum proto indexed[] = { P_TCP, P_UDP, P_SCTP, P_ICMP, P_IGMP, P_PIM, P_VRRP,
		P_IP, P_IP6, P_ARP, P_ICMP6 };
	char with[120] = "";
	size_t used = 0;
	for (size_t i = 0; i < sizeof indexed / sizeof *indexed; i++) {
		char begin[16];
		int n = snprintf(begin, sizeof begin, "%s[", bpei_proto_text(indexed[i]));
		const char *at = strstr(what, begin);
		if (!at || (at > what && at[-1] >= 'a' && at[-1] <= 'z') || n < 0)
			continue;
		bool over_ip = i < 7;
		int w = snprintf(with + used, sizeof with - used, "%s%s%s", used ? ", " : "; in ",
			names_of(indexed[i]),
			!over_ip                            ? ""
			: c->through & BPE_THROUGH_IPV6_EXT ? " over IPv4 or IPv6"
							    : " over IPv4, no later fragments");
		if (w > 0 && used + (size_t)w < sizeof with)
			used += (size_t)w;
	}
	bpei_say(c, node, "where %s%s", what, with);
}

/* ---- Text ---- */

struct text {
	char *s;
	size_t used, room;
	bool failed;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
	va_list args;
	for (int again = 0; again < 2 && !t->failed; again++) {
		va_start(args, format);
		int n = vsnprintf(
			t->s ? t->s + t->used : NULL, t->s ? t->room - t->used : 0, format, args);
		va_end(args);
		if (n < 0)
			t->failed = true;
		else if (t->s && (size_t)n < t->room - t->used) {
			t->used += (size_t)n;
			return;
		} else {
			size_t room = (t->room + (size_t)n) * 2 + 256;
			char *s = realloc(t->s, room);
			if (!s)
				t->failed = true;
			else
				t->s = s, t->room = room;
		}
	}
}

/* ---- The tree in words ---- */

struct words {
	const struct bpei_compile *c;
	char **of_node;
	struct text *to;
};

static void tell(const struct words *w, int32_t n, uint32_t indent);

static void line(const struct words *w, uint32_t indent, const char *text)
{
	add(w->to, "%*s%s\n", (int)indent * 2, "", text);
}

/* What one word joins, a line each: the left side is a row of the same kind. */
static void row(const struct words *w, int32_t n, uint8_t kind, uint32_t indent)
{
	uint32_t count = 1;
	int32_t at = n;
	for (; w->c->nodes[at].kind == kind && !w->of_node[at]; at = w->c->nodes[at].left)
		count++;
	int32_t *parts = malloc(count * sizeof *parts);
	if (!parts) {
		w->to->failed = true;
		return;
	}
	at = n;
	for (uint32_t i = count; i-- > 1; at = w->c->nodes[at].left)
		parts[i] = w->c->nodes[at].right;
	parts[0] = at;
	uint32_t shown = count <= SHOWN + 2 ? count : SHOWN;
	line(w, indent, kind == NODE_AND ? "all of" : "any of");
	for (uint32_t i = 0; i < shown; i++)
		tell(w, parts[i], indent + 1);
	if (shown < count)
		add(w->to, "%*s... and %u more like these\n", (int)(indent + 1) * 2, "",
			count - shown);
	free(parts);
}

static void tell(const struct words *w, int32_t n, uint32_t indent)
{
	const struct node *t = &w->c->nodes[n];
	if (w->to->failed || indent > 60)
		return;
	if (w->of_node[n]) {
		line(w, indent, w->of_node[n]);
	} else if (t->kind == NODE_NOT) {
		if (w->of_node[t->left])
			add(w->to, "%*snot: %s\n", (int)indent * 2, "", w->of_node[t->left]);
		else
			line(w, indent, "none of what follows:"), tell(w, t->left, indent + 1);
	} else if (t->kind == NODE_AND || t->kind == NODE_OR) {
		row(w, n, t->kind, indent);
	} else {
		line(w, indent,
			t->kind == NODE_CONST && t->value ? "everything"
							  : "a test of the packet's bytes");
	}
}

/* ---- The program ---- */

struct cost {
	uint32_t most, least, loads;
};

static bool reckon(const struct bpe_insn *p, uint32_t n, struct cost *cost)
{
	struct cost *c = calloc(n, sizeof *c);
	if (!c)
		return false;
	for (uint32_t i = n; i--;) {
		uint32_t class = p[i].code & 7, mode = p[i].code & 0xe0;
		struct cost next = { 0, 0, 0 };
		if (class == 5) {
			const struct cost *yes = &c[i + 1 + (p[i].code == 0x05 ? p[i].k : p[i].jt)],
					  *no = &c[i + 1 + (p[i].code == 0x05 ? p[i].k : p[i].jf)];
			next = (struct cost){ yes->most > no->most ? yes->most : no->most,
				yes->least < no->least ? yes->least : no->least,
				yes->loads > no->loads ? yes->loads : no->loads };
		} else if (class != 6) {
			next = c[i + 1];
		}
		c[i] = (struct cost){ next.most + 1, next.least + 1,
			next.loads +
				(class <= 1 && (mode == 0x20 || mode == 0x40 || mode == 0xa0)) };
	}
	*cost = c[0];
	free(c);
	return true;
}

/* What a kernel does of the filter, in words; empty: no memory. */
static void kernel_does(
	const struct bpei_kernel *k, const struct bpei_filter *f, char *to, size_t room)
{
	struct bpei_kernel_program fit;
	to[0] = 0;
	if (bpei_filter_fit(k, f, k->given, BPE_MAX_SNAPLEN, &fit) < 0)
		return;
	if (fit.exact)
		snprintf(to, room, "the kernel does all of it, in %u of at most %u instructions",
			fit.length, k->given);
	else
		snprintf(to, room,
			"the kernel is given a wider filter, %u of at most %u instructions (%s); what that lets through is filtered here",
			fit.length, k->given, fit.why);
	free(fit.program);
}

/* Kernels that do the same, side by side. */
static void tell_kernels(struct text *t, char does[BPEI_KERNELS][256])
{
	for (int k = 0; k < BPEI_KERNELS; k++) {
		if (!does[k][0])
			continue;
		add(t, "  %s", bpei_kernels[k].title);
		for (int other = k + 1; other < BPEI_KERNELS; other++)
			if (!strcmp(does[k], does[other]))
				add(t, ", %s", bpei_kernels[other].title), does[other][0] = 0;
		add(t, ": %s\n", does[k]);
	}
}

static void tell_through(struct text *t, uint32_t through)
{
	static const char *const names[] = { "a VLAN tag", "MPLS labels", "PPPoE", "GRE",
		"IP in IP", "VXLAN", "Geneve", "GTP-U" };
	const char *between = "";
	if (through & 0xff) {
		add(t, "or match so behind one or two of: ");
		for (uint32_t i = 0; i < 8; i++)
			if (through >> i & 1)
				add(t, "%s%s", between, names[i]), between = ", ";
		add(t, "\n");
	}
	if (through & BPE_THROUGH_IPV6_EXT)
		add(t, "(protocols and ports over IPv6 hold behind up to %d extension headers, too)\n",
			BPEI_EXTENSIONS);
}

/* The words of the first shape of the packet that the expression has a meaning for. */
static void tell_words(struct text *t, const char *expression, const struct bpe_filter_options *o)
{
	struct bpei_phrases phrases = { .count = 0 };
	struct bpei_compile c = { .text = expression,
		.no_names = o->no_names,
		.through = o->through,
		.pktap = o->link_type == LINK_PKTAP,
		.netmask = o->netmask,
		.has_netmask = o->has_netmask,
		.phrases = &phrases };
	int32_t guard, tree = -1;
	for (; tree < 0 && !c.final &&
		bpei_terms_init(&c, (uint32_t)o->link_type, &guard) == BPE_OK;
		c.variant++) {
		c.at = c.nesting = c.inners = c.tunnel_kind = 0;
		c.failed = false;
		tree = bpei_parse_filter(&c);
	}
	struct words w = { &c, calloc((size_t)c.node_count + 1, sizeof(char *)), t };
	if (!w.of_node)
		t->failed = true;
	for (uint32_t i = 0; w.of_node && i < phrases.count; i++)
		if (phrases.list[i].node < c.node_count)
			w.of_node[phrases.list[i].node] = phrases.list[i].text;
	if (w.of_node && tree >= 0)
		tell(&w, tree, 1);
	for (uint32_t i = 0; i < phrases.count; i++)
		free(phrases.list[i].text);
	free(phrases.list), free(w.of_node);
	bpei_compile_free(&c);
}

int bpe_filter_explain(const char *expression, const struct bpe_filter_options *o, char **text,
	struct bpe_error *error)
{
	struct text t = { .s = NULL };
	struct bpei_filter f;
	struct cost cost;
	const struct bpei_kernel *kernel = NULL;
	if (!o || !text)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"options, and a place for the text, are wanted");
	if (o->kernel && !(kernel = bpei_kernel_find(o->kernel)))
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"no kernel is called %.64s: there are macos, freebsd, netbsd, openbsd and linux",
			o->kernel);
	int r = bpei_compile_for(expression, o, kernel, UINT32_MAX, &f, error);
	if (r < 0)
		return r;
	const char *name = bpe_link_type_name(o->link_type);
	add(&t, "Packets of link type %s match that are\n", name ? name : "of that number");
	tell_words(&t, expression, o);
	tell_through(&t, o->through);
	if (reckon(f.program, f.length, &cost))
		add(&t, "\nCost\n  %u instruction%s; a packet takes %u to %u, with at most %u load%s from it\n",
			f.length, f.length == 1 ? "" : "s", cost.least, cost.most, cost.loads,
			cost.loads == 1 ? "" : "s");
	else
		t.failed = true;
	free(f.program), free(f.wide);
	add(&t, "\nWhere it runs\n");
	if (!o->kernel)
		add(&t, "  savefiles: all of it here\n");
	char does[BPEI_KERNELS][256] = { "" };
	for (int k = 0; k < BPEI_KERNELS && !t.failed && r >= 0; k++) {
		if (kernel && kernel != &bpei_kernels[k])
			continue;
		r = bpei_compile_for(
			expression, o, &bpei_kernels[k], bpei_kernels[k].given, &f, error);
		if (r < 0)
			break;
		kernel_does(&bpei_kernels[k], &f, does[k], sizeof does[k]);
		t.failed |= !does[k][0];
		free(f.program), free(f.wide);
	}
	tell_kernels(&t, does);
	if (t.failed)
		r = bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the explanation");
	if (r < 0)
		free(t.s);
	else
		*text = t.s;
	return r;
}

void bpe_filter_text_free(char *text)
{
	free(text);
}
