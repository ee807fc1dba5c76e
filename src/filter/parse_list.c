/* SPDX-License-Identifier: MIT */
/* host in FILE, and kin: a file of values, separated by blanks or lines, with comments behind
 * "#".  The meaning is the same as of the values joined by "or". */
#include "base/textfile.h"
#include "filter/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST (16u << 20)

/* Finds a list by the word "in" and a path that begins with "/", "./" or "../".  No expression of
 * pcap-filter(7) can go on like that. */
bool bpei_parse_at_list(const struct bpei_compile *c)
{
	const char *s = c->text + c->at;

	if (c->token != T_NAME || strcmp(c->word, "in") != 0 || c->text[c->token_at] == '\\')
		return false;
	s += strspn(s, " \t\r\n");
	return *s == '/' || !strncmp(s, "./", 2) || !strncmp(s, "../", 3);
}

/* Replaces comments by blanks. */
static void blank_comments(char *text)
{
	for (char *p = text; (p = strchr(p, '#'));)
		while (*p && *p != '\n')
			*p++ = ' ';
}

/* Puts the file's name and the line in front of the error, which then points at the name in the
 * expression.  before: the compiler in front of the file's text. */
static void locate_error(struct bpei_compile *c, const char *path, const char *text,
	const struct bpei_compile *before)
{
	char why[sizeof c->why];
	size_t line = 1;

	for (size_t i = 0; i < c->why_at && text[i]; i++)
		line += text[i] == '\n';
	snprintf(why, sizeof why, "%.80s, line %zu: %.120s", path, line, c->why);
	memcpy(c->why, why, sizeof why);
	c->why_at = before->token_at;
	c->why_length = before->token_length;
}

/* Parses the file's text in place of the expression, to which the lexer returns afterwards. */
static int32_t parse_list_text(
	struct bpei_compile *c, const char *path, const char *text, const struct qualifiers *q)
{
	const struct bpei_compile before = *c;
	int32_t all = -1;

	c->text = text;
	c->at = 0;
	bpei_lex_next(c);
	while (c->token != T_END && !c->failed) {
		struct qualifiers value = *q;

		if (q->address == A_PORT && c->token == T_NAME && strchr(c->word, '-'))
			value.address = A_PORTRANGE;
		c->term_at = c->token_at;
		all = bpei_or_optional(c, all, bpei_parse_value(c, &value));
	}
	if (c->failed && !c->out_of_memory)
		locate_error(c, path, text, &before);
	c->text = before.text;
	c->at = before.at;
	c->token = before.token;
	c->token_at = before.token_at;
	c->token_length = before.token_length;
	if (!c->failed && all < 0)
		return bpei_compile_fail(c, "the file lists nothing");
	return c->failed ? -1 : all;
}

/* Returns why the file could not be read, by errno. */
static const char *explain_list_error(int error)
{
	switch (error) {
	case EFBIG:
		return "it is longer than 16 MiB";
	case EILSEQ:
		return "it is no text";
	default:
		return strerror(error);
	}
}

int32_t bpei_parse_list(struct bpei_compile *c, const struct qualifiers *q)
{
	const char *s = c->text + c->at;
	const size_t blank = strspn(s, " \t\r\n");
	const size_t n = strcspn(s + blank, " \t\r\n()");
	char path[1024];

	if (n >= sizeof path)
		return bpei_compile_fail(c, "the file's name is too long");
	memcpy(path, s + blank, n);
	path[n] = 0;
	c->token_at = c->at + blank;
	c->token_length = n;
	c->at += blank + n;
	if (q->address >= A_PROTO)
		return bpei_compile_fail(c, "lists are of hosts, nets and ports");
	char *text = bpei_textfile_read(path, FILE_MOST);
	if (!text)
		return bpei_compile_fail(c, "cannot read the list: %s", explain_list_error(errno));
	blank_comments(text);
	const int32_t b = parse_list_text(c, path, text, q);
	free(text);
	bpei_lex_next(c);
	return b;
}
