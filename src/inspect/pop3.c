/* SPDX-License-Identifier: MIT */
/* POP3 (RFC 1939, extensions in RFC 2449).  A server greets with "+OK" and a text.  A text that has
 * neither the protocol's name nor the time stamp of APOP needs another reply behind.  A client
 * begins with CAPA, STLS, APOP, AUTH, or USER and PASS with a command of POP3 behind.  TLS begins
 * behind STLS and its reply (RFC 2595).  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define LINE_MOST 512u
#define COMMANDS_MOST 8u
#define LINES_MOST 32u

/* Judges a command of a client: YES: of POP3; SHORT: also of FTP; NO: not of POP3. */
static enum bpei_match judge_pop3_command(const struct bpei_text_line *line)
{
	const bool alone = line->n <= 4;

	if (bpei_line_word(line, "CAPA STLS STAT QUIT"))
		return alone ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	if (bpei_line_word(line, "UIDL LIST RETR TOP DELE"))
		return BPEI_MATCH_YES;
	if (bpei_line_word(line, "APOP")) {
		const uint8_t *const blank =
			line->n > 38 ? memchr(line->text + 5, ' ', line->n - 5) : NULL;
		return blank && blank + 33 == line->text + line->n ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	}
	if (bpei_line_word(line, "AUTH")) {
		const struct bpei_text_line kind = { line->text + 5, line->n - 5, 0 };
		const char *const kinds =
			"PLAIN LOGIN CRAM-MD5 DIGEST-MD5 NTLM XOAUTH2 SCRAM-SHA-1 "
			"SCRAM-SHA-256 OAUTHBEARER EXTERNAL";
		return alone || (line->n > 5 && bpei_line_word(&kind, kinds)) ? BPEI_MATCH_YES
									      : BPEI_MATCH_NO;
	}
	return bpei_line_word(line, "USER PASS") && line->n > 5 ? BPEI_MATCH_SHORT : BPEI_MATCH_NO;
}

/* Reads the commands of a client. */
static enum bpei_verdict read_pop3_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };
	bool known = said->app == BPE_APP_POP3;

	for (uint32_t k = 0; k < COMMANDS_MOST; k++) {
		const enum bpei_match match = bpei_line_find(s, line.next, LINE_MOST, &line);

		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			break;
		const enum bpei_match judged = judge_pop3_command(&line);
		if (judged == BPEI_MATCH_NO)
			break;
		known = known || judged == BPEI_MATCH_YES;
		if (known)
			said->app = BPE_APP_POP3;
		if (bpei_line_word(&line, "STLS"))
			return bpei_stream_inner(s, line.next);
		if (known && !bpei_line_word(&line, "CAPA"))
			return BPEI_DONE;
	}
	return known ? BPEI_DONE : BPEI_NOT;
}

/* Returns whether a greeting tells POP3 by itself. */
static bool check_pop3_greeting(const struct bpei_text_line *line)
{
	if (line->n < 6 || line->text[3] != ' ')
		return false;
	const uint8_t *const stamp = memchr(line->text, '<', line->n);
	if (stamp && line->text[line->n - 1] == '>' &&
		memchr(stamp, '@', (size_t)(line->text + line->n - stamp)))
		return true;
	return bpei_line_has(line, "POP3") || bpei_line_has(line, "POP ") ||
	       bpei_line_has(line, "QPOP");
}

/* Reads the replies of a server. */
static enum bpei_verdict read_pop3_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };
	uint32_t replies = 0;
	bool known = said->app == BPE_APP_POP3;

	for (uint32_t k = 0; k < LINES_MOST; k++) {
		if (k && known && bpei_stream_ciphers(s, line.next))
			return bpei_stream_inner(s, line.next);
		const enum bpei_match match = bpei_line_find(s, line.next, LINE_MOST, &line);
		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			break;
		const uint32_t word = bpei_line_word(&line, "+OK -ERR +");
		if (!k && (word != 1 || (!known && line.n < 6)))
			break;
		if (k == 1 && !known && word != 1 && word != 2)
			break;
		replies += word == 1 || word == 2;
		known = known || replies > 1 || check_pop3_greeting(&line);
		if (known)
			said->app = BPE_APP_POP3;
		if (replies > 3)
			break;
	}
	return known ? BPEI_DONE : BPEI_NOT;
}

enum bpei_verdict bpei_read_pop3(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (s->n && s->bytes[0] == '+')
		return read_pop3_server(s, said);
	if (s->n && bpei_stream_word(s, 0, "CAPA STLS APOP AUTH USER") != BPEI_MATCH_NO)
		return read_pop3_client(s, said);
	return BPEI_NOT;
}
