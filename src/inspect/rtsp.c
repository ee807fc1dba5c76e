/* SPDX-License-Identifier: MIT */
/* RTSP (RFC 2326 6 and 7, RFC 7826).  A request has a method, a URI of rtsp or "*", and the
 * version; a response the version and a status.  A header field must follow.  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define LINE_MOST 4096u
#define METHOD_MOST 16u

/* Returns whether the line is a request's or a response's first. */
static bool check_rtsp_first(const struct bpei_text_line *line)
{
	const uint8_t *const p = line->text;
	uint32_t n = 0;

	if (bpei_line_begins(line, "RTSP/1.0 ") || bpei_line_begins(line, "RTSP/2.0 "))
		return line->n >= 12 && p[9] >= '1' && p[9] <= '5' && p[10] >= '0' &&
		       p[10] <= '9' && p[11] >= '0' && p[11] <= '9' &&
		       (line->n == 12 || p[12] == ' ');
	while (n < line->n && ((p[n] >= 'A' && p[n] <= 'Z') || p[n] == '_'))
		n++;
	if (n < 3 || n > METHOD_MOST || line->n < n + 1 + 1 + 9 || p[n] != ' ')
		return false;
	const struct bpei_text_line uri = { p + n + 1, line->n - n - 1, 0 };
	const struct bpei_text_line version = { p + line->n - 9, 9, 0 };
	return (bpei_line_begins(&version, " RTSP/1.0") ||
		       bpei_line_begins(&version, " RTSP/2.0")) &&
	       (bpei_line_begins(&uri, "RTSP") || bpei_line_begins(&uri, "* ") || *uri.text == '/');
}

/* Returns whether the bytes before the first line's end can be those of RTSP, to say NOT early. */
static bool check_rtsp_start(const struct bpei_stream *s)
{
	uint32_t n = 0;

	if (bpei_stream_match(s, 0, "RTSP/", 5) != BPEI_MATCH_NO)
		return true;
	while (n < s->n && n <= METHOD_MOST &&
		((s->bytes[n] >= 'A' && s->bytes[n] <= 'Z') || s->bytes[n] == '_'))
		n++;
	if (n == s->n)
		return true;
	if (n < 3 || n > METHOD_MOST || s->bytes[n] != ' ')
		return false;
	return n + 1 == s->n || !!memchr("rR*/", s->bytes[n + 1], 4);
}

enum bpei_verdict bpei_read_rtsp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line;
	struct bpei_text_line field;

	(void)in;
	if (!s->n || !check_rtsp_start(s))
		return BPEI_NOT;
	enum bpei_match match = bpei_line_find(s, 0, LINE_MOST, &line);
	if (match == BPEI_MATCH_YES)
		match = check_rtsp_first(&line) ? bpei_line_find(s, line.next, LINE_MOST, &field)
						: BPEI_MATCH_NO;
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || !memchr(field.text, ':', field.n))
		return BPEI_NOT;
	said->app = BPE_APP_RTSP;
	return BPEI_DONE;
}
