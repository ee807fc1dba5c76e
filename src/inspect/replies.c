/* SPDX-License-Identifier: MIT */
/* Replies of SMTP and FTP (replies.h).  Pure. */
#include "inspect/replies.h"

#define REPLY_LINE_MOST 1024u
#define REPLIES_MOST 4u /* replies that are looked at to tell SMTP from FTP */

/* Returns the code of a reply's line, 100 to 599; 0: the line has none. */
static uint32_t read_reply_code(const struct bpei_text_line *line)
{
	const uint8_t *const p = line->text;

	if (line->n < 3 || p[0] < '1' || p[0] > '5' || p[1] < '0' || p[1] > '5' || p[2] < '0' ||
		p[2] > '9' || (line->n > 3 && p[3] != ' ' && p[3] != '-'))
		return 0;
	return (uint32_t)(p[0] - '0') * 100 + (uint32_t)(p[1] - '0') * 10 + (uint32_t)(p[2] - '0');
}

enum bpei_match bpei_reply_take(
	const struct bpei_stream *stream, uint32_t at, struct bpei_reply *reply)
{
	struct bpei_text_line line;
	enum bpei_match match = bpei_line_find(stream, at, REPLY_LINE_MOST, &line);

	memset(reply, 0, sizeof *reply);
	if (match != BPEI_MATCH_YES)
		return match;
	reply->code = read_reply_code(&line);
	if (!reply->code)
		return BPEI_MATCH_NO;
	reply->first = line;
	while (line.n > 3 && line.text[3] == '-') {
		/* FTP's lines between the first and the last need no code (RFC 959 4.2). */
		do {
			match = bpei_line_find(stream, line.next, REPLY_LINE_MOST, &line);
			if (match != BPEI_MATCH_YES)
				return match;
		} while (read_reply_code(&line) != reply->code);
	}
	reply->next = line.next;
	return BPEI_MATCH_YES;
}

/* Returns whether a byte belongs to a word or to the name of a host. */
static bool is_reply_word(uint8_t c)
{
	const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

	return letter || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* Returns whether the text is in the line as a word, and not as a part of a host's name. */
static bool find_reply_word(const struct bpei_text_line *line, const char *word)
{
	const uint32_t n = (uint32_t)strlen(word);

	for (uint32_t i = 4; i + n <= line->n; i++) {
		const struct bpei_text_line rest = { line->text + i, line->n - i, 0 };
		const bool begun = i > 4 && is_reply_word(line->text[i - 1]);
		const bool goes_on = i + n < line->n && is_reply_word(line->text[i + n]);

		if (!begun && !goes_on && bpei_line_begins(&rest, word))
			return true;
	}
	return false;
}

/* Judges a greeting by the server's name for itself; 0: not told. */
static uint8_t judge_greeting(const struct bpei_text_line *line)
{
	const bool mail = find_reply_word(line, "ESMTP") || find_reply_word(line, "SMTP") ||
			  find_reply_word(line, "LMTP") || find_reply_word(line, "ESMTPS");
	const bool files = find_reply_word(line, "FTP") || bpei_line_has(line, "FTPD") ||
			   bpei_line_has(line, "FILEZILLA");

	if (mail == files)
		return BPE_APP_NONE;
	return mail ? BPE_APP_SMTP : BPE_APP_FTP;
}

/* Judges a later reply by its code: 250 answers EHLO; the others answer USER, AUTH, FEAT, SYST. */
static uint8_t judge_reply(uint32_t code)
{
	switch (code) {
	case 250:
		return BPE_APP_SMTP;
	case 202:
	case 211:
	case 215:
	case 230:
	case 232:
	case 234:
	case 331:
	case 332:
	case 336:
	case 431:
	case 530:
	case 534:
		return BPE_APP_FTP;
	default:
		return BPE_APP_NONE;
	}
}

enum bpei_match bpei_reply_judge(
	const struct bpei_stream *stream, const struct bpe_flow_names *said, uint8_t *app)
{
	struct bpei_reply reply;
	uint32_t at = 0;

	if (stream->n && (stream->bytes[0] < '1' || stream->bytes[0] > '5'))
		return BPEI_MATCH_NO;
	for (uint32_t k = 0; k < REPLIES_MOST; k++) {
		const enum bpei_match match = bpei_reply_take(stream, at, &reply);

		if (match == BPEI_MATCH_NO)
			return match;
		if (k == 0 && reply.code && reply.code != 220 && reply.code != 421 &&
			reply.code != 554 && reply.code != 120)
			return BPEI_MATCH_NO;
		*app = BPE_APP_NONE;
		if (reply.code && (said->app == BPE_APP_SMTP || said->app == BPE_APP_FTP))
			*app = said->app;
		else if (reply.code)
			*app = k ? judge_reply(reply.code) : judge_greeting(&reply.first);
		if (*app != BPE_APP_NONE)
			return BPEI_MATCH_YES;
		if (match == BPEI_MATCH_SHORT)
			return match;
		at = reply.next;
	}
	return BPEI_MATCH_NO;
}
