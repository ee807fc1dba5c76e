/* SPDX-License-Identifier: MIT */
/* FTP (RFC 959): the control connection.  A client begins with USER, AUTH, FEAT or SYST.  POP3
 * and IRC have USER as well, so the commands behind are read.  A server's greeting is told from a
 * greeting of SMTP by replies.c.  TLS begins behind AUTH and the reply (RFC 4217).  Pure. */
#include "inspect/readers.h"
#include "inspect/replies.h"

#define COMMAND_MOST 512u
#define COMMANDS_MOST 8u
#define REPLIES_MOST 6u
#define FIRST "USER AUTH FEAT SYST OPTS CLNT" /* commands with which a client begins */

/* Judges a command of a client: YES: of FTP alone; SHORT: also of POP3; NO: of neither. */
static enum bpei_match judge_ftp_command(const struct bpei_text_line *line)
{
	if (bpei_line_word(line, "USER")) {
		const struct bpei_text_line user = { line->text + 5, line->n - 5, 0 };
		if (line->n < 6 || memchr(user.text, ' ', user.n)) /* IRC's has four parameters */
			return BPEI_MATCH_NO;
		return bpei_line_word(&user, "ANONYMOUS FTP") ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
	}
	if (bpei_line_word(line, "PASS"))
		return BPEI_MATCH_SHORT;
	if (bpei_line_word(line, "AUTH")) {
		const struct bpei_text_line kind = { line->text + 5, line->n - 5, 0 };
		return line->n > 5 && bpei_line_word(&kind, "TLS SSL TLS-C TLS-P GSSAPI")
			       ? BPEI_MATCH_YES
			       : BPEI_MATCH_NO;
	}
	if (bpei_line_word(line, "FEAT SYST PASV EPSV") && line->n == 4)
		return BPEI_MATCH_YES;
	if (bpei_line_word(line, "OPTS TYPE CWD PORT EPRT RETR STOR CLNT MKD SIZE MDTM PBSZ"))
		return line->n > 5 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	return bpei_line_word(line, "PWD XPWD") && line->n <= 4 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
}

/* Reads the commands of a client. */
static enum bpei_verdict read_ftp_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };
	bool known = said->app == BPE_APP_FTP;

	for (uint32_t k = 0; k < COMMANDS_MOST; k++) {
		const enum bpei_match match = bpei_line_find(s, line.next, COMMAND_MOST, &line);

		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return known ? BPEI_DONE : BPEI_NOT;
		const enum bpei_match judged = judge_ftp_command(&line);
		if (judged == BPEI_MATCH_NO)
			return known ? BPEI_DONE : BPEI_NOT;
		if (judged == BPEI_MATCH_YES)
			known = true;
		if (known)
			said->app = BPE_APP_FTP;
		if (bpei_line_begins(&line, "AUTH T") || bpei_line_begins(&line, "AUTH S"))
			return bpei_stream_inner(s, line.next);
		if (known && !bpei_line_word(&line, "FEAT SYST OPTS CLNT"))
			return BPEI_DONE;
	}
	return known ? BPEI_DONE : BPEI_NOT;
}

/* Reads the replies of a server. */
static enum bpei_verdict read_ftp_server(struct bpei_stream *s)
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
		if (k && reply.code == 234) /* RFC 4217 4 */
			return bpei_stream_inner(s, at);
		if (reply.code == 230 || reply.code == 331 || reply.code == 332 ||
			reply.code == 421 || reply.code == 221)
			return BPEI_DONE;
	}
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_ftp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint8_t app;

	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (s->bytes[0] < '1' || s->bytes[0] > '5') {
		if (bpei_stream_word(s, 0, FIRST) == BPEI_MATCH_NO)
			return BPEI_NOT;
		return read_ftp_client(s, said);
	}
	const enum bpei_match match = bpei_reply_judge(s, said, &app);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES || app != BPE_APP_FTP)
		return BPEI_NOT;
	said->app = BPE_APP_FTP;
	return read_ftp_server(s);
}
