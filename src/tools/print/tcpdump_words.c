/* SPDX-License-Identifier: MIT */
/* Protocols of text lines in tcpdump's line: HTTP, SIP, RTSP, SMTP, FTP, WHOIS. */
#include "tcpdump_layers.h"

enum { MOST_TOKEN = 128, MOST_LINES = 512 };

/* A protocol: name, and first words of requests, with blanks around (NULL: any). */
struct word_protocol {
	const char *name, *layer, *requests;
};

static const struct word_protocol protocols[] = {
	{ "FTP", "ftp", NULL },
	{ "SMTP", "smtp", NULL },
	{ "WHOIS", "whois", NULL },
	{ "HTTP", "http",
		" GET HEAD PUT POST DELETE OPTIONS TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE"
		" LOCK UNLOCK VERSION-CONTROL REPORT CHECKOUT CHECKIN UNCHECKOUT MKWORKSPACE UPDATE"
		" LABEL MERGE BASELINE-CONTROL MKACTIVITY SEARCH SUBSCRIBE UNSUBSCRIBE NOTIFY"
		" BPROPFIND BPROPPATCH BCOPY BMOVE BDELETE POLL RPC_CONNECT CCM_POST " },
	{ "RTSP", "rtsp",
		" OPTIONS DESCRIBE ANNOUNCE GET_PARAMETER PAUSE PLAY RECORD REDIRECT SETUP"
		" SET_PARAMETER TEARDOWN " },
	{ "SIP", "sip",
		" ACK BYE CANCEL DO INFO INVITE MESSAGE NOTIFY OPTIONS PRACK PUBLISH REFER REGISTER"
		" SUBSCRIBE UPDATE " },
};

static bool is_printable(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Takes a word at *at and the blanks behind.  Returns the length of the word; 0: no word. */
static uint32_t take_token(const struct span *s, uint32_t *at)
{
	uint32_t n = 0;

	for (; *at < s->length; (*at)++, n++) {
		if (!span_has(s, *at, 1) || n >= MOST_TOKEN)
			return 0;
		if (is_blank(s->at[*at]))
			break;
		if (!is_printable(s->at[*at]))
			return 0;
	}
	while (n && span_has(s, *at, 1) && s->at[*at] == ' ')
		(*at)++;
	return n;
}

/* Tells whether a word of n bytes stands in a list, in any case of letters. */
static bool is_listed(const char *list, const uint8_t *word, uint32_t n)
{
	for (const char *at = list; (at = strchr(at, ' ')) && at[1]; at++) {
		uint32_t i = 0;

		while (i < n && at[1 + i] != ' ') {
			const uint8_t byte = word[i] >= 'a' && word[i] <= 'z'
						     ? (uint8_t)(word[i] - 32)
						     : word[i];

			if (byte != (uint8_t)at[1 + i])
				break;
			i++;
		}
		if (i == n && at[1 + n] == ' ')
			return true;
	}
	return false;
}

/* Tells whether the first line is a request or an answer. */
static bool is_first_line(const struct word_protocol *protocol, const struct span *s)
{
	uint32_t at = 0;
	uint32_t start = 0;
	uint32_t n = take_token(s, &at);

	if (!protocol->requests)
		return true;
	if (!n)
		return false;
	if (is_listed(protocol->requests, s->at, n))
		return true;
	start = at;
	n = take_token(s, &at);
	if (n != 3)
		return false;
	for (uint32_t i = 0; i < 3; i++)
		if (s->at[start + i] < '0' || s->at[start + i] > '9')
			return false;
	return true;
}

/* Puts the line at `from`; returns the place behind, or 0 if there is no further line. */
static uint32_t put_word_line(
	struct tcpdump *t, const struct span *s, uint32_t from, const char *before)
{
	uint32_t at = from;
	uint32_t behind = 0;

	for (; at < s->length && !behind; at++) {
		if (!span_need(t, s, at, 1))
			return 0;
		if (s->at[at] == '\n') {
			behind = at + 1;
		} else if (s->at[at] == '\r') {
			if (at + 1 < s->length && !span_need(t, s, at + 1, 1))
				return 0;
			if (at + 1 < s->length && s->at[at + 1] != '\n')
				return 0;
			behind = at + 2;
		} else if (!is_printable(s->at[at]) && s->at[at] != '\t') {
			return 0;
		}
		if (behind)
			break;
	}
	put_string(t, before);
	line_put_bytes(t->line, s->at + from, at - from);
	if (!behind)
		tcpdump_put_short(t);
	return behind;
}

void tcpdump_put_words(struct tcpdump *t, const char *name, struct span s)
{
	const struct word_protocol *protocol = protocols;
	uint32_t at = 0;

	while (strcmp(protocol->name, name) != 0)
		protocol++;
	t->layer = protocol->layer;
	put_string(t, protocol->name);
	if (!is_first_line(protocol, &s))
		return;
	if (!t->options->verbose) {
		put_word_line(t, &s, 0, ": ");
		return;
	}
	for (int i = 0; i < MOST_LINES && at < s.length && !t->sealed; i++) {
		at = put_word_line(t, &s, at, "\n\t");
		if (!at)
			break;
	}
}
