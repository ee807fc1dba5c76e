/* SPDX-License-Identifier: MIT */
/* Numbers, times, addresses, quoted strings, and what a record's members are called (text.h).  Not
 * by printf: a line has 40 of them. */
#include "format/text.h"

#include "base/utf8.h"

#include <arpa/inet.h>
#include <sys/socket.h>

void bpei_text_digits(struct bpei_text *t, uint64_t v, int digits)
{
	char s[20];
	for (int i = digits; i--; v /= 10)
		s[i] = (char)('0' + v % 10);
	bpei_text_bytes(t, s, (size_t)digits);
}

void bpei_text_number(struct bpei_text *t, uint64_t v)
{
	char s[20];
	int i = 20;
	do
		s[--i] = (char)('0' + v % 10);
	while (v /= 10);
	bpei_text_bytes(t, s + i, (size_t)(20 - i));
}

void bpei_text_member(struct bpei_text *t, const char *name, uint64_t v)
{
	bpei_text_string(t, name);
	bpei_text_number(t, v);
}

void bpei_text_word(struct bpei_text *t, const char *name, const char *value)
{
	bpei_text_string(t, name);
	bpei_text_string(t, value);
	bpei_text_char(t, '"');
}

void bpei_text_signed(struct bpei_text *t, int64_t v)
{
	if (v < 0)
		bpei_text_char(t, '-');
	bpei_text_number(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Of a second; 6 digits of it, or all 9. */
static void fraction(struct bpei_text *t, uint64_t ns, int digits)
{
	bpei_text_char(t, '.');
	bpei_text_digits(t, digits == 6 ? ns / 1000 : ns, digits);
}

void bpei_text_seconds(struct bpei_text *t, int64_t ns, int digits)
{
	bpei_text_span(t, 0, ns, digits);
}

void bpei_text_span(struct bpei_text *t, int64_t from_ns, int64_t to_ns, int digits)
{
	const bool back = to_ns < from_ns;
	const uint64_t v =
		back ? (uint64_t)from_ns - (uint64_t)to_ns : (uint64_t)to_ns - (uint64_t)from_ns;
	if (back)
		bpei_text_char(t, '-');
	bpei_text_number(t, v / 1000000000);
	fraction(t, v % 1000000000, digits);
}

/* Days since 1970 as a date of the Gregorian calendar; years count from March, so that the leap day
 * is the last. */
static void date(struct bpei_text *t, int64_t days)
{
	uint64_t z = (uint64_t)(days + 719468), era = z / 146097,
		 day = z % 146097; /* since 0000-03-01; an int64_t of nanoseconds begins in 1677 */
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365,
		 in_year = day - (365 * year + year / 4 - year / 100),
		 month = (5 * in_year + 2) / 153;
	bpei_text_digits(t, year + era * 400 + (month >= 10), 4);
	bpei_text_char(t, '-');
	bpei_text_digits(t, month < 10 ? month + 3 : month - 9, 2);
	bpei_text_char(t, '-');
	bpei_text_digits(t, in_year - (153 * month + 2) / 5 + 1, 2);
}

void bpei_text_iso(struct bpei_text *t, int64_t ns, int digits, const char *zone)
{
	int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0),
		days = seconds / 86400 - (seconds % 86400 < 0);
	uint64_t of_day = (uint64_t)(seconds - days * 86400),
		 rest = (uint64_t)(ns % 1000000000 + (ns % 1000000000 < 0 ? 1000000000 : 0));
	date(t, days);
	bpei_text_char(t, 'T');
	bpei_text_digits(t, of_day / 3600, 2);
	bpei_text_char(t, ':');
	bpei_text_digits(t, of_day / 60 % 60, 2);
	bpei_text_char(t, ':');
	bpei_text_digits(t, of_day % 60, 2);
	fraction(t, rest, digits);
	bpei_text_string(t, zone);
}

void bpei_text_address(struct bpei_text *t, const uint8_t *addr, int version)
{
	char s[INET6_ADDRSTRLEN];
	for (int i = 0; version != 6 && i < 4; i++) {
		if (i)
			bpei_text_char(t, '.');
		bpei_text_number(t, addr[i]);
	}
	if (version == 6 && inet_ntop(AF_INET6, addr, s, sizeof s))
		bpei_text_string(t, s);
}

/* A control character as JSON writes it. */
static void escape(struct bpei_text *t, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";
	BPEI_TEXT(t, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		bpei_text_char(t, hex[code >> shift & 15]);
}

void bpei_text_json(struct bpei_text *t, const char *text, size_t most)
{
	bpei_text_char(t, '"');
	for (size_t i = 0, n; i < most && text[i]; i += n ? n : 1) {
		n = bpei_utf8_bytes(text + i, most - i);
		uint32_t code = n ? bpei_utf8_code(text + i, n) : 0;
		if (!n)
			BPEI_TEXT(t, "\\ufffd");
		else if (code == '"' || code == '\\')
			bpei_text_char(t, '\\'), bpei_text_bytes(t, text + i, 1);
		else if (bpei_utf8_is_control(code))
			escape(t, code);
		else
			bpei_text_bytes(t, text + i, n);
	}
	bpei_text_char(t, '"');
}

/* A spreadsheet takes these for the beginning of a formula; the last four are their wide forms. */
static bool begins_formula(const char *s, size_t left)
{
	static const char *const signs[] = { "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b",
		"\xef\xbc\x8d", "\xef\xbc\xa0" };
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (strlen(signs[i]) <= left && !memcmp(s, signs[i], strlen(signs[i])))
			return true;
	return false;
}

void bpei_text_csv(struct bpei_text *t, const char *s, size_t most)
{
	const size_t left = strnlen(s, most);
	bool quoted = false;
	for (size_t i = 0; i < left; i++)
		quoted |= s[i] == '"' || s[i] == ',';
	if (quoted)
		bpei_text_char(t, '"');
	if (begins_formula(s, left))
		bpei_text_char(t, '\'');
	for (size_t i = 0, n; i < left; i += n ? n : 1) {
		n = bpei_utf8_bytes(s + i, left - i);
		uint32_t code = n ? bpei_utf8_code(s + i, n) : 0;
		if (s[i] == '"')
			bpei_text_char(t, '"');
		if (!n)
			BPEI_TEXT(t, "\xef\xbf\xbd");
		else if (bpei_utf8_is_control(code))
			escape(t, code);
		else
			bpei_text_bytes(t, s + i, n);
	}
	if (quoted)
		bpei_text_char(t, '"');
}

/* ---- Records ---- */

const char *bpei_flow_proto(const struct bpe_flow *f, char room[16])
{
	const char *name = f->ip_proto == (f->ip_version == 4 ? 58 : 1)
				   ? NULL
				   : bpe_ip_proto_name(f->ip_proto); /* ICMP is of one IP version */
	if (name)
		return name;
	struct bpei_text t = { room, room + 15, false };
	BPEI_TEXT(&t, "ip-proto-");
	bpei_text_number(&t, f->ip_proto);
	*t.at = 0;
	return room;
}

const char *bpei_flow_tcp_state(const struct bpe_flow *f)
{
	static const char *const names[] = { "", "syn_sent", "syn_received", "established",
		"closing", "closed", "reset" };
	return f->tcp_state < sizeof names / sizeof *names ? names[f->tcp_state] : "";
}

void bpei_flow_tcp_flags(uint8_t flags, char letters[9])
{
	size_t n = 0;
	for (int i = 0; i < 8; i++)
		if (flags >> i & 1)
			letters[n++] = "FSRP.UEW"[i];
	letters[n] = 0;
}

void bpei_text_counts(struct bpei_text *t, const char *name, const uint32_t counts[2])
{
	if (!(counts[0] | counts[1]))
		return;
	bpei_text_member(t, name, counts[0]);
	bpei_text_member(t, ",", counts[1]);
	bpei_text_char(t, ']');
}

bool bpei_flow_has_ports(const struct bpe_flow *f)
{
	return f->ip_proto == 6 || f->ip_proto == 17 || f->ip_proto == 33 || f->ip_proto == 132 ||
	       f->ip_proto == 136;
}

static uint64_t mix(uint64_t v) /* splitmix64's last step */
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

struct bpei_flow_id bpei_flow_id(const struct bpe_flow *f)
{
	const uint64_t hash = mix(f->hash + UINT64_C(0xbf58476d1ce4e5b9));
	struct bpei_flow_id id = { mix((uint64_t)f->first_ns + UINT64_C(0x9e3779b97f4a7c15)) ^ hash,
		hash };
	uint64_t words[6] = { 0 };
	memcpy(words, f->addr, 32);
	words[4] = (uint64_t)f->port[0] | (uint64_t)f->port[1] << 16 | (uint64_t)f->ip_proto << 32 |
		   (uint64_t)f->ip_version << 40;
	words[5] = (uint64_t)f->vlan[0] | (uint64_t)f->vlan[1] << 16;
	for (int i = 0; i < 6; i++) {
		id.a = mix(id.a ^ words[i]);
		id.b = mix(id.b + words[i] + id.a);
	}
	return id;
}

void bpei_text_process(struct bpei_text *t, const struct bpe_flow *f)
{
	if (f->pid <= 0)
		return;
	bpei_text_member(t, ",\"process\":{\"pid\":", (uint64_t)f->pid);
	BPEI_TEXT(t, ",\"name\":");
	bpei_text_json(t, f->comm, sizeof f->comm);
	bpei_text_char(t, '}');
}

/* ---- Lines ---- */

const char *bpe_format_name(int format)
{
	static const char *const names[BPE_FORMAT_COUNT] = { "json", "zeek", "eve", "csv", "ecs" };
	return format >= 0 && format < BPE_FORMAT_COUNT ? names[format] : NULL;
}

int bpe_flow_format(const struct bpe_flow *flow, uint32_t format, char *text, size_t size)
{
	static void (*const formats[BPE_FORMAT_COUNT])(
		struct bpei_text *, const struct bpe_flow *) = { bpei_format_json, bpei_format_zeek,
		bpei_format_eve, bpei_format_csv, bpei_format_ecs };
	char room[BPE_FORMAT_BYTES];
	const bool direct = size >= sizeof room; /* it cannot become too small in the middle */
	char *begin = direct ? text : room;
	struct bpei_text t = { begin, begin + sizeof room - 1, false };
	if (format >= BPE_FORMAT_COUNT || !size || (flow && flow->version != BPE_FLOW_VERSION))
		return BPE_E_ARGUMENT;
	if (flow || format == BPE_FORMAT_CSV) {
		formats[format](&t, flow);
		bpei_text_string(&t, format == BPE_FORMAT_CSV ? "\r\n" : "\n");
	}
	size_t n = (size_t)(t.at - begin);
	if (t.full || n >= size)
		return BPE_E_ARGUMENT;
	*t.at = 0;
	if (!direct)
		memcpy(text, room, n + 1);
	return (int)n;
}
