/* SPDX-License-Identifier: MIT */
/* The parser that judges the others: one packet after another, each byte proved to be there before it is read.  Pure.
 *
 * Sources: Ethernet and 802.1Q/ad: IEEE 802.3, 802.1Q; NULL, LOOP, RAW, SLL, SLL2: the LINKTYPE_ registry of tcpdump.org;
 * ARP: RFC 826; IPv4: RFC 791; IPv6: RFC 8200; AH: RFC 4302; TCP: RFC 9293; UDP: RFC 768; ICMP: RFC 792, 4443; SCTP: RFC 9260. */
#include "arch/arch.h"
#include "base/bytes.h"
#include "base/cacheline.h"

enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_12 = 12, LINK_RAW_14 = 14, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113,
       LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276 };
enum { TYPE_IP4 = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_IP6 = 0x86dd, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100,
       TYPE_LEAST = 0x0600 };	/* less is an IEEE 802.3 length */
enum { IP_HOPOPTS = 0, IP_ICMP = 1, IP_IGMP = 2, IP_TCP = 6, IP_UDP = 17, IP_ROUTING = 43, IP_FRAGMENT = 44, IP_AH = 51,
       IP_ICMP6 = 58, IP_DSTOPTS = 60, IP_SCTP = 132, IP_MOBILITY = 135, IP_HIP = 139, IP_SHIM6 = 140 };
enum { SLL_OUTGOING = 4, SLL_P_802_2 = 4 };

struct packet {
	const uint8_t *data;
	uint32_t caplen, wirelen;
	struct bpe_layers *layers;
	struct bpe_key *key;
};

/* Why n bytes at offset are not there: the capture was cut, or the packet's own length says that they are not its. */
static uint16_t missing(const struct packet *p, uint32_t offset, uint32_t n)
{
	return offset + n > p->caplen ? BPE_PKT_TRUNCATED : BPE_PKT_BAD_LENGTH;
}

/* Ports in network order at l4, if they are the packet's; else 0.  Returns their value as first | second << 16. */
static uint32_t transport(const struct packet *p, uint32_t offset, uint8_t proto)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *l4 = p->data + offset;
	uint32_t left = l->end > offset ? l->end - offset : 0, ports = 0, least, header;

	switch (proto) {
	case IP_TCP: l->proto = BPE_PROTO_TCP; least = 20; break;
	case IP_UDP: l->proto = BPE_PROTO_UDP; least = 8; break;
	case IP_SCTP: l->proto = BPE_PROTO_SCTP; least = 12; break;
	case IP_ICMP: l->proto = l->flags & BPE_PKT_IP4 ? BPE_PROTO_ICMP : BPE_PROTO_IP_OTHER; least = 8; break;
	case IP_ICMP6: l->proto = l->flags & BPE_PKT_IP6 ? BPE_PROTO_ICMP6 : BPE_PROTO_IP_OTHER; least = 8; break;
	case IP_IGMP: l->proto = BPE_PROTO_IGMP; least = 8; break;
	default: l->proto = BPE_PROTO_IP_OTHER; least = 0; break;
	}
	if (l->flags & BPE_PKT_FRAGMENT || offset > BPE_NO_OFFSET - 64) {
		l->payload = (uint16_t)(offset < BPE_NO_OFFSET ? offset : BPE_NO_OFFSET);
		return 0;
	}
	header = least;
	if (BPEI_UNLIKELY(left < least)) l->flags |= missing(p, offset, least);
	if (l->proto == BPE_PROTO_TCP || l->proto == BPE_PROTO_UDP || l->proto == BPE_PROTO_SCTP) {
		if (left >= 4) ports = bpei_be16(l4) | (uint32_t)bpei_be16(l4 + 2) << 16;
	} else if ((l->proto == BPE_PROTO_ICMP || l->proto == BPE_PROTO_ICMP6) && left >= 6) {
		uint8_t request = l->proto == BPE_PROTO_ICMP ? 8 : 128, reply = l->proto == BPE_PROTO_ICMP ? 0 : 129;
		if (l4[0] == request || l4[0] == reply) ports = bpei_be16(l4 + 4) * 0x10001u;	/* the identifier */
	}
	if (BPEI_UNLIKELY(left < least)) {
		if (left) l->transport = (uint16_t)offset;
		if (l->proto == BPE_PROTO_TCP && left >= 14) l->tcp_flags = l4[13];
		return ports;
	}
	if (BPEI_LIKELY(left)) l->transport = (uint16_t)offset;
	if (l->proto == BPE_PROTO_TCP) {
		l->tcp_flags = l4[13];
		header = (uint32_t)(l4[12] >> 4) * 4;
		if (BPEI_UNLIKELY(header < 20)) {
			l->flags |= BPE_PKT_BAD_HEADER;
			return ports;
		}
		if (BPEI_UNLIKELY(header > left)) {
			l->flags |= missing(p, offset, header);
			return ports;
		}
	} else if (l->proto == BPE_PROTO_UDP) {
		uint32_t length = bpei_be16(l4 + 4);
		if (length >= 8 && length < left) l->end = offset + length;
		else if (length && length != left && !(l->flags & BPE_PKT_FIRST_FRAGMENT))	/* 0: longer than 64 KiB, RFC 2675 */
			if (length < 8 || offset + length > p->wirelen) l->flags |= BPE_PKT_BAD_LENGTH;
	}
	l->payload = (uint16_t)(offset + header);
	return ports;
}

/* Fills the key but for the addresses, lower endpoint first; swap: the sender is the higher one. */
static void key_rest(const struct packet *p, uint32_t ports, uint8_t version, bool swap)
{
	struct bpe_layers *l = p->layers;
	struct bpe_key *k = p->key;
	k->port[swap] = (uint16_t)ports;
	k->port[!swap] = (uint16_t)(ports >> 16);
	k->ip_proto = l->ip_proto;
	k->ip_version = version;
	k->vlan[0] = l->vlan[0];
	k->vlan[1] = l->vlan[1];
	memset(k->zero, 0, sizeof k->zero);
	l->flags |= (uint16_t)(BPE_PKT_KEY | (swap ? BPE_PKT_REVERSED : 0));
}

static bool ports_swapped(uint32_t ports) { return (ports & 0xffff) > ports >> 16; }

static void ip4(const struct packet *p, uint32_t offset)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *ip = p->data + offset;
	uint32_t left = p->caplen - offset;

	l->network = (uint16_t)offset;
	if (BPEI_UNLIKELY(left < 20)) {
		l->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (BPEI_UNLIKELY(ip[0] >> 4 != 4)) {
		l->flags |= BPE_PKT_BAD_VERSION;
		return;
	}
	uint32_t header = (ip[0] & 15u) * 4, total = bpei_be16(ip + 2), fragment = bpei_be16(ip + 6);
	if (BPEI_UNLIKELY(header < 20)) {
		l->flags |= BPE_PKT_BAD_HEADER;
		return;
	}
	l->flags |= BPE_PKT_IP4;
	l->ip_proto = ip[9];
	if (BPEI_UNLIKELY(total < header)) {
		if (total) l->flags |= BPE_PKT_BAD_LENGTH;
		else total = left;	/* left to the network card by segmentation offload */
	}
	if (total >= header && total < left) l->end = offset + total;
	else if (BPEI_UNLIKELY(total > left && offset + total > p->wirelen)) l->flags |= BPE_PKT_BAD_LENGTH;
	if (BPEI_UNLIKELY(fragment & 0x3fff)) l->flags |= fragment & 0x1fff ? BPE_PKT_FRAGMENT : BPE_PKT_FIRST_FRAGMENT;

	uint32_t ports = 0;
	if (BPEI_LIKELY(header <= left)) {
		ports = transport(p, offset + header, ip[9]);
	} else {
		l->flags |= BPE_PKT_TRUNCATED;
		l->proto = BPE_PROTO_IP_OTHER;
	}
	uint32_t source = bpei_be32(ip + 12), target = bpei_be32(ip + 16);
	bool swap = source > target || (source == target && ports_swapped(ports));
	struct bpe_key *k = p->key;
	memset(k->addr, 0, sizeof k->addr);
	bpei_store32(k->addr[swap], bpei_load32(ip + 12));
	bpei_store32(k->addr[!swap], bpei_load32(ip + 16));
	key_rest(p, ports, 4, swap);
}

/* Walks the extension headers: the offset of what follows them, with l->ip_proto set to what it is; 0 if they are cut or
 * damaged, or if a later fragment ends the walk (payload is set then). */
static uint32_t ip6_extensions(const struct packet *p, uint32_t offset, uint8_t next)
{
	struct bpe_layers *l = p->layers;
	for (;;) {
		uint32_t least = 8, length;
		l->ip_proto = next;
		switch (next) {
		case IP_HOPOPTS: case IP_ROUTING: case IP_DSTOPTS: case IP_MOBILITY: case IP_HIP: case IP_SHIM6:
		case IP_AH: case IP_FRAGMENT: break;
		default: return offset;
		}
		if (l->end < offset + least) {
			l->flags |= missing(p, offset, least);
			return 0;
		}
		const uint8_t *h = p->data + offset;
		if (next == IP_FRAGMENT) {
			uint32_t fragment = bpei_be16(h + 2);
			length = 8;
			if (fragment & 0xfff8) {
				l->flags |= BPE_PKT_FRAGMENT;
				l->ip_proto = h[0];
				return offset + length;
			}
			if (fragment & 1) l->flags |= BPE_PKT_FIRST_FRAGMENT;
		} else {
			length = next == IP_AH ? (h[1] + 2u) * 4 : (h[1] + 1u) * 8;
			if (length < 8) {
				l->flags |= BPE_PKT_BAD_HEADER;
				return 0;
			}
		}
		if (l->end - offset < length) {
			l->flags |= missing(p, offset, length);
			return 0;
		}
		next = h[0];
		offset += length;
	}
}

static void ip6(const struct packet *p, uint32_t offset)
{
	struct bpe_layers *l = p->layers;
	const uint8_t *ip = p->data + offset;
	uint32_t left = p->caplen - offset;

	l->network = (uint16_t)offset;
	if (BPEI_UNLIKELY(left < 40)) {
		l->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (BPEI_UNLIKELY(ip[0] >> 4 != 6)) {
		l->flags |= BPE_PKT_BAD_VERSION;
		return;
	}
	l->flags |= BPE_PKT_IP6;
	uint32_t length = bpei_be16(ip + 4);
	if (length && length < left - 40) l->end = offset + 40 + length;	/* 0: jumbogram or segmentation offload: to the end */
	else if (BPEI_UNLIKELY(length > left - 40 && offset + 40 + length > p->wirelen)) l->flags |= BPE_PKT_BAD_LENGTH;

	uint32_t ports = 0, l4 = ip6_extensions(p, offset + 40, ip[6]);
	if (BPEI_LIKELY(l4)) ports = transport(p, l4, l->ip_proto);
	else l->proto = BPE_PROTO_IP_OTHER;

	uint64_t source0 = bpei_be64(ip + 8), target0 = bpei_be64(ip + 24), source1 = bpei_be64(ip + 16), target1 = bpei_be64(ip + 32);
	bool swap = source0 != target0 ? source0 > target0 : source1 != target1 ? source1 > target1 : ports_swapped(ports);
	memcpy(p->key->addr[swap], ip + 8, 16);
	memcpy(p->key->addr[!swap], ip + 24, 16);
	key_rest(p, ports, 6, swap);
}

static void arp(const struct packet *p, uint32_t offset)
{
	struct bpe_layers *l = p->layers;
	uint32_t left = p->caplen - offset;
	l->proto = BPE_PROTO_ARP;
	l->network = (uint16_t)offset;
	uint32_t need = left < 8 ? 8 : 8 + 2u * (p->data[offset + 4] + p->data[offset + 5]);
	if (left < need) l->flags |= offset + need > p->wirelen ? BPE_PKT_BAD_LENGTH : BPE_PKT_TRUNCATED;
	else l->end = offset + need;
}

/* What begins at offset, by its ethertype; VLAN tags are taken first. */
static void ethertype(const struct packet *p, uint32_t offset, uint16_t type)
{
	struct bpe_layers *l = p->layers;
	while (BPEI_UNLIKELY(type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD)) {
		l->flags |= BPE_PKT_VLAN;
		l->ethertype = type;
		if (p->caplen - offset < 4 || offset > BPE_NO_OFFSET - 64) {
			l->flags |= BPE_PKT_TRUNCATED;
			l->proto = BPE_PROTO_ETHERTYPE;
			return;
		}
		if (l->vlan_count < 2) l->vlan[l->vlan_count] = bpei_be16(p->data + offset) & 0xfff;
		if (l->vlan_count < 255) l->vlan_count++;
		type = bpei_be16(p->data + offset + 2);
		offset += 4;
	}
	l->ethertype = type;
	if (BPEI_LIKELY(type == TYPE_IP4)) {
		ip4(p, offset);
	} else if (type == TYPE_IP6) {
		ip6(p, offset);
	} else if (type == TYPE_ARP) {
		arp(p, offset);
	} else {
		l->network = l->payload = (uint16_t)offset;
		l->proto = BPE_PROTO_ETHERTYPE;
		if (type >= TYPE_LEAST) return;
		l->proto = BPE_PROTO_LLC;
		if (type && type < p->caplen - offset) l->end = offset + type;
	}
}

static void raw_ip(const struct packet *p, uint32_t offset, unsigned version)
{
	if (p->caplen == offset) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (!version) version = p->data[offset] >> 4;
	p->layers->ethertype = version == 6 ? TYPE_IP6 : TYPE_IP4;
	if (version == 6) ip6(p, offset);
	else ip4(p, offset);
}

/* DLT_NULL's family is in the byte order of the host that captured, DLT_LOOP's in network order. */
static void loopback(const struct packet *p, bool network_order)
{
	if (p->caplen < 4) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	uint32_t family = bpei_be32(p->data);
	if (!network_order && family > 0xffff) family = __builtin_bswap32(family);
	switch (family) {
	case 2: raw_ip(p, 4, 4); return;
	case 10: case 24: case 28: case 30: raw_ip(p, 4, 6); return;	/* Linux; NetBSD and OpenBSD; FreeBSD; macOS */
	default:
		p->layers->network = p->layers->payload = 4;
		p->layers->proto = BPE_PROTO_ETHERTYPE;
		p->layers->ethertype = (uint16_t)(family < 0x600 ? family : 0xffff);
	}
}

static void cooked(const struct packet *p, uint32_t header, uint32_t type_at, uint32_t kind)
{
	if (p->caplen < header) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return;
	}
	if (kind == SLL_OUTGOING) p->layers->flags |= BPE_PKT_OUTGOING;
	uint16_t type = bpei_be16(p->data + type_at);
	if (type < TYPE_LEAST) {	/* LINUX_SLL_P_*: no ethertype */
		p->layers->network = p->layers->payload = (uint16_t)header;
		p->layers->ethertype = type;
		p->layers->proto = type == SLL_P_802_2 ? BPE_PROTO_LLC : BPE_PROTO_ETHERTYPE;
		return;
	}
	ethertype(p, header, type);
}

/* ---- The plain ones ---- */

/* Hides from the compiler that a number is 0 or 1, so that it does not branch on it. */
static inline uint32_t opaque(uint32_t bit)
{
	__asm__("" : "+r"(bit));
	return bit;
}

static inline uint32_t choose(uint32_t bit, uint32_t if_1, uint32_t if_0) { return if_0 ^ ((if_0 ^ if_1) & (0 - bit)); }

/* TCP or UDP whole and sound behind a sound IP header: most packets of most traffic, without a branch on which of the two it
 * is (a wrong guess costs more than all the rest).  False, and nothing written, where anything is unusual; the road above,
 * which knows everything, gives the same answer for what is done here. */
static inline __attribute__((always_inline)) bool plain(const struct packet *p, uint32_t network, uint32_t offset, uint32_t end, uint8_t proto,
		bool six, bool above, bool equal, uint32_t source_at, uint16_t outgoing, uint16_t link_type)
{
	const uint8_t *l4 = p->data + offset;
	uint32_t left = end - offset, tcp = opaque(proto == IP_TCP), udp = opaque(proto == IP_UDP);
	if (BPEI_UNLIKELY(!(udp | tcp)) || BPEI_UNLIKELY(left < 8 + 12 * tcp)) return false;
	uint32_t header = choose(tcp, (uint32_t)(l4[12 * tcp] >> 4) * 4, 8), length = bpei_be16(l4 + 4), whole = choose(tcp, left, length);
	if (BPEI_UNLIKELY(header < 8 + 12 * tcp) || BPEI_UNLIKELY(header > left) || BPEI_UNLIKELY(whole - 8 > left - 8)
	    || BPEI_UNLIKELY(offset > 4096)) return false;

	uint32_t source = bpei_be16(l4), target = bpei_be16(l4 + 2);
	uint32_t swap = opaque(above) | (opaque(equal) & (source > target));
	const uint8_t *from = p->data + source_at;
	struct bpe_key *k = p->key;
	if (six) {
		memcpy(k->addr[swap], from, 16);
		memcpy(k->addr[!swap], from + 16, 16);
	} else {
		memset(k->addr, 0, sizeof k->addr);
		bpei_store32(k->addr[swap], bpei_load32(from));
		bpei_store32(k->addr[!swap], bpei_load32(from + 4));
	}
	k->port[swap] = (uint16_t)source;
	k->port[!swap] = (uint16_t)target;
	k->ip_proto = proto;
	k->ip_version = six ? 6 : 4;
	k->vlan[0] = k->vlan[1] = 0;
	memset(k->zero, 0, sizeof k->zero);
	*p->layers = (struct bpe_layers){ .network = (uint16_t)network, .transport = (uint16_t)offset, .payload = (uint16_t)(offset + header),
		.flags = (uint16_t)(outgoing | BPE_PKT_KEY | (six ? BPE_PKT_IP6 : BPE_PKT_IP4) | swap * BPE_PKT_REVERSED), .end = offset + whole,
		.ethertype = six ? TYPE_IP6 : TYPE_IP4, .ip_proto = proto, .proto = (uint8_t)(BPE_PROTO_UDP - tcp), .link_type = link_type,
		.tcp_flags = (uint8_t)(l4[13 * tcp] * tcp) };
	return true;
}

_Static_assert(BPE_PROTO_UDP - 1 == BPE_PROTO_TCP, "subtracted in plain");

static inline __attribute__((always_inline)) bool plain_ethernet(const struct packet *p, uint16_t outgoing)
{
	const uint8_t *ip = p->data + 14;
	if (BPEI_UNLIKELY(p->caplen < 14 + 20 + 8)) return false;
	uint32_t type = bpei_load16(p->data + 12), left = p->caplen - 14;
	if (BPEI_LIKELY(type == bpei_be16(&(uint16_t){ TYPE_IP4 }))) {
		uint32_t total = bpei_be16(ip + 2), source = bpei_be32(ip + 12), target = bpei_be32(ip + 16);
		if (BPEI_UNLIKELY(ip[0] != 0x45 || total < 20 || total > left || bpei_be16(ip + 6) & 0x3fff)) return false;
		return plain(p, 14, 34, 14 + total, ip[9], false, source > target, source == target, 26, outgoing, LINK_ETHERNET);
	}
	if (type != bpei_be16(&(uint16_t){ TYPE_IP6 }) || left < 40) return false;
	uint32_t length = bpei_be16(ip + 4);
	if (BPEI_UNLIKELY(ip[0] >> 4 != 6 || !length || length > left - 40)) return false;
	uint64_t source0 = bpei_be64(ip + 8), target0 = bpei_be64(ip + 24), source1 = bpei_be64(ip + 16), target1 = bpei_be64(ip + 32);
	bool same = source0 == target0, above = same ? source1 > target1 : source0 > target0;
	return plain(p, 14, 54, 54 + length, ip[6], true, above, same && source1 == target1, 22, outgoing, LINK_ETHERNET);
}

void bpei_parse_scalar(const struct bpei_columns *columns, uint32_t n, uint32_t link_type)
{
	for (uint32_t i = 0; i < n; i++) {
		struct packet p = { columns->data[i], columns->caplen[i], columns->wirelen[i], &columns->layers[i], &columns->key[i] };
		if (BPEI_LIKELY(link_type == LINK_ETHERNET && plain_ethernet(&p, p.layers->flags & BPE_PKT_OUTGOING))) continue;
		*p.layers = (struct bpe_layers){ .network = BPE_NO_OFFSET, .transport = BPE_NO_OFFSET, .payload = BPE_NO_OFFSET,
			.flags = p.layers->flags & BPE_PKT_OUTGOING, .end = p.caplen, .link_type = (uint16_t)link_type };
		switch (link_type) {
		case LINK_ETHERNET:
			if (BPEI_LIKELY(p.caplen >= 14)) ethertype(&p, 14, bpei_be16(p.data + 12));
			else p.layers->flags |= BPE_PKT_TRUNCATED;
			break;
		case LINK_NULL: loopback(&p, false); break;
		case LINK_LOOP: loopback(&p, true); break;
		case LINK_RAW: case LINK_RAW_12: case LINK_RAW_14: raw_ip(&p, 0, 0); break;
		case LINK_IPV4: raw_ip(&p, 0, 4); break;
		case LINK_IPV6: raw_ip(&p, 0, 6); break;
		case LINK_SLL: cooked(&p, 16, 14, p.caplen >= 2 ? bpei_be16(p.data) : 0); break;
		case LINK_SLL2: cooked(&p, 20, 0, p.caplen >= 11 ? p.data[10] : 0); break;
		default: p.layers->payload = 0; p.layers->proto = BPE_PROTO_LINKTYPE;
		}
	}
}
