/* SPDX-License-Identifier: MIT */
/* The words of the filter language: the longest that fits wins, as in pcap-filter(7)'s scanner, so
 * that "6000-6010" and "http-alt" are one word each.  Pure over struct bpei_compile. */
#include "base/pktap.h"
#include "filter/lex.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

struct keyword {
	const char *word;
	int token;
	uint32_t number;
};

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

const char *bpei_lex_nearest(const char *word)
{
	size_t n = strlen(word), best = n / 3 + 1;
	const char *found = NULL;
	if (best > 3)
		best = 3;
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		const char *k = keywords[i].word;
		size_t m = strlen(k),
		       rows[3][40]; /* this row, the one before, and the one before that */
		if (m > 38 || n > 38)
			continue;
		for (size_t j = 0; j <= m; j++)
			rows[0][j] = j;
		for (size_t a = 1; a <= n; a++) {
			size_t *row = rows[a % 3], *up = rows[(a + 2) % 3],
			       *above = rows[(a + 1) % 3];
			row[0] = a;
			for (size_t j = 1; j <= m; j++) {
				size_t d = up[j - 1] + (word[a - 1] != k[j - 1]);
				if (up[j] + 1 < d)
					d = up[j] + 1;
				if (row[j - 1] + 1 < d)
					d = row[j - 1] + 1;
				if (a > 1 && j > 1 && word[a - 1] == k[j - 2] &&
					word[a - 2] == k[j - 1] && above[j - 2] + 1 < d)
					d = above[j - 2] + 1;
				row[j] = d;
			}
		}
		if (rows[n % 3][m] < best ||
			(rows[n % 3][m] == best && found && word[0] == k[0] && found[0] != k[0]))
			best = rows[n % 3][m], found = k;
	}
	return found;
}

/* ---- What may begin here, and how long it is ---- */

static size_t hex_run(const char *s)
{
	size_t n = 0;
	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

static uint8_t hex(char c)
{
	return (uint8_t)(isdigit((unsigned char)c) ? c - '0'
						   : tolower((unsigned char)c) - 'a' + 10);
}

static size_t mac(const char *s, uint8_t to[6])
{
	static const char separators[] = ":-.";
	for (const char *sep = separators; *sep; sep++) {
		size_t at = 0;
		int i = 0;
		for (; i < 6; i++) {
			size_t n = hex_run(s + at);
			if (n < 1)
				break;
			if (n > 2)
				n = 2; /* "...:01and": the word ends here */
			to[i] = n == 2 ? (uint8_t)(hex(s[at]) << 4 | hex(s[at + 1])) : hex(s[at]);
			at += n;
			if (i < 5 && s[at++] != *sep)
				break;
		}
		if (i == 6)
			return at;
	}
	if (hex_run(s) == 4 && s[4] == '.' && hex_run(s + 5) == 4 && s[9] == '.' &&
		hex_run(s + 10) == 4) {
		static const uint8_t at[] = { 0, 2, 5, 7, 10, 12 };
		for (int i = 0; i < 6; i++)
			to[i] = (uint8_t)(hex(s[at[i]]) << 4 | hex(s[at[i] + 1]));
		return 14;
	}
	if (hex_run(s) != 12)
		return 0;
	for (int i = 0; i < 6; i++)
		to[i] = (uint8_t)(hex(s[2 * i]) << 4 | hex(s[2 * i + 1]));
	return 12;
}

/* An address of ARCnet: a byte in hexadecimal behind a dollar sign. */
static size_t arcnet(const char *s, uint32_t *to)
{
	size_t n = *s == '$' ? hex_run(s + 1) : 0;
	if (n < 1 || n > 2)
		return 0;
	*to = n == 2 ? (uint32_t)(hex(s[1]) << 4 | hex(s[2])) : hex(s[1]);
	return n + 1;
}

static size_t ip6(const char *s, uint8_t to[16])
{
	char text[64];
	size_t n = 0, colons = 0;
	while (n < sizeof text - 1 && (isxdigit((unsigned char)s[n]) || s[n] == ':' || s[n] == '.'))
		n++;
	for (; n >= 2; n--) {
		memcpy(text, s, n);
		text[n] = 0;
		colons = 0;
		for (size_t i = 0; i < n; i++)
			colons += text[i] == ':';
		if (colons < 2)
			return 0;
		if (inet_pton(AF_INET6, text, to) == 1)
			return n;
	}
	return 0;
}

static size_t number(const char *s, uint32_t *value, bool *over)
{
	uint64_t v = 0;
	size_t n = 0;
	*over = false;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && isxdigit((unsigned char)s[2])) {
		for (n = 2; isxdigit((unsigned char)s[n]); n++)
			v = v << 4 | hex(s[n]), *over |= v > UINT32_MAX, v &= UINT32_MAX;
	} else {
		uint32_t base = s[0] == '0' ? 8 : 10;
		for (; isdigit((unsigned char)s[n]); n++) {
			if (s[n] - '0' >= (int)base)
				*over = true;
			v = v * base + (uint32_t)(s[n] - '0');
			*over |= v > UINT32_MAX;
			v &= UINT32_MAX;
		}
	}
	*value = (uint32_t)v;
	return n;
}

/* A part of an address is decimal, whatever it begins with, as libpcap has it; a hexadecimal one is
 * none. */
static size_t decimal(const char *s, uint32_t *value, bool *over)
{
	size_t n = number(s, value, over);
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return *over = true, n;
	*over = false;
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		*value = *value * 10 + (uint32_t)(s[i] - '0');
		*over |= *value > 65535;
		if (*over)
			*value = 65536;
	}
	return n;
}

/* 1.2, 1.2.3, 1.2.3.4, and each part.  over: one is above 255, which only DECnet knows. */
static size_t dotted(
	const char *s, uint32_t *address, uint32_t parts[4], uint32_t *count, bool *over)
{
	size_t at = 0;
	uint32_t a = 0, n = 0;
	*over = false;
	for (;;) {
		bool much;
		size_t k = isdigit((unsigned char)s[at]) ? decimal(s + at, &parts[n], &much) : 0;
		if (!k)
			return 0;
		*over |= much || parts[n] > 255;
		a = a << 8 | (parts[n] & 255);
		at += k;
		n++;
		if (n == 4 || s[at] != '.' || !isdigit((unsigned char)s[at + 1]))
			break;
		at++;
	}
	*address = a;
	*count = n;
	return n > 1 ? at : 0;
}

static size_t identifier(const char *s)
{
	size_t n = 0, end;
	if (!isalnum((unsigned char)s[0]))
		return 0;
	for (end = n = 1; isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '_' || s[n] == '.';
		n++)
		if (s[n] != '-' && s[n] != '_')
			end = n + 1;
	return end;
}

static int punctuation(const char *s, size_t *n)
{
	static const struct {
		const char *text;
		int token;
	} two[] = { { "&&", T_AND }, { "||", T_OR }, { ">=", T_GEQ }, { "<=", T_LEQ },
		{ "!=", T_NEQ }, { "==", '=' }, { "<<", T_LSH }, { ">>", T_RSH } };
	*n = 2;
	for (size_t i = 0; i < sizeof two / sizeof *two; i++)
		if (!strncmp(s, two[i].text, 2))
			return two[i].token;
	*n = 1;
	if (*s == '!')
		return T_NOT;
	return strchr("()[]+-*/%&|^<>=:", *s) ? (unsigned char)*s : T_WRONG;
}

/* Words of ours are words only where no expression of pcap-filter(7) can have them: "inner" before
 * a parenthesis, and what PKTAP packets say of themselves (offsets in their header) on that link
 * type. */
static const struct keyword pktap_words[] = { { "pid", T_PKTAP, PKTAP_PID },
	{ "epid", T_PKTAP, PKTAP_EPID }, { "proc", T_PKTAP, PKTAP_COMM },
	{ "eproc", T_PKTAP, PKTAP_ECOMM }, { "svc", T_PKTAP, PKTAP_SVC },
	{ "if", T_PKTAP, PKTAP_IFNAME } };

static const struct keyword *pktap_word(const char *word)
{
	for (size_t i = 0; i < sizeof pktap_words / sizeof *pktap_words; i++)
		if (!strcmp(pktap_words[i].word, word))
			return &pktap_words[i];
	return NULL;
}

bool bpei_lex_is_pktap(const char *word)
{
	return pktap_word(word);
}

static int our_word(struct bpei_compile *c, const char *behind)
{
	const struct keyword *w = c->pktap ? pktap_word(c->word) : NULL;
	if (!strcmp(c->word, "inner") && behind[strspn(behind, " \t\r\n")] == '(')
		return T_INNER;
	if (w)
		c->number = w->number;
	return w ? w->token : T_NAME;
}

static int name_or_keyword(struct bpei_compile *c, const char *s, size_t n)
{
	if (n >= sizeof c->word)
		return T_WRONG;
	memcpy(c->word, s, n);
	c->word[n] = 0;
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (keywords[i].word[0] == c->word[0] && !strcmp(keywords[i].word, c->word))
			return c->number = keywords[i].number, keywords[i].token;
	if (!strcmp(c->word, "vxlan"))
		return c->number = BPE_THROUGH_VXLAN, T_TUNNEL;
	return our_word(c, s + n);
}

void bpei_lex_next(struct bpei_compile *c)
{
	const char *s = c->text;
	if (++c->tokens > COMPILE_TOKENS)
		bpei_compile_end(c, "the expression, in all its shapes, is too long");
	while (s[c->at] && strchr(" \t\r\n", s[c->at]))
		c->at++;
	s += c->at;
	c->last_at = c->token_at, c->last_length = c->token_length;
	c->token_at = c->at;
	uint8_t m[16], six[16];
	uint32_t value = 0, address = 0, parts[4], count = 0;
	bool over = false, over_dotted = false;
	size_t n = 0;
	if (!*s) {
		c->token = T_END;
	} else if (*s == '\\') { /* a name that is also a keyword */
		n = 1 + strcspn(s + 1, " !()\t\r\n");
		if (n < 2 || n > sizeof c->word)
			c->token = T_WRONG, n = 1;
		else
			memcpy(c->word, s + 1, n - 1), c->word[n - 1] = 0, c->token = T_NAME;
	} else if ((n = arcnet(s, &value))) {
		c->token = T_ARC, c->number = value;
	} else {
		size_t mac_n = mac(s, m), six_n = ip6(s, six),
		       number_n = isdigit((unsigned char)*s) ? number(s, &value, &over) : 0;
		size_t dotted_n = dotted(s, &address, parts, &count, &over_dotted),
		       name_n = identifier(s);
		n = mac_n > six_n ? mac_n : six_n;
		n = n > number_n ? n : number_n;
		n = n > dotted_n ? n : dotted_n;
		n = n > name_n ? n : name_n;
		if (!n)
			c->token = punctuation(s, &n);
		else if (n == mac_n)
			c->token = T_MAC, memcpy(c->bytes, m, 6);
		else if (n == six_n)
			c->token = T_IP6, memcpy(c->bytes, six, 16);
		else if (n == number_n)
			c->token = T_NUMBER, c->number = value;
		else if (n == dotted_n)
			c->token = T_DOTTED, c->number = address, c->dots = count,
			c->over = over_dotted, memcpy(c->parts, parts, sizeof parts);
		else
			c->token = name_or_keyword(c, s, n);
		c->token_length = n;
		if (c->token == T_NUMBER && n == number_n && over)
			bpei_compile_fail(c, "the number is too large, or no octal one");
	}
	c->token_length = n;
	c->at += n;
}
