/* SPDX-License-Identifier: MIT */
/* Translates display filters of Wireshark into filters of this program (answers.h); pure, but for
 * the compiler, which proves the result. */
#include "answers.h"

#include <ctype.h>
#include <string.h>

enum { MOST_TOKEN = 128, MOST_DEPTH = 20 };

/* How a field is written here. */
enum field_form {
	FIELD_ADDRESS, /* words before an address; host becomes net before a network */
	FIELD_WORDS,   /* words before a number */
	FIELD_NUMBER,  /* a number of the packet, compared */
	FIELD_FLAG     /* a bit: 1 or 0 */
};

static const struct {
	const char *name;
	enum field_form form;
	const char *words;
} fields[] = {
	{ "ip.addr", FIELD_ADDRESS, "host" },
	{ "ip.host", FIELD_ADDRESS, "host" },
	{ "ip.src", FIELD_ADDRESS, "src host" },
	{ "ip.src_host", FIELD_ADDRESS, "src host" },
	{ "ip.dst", FIELD_ADDRESS, "dst host" },
	{ "ip.dst_host", FIELD_ADDRESS, "dst host" },
	{ "ipv6.addr", FIELD_ADDRESS, "ip6 host" },
	{ "ipv6.src", FIELD_ADDRESS, "ip6 src host" },
	{ "ipv6.dst", FIELD_ADDRESS, "ip6 dst host" },
	{ "eth.addr", FIELD_WORDS, "ether host" },
	{ "eth.src", FIELD_WORDS, "ether src" },
	{ "eth.dst", FIELD_WORDS, "ether dst" },
	{ "eth.type", FIELD_NUMBER, "ether[12:2]" },
	{ "arp.src.proto_ipv4", FIELD_WORDS, "arp src host" },
	{ "arp.dst.proto_ipv4", FIELD_WORDS, "arp dst host" },
	{ "tcp.port", FIELD_WORDS, "tcp port" },
	{ "tcp.srcport", FIELD_WORDS, "tcp src port" },
	{ "tcp.dstport", FIELD_WORDS, "tcp dst port" },
	{ "udp.port", FIELD_WORDS, "udp port" },
	{ "udp.srcport", FIELD_WORDS, "udp src port" },
	{ "udp.dstport", FIELD_WORDS, "udp dst port" },
	{ "sctp.port", FIELD_WORDS, "sctp port" },
	{ "vlan.id", FIELD_WORDS, "vlan" },
	{ "mpls.label", FIELD_WORDS, "mpls" },
	{ "frame.len", FIELD_NUMBER, "len" },
	{ "ip.len", FIELD_NUMBER, "ip[2:2]" },
	{ "ip.id", FIELD_NUMBER, "ip[4:2]" },
	{ "ip.ttl", FIELD_NUMBER, "ip[8]" },
	{ "ip.proto", FIELD_NUMBER, "ip[9]" },
	{ "ipv6.nxt", FIELD_NUMBER, "ip6[6]" },
	{ "ipv6.hlim", FIELD_NUMBER, "ip6[7]" },
	{ "icmp.type", FIELD_NUMBER, "icmp[icmptype]" },
	{ "icmp.code", FIELD_NUMBER, "icmp[icmpcode]" },
	{ "icmpv6.type", FIELD_NUMBER, "icmp6[icmp6type]" },
	{ "udp.length", FIELD_NUMBER, "udp[4:2]" },
	{ "tcp.window_size_value", FIELD_NUMBER, "tcp[14:2]" },
	{ "tcp.flags.syn", FIELD_FLAG, "tcp[tcpflags] & tcp-syn" },
	{ "tcp.flags.ack", FIELD_FLAG, "tcp[tcpflags] & tcp-ack" },
	{ "tcp.flags.fin", FIELD_FLAG, "tcp[tcpflags] & tcp-fin" },
	{ "tcp.flags.reset", FIELD_FLAG, "tcp[tcpflags] & tcp-rst" },
	{ "tcp.flags.push", FIELD_FLAG, "tcp[tcpflags] & tcp-push" },
	{ "tcp.flags.urg", FIELD_FLAG, "tcp[tcpflags] & tcp-urg" },
};

/* Names of protocols alone.  is_foreign: no filter of this program has the word. */
static const struct {
	const char *name, *filter;
	bool is_foreign;
} protocols[] = {
	{ "tcp", "tcp", false },
	{ "udp", "udp", false },
	{ "sctp", "sctp", false },
	{ "ip", "ip", false },
	{ "arp", "arp", false },
	{ "icmp", "icmp", false },
	{ "igmp", "igmp", false },
	{ "vlan", "vlan", false },
	{ "ipv4", "ip", true },
	{ "ipv6", "ip6", true },
	{ "icmpv6", "icmp6", true },
	{ "http", "tcp port 80", true },
	{ "http2", "tcp port 443", true },
	{ "https", "tcp port 443", true },
	{ "tls", "tcp port 443", true },
	{ "ssl", "tcp port 443", true },
	{ "quic", "udp port 443", true },
	{ "dns", "port 53", true },
	{ "ssh", "tcp port 22", true },
	{ "telnet", "tcp port 23", true },
	{ "smtp", "tcp port 25", true },
	{ "ftp", "tcp port 21", true },
	{ "pop", "tcp port 110", true },
	{ "imap", "tcp port 143", true },
	{ "ntp", "udp port 123", true },
	{ "dhcp", "(udp port 67 or udp port 68)", true },
	{ "bootp", "(udp port 67 or udp port 68)", true },
	{ "mdns", "udp port 5353", true },
	{ "ssdp", "udp port 1900", true },
	{ "snmp", "udp port 161", true },
	{ "syslog", "udp port 514", true },
	{ "tftp", "udp port 69", true },
	{ "rdp", "tcp port 3389", true },
	{ "smb", "tcp port 445", true },
	{ "ldap", "port 389", true },
	{ "mysql", "tcp port 3306", true },
	{ "sip", "port 5060", true },
};

/* A translation.  The text of a failed part stays, and is not used. */
struct translation {
	const char *at; /* the rest of the display filter */
	char *to;
	size_t room, used;
	int depth;
	bool is_display; /* a word was met which only display filters have */
	bool failed;
	const char *advice;
};

static void put_text(struct translation *t, const char *text)
{
	const size_t n = strlen(text);

	if (t->used + n + 1 >= t->room) {
		t->failed = true;
		return;
	}
	memcpy(t->to + t->used, text, n + 1);
	t->used += n;
}

static void fail_with(struct translation *t, const char *advice)
{
	if (!t->failed)
		t->advice = advice;
	t->failed = true;
}

/* ---- Tokens ---- */

static bool is_token_byte(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_.:/-", c));
}

/* Reads the next token without taking the token: a sign, or a word.  Returns the length. */
static size_t peek_token(const struct translation *t, char *token)
{
	static const char *const signs[] = { "==", "!=", ">=", "<=", "&&", "||" };
	const char *s = t->at + strspn(t->at, " \t\n");
	size_t n = 0;

	for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
		if (!strncmp(s, signs[k], 2))
			n = 2;
	if (!n)
		while (is_token_byte(s[n]) && n < MOST_TOKEN - 1)
			n++;
	if (!n && *s)
		n = 1;
	snprintf(token, MOST_TOKEN, "%.*s", (int)n, s);
	return (size_t)(s - t->at) + n;
}

static void eat_token(struct translation *t, char *token)
{
	t->at += peek_token(t, token);
}

/* Takes the next token if the token is either of two words.  Returns whether the token was taken.
 */
static bool take_either(struct translation *t, const char *word, const char *other)
{
	char token[MOST_TOKEN];
	const size_t n = peek_token(t, token);

	if (strcmp(token, word) && strcmp(token, other))
		return false;
	t->at += n;
	return true;
}

/* ---- Terms ---- */

/* Returns our sign for a comparison, or NULL if the token is none. */
static const char *find_comparison(const char *token)
{
	static const char *const signs[][3] = { { "==", "eq", "=" }, { "!=", "ne", "!=" },
		{ ">", "gt", ">" }, { "<", "lt", "<" }, { ">=", "ge", ">=" },
		{ "<=", "le", "<=" } };

	for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
		if (!strcmp(signs[k][0], token) || !strcmp(signs[k][1], token))
			return signs[k][2];
	return NULL;
}

/* Puts the words of an address before the value. */
static void put_host_words(struct translation *t, const char *words, const char *value)
{
	char before[64];
	char *host;

	snprintf(before, sizeof before, "%s", words);
	host = strstr(before, "host");
	if (host && strchr(value, '/'))
		memcpy(host, "net ", 4);
	put_text(t, before);
	if (!host || !strchr(value, '/'))
		put_text(t, " ");
	put_text(t, value);
}

/* Puts a comparison of a field with a value. */
static void put_comparison(struct translation *t, size_t field, const char *sign, const char *value)
{
	const bool is_equal = !strcmp(sign, "=");
	const bool is_unequal = !strcmp(sign, "!=");
	const bool is_set = !strcmp(value, "1") || !strcmp(value, "True") || !strcmp(value, "true");

	if (fields[field].form == FIELD_NUMBER) {
		put_text(t, fields[field].words);
		put_text(t, " ");
		put_text(t, sign);
		put_text(t, " ");
		put_text(t, value);
		return;
	}
	if (!is_equal && !is_unequal) {
		fail_with(t, "a comparison by size is for numbers");
		return;
	}
	if (fields[field].form == FIELD_FLAG) {
		put_text(t, fields[field].words);
		put_text(t, is_set == is_equal ? " != 0" : " = 0");
		return;
	}
	if (is_unequal)
		put_text(t, "not ");
	if (fields[field].form == FIELD_ADDRESS)
		put_host_words(t, fields[field].words, value);
	else {
		put_text(t, fields[field].words);
		put_text(t, " ");
		put_text(t, value);
	}
}

/* Reads "{a b}" or "{a, b}" behind "in". */
static void translate_set(struct translation *t, size_t field)
{
	char token[MOST_TOKEN];
	bool is_first = true;

	if (fields[field].form == FIELD_NUMBER || fields[field].form == FIELD_FLAG ||
		!take_either(t, "{", "{")) {
		fail_with(t, "tshark -Y does it");
		return;
	}
	put_text(t, fields[field].words);
	put_text(t, " (");
	for (eat_token(t, token); *token && strcmp(token, "}"); eat_token(t, token)) {
		if (!strcmp(token, ","))
			continue;
		if (!is_first)
			put_text(t, " or ");
		put_text(t, token);
		is_first = false;
	}
	put_text(t, ")");
	if (!*token || is_first)
		fail_with(t, "tshark -Y does it");
}

/* Returns advice about a field which no filter knows. */
static const char *field_advice(const char *name)
{
	static const struct {
		const char *prefix, *advice;
	} advices[] = {
		{ "tcp.stream",
			"It has no counterpart. A connection is: host A and host B and port N" },
		{ "udp.stream",
			"It has no counterpart. A connection is: host A and host B and port N" },
		{ "tcp.analysis", "Retransmissions are marked in --print and counted in --flows" },
		{ "http", "By port it is \"tcp port 80\"; methods are not looked at" },
		{ "dns.", "By port it is \"port 53\"; names are not looked at" },
		{ "tls.", "By port it is \"tcp port 443\"; what is in TLS is not looked at" },
	};

	for (size_t k = 0; k < sizeof advices / sizeof *advices; k++)
		if (!strncmp(name, advices[k].prefix, strlen(advices[k].prefix)))
			return advices[k].advice;
	return "tshark -Y does it";
}

/* Translates a protocol alone.  Returns false if the name is none. */
static bool translate_protocol(struct translation *t, const char *name)
{
	for (size_t k = 0; k < sizeof protocols / sizeof *protocols; k++) {
		if (strcmp(protocols[k].name, name))
			continue;
		t->is_display |= protocols[k].is_foreign;
		put_text(t, protocols[k].filter);
		return true;
	}
	return false;
}

/* Returns whether a name is of the kind protocol.field. */
static bool has_field_shape(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && dot > name && isalpha((unsigned char)name[0]) &&
	       isalpha((unsigned char)dot[1]);
}

static void translate_term(struct translation *t)
{
	enum { FIELDS = sizeof fields / sizeof *fields };
	static const char no_text[] = "No filter here looks for text: tshark -Y does";
	char name[MOST_TOKEN];
	char next[MOST_TOKEN];
	size_t field = 0;

	eat_token(t, name);
	peek_token(t, next);
	if (!strcmp(next, "contains") || !strcmp(next, "matches")) {
		t->is_display = true;
		fail_with(t, no_text);
		return;
	}
	while (field < FIELDS && strcmp(fields[field].name, name) != 0)
		field++;
	if (field == FIELDS) {
		if (translate_protocol(t, name))
			return;
		t->is_display |= has_field_shape(name);
		fail_with(t, field_advice(name));
		return;
	}
	t->is_display = true;
	if (take_either(t, "in", "in")) {
		translate_set(t, field);
		return;
	}
	eat_token(t, next);
	const char *sign = find_comparison(next);

	if (!sign) {
		fail_with(t, "the field alone says that a packet has it: tshark -Y does it");
		return;
	}
	eat_token(t, next);
	if (!*next)
		fail_with(t, "the value is missing");
	put_comparison(t, field, sign, next);
}

/* ---- Words between terms ---- */

static void translate_any(struct translation *t);

static void translate_not(struct translation *t)
{
	while (!t->failed && take_either(t, "not", "!"))
		put_text(t, "not ");
	if (!take_either(t, "(", "(")) {
		translate_term(t);
		return;
	}
	if (t->depth++ > MOST_DEPTH) {
		fail_with(t, "it is too deep");
		return;
	}
	put_text(t, "(");
	translate_any(t);
	put_text(t, ")");
	t->depth--;
	if (!take_either(t, ")", ")"))
		fail_with(t, "a parenthesis is missing");
}

/* Translates terms with "and" and "or" between them, which mean the same here. */
static void translate_any(struct translation *t)
{
	translate_not(t);
	while (!t->failed) {
		if (take_either(t, "and", "&&"))
			put_text(t, " and ");
		else if (take_either(t, "or", "||"))
			put_text(t, " or ");
		else
			return;
		translate_not(t);
	}
}

bool cli_translate_display(const char *text, char *to, size_t room, const char **advice)
{
	struct translation t = {
		.at = text, .to = to, .room = room, .advice = "tshark -Y does it"
	};
	char rest[MOST_TOKEN];

	*to = 0;
	translate_any(&t);
	eat_token(&t, rest);
	if (*rest || t.failed || !cli_is_filter(to))
		*to = 0;
	*advice = t.advice;
	return t.is_display;
}
