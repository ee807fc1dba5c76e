/* SPDX-License-Identifier: MIT */
/* Names for the lines of our own forms (facts.h); constant. */
#include "facts.h"

static const struct {
	uint16_t ethertype;
	const char *name;
} ethertype_names[] = { { 0x88cc, "lldp" }, { 0x8863, "pppoed" }, { 0x8864, "pppoes" },
	{ 0x888e, "eapol" }, { 0x8847, "mpls" }, { 0x8848, "mpls" }, { 0x88f7, "ptp" },
	{ 0x9000, "loopback" }, { 0x8035, "rarp" }, { 0x88e5, "macsec" }, { 0x8809, "lacp" },
	{ 0x8100, "vlan" }, { 0x88a8, "vlan" }, { 0x0800, "ip" }, { 0x86dd, "ip6" } };

const char *facts_protocol(const struct bpe_layers *l)
{
	const char *name;

	switch (l->proto) {
	case BPE_PROTO_IP_OTHER:
		name = bpe_ip_proto_name(l->ip_proto);
		return name ? name : "ip";
	case BPE_PROTO_ETHERTYPE:
		for (size_t k = 0; k < sizeof ethertype_names / sizeof *ethertype_names; k++)
			if (ethertype_names[k].ethertype == l->ethertype)
				return ethertype_names[k].name;
		return "ether";
	case BPE_PROTO_LINKTYPE:
		return "link";
	case BPE_PROTO_NONE:
		return "-";
	default:
		name = bpe_proto_name(l->proto);
		return name ? name : "-";
	}
}

/* By bit of BPE_MARK_*; a round trip is a number instead. */
static const char *const mark_names[] = { "retransmission", "fast", "spurious", "out-of-order",
	"zero-window", "lost-before", "unseen-ack", "keep-alive", "duplicate-ack", "seen-twice",
	"lost-on-other-side" };

const char *facts_mark_name(uint32_t bit)
{
	return bit < sizeof mark_names / sizeof *mark_names ? mark_names[bit] : NULL;
}
