/* SPDX-License-Identifier: MIT */
/* IP protocols and ethertypes by the names that reports and records print.  Pure. */
#include "bpfengine.h"
#include "names/names.h"
#include "names/numbers.h"

struct numbered_name {
	uint32_t number;
	const char *name;
};

static const struct numbered_name ip_protocols[] = {
	{ IP_ICMP, "icmp" },
	{ IP_IGMP, "igmp" },
	{ IP_IPIP, "ipip" },
	{ IP_TCP, "tcp" },
	{ IP_UDP, "udp" },
	{ IP_DCCP, "dccp" },
	{ IP_IPV6, "ipv6" },
	{ IP_RSVP, "rsvp" },
	{ IP_GRE, "gre" },
	{ IP_ESP, "esp" },
	{ IP_AH, "ah" },
	{ IP_ICMP6, "icmp6" },
	{ IP_EIGRP, "eigrp" },
	{ IP_OSPF, "ospf" },
	{ IP_ETHERIP, "etherip" },
	{ IP_PIM, "pim" },
	{ IP_VRRP, "vrrp" },
	{ IP_L2TP, "l2tp" },
	{ IP_SCTP, "sctp" },
	{ IP_UDPLITE, "udplite" },
};

static const struct numbered_name ethertypes[] = {
	{ TYPE_RARP, "rarp" },
	{ TYPE_SLOW_PROTOCOLS, "slow-protocols" },
	{ TYPE_PPP, "ppp" },
	{ TYPE_MPLS, "mpls" },
	{ TYPE_MPLS_MULTICAST, "mpls-multicast" },
	{ TYPE_PPPOE_DISCOVERY, "pppoe-discovery" },
	{ TYPE_PPPOE, "pppoe" },
	{ TYPE_EAPOL, "eapol" },
	{ TYPE_LLDP, "lldp" },
	{ TYPE_MACSEC, "macsec" },
	{ TYPE_PBB, "pbb" },
	{ TYPE_PTP, "ptp" },
	{ TYPE_PRP, "prp" },
	{ TYPE_CFM, "cfm" },
	{ TYPE_FABRICPATH, "fabricpath" },
	{ TYPE_CISCO_METADATA, "cisco-metadata" },
	{ TYPE_VNTAG, "vntag" },
	{ TYPE_HSR, "hsr" },
	{ TYPE_ETAG, "etag" },
	{ TYPE_NSH, "nsh" },
	{ TYPE_ARISTA, "arista" },
};

static const char *find_name(const struct numbered_name *names, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

const char *bpe_ip_proto_name(int ip_proto)
{
	const size_t n = sizeof ip_protocols / sizeof *ip_protocols;

	return find_name(ip_protocols, n, (uint32_t)ip_proto);
}

const char *bpei_ethertype_name(uint32_t type)
{
	return find_name(ethertypes, sizeof ethertypes / sizeof *ethertypes, type);
}
