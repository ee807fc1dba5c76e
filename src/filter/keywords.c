/* SPDX-License-Identifier: MIT */
/* The keywords of the filter language (pcap-filter(7)), as data.  Pure. */
#include "filter/keywords.h"

#include "base/pktap.h"
#include "filter/lex.h"
#include "filter/terms.h"

#include <string.h>

static const struct keyword keywords[] = {
	{ "dst", T_DST, 0 },
	{ "src", T_SRC, 0 },
	{ "link", T_PROTO_NAME, P_LINK },
	{ "ether", T_PROTO_NAME, P_LINK },
	{ "ppp", T_PROTO_NAME, P_LINK },
	{ "slip", T_PROTO_NAME, P_LINK },
	{ "fddi", T_PROTO_NAME, P_LINK },
	{ "tr", T_PROTO_NAME, P_LINK },
	{ "wlan", T_PROTO_NAME, P_LINK },
	{ "arp", T_PROTO_NAME, P_ARP },
	{ "rarp", T_PROTO_NAME, P_RARP },
	{ "ip", T_PROTO_NAME, P_IP },
	{ "sctp", T_PROTO_NAME, P_SCTP },
	{ "tcp", T_PROTO_NAME, P_TCP },
	{ "udp", T_PROTO_NAME, P_UDP },
	{ "icmp", T_PROTO_NAME, P_ICMP },
	{ "igmp", T_PROTO_NAME, P_IGMP },
	{ "igrp", T_PROTO_NAME, P_IGRP },
	{ "pim", T_PROTO_NAME, P_PIM },
	{ "vrrp", T_PROTO_NAME, P_VRRP },
	{ "carp", T_PROTO_NAME, P_CARP },
	{ "ip6", T_PROTO_NAME, P_IP6 },
	{ "icmp6", T_PROTO_NAME, P_ICMP6 },
	{ "ah", T_PROTO_NAME, P_AH },
	{ "esp", T_PROTO_NAME, P_ESP },
	{ "atalk", T_PROTO_NAME, P_ATALK },
	{ "aarp", T_PROTO_NAME, P_AARP },
	{ "decnet", T_PROTO_NAME, P_DECNET },
	{ "lat", T_PROTO_NAME, P_LAT },
	{ "sca", T_PROTO_NAME, P_SCA },
	{ "moprc", T_PROTO_NAME, P_MOPRC },
	{ "mopdl", T_PROTO_NAME, P_MOPDL },
	{ "iso", T_PROTO_NAME, P_ISO },
	{ "esis", T_PROTO_NAME, P_ESIS },
	{ "es-is", T_PROTO_NAME, P_ESIS },
	{ "isis", T_PROTO_NAME, P_ISIS },
	{ "is-is", T_PROTO_NAME, P_ISIS },
	{ "clnp", T_PROTO_NAME, P_CLNP },
	{ "stp", T_PROTO_NAME, P_STP },
	{ "ipx", T_PROTO_NAME, P_IPX },
	{ "netbeui", T_PROTO_NAME, P_NETBEUI },
	{ "host", T_HOST, 0 },
	{ "net", T_NET, 0 },
	{ "mask", T_MASK, 0 },
	{ "port", T_PORT, 0 },
	{ "portrange", T_PORTRANGE, 0 },
	{ "proto", T_PROTO, 0 },
	{ "protochain", T_PROTOCHAIN, 0 },
	{ "gateway", T_GATEWAY, 0 },
	{ "less", T_LESS, 0 },
	{ "greater", T_GREATER, 0 },
	{ "broadcast", T_BROADCAST, 0 },
	{ "multicast", T_MULTICAST, 0 },
	{ "and", T_AND, 0 },
	{ "or", T_OR, 0 },
	{ "not", T_NOT, 0 },
	{ "len", T_LEN, 0 },
	{ "length", T_LEN, 0 },
	{ "inbound", T_INBOUND, 0 },
	{ "outbound", T_OUTBOUND, 0 },
	{ "vlan", T_VLAN, 0 },
	{ "mpls", T_MPLS, 0 },
	{ "pppoed", T_PPPOED, 0 },
	{ "pppoes", T_PPPOES, 0 },
	{ "geneve", T_TUNNEL, BPE_THROUGH_GENEVE },
	{ "ifindex", T_IFINDEX, 0 },
	{ "byte", T_BYTE, 0 },
	{ "type", T_TYPE, 0 },
	{ "subtype", T_SUBTYPE, 0 },
	{ "dir", T_DIR, 0 },
	{ "direction", T_DIR, 0 },
	{ "llc", T_LLC, 0 },
	{ "addr1", T_ADDRESS, D_ADDR1 },
	{ "addr2", T_ADDRESS, D_ADDR2 },
	{ "addr3", T_ADDRESS, D_ADDR3 },
	{ "addr4", T_ADDRESS, D_ADDR4 },
	{ "address1", T_ADDRESS, D_ADDR1 },
	{ "address2", T_ADDRESS, D_ADDR2 },
	{ "address3", T_ADDRESS, D_ADDR3 },
	{ "address4", T_ADDRESS, D_ADDR4 },
	{ "ra", T_ADDRESS, D_RA },
	{ "ta", T_ADDRESS, D_TA },
	{ "radio", T_PROTO_NAME, P_RADIO },
	{ "l1", T_PROTO_NAME, P_L1 },
	{ "l2", T_PROTO_NAME, P_L2 },
	{ "iih", T_PROTO_NAME, P_IIH },
	{ "lsp", T_PROTO_NAME, P_LSP },
	{ "snp", T_PROTO_NAME, P_SNP },
	{ "csnp", T_PROTO_NAME, P_CSNP },
	{ "psnp", T_PROTO_NAME, P_PSNP },
	{ "lane", T_ATM, ATM_WORD_LANE },
	{ "metac", T_ATM, ATM_WORD_METAC },
	{ "bcc", T_ATM, ATM_WORD_BCC },
	{ "sc", T_ATM, ATM_WORD_SC },
	{ "ilmic", T_ATM, ATM_WORD_ILMIC },
	{ "oamf4sc", T_ATM, ATM_WORD_OAMF4SC },
	{ "oamf4ec", T_ATM, ATM_WORD_OAMF4EC },
	{ "oamf4", T_ATM, ATM_WORD_OAM },
	{ "oam", T_ATM, ATM_WORD_OAM },
	{ "connectmsg", T_ATM, ATM_WORD_CONNECT },
	{ "metaconnect", T_ATM, ATM_WORD_METACONNECT },
	{ "fisu", T_SIGNAL_UNIT, SS7_WORD_FISU },
	{ "lssu", T_SIGNAL_UNIT, SS7_WORD_LSSU },
	{ "lsu", T_SIGNAL_UNIT, SS7_WORD_LSSU },
	{ "msu", T_SIGNAL_UNIT, SS7_WORD_MSU },
	{ "hfisu", T_SIGNAL_UNIT, SS7_WORD_HFISU },
	{ "hlssu", T_SIGNAL_UNIT, SS7_WORD_HLSSU },
	{ "hmsu", T_SIGNAL_UNIT, SS7_WORD_HMSU },
	{ "vpi", T_FIELD, FIELD_VPI },
	{ "vci", T_FIELD, FIELD_VCI },
	{ "sio", T_FIELD, FIELD_SIO },
	{ "opc", T_FIELD, FIELD_OPC },
	{ "dpc", T_FIELD, FIELD_DPC },
	{ "sls", T_FIELD, FIELD_SLS },
	{ "hsio", T_FIELD, FIELD_HSIO },
	{ "hopc", T_FIELD, FIELD_HOPC },
	{ "hdpc", T_FIELD, FIELD_HDPC },
	{ "hsls", T_FIELD, FIELD_HSLS },
	{ "ifname", T_PF, PF_WORD_IFNAME },
	{ "on", T_PF, PF_WORD_IFNAME },
	{ "rset", T_PF, PF_WORD_RULESET },
	{ "ruleset", T_PF, PF_WORD_RULESET },
	{ "rnr", T_PF, PF_WORD_RULE },
	{ "rulenum", T_PF, PF_WORD_RULE },
	{ "srnr", T_PF, PF_WORD_SUBRULE },
	{ "subrulenum", T_PF, PF_WORD_SUBRULE },
	{ "reason", T_PF, PF_WORD_REASON },
	{ "action", T_PF, PF_WORD_ACTION },
	{ "icmptype", T_NUMBER, 0 },
	{ "icmpcode", T_NUMBER, 1 },
	{ "icmp-echoreply", T_NUMBER, 0 },
	{ "icmp-unreach", T_NUMBER, 3 },
	{ "icmp-sourcequench", T_NUMBER, 4 },
	{ "icmp-redirect", T_NUMBER, 5 },
	{ "icmp-echo", T_NUMBER, 8 },
	{ "icmp-routeradvert", T_NUMBER, 9 },
	{ "icmp-routersolicit", T_NUMBER, 10 },
	{ "icmp-timxceed", T_NUMBER, 11 },
	{ "icmp-paramprob", T_NUMBER, 12 },
	{ "icmp-tstamp", T_NUMBER, 13 },
	{ "icmp-tstampreply", T_NUMBER, 14 },
	{ "icmp-ireq", T_NUMBER, 15 },
	{ "icmp-ireqreply", T_NUMBER, 16 },
	{ "icmp-maskreq", T_NUMBER, 17 },
	{ "icmp-maskreply", T_NUMBER, 18 },
	{ "icmp6type", T_NUMBER, 0 },
	{ "icmp6code", T_NUMBER, 1 },
	{ "icmp6-destinationunreach", T_NUMBER, 1 },
	{ "icmp6-packettoobig", T_NUMBER, 2 },
	{ "icmp6-timeexceeded", T_NUMBER, 3 },
	{ "icmp6-parameterproblem", T_NUMBER, 4 },
	{ "icmp6-echo", T_NUMBER, 128 },
	{ "icmp6-echoreply", T_NUMBER, 129 },
	{ "icmp6-multicastlistenerquery", T_NUMBER, 130 },
	{ "icmp6-multicastlistenerreportv1", T_NUMBER, 131 },
	{ "icmp6-multicastlistenerdone", T_NUMBER, 132 },
	{ "icmp6-routersolicit", T_NUMBER, 133 },
	{ "icmp6-routeradvert", T_NUMBER, 134 },
	{ "icmp6-neighborsolicit", T_NUMBER, 135 },
	{ "icmp6-neighboradvert", T_NUMBER, 136 },
	{ "icmp6-redirect", T_NUMBER, 137 },
	{ "icmp6-routerrenum", T_NUMBER, 138 },
	{ "icmp6-nodeinformationquery", T_NUMBER, 139 },
	{ "icmp6-nodeinformationresponse", T_NUMBER, 140 },
	{ "icmp6-ineighbordiscoverysolicit", T_NUMBER, 141 },
	{ "icmp6-ineighbordiscoveryadvert", T_NUMBER, 142 },
	{ "icmp6-multicastlistenerreportv2", T_NUMBER, 143 },
	{ "icmp6-homeagentdiscoveryrequest", T_NUMBER, 144 },
	{ "icmp6-homeagentdiscoveryreply", T_NUMBER, 145 },
	{ "icmp6-mobileprefixsolicit", T_NUMBER, 146 },
	{ "icmp6-mobileprefixadvert", T_NUMBER, 147 },
	{ "icmp6-certpathsolicit", T_NUMBER, 148 },
	{ "icmp6-certpathadvert", T_NUMBER, 149 },
	{ "icmp6-multicastrouteradvert", T_NUMBER, 151 },
	{ "icmp6-multicastroutersolicit", T_NUMBER, 152 },
	{ "icmp6-multicastrouterterm", T_NUMBER, 153 },
	{ "tcpflags", T_NUMBER, 13 },
	{ "tcp-fin", T_NUMBER, 1 },
	{ "tcp-syn", T_NUMBER, 2 },
	{ "tcp-rst", T_NUMBER, 4 },
	{ "tcp-push", T_NUMBER, 8 },
	{ "tcp-ack", T_NUMBER, 16 },
	{ "tcp-urg", T_NUMBER, 32 },
	{ "tcp-ece", T_NUMBER, 64 },
	{ "tcp-cwr", T_NUMBER, 128 },
};

/* Words beside pcap-filter(7)'s are keywords only where no expression of pcap-filter(7) can have
 * them: "inner" in front of a parenthesis, and the terms of PKTAP on PKTAP's link type.  The
 * numbers are offsets in PKTAP's header. */
static const struct keyword pktap_keywords[] = { { "pid", T_PKTAP, PKTAP_PID },
	{ "epid", T_PKTAP, PKTAP_EPID }, { "proc", T_PKTAP, PKTAP_COMM },
	{ "eproc", T_PKTAP, PKTAP_ECOMM }, { "svc", T_PKTAP, PKTAP_SVC },
	{ "if", T_PKTAP, PKTAP_IFNAME } };

/* ---- The nearest keyword ---- */

#define LONGEST_KEYWORD 38

static size_t least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns how many letters to insert, remove, change or swap to turn one word into the other
 * (Damerau and Levenshtein).  Each word has at most LONGEST_KEYWORD letters. */
static size_t word_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][LONGEST_KEYWORD + 2];

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *row = rows[i % 3];
		const size_t *up = rows[(i + 2) % 3];
		const size_t *above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			const bool swapped =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];

			row[j] = up[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = least_of(row[j], up[j] + 1);
			row[j] = least_of(row[j], row[j - 1] + 1);
			if (swapped)
				row[j] = least_of(row[j], above[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

/* Prefers, of keywords at the same distance, the first with the word's first letter. */
const char *bpei_keyword_nearest(const char *word)
{
	const size_t n = strlen(word);
	size_t best = least_of(n / 3 + 1, 3);
	const char *found = NULL;

	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		const char *k = keywords[i].word;
		const size_t m = strlen(k);

		if (m > LONGEST_KEYWORD || n > LONGEST_KEYWORD)
			continue;
		const size_t distance = word_distance(word, n, k, m);
		const bool begins_alike = found && word[0] == k[0] && found[0] != k[0];
		if (distance < best || (distance == best && begins_alike)) {
			best = distance;
			found = k;
		}
	}
	return found;
}

/* ---- Look-up ---- */

/* Finds the keywords of pcap-filter(7), and "vxlan". */
const struct keyword *bpei_keyword_find(const char *word)
{
	static const struct keyword vxlan = { "vxlan", T_TUNNEL, BPE_THROUGH_VXLAN };

	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (keywords[i].word[0] == word[0] && !strcmp(keywords[i].word, word))
			return &keywords[i];
	return strcmp(word, vxlan.word) ? NULL : &vxlan;
}

const struct keyword *bpei_keyword_find_pktap(const char *word)
{
	for (size_t i = 0; i < sizeof pktap_keywords / sizeof *pktap_keywords; i++)
		if (!strcmp(pktap_keywords[i].word, word))
			return &pktap_keywords[i];
	return NULL;
}
