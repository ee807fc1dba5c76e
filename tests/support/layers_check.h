/* SPDX-License-Identifier: MIT */
/* Checks of a parsed packet, for any bytes. */
#ifndef LAYERS_CHECK_H
#define LAYERS_CHECK_H

#include "bpfengine.h"

#include <stddef.h>
#include <string.h>

/* Returns the broken promise of a key, or NULL. */
static inline const char *find_wrong_key(const struct bpe_layers *l, const struct bpe_key *key)
{
	static const uint8_t zero[16];
	if (key->ip_version != (l->flags & BPE_PKT_IP4 ? 4 : 6))
		return "key: version";
	if (key->ip_proto != l->ip_proto && !(l->flags & BPE_PKT_ICMP_ERROR))
		return "key: protocol";
	if (key->vlan[0] != l->vlan[0] || key->vlan[1] != l->vlan[1])
		return "key: VLAN";
	if (memcmp(key->zero, zero, sizeof key->zero))
		return "key: padding is set";
	if (key->ip_version == 4 &&
		(memcmp(key->addr[0] + 4, zero, 12) || memcmp(key->addr[1] + 4, zero, 12)))
		return "key: IPv4 with a tail";
	int order = memcmp(key->addr[0], key->addr[1], 16);
	if (order > 0)
		return "key: the higher address is first";
	if (l->flags & BPE_PKT_FRAGMENT && (key->port[0] || key->port[1]))
		return "key: a later fragment has ports";
	return NULL;
}

/* Returns the broken promise of a parsed packet, or NULL.  Reads the key only if the flags report a
 * key. */
static inline const char *layers_wrong(
	const struct bpe_layers *l, const struct bpe_key *key, uint32_t caplen, uint32_t link_type)
{
	bool has_network = l->network != BPE_NO_OFFSET;
	bool has_transport = l->transport != BPE_NO_OFFSET;
	bool has_payload = l->payload != BPE_NO_OFFSET;
	if (l->end > caplen)
		return "end lies behind the captured bytes";
	if (has_network && l->network > caplen)
		return "network lies behind the captured bytes";
	if (has_transport && l->transport >= caplen)
		return "transport lies behind the captured bytes";
	if (has_payload && l->payload > caplen)
		return "payload lies behind the captured bytes";
	if (has_payload && l->payload > l->end)
		return "payload lies behind the packet's end";
	if (has_transport && (!has_network || l->transport <= l->network))
		return "transport lies before network";
	if (has_payload && has_transport && l->payload < l->transport)
		return "payload lies before transport";
	if (l->proto >= BPE_PROTO_COUNT)
		return "proto is none of the list";
	if (l->link_type != (uint16_t)link_type)
		return "link_type is another";
	if ((l->flags & BPE_PKT_IP4) && (l->flags & BPE_PKT_IP6))
		return "both IPv4 and IPv6";
	if (l->flags & 0xc000u)
		return "a flag that has no name";
	if (l->vlan_count ? !(l->flags & BPE_PKT_VLAN)
			  : (l->flags & (BPE_PKT_VLAN | BPE_PKT_TRUNCATED)) == BPE_PKT_VLAN)
		return "VLAN flag and count differ";
	if ((l->vlan_count < 2 && l->vlan[1]) || (!l->vlan_count && l->vlan[0]) ||
		l->vlan[0] > 4095 || l->vlan[1] > 4095)
		return "VLAN ids";
	if ((l->flags & BPE_PKT_FRAGMENT) && (l->flags & BPE_PKT_FIRST_FRAGMENT))
		return "a first fragment that is not the first";
	if (!(l->flags & BPE_PKT_KEY))
		return l->flags & (BPE_PKT_REVERSED | BPE_PKT_TUNNEL | BPE_PKT_ICMP_ERROR)
			       ? "told of a key that is not there"
			       : NULL;
	if (l->flags & BPE_PKT_ICMP_ERROR && l->proto != BPE_PROTO_ICMP &&
		l->proto != BPE_PROTO_ICMP6)
		return "an ICMP error that is not ICMP";

	if (!(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)))
		return "a key without IP";
	return find_wrong_key(l, key);
}

#endif
