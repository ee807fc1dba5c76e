/* SPDX-License-Identifier: MIT */
/* SMTP (RFC 5321) and LMTP.  A client begins with EHLO, HELO or LHLO and a name.  A server's
 * greeting is told from that of FTP by replies.c.  TLS begins behind STARTTLS and its reply (RFC
 * 3207). Pure. */
#include "inspect/readers.h"
#include "inspect/replies.h"

#define COMMAND_MOST 1024u /* RFC 5321 4.5.3.1: 512, and more by extensions */
#define REPLIES_MOST 6u    /* replies before mail goes, at most */

/* Reads the commands of a client. */
static enum bpei_verdict read_smtp_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };

	for (;;) {
		const enum bpei_match match = bpei_line_find(s, line.next, COMMAND_MOST, &line);
		const bool first = said->app != BPE_APP_SMTP;

		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return first ? BPEI_NOT : BPEI_DONE;
		const uint32_t hello = bpei_line_word(&line, "EHLO HELO LHLO");
		if (first && (!hello || line.n < 6))
			return BPEI_NOT;
		said->app = BPE_APP_SMTP;
		if (bpei_line_word(&line, "STARTTLS"))
			return bpei_stream_inner(s, line.next);
		if (!hello && !bpei_line_word(&line, "NOOP RSET HELP XCLIENT XFORWARD"))
			return BPEI_DONE;
	}
}

/* Reads the replies of a server. */
static enum bpei_verdict read_smtp_server(struct bpei_stream *s)
{
	struct bpei_reply reply;
	uint32_t at = 0;

	for (uint32_t k = 0; k < REPLIES_MOST; k++) {
		if (k && bpei_stream_ciphers(s, at))
			return bpei_stream_inner(s, at);
		const enum bpei_match match = bpei_reply_take(s, at, &reply);
		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return BPEI_DONE;
		at = reply.next;
		if (k && reply.code == 220)
			return bpei_stream_inner(s, at);
		if (reply.code == 221 || reply.code == 235 || reply.code == 334 ||
			reply.code == 354 || reply.code == 421)
			return BPEI_DONE;
	}
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_smtp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint8_t app;

	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (s->bytes[0] < '1' || s->bytes[0] > '5') {
		if (bpei_stream_word(s, 0, "EHLO HELO LHLO") == BPEI_MATCH_NO)
			return BPEI_NOT;
		return read_smtp_client(s, said);
	}
	const enum bpei_match match = bpei_reply_judge(s, said, &app);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || app != BPE_APP_SMTP)
		return BPEI_NOT;
	said->app = BPE_APP_SMTP;
	return read_smtp_server(s);
}
