/* SPDX-License-Identifier: MIT */
/* DNS's part of tcpdump's line: flags, counts, questions of queries, answers of responses. */
#include "tcpdump_layers.h"

enum {
	FLAG_RESPONSE = 0x8000,
	FLAG_AUTHORITY = 0x400,
	FLAG_CUT = 0x200,
	FLAG_WANTED = 0x100,
	FLAG_AVAILABLE = 0x80,
	FLAG_AUTHENTIC = 0x20,
	FLAG_UNCHECKED = 0x10,
	FLAGS_ODD = 0x6cf, /* bits of responses, and the reserved bit */
	HEADER = 12,
	MOST_LABELS = 256,
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_SOA = 6,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_SRV = 33,
	TYPE_A6 = 38,
	TYPE_DNAME = 39,
	TYPE_OPT = 41,
	TYPE_URI = 256,
	MOST_NAME = 255, /* characters */
};

/* A message, and how far it was read. */
struct dns {
	struct span s;
	uint32_t at;
	uint32_t flags, counts[4];
	bool is_multicast, is_bad;
};

static const char *const operations[] = { "", " inv_q", " stat", " op3", " notify", " update",
	" op6", " op7", " op8", " updateA", " updateD", " updateDA", " updateM", " updateMA",
	" zoneInit", " zoneRef" };
static const char *const results[] = { "", " FormErr", " ServFail", " NXDomain", " NotImp",
	" Refused", " YXDomain", " YXRRSet", " NXRRSet", " NotAuth", " NotZone", " Resp11",
	" Resp12", " Resp13", " Resp14", " NoChange" };
static const struct tcpdump_name type_names[] = { { 1, "A" }, { 2, "NS" }, { 3, "MD" }, { 4, "MF" },
	{ 5, "CNAME" }, { 6, "SOA" }, { 7, "MB" }, { 8, "MG" }, { 9, "MR" }, { 10, "NULL" },
	{ 11, "WKS" }, { 12, "PTR" }, { 13, "HINFO" }, { 14, "MINFO" }, { 15, "MX" }, { 16, "TXT" },
	{ 17, "RP" }, { 18, "AFSDB" }, { 19, "X25" }, { 20, "ISDN" }, { 21, "RT" }, { 22, "NSAP" },
	{ 23, "NSAP_PTR" }, { 24, "SIG" }, { 25, "KEY" }, { 26, "PX" }, { 27, "GPOS" },
	{ 28, "AAAA" }, { 29, "LOC" }, { 30, "NXT" }, { 31, "EID" }, { 32, "NIMLOC" },
	{ 33, "SRV" }, { 34, "ATMA" }, { 35, "NAPTR" }, { 36, "KX" }, { 37, "CERT" }, { 38, "A6" },
	{ 39, "DNAME" }, { 40, "SINK" }, { 41, "OPT" }, { 42, "APL" }, { 43, "DS" },
	{ 44, "SSHFP" }, { 45, "IPSECKEY" }, { 46, "RRSIG" }, { 47, "NSEC" }, { 48, "DNSKEY" },
	{ 99, "SPF" }, { 100, "UINFO" }, { 101, "UID" }, { 102, "GID" }, { 103, "UNSPEC" },
	{ 104, "UNSPECA" }, { 249, "TKEY" }, { 250, "TSIG" }, { 251, "IXFR" }, { 252, "AXFR" },
	{ 253, "MAILB" }, { 254, "MAILA" }, { 255, "ANY" }, { 256, "URI" }, { 0, NULL } };

static void put_dns_type(struct tcpdump *t, uint32_t type)
{
	const char *name = tcpdump_name(type_names, type);

	if (name)
		put_string(t, name);
	else
		put_number(t, "Type", type);
}

static void put_dns_class(struct tcpdump *t, uint32_t class)
{
	static const struct tcpdump_name names[] = { { 3, " CHAOS" }, { 4, " HS" }, { 255, " ANY" },
		{ 0, NULL } };
	const char *name = tcpdump_name(names, class);

	if (class == 1)
		return;
	if (name) {
		put_string(t, name);
	} else {
		put_number(t, " (Class ", class);
		put_char(t, ')');
	}
}

/* Moves behind a name; half a name is bad. */
static void skip_name(struct dns *dns)
{
	for (int i = 0; i < MOST_LABELS; i++) {
		uint32_t length;

		if (!span_has(&dns->s, dns->at, 1))
			break;
		length = dns->s.at[dns->at];
		if (length >= 0xc0) {
			dns->at += 2;
			return;
		}
		if (length & 0xc0)
			break;
		dns->at += 1 + length;
		if (!length)
			return;
	}
	dns->is_bad = true;
}

/* Puts the name at `at`; an unreadable name makes the message bad. */
static void put_dns_name(struct tcpdump *t, struct dns *dns, uint32_t at)
{
	uint32_t most = at;
	uint32_t characters = 0;
	bool is_root = true;

	for (int i = 0; i < MOST_LABELS && !t->sealed; i++) {
		uint32_t length;

		if (!span_has(&dns->s, at, 1))
			break;
		length = dns->s.at[at++];
		if (!length) {
			if (is_root)
				put_char(t, '.');
			return;
		}
		if (length >= 0xc0) {
			if (!span_has(&dns->s, at, 1))
				break;
			at = (length & 63) << 8 | dns->s.at[at];
			if (at >= most) {
				put_text(t, "<BAD PTR>");
				break;
			}
			most = at;
			continue;
		}
		if (length & 0xc0)
			break;
		for (uint32_t k = 0; k < length && span_has(&dns->s, at + k, 1); k++)
			if (characters + k < MOST_NAME)
				put_wire_char(t, dns->s.at[at + k]);
		if (!span_has(&dns->s, at, length))
			break;
		at += length;
		characters += length + 1;
		if (characters > MOST_NAME) {
			put_text(t, "<DOMAIN NAME TOO LONG>");
			return;
		}
		put_char(t, '.');
		is_root = false;
	}
	dns->is_bad = true;
}

static void put_question(struct tcpdump *t, struct dns *dns)
{
	const uint32_t name = dns->at;
	uint32_t class;

	skip_name(dns);
	if (dns->is_bad || !span_has(&dns->s, dns->at, 4)) {
		dns->is_bad = true;
		return;
	}
	put_char(t, ' ');
	put_dns_type(t, span_u16(t, &dns->s, dns->at));
	class = span_u16(t, &dns->s, dns->at + 2);
	dns->at += 4;
	put_dns_class(t, dns->is_multicast ? class & 0x7fff : class);
	if (dns->is_multicast)
		put_string(t, class & 0x8000 ? " (QU)" : " (QM)");
	put_text(t, "? ");
	put_dns_name(t, dns, name);
}

/* Puts the strings of a TXT record of n bytes. */
static void put_strings(struct tcpdump *t, struct dns *dns, uint32_t n)
{
	const uint32_t end = dns->at + n;
	uint32_t at = dns->at;

	while (at < end && span_has(&dns->s, at, 1)) {
		const uint32_t length = dns->s.at[at++];

		if (!span_has(&dns->s, at, length)) {
			dns->is_bad = true;
			return;
		}
		put_text(t, " \"");
		for (uint32_t i = 0; i < length; i++)
			put_wire_char(t, dns->s.at[at + i]);
		put_char(t, '"');
		at += length;
	}
}

/* Tells whether n bytes of a record are here; else the message is bad. */
static bool has_record_data(struct dns *dns, uint32_t n)
{
	if (span_has(&dns->s, dns->at, n))
		return true;
	dns->is_bad = true;
	return false;
}

/* Puts priority, weight and target of a URI record. */
static void put_uri(struct tcpdump *t, struct dns *dns, uint32_t n)
{
	if (n < 4 || !has_record_data(dns, n)) {
		dns->is_bad = true;
		return;
	}
	put_number(t, " ", span_u16(t, &dns->s, dns->at));
	put_number(t, " ", span_u16(t, &dns->s, dns->at + 2));
	put_char(t, ' ');
	for (uint32_t i = 4; i < n; i++)
		put_wire_char(t, dns->s.at[dns->at + i]);
}

static void put_record_data(
	struct tcpdump *t, struct dns *dns, uint32_t type, uint32_t class, uint32_t n)
{
	switch (type) {
	case TYPE_A:
		if (has_record_data(dns, 4)) {
			put_char(t, ' ');
			put_ip4(t, dns->s.at + dns->at);
		}
		break;
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_DNAME:
		put_char(t, ' ');
		put_dns_name(t, dns, dns->at);
		break;
	case TYPE_MX:
		if (!has_record_data(dns, n))
			break;
		put_char(t, ' ');
		put_dns_name(t, dns, dns->at + 2);
		if (!dns->is_bad)
			put_number(t, " ", span_u16(t, &dns->s, dns->at));
		break;
	case TYPE_TXT:
		put_strings(t, dns, n);
		break;
	case TYPE_AAAA:
		if (has_record_data(dns, 16)) {
			put_char(t, ' ');
			put_ip6(t, dns->s.at + dns->at);
		}
		break;
	case TYPE_SRV:
		if (!has_record_data(dns, n))
			break;
		put_char(t, ' ');
		put_dns_name(t, dns, dns->at + 6);
		if (dns->is_bad)
			break;
		put_number(t, ":", span_u16(t, &dns->s, dns->at + 4));
		put_number(t, " ", span_u16(t, &dns->s, dns->at));
		put_number(t, " ", span_u16(t, &dns->s, dns->at + 2));
		break;
	case TYPE_URI:
		put_uri(t, dns, n);
		break;
	case TYPE_OPT:
		put_number(t, " UDPsize=", class);
		break;
	default:
		break;
	}
}

/* Puts a record with its name (-v), and moves behind.  A record without a whole header ends the
 * message without a word. */
static void put_dns_record(struct tcpdump *t, struct dns *dns)
{
	uint32_t type;
	uint32_t class;
	uint32_t n;
	uint32_t flags;

	if (t->options->verbose) {
		put_char(t, ' ');
		put_dns_name(t, dns, dns->at);
		dns->is_bad = false;
	}
	skip_name(dns);
	if (dns->is_bad || !span_has(&dns->s, dns->at, 10)) {
		dns->is_bad = false;
		dns->at = dns->s.caplen;
		return;
	}
	type = span_u16(t, &dns->s, dns->at);
	class = span_u16(t, &dns->s, dns->at + 2);
	flags = span_u16(t, &dns->s, dns->at + 6);
	n = span_u16(t, &dns->s, dns->at + 8);
	dns->at += 10;
	if (type != TYPE_OPT)
		put_dns_class(t, dns->is_multicast ? class & 0x7fff : class);
	if (dns->is_multicast && class & 0x8000 && type != TYPE_OPT)
		put_text(t, " (Cache flush)");
	put_char(t, ' ');
	put_dns_type(t, type);
	if (has_record_data(dns, n))
		put_record_data(t, dns, type, class, n);
	if (type == TYPE_OPT && flags & 0x8000)
		put_text(t, " DO");
	dns->at += n;
}

/* Puts n records; returns false if the message ends before. */
static bool put_records(struct tcpdump *t, struct dns *dns, uint32_t n)
{
	bool any = false;

	while (n && (!any || dns->at < dns->s.caplen) && !dns->is_bad && !t->sealed) {
		if (any)
			put_char(t, ',');
		put_dns_record(t, dns);
		any = true;
		n--;
	}
	return !n && !dns->is_bad;
}

/* Puts a part for -vv. */
static bool put_more_records(struct tcpdump *t, struct dns *dns, const char *name, uint32_t n)
{
	if (!n || dns->at >= dns->s.caplen)
		return !n;
	put_string(t, name);
	return put_records(t, dns, n);
}

/* Returns the result code with its upper bits, which an OPT record holds (RFC 6891). */
static uint32_t find_result(const struct dns *dns)
{
	struct dns walk = *dns;
	const uint32_t records = dns->counts[1] + dns->counts[2] + dns->counts[3];
	uint32_t result = dns->flags & 15;

	for (uint32_t i = 0; i < dns->counts[0] && !walk.is_bad; i++) {
		skip_name(&walk);
		walk.at += 4;
	}
	for (uint32_t i = 0; i < records && !walk.is_bad; i++) {
		const uint8_t *head;

		skip_name(&walk);
		if (walk.is_bad || !span_has(&walk.s, walk.at, 10))
			break;
		head = walk.s.at + walk.at;
		if (head[0] == 0 && head[1] == TYPE_OPT)
			result |= (uint32_t)head[4] << 4;
		walk.at += 10 + ((uint32_t)head[8] << 8 | head[9]);
	}
	return result;
}

static void put_result(struct tcpdump *t, uint32_t result)
{
	if (result < 16)
		put_string(t, results[result]);
	else if (result == 16)
		put_text(t, " BadVers");
	else if (result == 23)
		put_text(t, " BadCookie");
	else
		put_number(t, " Resp", result);
}

static bool put_response(struct tcpdump *t, struct dns *dns)
{
	put_string(t, operations[dns->flags >> 11 & 15]);
	put_result(t, find_result(dns));
	if (dns->flags & FLAG_AUTHORITY)
		put_char(t, '*');
	if (!(dns->flags & FLAG_AVAILABLE))
		put_char(t, '-');
	if (dns->flags & FLAG_CUT)
		put_char(t, '|');
	if (dns->flags & FLAG_AUTHENTIC)
		put_char(t, '$');
	if (dns->counts[0] != 1) {
		put_number(t, " [", dns->counts[0]);
		put_text(t, "q]");
	}
	for (uint32_t i = 0; i < dns->counts[0]; i++) {
		if (i)
			put_char(t, ',');
		if (t->options->verbose > 1) {
			put_text(t, " q:");
			put_question(t, dns);
		} else {
			skip_name(dns);
			dns->at += 4;
		}
		if (dns->is_bad)
			return false;
	}
	put_number(t, " ", dns->counts[1]);
	put_number(t, "/", dns->counts[2]);
	put_number(t, "/", dns->counts[3]);
	if (!put_records(t, dns, dns->counts[1]))
		return false;
	return t->options->verbose < 2 || (put_more_records(t, dns, " ns:", dns->counts[2]) &&
						  put_more_records(t, dns, " ar:", dns->counts[3]));
}

static void put_count(struct tcpdump *t, uint32_t count, const char *name)
{
	put_number(t, " [", count);
	put_string(t, name);
	put_char(t, ']');
}

static bool put_query(struct tcpdump *t, struct dns *dns)
{
	const bool is_inverse = (dns->flags >> 11 & 15) == 1;

	put_string(t, operations[dns->flags >> 11 & 15]);
	if (dns->flags & FLAG_WANTED)
		put_char(t, '+');
	if (dns->flags & FLAG_UNCHECKED)
		put_char(t, '%');
	if (dns->flags & FLAGS_ODD) {
		put_text(t, " [b2&3=");
		put_0x(t, dns->flags, 1);
		put_char(t, ']');
	}
	if (is_inverse) {
		if (dns->counts[0])
			put_count(t, dns->counts[0], "q");
		if (dns->counts[1] != 1)
			put_count(t, dns->counts[1], "a");
	} else {
		if (dns->counts[1])
			put_count(t, dns->counts[1], "a");
		if (dns->counts[0] != 1)
			put_count(t, dns->counts[0], "q");
	}
	if (dns->counts[2])
		put_count(t, dns->counts[2], "n");
	if (dns->counts[3])
		put_count(t, dns->counts[3], "au");
	for (uint32_t i = 0; i < dns->counts[0] && !dns->is_bad; i++)
		put_question(t, dns);
	if (dns->is_bad)
		return false;
	return t->options->verbose < 2 ||
	       (put_more_records(t, dns, " an:", dns->counts[1]) &&
		       put_more_records(t, dns, " ns:", dns->counts[2]) &&
		       put_more_records(t, dns, " ar:", dns->counts[3]));
}

/* Takes the length in front of a message over TCP; returns false if it is wrong. */
static bool take_length(struct tcpdump *t, struct span *s)
{
	uint32_t length;

	put_char(t, ' ');
	if (s->length < 2) {
		put_number(t, "[DNS over TCP: length ", s->length);
		put_text(t, " < 2] (invalid)");
		return false;
	}
	length = span_u16(t, s, 0);
	*s = span_behind(s, 2);
	if (length != s->length) {
		put_number(t, "[prefix length(", length);
		put_number(t, ") != length(", s->length);
		put_text(t, ")] (invalid)");
		return false;
	}
	return true;
}

void tcpdump_put_dns(struct tcpdump *t, struct span s, bool is_tcp, bool is_multicast)
{
	struct dns dns = { .is_multicast = is_multicast, .at = HEADER };
	bool whole;

	t->layer = "domain";
	if (is_tcp && !take_length(t, &s))
		return;
	if (s.length < HEADER) {
		put_number(t, "domain [length ", s.length);
		put_text(t, " < 12] (invalid)");
		return;
	}
	if (!span_need(t, &s, 0, HEADER))
		return;
	dns.s = s;
	dns.flags = span_u16(t, &s, 2);
	for (uint32_t i = 0; i < 4; i++)
		dns.counts[i] = span_u16(t, &s, 4 + 2 * i);
	put_decimal(t, span_u16(t, &s, 0));
	whole = dns.flags & FLAG_RESPONSE ? put_response(t, &dns) : put_query(t, &dns);
	if (!whole) {
		tcpdump_put_cut(t);
		return;
	}
	put_number(t, " (", s.length);
	put_char(t, ')');
}
