/* SPDX-License-Identifier: MIT */
/* host in FILE, and its kin: a list of values, one or more a line, comments behind "#".  It means
 * what the values joined by "or" mean. */
#include "base/textfile.h"
#include "filter/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST (16u << 20)

/* Whether the word in hand is an "in" that a file's path follows: one that begins with "/", "./" or
 * "../", which no expression of pcap-filter(7) can go on with. */
bool bpei_parse_list_begins(const struct bpei_compile *c)
{
	const char *s = c->text + c->at;
	if (c->token != T_NAME || strcmp(c->word, "in") != 0 || c->text[c->token_at] == '\\')
		return false;
	s += strspn(s, " \t\r\n");
	return *s == '/' || !strncmp(s, "./", 2) || !strncmp(s, "../", 3);
}

/* In another's place: the compiler looks at the file's text, until it is through. */
static int32_t list(
	struct bpei_compile *c, const char *path, char *text, const struct qualifiers *q)
{
	struct bpei_compile before = *c;
	int32_t all = -1;
	for (char *p = text; (p = strchr(p, '#'));)
		while (*p && *p != '\n')
			*p++ = ' ';
	c->text = text;
	c->at = 0;
	bpei_lex_next(c);
	while (c->token != T_END && !c->failed) {
		bool range = q->address == A_PORT && c->token == T_NAME && strchr(c->word, '-');
		struct qualifiers one = *q;
		if (range)
			one.address = A_PORTRANGE;
		c->term_at = c->token_at;
		all = bpei_either(c, all, bpei_parse_value(c, &one));
	}
	if (c->failed &&
		!c->out_of_memory) { /* in which line; what is pointed at is the file's name */
		char why[sizeof c->why];
		size_t line = 1;
		for (size_t i = 0; i < c->why_at && text[i]; i++)
			line += text[i] == '\n';
		snprintf(why, sizeof why, "%.80s, line %zu: %.120s", path, line, c->why);
		memcpy(c->why, why, sizeof why);
		c->why_at = before.token_at, c->why_length = before.token_length;
	}
	c->text = before.text, c->at = before.at, c->token = before.token,
	c->token_at = before.token_at, c->token_length = before.token_length;
	if (!c->failed && all < 0)
		return bpei_compile_fail(c, "the file lists nothing");
	return c->failed ? -1 : all;
}

int32_t bpei_parse_list(struct bpei_compile *c, const struct qualifiers *q)
{
	char path[1024];
	const char *s = c->text + c->at;
	size_t blank = strspn(s, " \t\r\n"), n = strcspn(s + blank, " \t\r\n()");
	if (n >= sizeof path)
		return bpei_compile_fail(c, "the file's name is too long");
	memcpy(path, s + blank, n);
	path[n] = 0;
	c->token_at = c->at + blank, c->token_length = n;
	c->at += blank + n;
	if (q->address >= A_PROTO)
		return bpei_compile_fail(c, "lists are of hosts, nets and ports");
	char *text = bpei_textfile_read(path, FILE_MOST);
	if (!text)
		return bpei_compile_fail(c, "cannot read the list: %s",
			errno == EFBIG    ? "it is longer than 16 MiB"
			: errno == EILSEQ ? "it is no text"
					  : strerror(errno));
	int32_t b = list(c, path, text, q);
	free(text);
	bpei_lex_next(c);
	return b;
}
