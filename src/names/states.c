/* SPDX-License-Identifier: MIT */
/* Kinds of packets and states of TCP by the names that reports and records print.  Pure. */
#include "bpfengine.h"

const char *bpe_proto_name(int proto)
{
	static const char *const names[BPE_PROTO_COUNT] = {
		[BPE_PROTO_NONE] = "damaged",
		[BPE_PROTO_ARP] = "arp",
		[BPE_PROTO_TCP] = "tcp",
		[BPE_PROTO_UDP] = "udp",
		[BPE_PROTO_ICMP] = "icmp",
		[BPE_PROTO_ICMP6] = "icmp6",
		[BPE_PROTO_IGMP] = "igmp",
		[BPE_PROTO_SCTP] = "sctp",
		[BPE_PROTO_IP_OTHER] = "ip-proto",
		[BPE_PROTO_ETHERTYPE] = "ethertype",
		[BPE_PROTO_LLC] = "llc",
		[BPE_PROTO_LINKTYPE] = "linktype",
		[BPE_PROTO_UDPLITE] = "udplite",
		[BPE_PROTO_DCCP] = "dccp",
		[BPE_PROTO_CARP] = "carp",
		[BPE_PROTO_WIREGUARD] = "wireguard",
		[BPE_PROTO_STP] = "stp",
		[BPE_PROTO_GTP_PRIME] = "gtp-prime",
	};

	return proto >= 0 && proto < BPE_PROTO_COUNT ? names[proto] : NULL;
}

const char *bpe_tcp_state_name(int state)
{
	static const char *const names[] = {
		[BPE_TCP_NONE] = "",
		[BPE_TCP_SYN_SENT] = "syn_sent",
		[BPE_TCP_SYN_RECEIVED] = "syn_received",
		[BPE_TCP_ESTABLISHED] = "established",
		[BPE_TCP_CLOSING] = "closing",
		[BPE_TCP_CLOSED] = "closed",
		[BPE_TCP_RESET] = "reset",
	};

	return state >= 0 && state <= BPE_TCP_RESET ? names[state] : NULL;
}
