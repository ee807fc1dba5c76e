/* SPDX-License-Identifier: MIT */
/* The meaning of a name or a number behind qualifiers: host NAME, port NAME, proto NUMBER and so
 * on.  Names are resolved by the system (resolve.c). */
#include "base/ethers.h"
#include "filter/links.h"
#include "filter/parse.h"
#include "filter/resolve.h"

#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535u

static const uint8_t all_ones[16] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	255, 255, 255, 255 };

/* ---- Hosts, gateways, nets ---- */

static int32_t name_ether_host(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	uint8_t mac[6];

	if (bpei_ether_name(name, mac))
		return bpei_term_ether(c, mac, q->direction);
	return bpei_compile_fail(
		c, "unknown Ethernet host: give aa:bb:cc:dd:ee:ff, or a name of ethers(5)");
}

static int32_t name_host(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	int32_t all = -1;

	if (q->proto == P_LINK)
		return name_ether_host(c, name, q);
	const struct bpei_host *h = bpei_resolve(c, name);
	if (!h)
		return bpei_compile_no_memory(c);
	if (!h->known)
		return bpei_compile_fail(c, "unknown host");
	for (uint32_t i = 0; i < h->count && !c->failed; i++) {
		const bool six = h->address[i].is_six;

		if (!six && q->proto != P_IP6)
			all = bpei_or_optional(c, all,
				bpei_term_host(c, h->address[i].four, UINT32_MAX, q->proto,
					q->direction, "host"));
		if (six && (q->proto == P_DEFAULT || q->proto == P_IP6))
			all = bpei_or_optional(c, all,
				bpei_term_host6(c, h->address[i].six, all_ones, q->proto,
					q->direction, "host"));
	}
	if (all < 0 && !c->failed)
		return bpei_compile_fail(c, "the host has no address of that kind");
	return all;
}

/* Returns "gateway NAME": the packet goes through the station's hardware address, and is neither
 * from nor to the station's own addresses. */
static int32_t name_gateway(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	const struct qualifiers hosts = { A_HOST, q->proto, D_DEFAULT };
	const enum proto p = q->proto;
	uint8_t mac[6];

	if (q->direction != D_DEFAULT)
		return bpei_compile_fail_term(c, "a direction cannot stand before gateway");
	if (p != P_DEFAULT && p != P_IP && p != P_IP6 && p != P_ARP && p != P_RARP)
		return bpei_compile_fail_term(
			c, "only ip, ip6, arp and rarp can stand before gateway");
	if (!bpei_ether_name(name, mac))
		return bpei_compile_fail(c,
			"the gateway's hardware address is not in ethers(5): add it, or say "
			"\"ether host aa:bb:cc:dd:ee:ff and not host ADDRESS\"");
	const int32_t ether = bpei_term_ether(c, mac, D_DEFAULT);
	return bpei_and(c, ether, bpei_not(c, name_host(c, name, &hosts)));
}

/* Moves a short network number to the left, as 10 is 10.0.0.0/8, and makes its mask. */
static void align_network(uint32_t *network, uint32_t *mask)
{
	while (*network && !(*network & 0xff000000)) {
		*network <<= 8;
		*mask <<= 8;
	}
}

static int32_t name_network(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	uint32_t network, mask = UINT32_MAX;

	if (!bpei_resolve_network(c, name, &network))
		return bpei_compile_fail(c, "unknown network");
	align_network(&network, &mask);
	return bpei_term_host(c, network, mask, q->proto, q->direction, "net");
}

/* ---- Ports ---- */

static int32_t fail_port_protocol(struct bpei_compile *c, const char *name, bool has_tcp)
{
	return bpei_compile_fail(c, "port \"%s\" is of %s", name, has_tcp ? "tcp" : "udp");
}

static int32_t fail_unknown_port(struct bpei_compile *c, const char *name)
{
	if (name[0] >= '0' && name[0] <= '9' && strchr(name, '-'))
		return bpei_compile_fail(c, "no port: several in a row are \"portrange %s\"", name);
	return bpei_compile_fail(c, "unknown port \"%s\"", name);
}

static int32_t name_port(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	uint32_t tcp = 0, udp = 0;
	const bool has_tcp = bpei_resolve_service(c, name, "tcp", &tcp);
	const bool has_udp = bpei_resolve_service(c, name, "udp", &udp);
	enum proto p = q->proto;

	if (p == P_SCTP && has_tcp != has_udp)
		return fail_port_protocol(c, name, has_tcp);
	if (!has_tcp && !has_udp)
		return fail_unknown_port(c, name);
	if (p == P_DEFAULT && has_tcp != has_udp)
		p = has_tcp ? P_TCP : P_UDP;
	if ((p == P_TCP && !has_tcp) || (p == P_UDP && !has_udp))
		return fail_port_protocol(c, name, has_tcp);
	const uint32_t port = p == P_UDP || !has_tcp ? udp : tcp;
	return bpei_term_port(c, port, port, p, q->direction);
}

/* Reads the n bytes of text as a port's number or name.  A number that is too large becomes a
 * number above PORT_MOST. */
static bool read_port(const struct bpei_compile *c, const char *text, size_t n, uint32_t *port)
{
	char word[64], *end;

	if (!n || n >= sizeof word)
		return false;
	memcpy(word, text, n);
	word[n] = 0;
	const unsigned long number = strtoul(word, &end, 10);
	if (!*end) {
		*port = number > PORT_MOST ? PORT_MOST + 1 : (uint32_t)number;
		return true;
	}
	return bpei_resolve_service(c, word, "tcp", port) ||
	       bpei_resolve_service(c, word, "udp", port);
}

/* Tries every dash of the text, since ports' names have dashes, too. */
static int32_t name_port_range(struct bpei_compile *c, const char *text, const struct qualifiers *q)
{
	uint32_t low, high;

	for (const char *dash = strchr(text, '-'); dash; dash = strchr(dash + 1, '-'))
		if (read_port(c, text, (size_t)(dash - text), &low) &&
			read_port(c, dash + 1, strlen(dash + 1), &high))
			return bpei_term_port(c, low, high, q->proto, q->direction);
	if (read_port(c, text, strlen(text), &low))
		return bpei_term_port(c, low, low, q->proto, q->direction);
	return bpei_compile_fail(c, "a range of ports is wanted, such as 6000-6010");
}

/* ---- Protocols ---- */

struct named_number {
	const char *name;
	uint32_t number;
};

static const struct named_number ether_protocols[] = { { "ip", TYPE_IP4 }, { "ip6", TYPE_IP6 },
	{ "arp", TYPE_ARP }, { "rarp", TYPE_RARP }, { "atalk", TYPE_ATALK }, { "aarp", TYPE_AARP },
	{ "decnet", TYPE_DECNET }, { "sca", TYPE_SCA }, { "lat", TYPE_LAT },
	{ "mopdl", TYPE_MOP_DL }, { "moprc", TYPE_MOP_RC }, { "iso", SAP_ISO }, { "stp", SAP_STP },
	{ "ipx", SAP_IPX }, { "netbeui", SAP_NETBEUI }, { "loopback", TYPE_LOOPBACK },
	{ "lldp", TYPE_LLDP }, { NULL, 0 } };

static const struct named_number osi_protocols[] = { { "esis", OSI_ESIS }, { "isis", OSI_ISIS },
	{ "clnp", OSI_CLNP }, { NULL, 0 } };

/* Returns "`of` proto NAME" by a list that a NULL ends; fails with `unknown`. */
static int32_t name_listed_protocol(struct bpei_compile *c, const char *name,
	const struct qualifiers *q, const struct named_number *list, const char *unknown)
{
	for (; list->name; list++)
		if (!strcmp(list->name, name))
			return bpei_term_proto(c, list->number, q->proto, q->direction);
	return bpei_compile_fail(c, "%s", unknown);
}

static int32_t number_protochain(
	struct bpei_compile *c, uint32_t number, const struct qualifiers *q)
{
	if (q->direction != D_DEFAULT)
		return bpei_compile_fail_term(c, "a direction cannot stand before protochain");
	return bpei_term_protochain(c, number, q->proto);
}

static int32_t name_protocol(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	uint32_t number;

	if (q->proto == P_LINK)
		return name_listed_protocol(c, name, q, ether_protocols, "unknown ether proto");
	if (q->proto == P_ISO)
		return name_listed_protocol(c, name, q, osi_protocols, "unknown osi proto");
	if (q->proto == P_ISIS)
		return bpei_compile_fail(
			c, "a number is wanted here, or one of iih, lsp, snp, csnp and psnp alone");
	if (!bpei_resolve_protocol(c, name, &number))
		return bpei_compile_fail(c, "unknown ip proto");
	if (q->address == A_PROTOCHAIN)
		return number_protochain(c, number, q);
	return bpei_term_proto(c, number, q->proto, q->direction);
}

/* ---- By qualifiers ---- */

/* Chooses the meaning of the name by the qualifier. */
int32_t bpei_parse_named(struct bpei_compile *c, const char *name, const struct qualifiers *q)
{
	switch (q->address) {
	case A_DEFAULT:
	case A_HOST:
		return name_host(c, name, q);
	case A_NET:
		return name_network(c, name, q);
	case A_PORT:
		return name_port(c, name, q);
	case A_PORTRANGE:
		return name_port_range(c, name, q);
	case A_GATEWAY:
		return name_gateway(c, name, q);
	case A_PROTO:
	case A_PROTOCHAIN:
		return name_protocol(c, name, q);
	default:
		return bpei_parse_unexpected(c, "a qualifier such as host or port");
	}
}

static int32_t number_host(
	struct bpei_compile *c, uint32_t address, uint32_t bits, const struct qualifiers *q)
{
	const bool is_net = q->address == A_NET;
	uint32_t mask = UINT32_MAX;

	if (bits && bits < 32) {
		address <<= 32 - bits;
		mask <<= 32 - bits;
	} else if (!bits && is_net) {
		align_network(&address, &mask);
	}
	return bpei_term_host(c, address, mask, q->proto, q->direction, is_net ? "net" : "host");
}

int32_t bpei_parse_numbered(
	struct bpei_compile *c, uint32_t value, uint32_t bits, const struct qualifiers *q)
{
	switch (q->address) {
	case A_DEFAULT:
	case A_HOST:
	case A_NET:
		return number_host(c, value, bits, q);
	case A_PORT:
	case A_PORTRANGE:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no port");
		return bpei_term_port(c, value, value, q->proto, q->direction);
	case A_PROTO:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no protocol");
		return bpei_term_proto(c, value, q->proto, q->direction);
	case A_PROTOCHAIN:
		if (bits)
			return bpei_compile_fail_term(c, "an address is no protocol");
		return number_protochain(c, value, q);
	default:
		return bpei_parse_unexpected(c, "a qualifier such as host or port");
	}
}
