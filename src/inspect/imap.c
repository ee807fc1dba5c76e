/* SPDX-License-Identifier: MIT */
/* IMAP (RFC 9051).  A server greets with "* OK", "* PREAUTH" or "* BYE" (7.1); a greeting without
 * the protocol's name needs a reply of IMAP behind.  A client's command has a tag before (2.2.1).
 * TLS begins behind STARTTLS and its reply (6.2.1).  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define LINE_MOST 2048u
#define COMMANDS_MOST 8u
#define LINES_MOST 16u
#define TAG_MOST 16u

/* Returns the length of the tag with which the line begins: letters, digits and few signs; 0: there
 * is none. */
static uint32_t measure_imap_tag(const struct bpei_text_line *line)
{
	uint32_t n = 0;

	for (; n < line->n && line->text[n] != ' '; n++) {
		const uint8_t c = line->text[n];
		const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (!letter && (c < '0' || c > '9') && !memchr(".-_=$#", c, 6))
			return 0;
	}
	return n <= TAG_MOST && n < line->n ? n : 0;
}

/* Returns whether a command can be the first of IMAP, by name and parameters. */
static bool check_imap_command(const struct bpei_text_line *command)
{
	if (bpei_line_word(command, "CAPABILITY"))
		return command->n == 10;
	if (bpei_line_word(command, "STARTTLS"))
		return command->n == 8;
	if (bpei_line_begins(command, "LOGIN "))
		return command->n > 8 && !!memchr(command->text + 7, ' ', command->n - 7);
	if (bpei_line_begins(command, "AUTHENTICATE "))
		return command->n > 16;
	return bpei_line_begins(command, "ID (") || bpei_line_begins(command, "ID NIL");
}

/* Returns whether the bytes are a tag and the start of a command, as far as they go. */
static bool check_imap_start(const struct bpei_stream *s)
{
	const struct bpei_text_line line = { s->bytes, s->n < TAG_MOST + 1 ? s->n : TAG_MOST + 1,
		0 };
	const uint32_t tag = measure_imap_tag(&line);

	if (!tag)
		return s->n <= TAG_MOST && !memchr(s->bytes, ' ', s->n) &&
		       !memchr(s->bytes, '\n', s->n);
	return bpei_stream_word(s, tag + 1,
		       "CAPABILITY STARTTLS LOGIN AUTHENTICATE ID NOOP LOGOUT") != BPEI_MATCH_NO;
}

/* Reads the commands of a client. */
static enum bpei_verdict read_imap_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };

	for (uint32_t k = 0; k < COMMANDS_MOST; k++) {
		const bool known = said->app == BPE_APP_IMAP;
		const enum bpei_match match = bpei_line_find(s, line.next, LINE_MOST, &line);

		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return known ? BPEI_DONE : BPEI_NOT;
		const uint32_t tag = measure_imap_tag(&line);
		const struct bpei_text_line command = { line.text + tag + 1, line.n - tag - 1, 0 };
		if (!tag || (!known && !check_imap_command(&command)))
			return known ? BPEI_DONE : BPEI_NOT;
		said->app = BPE_APP_IMAP;
		if (bpei_line_word(&command, "STARTTLS"))
			return bpei_stream_inner(s, line.next);
		if (!bpei_line_word(&command, "CAPABILITY NOOP ID"))
			return BPEI_DONE;
	}
	return BPEI_DONE;
}

/* Returns whether the line behind a greeting is one of IMAP: "* CAPABILITY IMAP4", or a tag and a
 * result. */
static bool check_imap_reply(const struct bpei_text_line *line)
{
	const uint32_t tag = measure_imap_tag(line);
	const struct bpei_text_line result = { line->text + tag + 1, line->n - tag - 1, 0 };

	if (bpei_line_begins(line, "* CAPABILITY IMAP4") || bpei_line_begins(line, "* ID "))
		return true;
	return tag && bpei_line_word(&result, "OK NO BAD") && result.n > 3;
}

/* Reads the replies of a server. */
static enum bpei_verdict read_imap_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_text_line line = { NULL, 0, 0 };
	uint32_t results = 0;

	for (uint32_t k = 0; k < LINES_MOST; k++) {
		const bool known = said->app == BPE_APP_IMAP;

		if (k && known && bpei_stream_ciphers(s, line.next))
			return bpei_stream_inner(s, line.next);
		const enum bpei_match match = bpei_line_find(s, line.next, LINE_MOST, &line);
		if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
			return bpei_stream_more(s, 0);
		if (match != BPEI_MATCH_YES)
			return known ? BPEI_DONE : BPEI_NOT;
		if (!k && !bpei_line_begins(&line, "* OK ") && !bpei_line_begins(&line, "* BYE ") &&
			!bpei_line_begins(&line, "* PREAUTH "))
			return known ? BPEI_DONE : BPEI_NOT;
		if (k ? check_imap_reply(&line) : bpei_line_has(&line, "IMAP"))
			said->app = BPE_APP_IMAP;
		else if (k && !known)
			return BPEI_NOT;
		results += measure_imap_tag(&line) != 0;
		if (results > 2)
			return BPEI_DONE;
	}
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_imap(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (bpei_stream_match(s, 0, "* ", s->n < 2 ? s->n : 2) == BPEI_MATCH_YES)
		return read_imap_server(s, said);
	return check_imap_start(s) ? read_imap_client(s, said) : BPEI_NOT;
}
