/* SPDX-License-Identifier: MIT */
/* The tokens of the filter language.  The longest match wins, as in pcap-filter(7)'s scanner, so
 * "6000-6010" and "http-alt" are a word each.  Pure over struct bpei_compile. */
#include "filter/lex.h"

#include "filter/errors.h"
#include "filter/keywords.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

/* ---- Scanners: each returns how many bytes of s are a token of its type, or 0 ---- */

static size_t count_hex_digits(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

static uint8_t hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return (uint8_t)(c - '0');
	return (uint8_t)(tolower((unsigned char)c) - 'a' + 10);
}

static uint8_t hex_byte(const char *s)
{
	return (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
}

/* Scans six bytes of one or two digits each, with `separator` between them. */
static size_t scan_separated_mac(const char *s, char separator, uint8_t to[6])
{
	size_t at = 0;

	for (int i = 0; i < 6; i++) {
		size_t n = count_hex_digits(s + at);

		if (n < 1)
			return 0;
		if (n > 2)
			n = 2; /* "...:01and": the address ends here */
		to[i] = n == 2 ? hex_byte(s + at) : hex_digit(s[at]);
		at += n;
		if (i < 5 && s[at++] != separator)
			return 0;
	}
	return at;
}

/* Scans 0011.2233.4455. */
static size_t scan_dotted_mac(const char *s, uint8_t to[6])
{
	static const uint8_t at[] = { 0, 2, 5, 7, 10, 12 };

	if (count_hex_digits(s) != 4 || s[4] != '.' || count_hex_digits(s + 5) != 4 ||
		s[9] != '.' || count_hex_digits(s + 10) != 4)
		return 0;
	for (int i = 0; i < 6; i++)
		to[i] = hex_byte(s + at[i]);
	return 14;
}

static size_t scan_mac(const char *s, uint8_t to[6])
{
	static const char separators[] = ":-.";

	for (const char *separator = separators; *separator; separator++) {
		const size_t n = scan_separated_mac(s, *separator, to);

		if (n)
			return n;
	}
	const size_t dotted = scan_dotted_mac(s, to);
	if (dotted)
		return dotted;
	if (count_hex_digits(s) != 12)
		return 0;
	for (int i = 0; i < 6; i++)
		to[i] = hex_byte(s + 2 * i);
	return 12;
}

/* Scans an address of ARCnet: a dollar sign and a byte in hexadecimal. */
static size_t scan_arcnet(const char *s, uint32_t *to)
{
	const size_t n = *s == '$' ? count_hex_digits(s + 1) : 0;

	if (n < 1 || n > 2)
		return 0;
	*to = n == 2 ? hex_byte(s + 1) : hex_digit(s[1]);
	return n + 1;
}

/* Scans the longest text that is an IPv6 address; two colons at least tell it from a number. */
static size_t scan_ip6(const char *s, uint8_t to[16])
{
	char text[64];
	size_t n = 0;

	while (n < sizeof text - 1 && (isxdigit((unsigned char)s[n]) || s[n] == ':' || s[n] == '.'))
		n++;
	for (; n >= 2; n--) {
		size_t colons = 0;

		memcpy(text, s, n);
		text[n] = 0;
		for (size_t i = 0; i < n; i++)
			colons += text[i] == ':';
		if (colons < 2)
			return 0;
		if (inet_pton(AF_INET6, text, to) == 1)
			return n;
	}
	return 0;
}

static bool begins_hexadecimal(const char *s)
{
	return s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
}

/* Scans a number: hexadecimal with 0x, octal with 0, decimal.  *bad: too large, or an octal number
 * with the digit 8 or 9. */
static size_t scan_number(const char *s, uint32_t *value, bool *bad)
{
	const bool hexadecimal = begins_hexadecimal(s) && isxdigit((unsigned char)s[2]);
	const uint32_t small_base = s[0] == '0' ? 8 : 10;
	const uint32_t base = hexadecimal ? 16 : small_base;
	uint64_t v = 0;
	size_t n = hexadecimal ? 2 : 0;

	*bad = false;
	for (; hexadecimal ? isxdigit((unsigned char)s[n]) : isdigit((unsigned char)s[n]); n++) {
		const uint32_t digit = hex_digit(s[n]);

		v = v * base + digit;
		*bad |= digit >= base || v > UINT32_MAX;
		v &= UINT32_MAX;
	}
	*value = (uint32_t)v;
	return n;
}

/* Scans a part of an address, which is decimal even behind a 0, as in libpcap.  *bad: hexadecimal,
 * or above 65535. */
static size_t scan_decimal(const char *s, uint32_t *value, bool *bad)
{
	const size_t n = scan_number(s, value, bad);

	*bad = begins_hexadecimal(s);
	if (*bad)
		return n;
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		*value = *value * 10 + (uint32_t)(s[i] - '0');
		*bad |= *value > 65535;
		if (*bad)
			*value = 65536;
	}
	return n;
}

/* A dotted address: 1.2, 1.2.3, 1.2.3.4. */
struct dotted {
	uint32_t address, parts[4], count;
	bool has_large_part; /* above 255, which only DECnet allows */
};

static size_t scan_dotted(const char *s, struct dotted *d)
{
	size_t at = 0;

	*d = (struct dotted){ .count = 0 };
	for (;;) {
		bool bad;

		if (!isdigit((unsigned char)s[at]))
			return 0;
		const size_t n = scan_decimal(s + at, &d->parts[d->count], &bad);
		const uint32_t part = d->parts[d->count++];
		d->has_large_part |= bad || part > 255;
		d->address = d->address << 8 | (part & 255);
		at += n;
		if (d->count == 4 || s[at] != '.' || !isdigit((unsigned char)s[at + 1]))
			break;
		at++;
	}
	return d->count > 1 ? at : 0;
}

static size_t scan_identifier(const char *s)
{
	size_t end = 1;

	if (!isalnum((unsigned char)s[0]))
		return 0;
	for (size_t n = 1; isalnum((unsigned char)s[n]) || (s[n] && strchr("-_.", s[n])); n++)
		if (s[n] != '-' && s[n] != '_')
			end = n + 1;
	return end;
}

/* Scans an operator.  Returns the token; T_WRONG if s begins with no operator. */
static int scan_punctuation(const char *s, size_t *n)
{
	static const struct {
		const char *text;
		int token;
	} pairs[] = { { "&&", T_AND }, { "||", T_OR }, { ">=", T_GEQ }, { "<=", T_LEQ },
		{ "!=", T_NEQ }, { "==", '=' }, { "<<", T_LSH }, { ">>", T_RSH } };

	*n = 2;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (!strncmp(s, pairs[i].text, 2))
			return pairs[i].token;
	*n = 1;
	if (*s == '!')
		return T_NOT;
	return strchr("()[]+-*/%&|^<>=:", *s) ? (unsigned char)*s : T_WRONG;
}

/* ---- Tokens ---- */

/* Reads the word of n bytes at s, a keyword or a name.  Returns the token. */
static int read_word(struct bpei_compile *c, const char *s, size_t n)
{
	if (n >= sizeof c->word)
		return T_WRONG;
	memcpy(c->word, s, n);
	c->word[n] = 0;
	const struct keyword *keyword = bpei_keyword_find(c->word);
	if (!keyword && !strcmp(c->word, "inner") && s[n + strspn(s + n, " \t\r\n")] == '(')
		return T_INNER;
	if (!keyword && c->pktap)
		keyword = bpei_keyword_find_pktap(c->word);
	if (!keyword)
		return T_NAME;
	c->number = keyword->number;
	return keyword->token;
}

/* Reads a name behind a backslash, which may be a word that is a keyword otherwise.  Returns the
 * number of bytes. */
static size_t read_escaped_name(struct bpei_compile *c, const char *s)
{
	const size_t n = 1 + strcspn(s + 1, " !()\t\r\n");

	if (n < 2 || n > sizeof c->word) {
		c->token = T_WRONG;
		return 1;
	}
	memcpy(c->word, s + 1, n - 1);
	c->word[n - 1] = 0;
	c->token = T_NAME;
	return n;
}

enum { SCANNED_MAC, SCANNED_IP6, SCANNED_NUMBER, SCANNED_DOTTED, SCANNED_WORD, SCANNED_TYPES };

/* The longest token at a place of the text. */
struct scanned {
	int type; /* SCANNED_* */
	size_t length;
	uint8_t mac[6], ip6[16];
	struct dotted dotted;
	uint32_t number;
	bool bad_number;
};

/* Scans for the longest token at s.  Of token types with the same length the first wins. */
static void scan_longest(const char *s, struct scanned *t)
{
	const bool digit = isdigit((unsigned char)*s);
	size_t lengths[SCANNED_TYPES];

	t->number = 0;
	t->bad_number = false;
	lengths[SCANNED_MAC] = scan_mac(s, t->mac);
	lengths[SCANNED_IP6] = scan_ip6(s, t->ip6);
	lengths[SCANNED_NUMBER] = digit ? scan_number(s, &t->number, &t->bad_number) : 0;
	lengths[SCANNED_DOTTED] = scan_dotted(s, &t->dotted);
	lengths[SCANNED_WORD] = scan_identifier(s);
	t->type = SCANNED_MAC;
	for (int i = 0; i < SCANNED_TYPES; i++)
		if (lengths[i] > lengths[t->type])
			t->type = i;
	t->length = lengths[t->type];
}

/* Reads the token at s, other than a special notation.  Returns the number of bytes. */
static size_t read_token(struct bpei_compile *c, const char *s)
{
	struct scanned t;

	scan_longest(s, &t);
	if (!t.length) {
		c->token = scan_punctuation(s, &t.length);
		return t.length;
	}
	switch (t.type) {
	case SCANNED_MAC:
		c->token = T_MAC;
		memcpy(c->bytes, t.mac, sizeof t.mac);
		break;
	case SCANNED_IP6:
		c->token = T_IP6;
		memcpy(c->bytes, t.ip6, sizeof t.ip6);
		break;
	case SCANNED_NUMBER:
		c->token = T_NUMBER;
		c->number = t.number;
		c->token_length = t.length;
		if (t.bad_number)
			bpei_compile_fail(c, "the number is too large, or no octal one");
		break;
	case SCANNED_DOTTED:
		c->token = T_DOTTED;
		c->number = t.dotted.address;
		c->part_count = t.dotted.count;
		c->has_large_part = t.dotted.has_large_part;
		memcpy(c->parts, t.dotted.parts, sizeof c->parts);
		break;
	default:
		c->token = read_word(c, s, t.length);
	}
	return t.length;
}

void bpei_lex_next(struct bpei_compile *c)
{
	const char *s = c->text;
	size_t n = 0;
	uint32_t arcnet;

	if (++c->tokens > COMPILE_TOKENS)
		bpei_compile_fail_final(c, "the expression, in all its shapes, is too long");
	while (s[c->at] && strchr(" \t\r\n", s[c->at]))
		c->at++;
	s += c->at;
	c->previous_at = c->token_at;
	c->previous_length = c->token_length;
	c->token_at = c->at;
	if (!*s) {
		c->token = T_END;
	} else if (*s == '\\') {
		n = read_escaped_name(c, s);
	} else {
		n = scan_arcnet(s, &arcnet);
		if (n) {
			c->token = T_ARC;
			c->number = arcnet;
		} else {
			n = read_token(c, s);
		}
	}
	c->token_length = n;
	c->at += n;
}

int bpei_lex_peek(const struct bpei_compile *c)
{
	struct bpei_compile ahead = *c; /* the lexer changes only this copy */

	ahead.failed = false;
	bpei_lex_next(&ahead);
	return ahead.token;
}
