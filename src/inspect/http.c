/* SPDX-License-Identifier: MIT */
/* HTTP/1 (RFC 9112).  A request is known by a whole first line of method, target and version; a
 * response by version and status (2.3, 3, 4).  Another protocol can begin behind the header
 * section: after CONNECT (RFC 9110 9.3.6), and after an upgrade to HTTP/2 (RFC 7540 3.2) or TLS
 * (RFC 2817). Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define METHOD_MOST 24u
#define MESSAGES_MOST 4u /* interim and refused responses to skip */

/* The fields of a header section for the reader. */
struct http_head {
	struct bpei_text_line host; /* value of Host; text NULL: none */
	uint64_t length;            /* Content-Length; UINT64_MAX: none */
	bool coded;                 /* Transfer-Encoding or Content-Type is there */
	bool upgrade;               /* to HTTP/2 or TLS */
	uint32_t end;               /* where the header section ends */
};

/* Returns whether a byte may be in a method in use: capitals, "-" and "_". */
static bool is_method_byte(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* Looks at the start of a request: a method, a blank, and the first byte of a target.  *length: of
 * the method. */
static enum bpei_match match_http_method(const struct bpei_stream *s, uint32_t *length)
{
	uint32_t n = 0;

	while (n < s->n && n <= METHOD_MOST && is_method_byte(s->bytes[n]))
		n++;
	*length = n;
	if (n > METHOD_MOST)
		return BPEI_MATCH_NO;
	if (n == s->n)
		return BPEI_MATCH_SHORT;
	if (n < 3 || s->bytes[n] != ' ')
		return BPEI_MATCH_NO;
	if (n + 1 == s->n)
		return BPEI_MATCH_SHORT;
	const uint8_t c = s->bytes[n + 1];
	const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	const bool digit = c >= '0' && c <= '9';
	return letter || digit || c == '/' || c == '*' || c == '[' ? BPEI_MATCH_YES : BPEI_MATCH_NO;
}

/* Takes the value of a header field, without blanks around, out of the line. */
static struct bpei_text_line take_http_value(const struct bpei_text_line *line, uint32_t name)
{
	struct bpei_text_line value = { line->text + name, line->n - name, line->next };

	while (value.n && (*value.text == ' ' || *value.text == '\t')) {
		value.text++;
		value.n--;
	}
	while (value.n && (value.text[value.n - 1] == ' ' || value.text[value.n - 1] == '\t'))
		value.n--;
	return value;
}

/* Returns the value as a number; UINT64_MAX: the value is no number. */
static uint64_t read_http_length(const struct bpei_text_line *value)
{
	uint64_t number = 0;

	if (!value->n || value->n > 15)
		return UINT64_MAX;
	for (uint32_t i = 0; i < value->n; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return UINT64_MAX;
		number = number * 10 + (value->text[i] - '0');
	}
	return number;
}

/* Notes a header field for the reader. */
static void note_http_field(struct http_head *head, const struct bpei_text_line *line)
{
	if (bpei_line_begins(line, "HOST:") && !head->host.text)
		head->host = take_http_value(line, 5);
	if (bpei_line_begins(line, "CONTENT-LENGTH:")) {
		const struct bpei_text_line value = take_http_value(line, 15);
		head->length = read_http_length(&value);
	}
	if (bpei_line_begins(line, "TRANSFER-ENCODING:") || bpei_line_begins(line, "CONTENT-TYPE:"))
		head->coded = true;
	if (bpei_line_begins(line, "UPGRADE:")) {
		const struct bpei_text_line value = take_http_value(line, 8);
		head->upgrade = bpei_line_begins(&value, "H2C") || bpei_line_has(&value, "TLS/1");
	}
}

/* Reads the header section at `at`.  SHORT: the end is missing; NO: a line is no header field; the
 * fields before are noted. */
static enum bpei_match read_http_head(
	const struct bpei_stream *s, uint32_t at, struct http_head *head)
{
	struct bpei_text_line line;

	memset(head, 0, sizeof *head);
	head->length = UINT64_MAX;
	for (;;) {
		const enum bpei_match match = bpei_line_find(s, at, BPEI_STREAM_MOST, &line);

		if (match != BPEI_MATCH_YES)
			return match;
		at = line.next;
		head->end = at;
		if (!line.n)
			return BPEI_MATCH_YES;
		if (!memchr(line.text, ':', line.n) && *line.text != ' ' && *line.text != '\t')
			return BPEI_MATCH_NO;
		note_http_field(head, &line);
	}
}

/* Takes the host out of "host:port" or "[address]:port". */
static struct bpei_text_line take_http_host(struct bpei_text_line authority)
{
	const uint8_t *const close = authority.n && *authority.text == '['
					     ? memchr(authority.text, ']', authority.n)
					     : NULL;
	if (close) {
		authority.text++;
		authority.n = (uint32_t)(close - authority.text);
		return authority;
	}
	const uint8_t *const colon = memchr(authority.text, ':', authority.n);
	if (colon && !memchr(colon + 1, ':', (size_t)(authority.text + authority.n - colon - 1)))
		authority.n = (uint32_t)(colon - authority.text);
	return authority;
}

/* Finds the authority of an absolute target, "http://user@host:port/path", or of CONNECT's.
 * text NULL: the target has none. */
static struct bpei_text_line find_http_authority(const struct bpei_text_line *target, bool connect)
{
	struct bpei_text_line found = *target;

	if (!connect) {
		const uint8_t *const slashes = memchr(target->text, '/', target->n);
		const uint32_t before = slashes ? (uint32_t)(slashes - target->text) : 0;

		if (before < 2 || target->n < before + 2 || slashes[-1] != ':' || slashes[1] != '/')
			return (struct bpei_text_line){ NULL, 0, 0 };
		found.text = slashes + 2;
		found.n = target->n - before - 2;
	}
	for (uint32_t i = 0; i < found.n; i++)
		if (found.text[i] == '/' || found.text[i] == '?' || found.text[i] == '#')
			found.n = i;
	const uint8_t *const at = memchr(found.text, '@', found.n);
	if (at) {
		found.n -= (uint32_t)(at + 1 - found.text);
		found.text = at + 1;
	}
	return found;
}

/* Writes the method and the host of a request. */
static void say_http_request(struct bpe_flow_names *said, const struct bpei_text_line *line,
	uint32_t method, const struct http_head *head)
{
	const struct bpei_text_line target = { line->text + method + 1, line->n - method - 10, 0 };
	const bool connect = method == 7 && memcmp(line->text, "CONNECT", 7) == 0;
	struct bpei_text_line host = find_http_authority(&target, connect);

	bpei_said_text(said->method, sizeof said->method, line->text, method);
	if (!host.text)
		host = head->host;
	if (!host.text)
		return;
	host = take_http_host(host);
	if (host.n && bpei_said_text(said->server, sizeof said->server, host.text, host.n))
		said->source = BPE_NAME_HTTP;
}

/* Returns whether the line is a request's: a target stands between the method and " HTTP/1.0" or
 * " HTTP/1.1". */
static bool check_http_version(const struct bpei_text_line *line, uint32_t method)
{
	const uint8_t *const version = line->text + line->n - 9;

	return line->n >= method + 11 && memcmp(version, " HTTP/1.", 8) == 0 &&
	       (version[8] == '0' || version[8] == '1');
}

/* Looks at the bytes behind a request for an upgrade: TLS, HTTP/2, or HTTP/1 as before. */
static enum bpei_verdict read_http_upgrade(struct bpei_stream *s, uint32_t end)
{
	const enum bpei_match tls = bpei_stream_tls(s, end);
	const enum bpei_match preface = bpei_stream_match(s, end, "PRI * HTTP/2.0\r\n", 16);

	if (tls == BPEI_MATCH_YES || preface == BPEI_MATCH_YES)
		return bpei_stream_inner(s, end);
	if (bpei_stream_over(s) || (tls == BPEI_MATCH_NO && preface == BPEI_MATCH_NO))
		return BPEI_DONE;
	return bpei_stream_more(s, 0);
}

/* Reads a request. */
static enum bpei_verdict read_http_request(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line;
	struct http_head head;
	uint32_t method;
	enum bpei_match match = match_http_method(s, &method);

	if (match == BPEI_MATCH_YES)
		match = bpei_line_find(s, 0, BPEI_LINE_MOST, &line);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || !check_http_version(&line, method))
		return BPEI_NOT;
	said->app = BPE_APP_HTTP;
	match = read_http_head(s, line.next, &head);
	if (in->names & BPE_NAMES_HTTP)
		say_http_request(said, &line, method, &head);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES)
		return BPEI_DONE;
	if (method == 7 && memcmp(line.text, "CONNECT", 7) == 0)
		return bpei_stream_inner(s, head.end);
	return head.upgrade ? read_http_upgrade(s, head.end) : BPEI_DONE;
}

/* Reads the status line at `at`; *status: of the line.  As bpei_line_find. */
static enum bpei_match read_http_status(
	const struct bpei_stream *s, uint32_t at, struct bpei_text_line *line, uint16_t *status)
{
	enum bpei_match match = bpei_stream_match(s, at, "HTTP/1.", 7);

	if (match == BPEI_MATCH_YES)
		match = bpei_line_find(s, at, BPEI_LINE_MOST, line);
	if (match != BPEI_MATCH_YES)
		return match;
	const uint8_t *const p = line->text;
	if (line->n < 12 || (p[7] != '0' && p[7] != '1') || p[8] != ' ' || p[9] < '1' ||
		p[9] > '9' || p[10] < '0' || p[10] > '9' || p[11] < '0' || p[11] > '9' ||
		(line->n > 12 && p[12] != ' '))
		return BPEI_MATCH_NO;
	*status = (uint16_t)((p[9] - '0') * 100 + (p[10] - '0') * 10 + p[11] - '0');
	return BPEI_MATCH_YES;
}

/* Judges the bytes behind a response of status 2xx without a length: the peer's after CONNECT, or a
 * body up to the end of the connection. */
static enum bpei_verdict read_http_tunnel(struct bpei_inspector *in, struct bpei_stream *s,
	const struct bpe_flow_names *said, uint32_t end)
{
	const enum bpei_match tls = bpei_stream_tls(s, end);
	const bool told = (in->names & BPE_NAMES_HTTP) && said->method[0];

	if (strcmp(said->method, "CONNECT") == 0 || tls == BPEI_MATCH_YES)
		return bpei_stream_inner(s, end);
	if (told || tls == BPEI_MATCH_NO || bpei_stream_over(s))
		return BPEI_DONE;
	return bpei_stream_more(s, 0);
}

/* Reads responses up to the first final response (RFC 9110 15.2).  After a proxy asked for
 * credentials (407), another response comes. */
static enum bpei_verdict read_http_response(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line;
	struct http_head head;
	uint16_t status;
	uint32_t at = 0;

	for (uint32_t k = 0; k < MESSAGES_MOST; k++) {
		enum bpei_match match = read_http_status(s, at, &line, &status);

		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return at ? BPEI_DONE : BPEI_NOT;
		said->app = BPE_APP_HTTP;
		if (in->names & BPE_NAMES_HTTP)
			said->http_status = status;
		match = read_http_head(s, line.next, &head);
		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return BPEI_DONE;
		if (status == 101)
			return head.upgrade ? bpei_stream_inner(s, head.end) : BPEI_DONE;
		if (status / 100 == 2 && head.length == UINT64_MAX && !head.coded)
			return read_http_tunnel(in, s, said, head.end);
		if (status == 407 && head.length < BPEI_STREAM_MOST)
			at = head.end + (uint32_t)head.length;
		else if (status < 200)
			at = head.end;
		else
			return BPEI_DONE;
		if (at > s->n || (at == s->n && !bpei_stream_over(s)))
			return bpei_stream_over(s) ? BPEI_DONE : bpei_stream_more(s, at + 1);
	}
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_http(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	if (!s->n)
		return BPEI_NOT;
	const enum bpei_match response = bpei_stream_match(s, 0, "HTTP/1.", s->n < 7 ? s->n : 7);
	if (response == BPEI_MATCH_YES)
		return read_http_response(in, s, said);
	return read_http_request(in, s, said);
}
