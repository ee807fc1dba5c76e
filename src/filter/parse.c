/* SPDX-License-Identifier: MIT */
/* The grammar of pcap-filter(7), by descent: "and" and "or" bind alike and to the left; what
 * follows one of them may be a bare value that takes the qualifiers of the term before ("port 80 or
 * 443").  Nesting is bounded.  Names are asked of the system's resolver. */
#include "base/ethers.h"
#include "filter/explain.h"
#include "filter/parse.h"
#include "filter/resolve.h"

#include <stdlib.h>
#include <string.h>

#define NESTING 200u

static int32_t expression(struct bpei_compile *c, struct qualifiers *q);
static int32_t term(struct bpei_compile *c, struct qualifiers *q);

static const uint8_t all_ones[16] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255 };

static void next(struct bpei_compile *c)
{
	bpei_lex_next(c);
}
static int32_t unexpected(struct bpei_compile *c, const char *wanted)
{
	return bpei_parse_unexpected(c, wanted);
}

int32_t bpei_parse_unexpected(struct bpei_compile *c, const char *wanted)
{
	if (c->token == T_END)
		return bpei_compile_fail(c, "the expression ends where %s should be", wanted);
	if (c->token == T_NAME && !c->pktap && bpei_lex_is_pktap(c->word))
		return bpei_compile_fail(
			c, "\"%s\" is for PKTAP's packets (macOS: -i pktap)", c->word);
	const char *near = c->token == T_NAME ? bpei_lex_nearest(c->word) : NULL;
	if (near)
		return bpei_compile_fail(
			c, "%s should be here; did you mean \"%s\"?", wanted, near);
	return bpei_compile_fail(c, "%s should be here", wanted);
}

bool bpei_parse_take(struct bpei_compile *c, int token, const char *wanted)
{
	if (c->failed)
		return false;
	if (c->token != token) {
		unexpected(c, wanted);
		return false;
	}
	next(c);
	return true;
}

bool bpei_parse_deeper(struct bpei_compile *c)
{
	if (++c->nesting <= NESTING)
		return true;
	bpei_compile_fail(c, "parentheses are nested too deeply");
	return false;
}

/* The token behind the one in hand. */
static int peek(struct bpei_compile *c)
{
	struct bpei_compile ahead = *c; /* the lexer changes no memory but c's own */
	ahead.failed = false;
	bpei_lex_next(&ahead);
	return ahead.token;
}

static bool joins_arithmetic(int token)
{
	switch (token) {
	case '+':
	case '-':
	case '*':
	case '/':
	case '%':
	case '&':
	case '|':
	case '^':
	case '<':
	case '>':
	case '=':
	case T_GEQ:
	case T_LEQ:
	case T_NEQ:
	case T_LSH:
	case T_RSH:
		return true;
	default:
		return false;
	}
}

/* Whether the parenthesis in hand holds arithmetic: it is followed by an operator.  Bounded by the
 * expression. */
static bool parenthesis_is_arithmetic(struct bpei_compile *c)
{
	struct bpei_compile ahead = *c;
	uint32_t depth = 1;
	ahead.failed = false;
	while (depth) {
		bpei_lex_next(&ahead);
		if (ahead.token == '(')
			depth++;
		else if (ahead.token == ')')
			depth--;
		else if (ahead.token == T_END)
			return false;
	}
	bpei_lex_next(&ahead);
	return joins_arithmetic(ahead.token);
}

/* Whether a bare value begins here, as it may behind "and" and "or". */
static bool value_begins(struct bpei_compile *c)
{
	struct bpei_compile ahead = *c;
	ahead.failed = false;
	bool parenthesis = false;
	while (ahead.token == T_NOT || ahead.token == '(') {
		parenthesis |= ahead.token == '(';
		bpei_lex_next(&ahead);
	}
	switch (ahead.token) {
	case T_DOTTED:
	case T_IP6:
	case T_MAC:
	case T_NAME:
		return true;
	case T_NUMBER:
		bpei_lex_next(&ahead);
		while (parenthesis && ahead.token == ')')
			bpei_lex_next(&ahead);
		return !joins_arithmetic(ahead.token);
	default:
		return false;
	}
}

/* ---- Values by their qualifiers ---- */

static int32_t resolve_host(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	int32_t all = -1;
	uint8_t mac[6];
	if (q->proto == P_LINK)
		return bpei_ether_name(name, mac)
			       ? bpei_term_ether(c, mac, q->direction)
			       : bpei_compile_fail(c,
					 "unknown Ethernet host: give aa:bb:cc:dd:ee:ff, or a name of ethers(5)");
	const struct bpei_host *h = bpei_resolve(c, name);
	if (!h)
		return bpei_compile_no_memory(c);
	if (!h->known)
		return bpei_compile_fail(c, "unknown host");
	for (uint32_t i = 0; i < h->count && !c->failed; i++) {
		bool six = h->address[i].is_six;
		if (!six && q->proto != P_IP6)
			all = bpei_either(c, all,
				bpei_term_host(c, h->address[i].four, UINT32_MAX, q->proto,
					q->direction, "host"));
		if (six && (q->proto == P_DEFAULT || q->proto == P_IP6))
			all = bpei_either(c, all,
				bpei_term_host6(c, h->address[i].six, all_ones, q->proto,
					q->direction, "host"));
	}
	return all < 0 && !c->failed ? bpei_compile_fail(c, "the host has no address of that kind")
				     : all;
}

static int32_t named_port(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	uint32_t tcp = 0, udp = 0;
	bool has_tcp = bpei_resolve_service(c, name, "tcp", &tcp),
	     has_udp = bpei_resolve_service(c, name, "udp", &udp);
	enum proto p = q->proto;
	if (p == P_SCTP && has_tcp != has_udp)
		return bpei_compile_fail(c, "port \"%s\" is of %s", name, has_tcp ? "tcp" : "udp");
	if (!has_tcp && !has_udp)
		return bpei_compile_fail(c,
			name[0] >= '0' && name[0] <= '9' && strchr(name, '-')
				? "no port: several in a row are \"portrange %s\""
				: "unknown port \"%s\"",
			name);
	if (p == P_DEFAULT && has_tcp != has_udp)
		p = has_tcp ? P_TCP : P_UDP;
	if ((p == P_TCP && !has_tcp) || (p == P_UDP && !has_udp))
		return bpei_compile_fail(c, "port \"%s\" is of %s", name, has_tcp ? "tcp" : "udp");
	uint32_t port = p == P_UDP ? udp : has_tcp ? tcp : udp;
	return bpei_term_port(c, port, port, p, q->direction);
}

static bool one_port(const struct bpei_compile *c, const char *text, size_t n, uint32_t *port)
{
	char word[64], *end;
	if (!n || n >= sizeof word)
		return false;
	memcpy(word, text, n);
	word[n] = 0;
	unsigned long v = strtoul(word, &end, 10);
	if (!*end)
		return *port = (uint32_t)(v > 65536 ? 65536 : v), true;
	return bpei_resolve_service(c, word, "tcp", port) ||
	       bpei_resolve_service(c, word, "udp", port);
}

static int32_t port_range(struct bpei_compile *c, const char *text, const struct qualifiers *q)
{
	uint32_t low, high;
	for (const char *dash = strchr(text, '-'); dash; dash = strchr(dash + 1, '-'))
		if (one_port(c, text, (size_t)(dash - text), &low) &&
			one_port(c, dash + 1, strlen(dash + 1), &high))
			return bpei_term_port(c, low, high, q->proto, q->direction);
	if (one_port(c, text, strlen(text), &low))
		return bpei_term_port(c, low, low, q->proto, q->direction);
	return bpei_compile_fail(c, "a range of ports is wanted, such as 6000-6010");
}

/* gateway NAME: through that station's hardware address, and neither from nor to its addresses. */
static int32_t gateway(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	const struct qualifiers hosts = { A_HOST, q->proto, D_DEFAULT };
	uint8_t mac[6];
	if (q->direction != D_DEFAULT)
		return bpei_compile_fail_term(c, "a direction cannot stand before gateway");
	if (q->proto != P_DEFAULT && q->proto != P_IP && q->proto != P_IP6 && q->proto != P_ARP &&
		q->proto != P_RARP)
		return bpei_compile_fail_term(
			c, "only ip, ip6, arp and rarp can stand before gateway");
	if (!bpei_ether_name(name, mac))
		return bpei_compile_fail(c,
			"the gateway's hardware address is not in ethers(5): add it, or say "
			"\"ether host aa:bb:cc:dd:ee:ff and not host ADDRESS\"");
	int32_t ether = bpei_term_ether(c, mac, D_DEFAULT);
	return bpei_and(c, ether, bpei_not(c, resolve_host(c, name, &hosts)));
}

static int32_t protochain(struct bpei_compile *c, uint32_t number, const struct qualifiers *q)
{
	return q->direction == D_DEFAULT
		       ? bpei_term_protochain(c, number, q->proto)
		       : bpei_compile_fail_term(c, "a direction cannot stand before protochain");
}

static int32_t named_proto(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	static const struct {
		const char *name;
		uint32_t type;
	} ether[] = { { "ip", 0x0800 }, { "ip6", 0x86dd }, { "arp", 0x0806 }, { "rarp", 0x8035 },
		{ "atalk", 0x809b }, { "aarp", 0x80f3 }, { "decnet", 0x6003 }, { "sca", 0x6007 },
		{ "lat", 0x6004 }, { "mopdl", 0x6001 }, { "moprc", 0x6002 }, { "iso", 0xfe },
		{ "stp", 0x42 }, { "ipx", 0xe0 }, { "netbeui", 0xf0 }, { "loopback", 0x9000 },
		{ "lldp", 0x88cc } };
	if (q->proto == P_LINK) {
		for (size_t i = 0; i < sizeof ether / sizeof *ether; i++)
			if (!strcmp(ether[i].name, name))
				return bpei_term_proto(c, ether[i].type, P_LINK, q->direction);
		return bpei_compile_fail(c, "unknown ether proto");
	}
	if (q->proto == P_ISO) {
		uint32_t n = !strcmp(name, "esis")   ? 0x82
			     : !strcmp(name, "isis") ? 0x83
			     : !strcmp(name, "clnp") ? 0x81
						     : 0;
		return n ? bpei_term_proto(c, n, P_ISO, q->direction)
			 : bpei_compile_fail(c, "unknown osi proto");
	}
	if (q->proto == P_ISIS)
		return bpei_compile_fail(
			c, "a number is wanted here, or one of iih, lsp, snp, csnp and psnp alone");
	uint32_t number;
	if (!bpei_resolve_protocol(c, name, &number))
		return bpei_compile_fail(c, "unknown ip proto");
	return q->address == A_PROTOCHAIN ? protochain(c, number, q)
					  : bpei_term_proto(c, number, q->proto, q->direction);
}

static int32_t named(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	switch (q->address) {
	case A_DEFAULT:
	case A_HOST:
		return resolve_host(c, name, q);
	case A_PORT:
		return named_port(c, name, q);
	case A_PORTRANGE:
		return port_range(c, name, q);
	case A_GATEWAY:
		return gateway(c, name, q);
	case A_PROTO:
	case A_PROTOCHAIN:
		return named_proto(c, name, q);
	case A_NET: {
		uint32_t v, mask = UINT32_MAX;
		if (!bpei_resolve_network(c, name, &v))
			return bpei_compile_fail(c, "unknown network");
		while (v && !(v & 0xff000000))
			v <<= 8, mask <<= 8;
		return bpei_term_host(c, v, mask, q->proto, q->direction, "net");
	}
	default:
		return unexpected(c, "a qualifier such as host or port");
	}
}

/* v of so many leading bits, or a bare number (bits 0). */
static int32_t numbered(
	struct bpei_compile *c, uint32_t v, uint32_t bits, const struct qualifiers *q)
{
	uint32_t mask = UINT32_MAX;
	switch (q->address) {
	case A_DEFAULT:
	case A_HOST:
	case A_NET:
		if (bits && bits < 32)
			v <<= 32 - bits, mask <<= 32 - bits;
		else if (!bits && q->address == A_NET)
			while (v && !(v & 0xff000000))
				v <<= 8, mask <<= 8;
		return bpei_term_host(
			c, v, mask, q->proto, q->direction, q->address == A_NET ? "net" : "host");
	case A_PORT:
	case A_PORTRANGE:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no port");
		return bpei_term_port(c, v, v, q->proto, q->direction);
	case A_PROTO:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no protocol");
		return bpei_term_proto(c, v, q->proto, q->direction);
	case A_PROTOCHAIN:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no protocol");
		return protochain(c, v, q);
	default:
		return unexpected(c, "a qualifier such as host or port");
	}
}

static int32_t network4(struct bpei_compile *c, uint32_t v, uint32_t parts, uint32_t mask,
	const struct qualifiers *q)
{
	if (parts < 4)
		v <<= 32 - 8 * parts;
	if (q->address != A_NET)
		return bpei_compile_fail_term(c, "a mask belongs to a net: net ADDRESS/LENGTH");
	if (v & ~mask)
		return bpei_compile_fail_term(
			c, "the network address has bits set behind its mask");
	return bpei_term_host(c, v, mask, q->proto, q->direction, "net");
}

int32_t bpei_parse_value(
	struct bpei_compile *c, const struct qualifiers *q) /* not in parentheses */
{
	uint32_t v = c->number, parts = c->dots;
	uint8_t bytes[16], mask[16] = { 0 };
	char word[sizeof c->word];
	memcpy(bytes, c->bytes, 16);
	int32_t b;
	if (q->direction > D_AND && c->token != T_MAC && c->token != T_ARC &&
		(c->token != T_NAME || q->proto != P_LINK))
		return bpei_compile_fail(
			c, "addr1 to addr4, ra and ta want an 802.11 address: aa:bb:cc:dd:ee:ff");
	if (q->address == A_GATEWAY && c->token != T_NAME)
		return unexpected(
			c, "a gateway's name, which both ethers(5) and hosts(5) or DNS know,");
	if (c->token == T_ARC) {
		if ((q->address != A_HOST && q->address != A_DEFAULT) || q->proto != P_LINK)
			return bpei_compile_fail(c,
				"an ARCnet address belongs to \"link host\", \"link src\" or \"link dst\"");
		next(c);
		return bpei_term_arcnet(c, v, q->direction);
	}
	if (q->proto == P_DECNET && q->address <= A_NET &&
		(c->token == T_NUMBER || c->token == T_DOTTED)) {
		uint32_t area = c->token == T_NUMBER ? v >> 10 : c->parts[0],
			 node = c->token == T_NUMBER ? v & 1023 : c->parts[1];
		if (c->token == T_DOTTED && parts != 2)
			return bpei_compile_fail(c, "a DECnet address is AREA.NODE");
		next(c);
		return bpei_term_decnet(c, area, node, q->direction);
	}
	if (c->token == T_DOTTED && c->over)
		return bpei_compile_fail(c, "an address has no part above 255");
	switch (c->token) {
	case T_NAME:
		memcpy(word, c->word, sizeof word);
		b = named(c, word, q);
		next(c);
		return b;
	case T_NUMBER:
		next(c);
		return numbered(c, v, 0, q);
	case T_DOTTED:
		next(c);
		if (c->token == '/') {
			next(c);
			uint32_t length = c->number;
			if (c->token != T_NUMBER || length > 32)
				return bpei_compile_fail(
					c, "a mask length from 0 to 32 should be here");
			b = network4(c, v, parts, length ? UINT32_MAX << (32 - length) : 0, q);
			next(c);
			return b;
		}
		if (c->token == T_MASK) {
			next(c);
			if (c->token != T_DOTTED || c->over)
				return unexpected(c, "a netmask");
			b = network4(c, v, parts,
				c->dots < 4 ? c->number << (32 - 8 * c->dots) : c->number, q);
			next(c);
			return b;
		}
		return numbered(c, v, 8 * parts, q);
	case T_IP6: {
		uint32_t length = 128;
		next(c);
		if (c->token == '/') {
			next(c);
			length = c->number;
			if (c->token != T_NUMBER || length > 128)
				return bpei_compile_fail(
					c, "a mask length from 0 to 128 should be here");
			next(c);
		}
		for (uint32_t i = 0; i < length; i++)
			mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
		if (q->address != A_NET && length != 128)
			return bpei_compile_fail_term(
				c, "a mask belongs to a net: net ADDRESS/LENGTH");
		for (int i = 0; i < 16; i++)
			if (bytes[i] & ~mask[i])
				return bpei_compile_fail_term(
					c, "the network address has bits set behind its mask");
		if (q->address != A_NET && q->address != A_HOST && q->address != A_DEFAULT)
			return bpei_compile_fail_term(c, "an IPv6 address is a host or a net");
		return bpei_term_host6(c, bytes, mask, q->proto, q->direction,
			q->address == A_NET ? "net" : "host");
	}
	case T_MAC:
		if ((q->address != A_HOST && q->address != A_DEFAULT) || q->proto != P_LINK)
			return bpei_compile_fail(c,
				"an Ethernet address belongs to \"ether host\", \"ether src\" or \"ether dst\"");
		next(c);
		return bpei_term_ether(c, bytes, q->direction);
	default:
		return unexpected(
			c, q->address == A_PORT        ? "a port's number or name"
			   : q->address == A_PORTRANGE ? "a range of ports, such as 80-90"
			   : q->address == A_NET       ? "a network"
			   : q->address >= A_PROTO
				   ? "a protocol's number or name (with a backslash: \\tcp)"
			   : q->address == A_HOST
				   ? "an address or a host's name"
				   : "an address, or host, net, port, portrange or proto");
	}
}

static int32_t values(
	struct bpei_compile *c, const struct qualifiers *q) /* one, or several in parentheses */
{
	if (c->failed)
		return -1;
	if (c->token == T_NOT) {
		if (!bpei_parse_deeper(c))
			return -1;
		next(c);
		int32_t b = bpei_not(c, values(c, q));
		c->nesting--;
		return b;
	}
	if (c->token != '(') {
		size_t from = c->token_at;
		int32_t one =
			bpei_parse_list_begins(c) ? bpei_parse_list(c, q) : bpei_parse_value(c, q);
		bpei_say_value(c, one, q, from);
		return one;
	}
	if (!bpei_parse_deeper(c))
		return -1;
	next(c);
	c->term_at = c->token_at;
	int32_t b = values(c, q);
	while (!c->failed && (c->token == T_AND || c->token == T_OR)) {
		bool both = c->token == T_AND;
		next(c);
		c->term_at = c->token_at;
		int32_t one = values(c, q);
		b = both ? bpei_and(c, b, one) : bpei_or(c, b, one);
	}
	c->nesting--;
	return bpei_parse_take(c, ')', "a closing parenthesis") ? b : -1;
}

/* ---- Terms ---- */

static bool qualifier_begins(int token)
{
	return token == T_SRC || token == T_DST || token == T_HOST || token == T_NET ||
	       token == T_PORT || token == T_PORTRANGE || token == T_PROTO || token == T_ADDRESS ||
	       token == T_GATEWAY || token == T_PROTOCHAIN;
}

static int32_t qualified(struct bpei_compile *c, enum proto p, struct qualifiers *q)
{
	*q = (struct qualifiers){ A_DEFAULT, p, D_DEFAULT };
	if (c->token == T_SRC || c->token == T_DST) {
		int first = c->token, second = first == T_SRC ? T_DST : T_SRC;
		q->direction = first == T_SRC ? D_SRC : D_DST;
		next(c);
		if ((c->token == T_OR || c->token == T_AND) && peek(c) == second) {
			q->direction = c->token == T_OR ? D_OR : D_AND;
			next(c);
			next(c);
		}
	}
	if (c->token == T_ADDRESS)
		q->direction = c->number, next(c);
	switch (c->token) {
	case T_GATEWAY:
		q->address = A_GATEWAY;
		next(c);
		break;
	case T_PROTOCHAIN:
		q->address = A_PROTOCHAIN;
		next(c);
		break;
	case T_HOST:
		q->address = A_HOST;
		next(c);
		break;
	case T_NET:
		q->address = A_NET;
		next(c);
		break;
	case T_PORT:
		q->address = A_PORT;
		next(c);
		break;
	case T_PORTRANGE:
		q->address = A_PORTRANGE;
		next(c);
		break;
	case T_PROTO:
		q->address = A_PROTO;
		next(c);
		break;
	default:
		break;
	}
	return values(c, q);
}

static bool optional_number(struct bpei_compile *c, uint32_t *n)
{
	if (c->token != T_NUMBER || joins_arithmetic(peek(c)))
		return false;
	*n = c->number;
	next(c);
	return true;
}

static int32_t sized(struct bpei_compile *c, bool less)
{
	next(c);
	uint32_t n = c->number;
	if (c->token != T_NUMBER)
		return unexpected(c, "a length");
	next(c);
	int32_t length = bpei_value(c, (struct value){ .kind = VALUE_LEN, .a = -1, .b = -1 });
	return less ? bpei_not(c, bpei_test(c, length, CMP_GT, n))
		    : bpei_test(c, length, CMP_GE, n);
}

/* inner(EXPRESSION): what is in parentheses, behind one encapsulation (those of --through, or any).
 */
static int32_t inner(struct bpei_compile *c, struct qualifiers *q)
{
	const struct offsets here = c->offsets;
	const uint32_t kinds = c->through & 0xff ? c->through & 0xff : 0xff;
	const size_t from = c->at;
	size_t end = 0;
	int32_t all = -1;
	struct complaint first = { .why = "" };
	if (c->failed || !bpei_parse_deeper(c))
		return -1;
	if (++c->inners > COMPILE_INNERS)
		return bpei_compile_end(
			c, "inner goes at most two encapsulations deep"); /* each has 17 shapes */
	for (uint32_t kind = 1; kind < 0x100 && !c->failed; kind <<= 1)
		for (uint32_t shape = 0; kinds & kind && !c->failed; shape++) {
			c->offsets = here;
			int32_t guard = bpei_tunnel_enter(c, kind, shape, false, 0), tree = -1;
			if (guard == BPEI_NO_SHAPE)
				break;
			uint32_t nesting = c->nesting, inners = c->inners;
			c->at = from;
			if (guard >= 0)
				next(c), bpei_parse_take(c, '(', "a parenthesis"),
					tree = expression(c, q);
			if (tree >= 0 && c->token != ')')
				tree = unexpected(c, "a closing parenthesis");
			if (tree >= 0)
				end = c->at, all = bpei_either(c, all, bpei_and(c, guard, tree));
			bpei_complaint_keep(c, &first);
			c->nesting = nesting, c->inners = inners;
		}
	c->nesting--, c->inners--;
	c->offsets = here;
	*q = (struct qualifiers){ A_NONE, P_DEFAULT, D_DEFAULT };
	if (all < 0 || c->failed)
		return bpei_complaint_say(c, &first);
	c->at = end;
	next(c);
	bpei_say(c, all, "behind one encapsulation%s: %.*s",
		c->through & 0xff ? " of --through" : "",
		(int)(end - from < 200 ? end - from : 200), c->text + from);
	return all;
}

/* byte OFFSET =, <, >, &, | NUMBER: of the packet's bytes. */
static int32_t byte_test(struct bpei_compile *c)
{
	next(c);
	uint32_t at = c->number;
	if (c->token != T_NUMBER)
		return unexpected(c, "a byte's offset");
	next(c);
	int op = c->token;
	if (op != '=' && op != '<' && op != '>' && op != '&' && op != '|')
		return unexpected(c, "one of = < > & |");
	next(c);
	uint32_t k = c->number;
	if (c->token != T_NUMBER)
		return unexpected(c, "a number");
	if (k > 255)
		return bpei_compile_fail(c, "a byte ends at 255");
	next(c);
	int32_t v = bpei_value_load(c, 1, c->offsets.header.base, c->offsets.header.at + at);
	if (op == '=')
		return bpei_test(c, v, CMP_EQ, k);
	if (op == '>')
		return bpei_test(c, v, CMP_GT, k);
	if (op == '<')
		return bpei_not(c, bpei_test(c, v, CMP_GE, k));
	if (op == '&')
		return bpei_test(c, v, CMP_SET, k);
	return bpei_not(
		c, bpei_test(c, bpei_value_alu(c, OP_OR, v, bpei_value_imm(c, k)), CMP_EQ, 0));
}

static int32_t plain_term(struct bpei_compile *c, struct qualifiers *q)
{
	uint32_t n = 0;
	bool has;
	int32_t b;
	const struct qualifiers before = *q;
	if (c->failed)
		return -1;
	switch (c->token) {
	case T_NOT:
		if (!bpei_parse_deeper(c))
			return -1;
		b = (next(c), bpei_not(c, term(c, q)));
		c->nesting--;
		return b;
	case '(':
		if (parenthesis_is_arithmetic(c))
			break;
		if (!bpei_parse_deeper(c))
			return -1;
		next(c);
		b = expression(c, q);
		c->nesting--;
		*q = before;
		return bpei_parse_take(c, ')', "a closing parenthesis") ? b : -1;
	case T_SRC:
	case T_DST:
	case T_HOST:
	case T_NET:
	case T_PORT:
	case T_PORTRANGE:
	case T_PROTO:
	case T_ADDRESS:
	case T_GATEWAY:
	case T_PROTOCHAIN:
		return qualified(c, P_DEFAULT, q);
	case T_PROTO_NAME: {
		enum proto p = c->number;
		int ahead = peek(c);
		if (ahead == '[')
			break;
		next(c);
		if (qualifier_begins(ahead))
			return qualified(c, p, q);
		if (ahead == T_TYPE || ahead == T_SUBTYPE || ahead == T_DIR)
			return term(c, q); /* "wlan type ...": the word in front says nothing */
		*q = (struct qualifiers){ A_NONE, P_DEFAULT, D_DEFAULT };
		if (ahead == T_BROADCAST)
			return next(c), bpei_term_broadcast(c, p);
		if (ahead == T_MULTICAST)
			return next(c), bpei_term_multicast(c, p);
		return bpei_term_proto_name(c, p);
	}
	case T_NUMBER:
	case T_LEN:
	case '-':
		break;
	default:
		*q = (struct qualifiers){ A_NONE, P_DEFAULT, D_DEFAULT };
		switch (c->token) {
		case T_LESS:
			return sized(c, true);
		case T_GREATER:
			return sized(c, false);
		case T_BROADCAST:
			return next(c), bpei_term_broadcast(c, P_DEFAULT);
		case T_MULTICAST:
			return next(c), bpei_term_multicast(c, P_DEFAULT);
		case T_INBOUND:
			return next(c), bpei_term_outbound(c, false);
		case T_OUTBOUND:
			return next(c), bpei_term_outbound(c, true);
		case T_VLAN:
			return next(c), has = optional_number(c, &n), bpei_term_vlan(c, has, n);
		case T_MPLS:
			return next(c), has = optional_number(c, &n), bpei_term_mpls(c, has, n);
		case T_INNER:
			return inner(c, q);
		case T_PKTAP:
			return bpei_parse_pktap(c);
		case T_PF:
			return bpei_parse_pf(c);
		case T_FIELD:
			return bpei_parse_field(c);
		case T_ATM:
			n = c->number;
			return next(c), bpei_term_atm(c, n);
		case T_SIGNAL_UNIT:
			n = c->number;
			return next(c), bpei_term_signal_unit(c, n);
		case T_TUNNEL: {
			uint32_t kind = c->number;
			return next(c), has = optional_number(c, &n),
					bpei_term_tunnel(c, kind, has, n);
		}
		case T_TYPE:
		case T_SUBTYPE:
		case T_DIR:
		case T_LLC:
			return bpei_parse_link(c);
		case T_BYTE:
			return byte_test(c);
		case T_IFINDEX:
			next(c);
			n = c->number;
			if (c->token != T_NUMBER)
				return unexpected(c, "the number of an interface");
			return next(c), bpei_term_ifindex(c, n);
		case T_PPPOED:
			return next(c), bpei_term_pppoe(c, false, false, 0);
		case T_PPPOES:
			return next(c), has = optional_number(c, &n),
					bpei_term_pppoe(c, true, has, n);
		default:
			return unexpected(c, "a term (\"tcp\", \"host 10.0.0.1\", \"port 80\")");
		}
	}
	*q = (struct qualifiers){ A_NONE, P_DEFAULT, D_DEFAULT };
	return bpei_parse_relation(c);
}

static int32_t term(struct bpei_compile *c, struct qualifiers *q)
{
	const size_t from = c->token_at;
	const uint32_t number = c->number, said = c->phrases ? c->phrases->count : 0;
	const int token = c->token;
	c->term_at = from;
	int32_t b = plain_term(c, q);
	if (c->phrases && c->phrases->count == said)
		bpei_say_term(c, b, token, number, from); /* what it is made of has said nothing */
	return b;
}

static int32_t expression(struct bpei_compile *c, struct qualifiers *q)
{
	int32_t b = term(c, q);
	while (!c->failed && (c->token == T_AND || c->token == T_OR)) {
		bool both = c->token == T_AND;
		next(c);
		c->term_at = c->token_at;
		int32_t one = value_begins(c) ? values(c, q) : term(c, q);
		b = both ? bpei_and(c, b, one) : bpei_or(c, b, one);
	}
	return b;
}

int32_t bpei_parse_filter(struct bpei_compile *c)
{
	struct qualifiers q = { A_NONE, P_DEFAULT, D_DEFAULT };
	next(c);
	if (c->token == T_END)
		return bpei_const(c, true);
	int32_t b = expression(c, &q);
	if (!c->failed && c->token != T_END)
		unexpected(c, "\"and\", \"or\" or the end");
	return c->failed ? -1 : b;
}
