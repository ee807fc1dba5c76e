/* SPDX-License-Identifier: MIT */
/* Kinds of tunnels by the names that reports, records and options use.  Pure. */
#include "bpfengine.h"

static const char *const tunnel_names[BPE_TUNNEL_COUNT] = {
	[BPE_TUNNEL_NONE] = NULL,
	[BPE_TUNNEL_IPIP] = "ipip",
	[BPE_TUNNEL_GRE] = "gre",
	[BPE_TUNNEL_ERSPAN] = "erspan",
	[BPE_TUNNEL_EOIP] = "eoip",
	[BPE_TUNNEL_WCCP] = "wccp",
	[BPE_TUNNEL_ETHERIP] = "etherip",
	[BPE_TUNNEL_MPLS_IP] = "mpls-ip",
	[BPE_TUNNEL_SRV6] = "srv6",
	[BPE_TUNNEL_VXLAN] = "vxlan",
	[BPE_TUNNEL_VXLAN_GPE] = "vxlan-gpe",
	[BPE_TUNNEL_GENEVE] = "geneve",
	[BPE_TUNNEL_GTPU] = "gtpu",
	[BPE_TUNNEL_TEREDO] = "teredo",
	[BPE_TUNNEL_L2TP] = "l2tp",
	[BPE_TUNNEL_GRE_UDP] = "gre-udp",
	[BPE_TUNNEL_MPLS_UDP] = "mpls-udp",
	[BPE_TUNNEL_TZSP] = "tzsp",
	[BPE_TUNNEL_CAPWAP] = "capwap",
	[BPE_TUNNEL_EOMPLS] = "eompls",
	[BPE_TUNNEL_PBB] = "pbb",
	[BPE_TUNNEL_NSH] = "nsh",
	[BPE_TUNNEL_FABRICPATH] = "fabricpath",
	[BPE_TUNNEL_VNTAG] = "vntag",
	[BPE_TUNNEL_ETAG] = "etag",
	[BPE_TUNNEL_CISCO_METADATA] = "cisco-metadata",
	[BPE_TUNNEL_HSR] = "hsr",
	[BPE_TUNNEL_ARISTA] = "arista",
	[BPE_TUNNEL_MACSEC] = "macsec",
	[BPE_TUNNEL_LLC_IP] = "llc-ip",
	[BPE_TUNNEL_MESH] = "mesh",
	[BPE_TUNNEL_AMSDU] = "amsdu",
};

const char *bpe_tunnel_name(int kind)
{
	return kind > BPE_TUNNEL_NONE && kind < BPE_TUNNEL_COUNT ? tunnel_names[kind] : NULL;
}
