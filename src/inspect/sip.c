/* SPDX-License-Identifier: MIT */
/* SIP (RFC 3261 7).  A request has a method, a URI of sip, sips or tel and the version; a response
 * the version and a status.  A header field of SIP must follow.  Blank lines before are ignored
 * (7.5). Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define LINE_MOST 4096u
#define METHOD_MOST 16u

/* Returns whether the line is a request's or a response's first. */
static bool check_sip_first(const struct bpei_text_line *line)
{
	const uint8_t *const p = line->text;
	uint32_t n = 0;

	if (bpei_line_begins(line, "SIP/2.0 "))
		return line->n >= 11 && p[8] >= '1' && p[8] <= '6' && p[9] >= '0' && p[9] <= '9' &&
		       p[10] >= '0' && p[10] <= '9' && (line->n == 11 || p[11] == ' ');
	while (n < line->n && p[n] >= 'A' && p[n] <= 'Z')
		n++;
	if (n < 3 || n > METHOD_MOST || line->n < n + 1 + 5 + 8 || p[n] != ' ')
		return false;
	const struct bpei_text_line uri = { p + n + 1, line->n - n - 1, 0 };
	const struct bpei_text_line version = { p + line->n - 8, 8, 0 };
	return bpei_line_begins(&version, " SIP/2.0") &&
	       (bpei_line_begins(&uri, "SIP:") || bpei_line_begins(&uri, "SIPS:") ||
		       bpei_line_begins(&uri, "TEL:") || bpei_line_begins(&uri, "URN:"));
}

/* Returns whether the line is a header field of SIP. */
static bool check_sip_field(const struct bpei_text_line *line)
{
	static const char *const fields[] = { "VIA", "V", "FROM", "F", "TO", "T", "CALL-ID", "I",
		"CSEQ", "MAX-FORWARDS", "CONTACT", "M", "ROUTE", "RECORD-ROUTE", "USER-AGENT",
		"SERVER", "ALLOW", "CONTENT-LENGTH", "L", "CONTENT-TYPE", "C", "EXPIRES",
		"SUPPORTED", "K", "REQUIRE", "PROXY-REQUIRE", "AUTHORIZATION", "DATE", "EVENT",
		"ACCEPT", "WARNING", "REASON", "WWW-AUTHENTICATE", "PROXY-AUTHENTICATE" };

	for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
		size_t at = strlen(fields[k]);

		if (!bpei_line_begins(line, fields[k]))
			continue;
		while (at < line->n && (line->text[at] == ' ' || line->text[at] == '\t'))
			at++;
		if (at < line->n && line->text[at] == ':')
			return true;
	}
	return false;
}

/* Returns whether the bytes before the first line's end can be those of SIP, to say NOT early. */
static bool check_sip_start(const struct bpei_stream *s, uint32_t at)
{
	uint32_t n = at;

	if (bpei_stream_match(s, at, "SIP/2.0 ", 8) != BPEI_MATCH_NO)
		return true;
	while (n < s->n && n - at <= METHOD_MOST && s->bytes[n] >= 'A' && s->bytes[n] <= 'Z')
		n++;
	return n == s->n || (n - at >= 3 && n - at <= METHOD_MOST && s->bytes[n] == ' ');
}

enum bpei_verdict bpei_read_sip(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line;
	struct bpei_text_line field;
	uint32_t at = 0;

	(void)in;
	while (at < s->n && at < 16 && (s->bytes[at] == '\r' || s->bytes[at] == '\n'))
		at++;
	if (!check_sip_start(s, at))
		return BPEI_NOT;
	enum bpei_match match = bpei_line_find(s, at, LINE_MOST, &line);
	if (match == BPEI_MATCH_YES)
		match = check_sip_first(&line) ? bpei_line_find(s, line.next, LINE_MOST, &field)
					       : BPEI_MATCH_NO;
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || !check_sip_field(&field))
		return BPEI_NOT;
	said->app = BPE_APP_SIP;
	return BPEI_DONE;
}
