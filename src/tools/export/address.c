/* SPDX-License-Identifier: MIT */
/* Targets as users give them (export.h); pure.
 *
 * A target is "SCHEME://HOSTS/PATH?NAME=VALUE&NAME=VALUE" or "SCHEME:PATH?NAME=VALUE".  Path and
 * values may hold %41 for "A".  Hosts and names of parameters are taken as they stand. */
#include "export.h"

#include "tools/common/option.h"
#include "tools/common/program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Where the reason of a failure goes. */
struct address_why {
	char *text;
	size_t room;
};

/* Writes the reason.  Returns -1. */
static int refuse_address(const struct address_why *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse_address(const struct address_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->room, format, args);
	va_end(args);
	return -1;
}

/* ---- Secrets ---- */

/* Returns whether the parameter's value is nothing for other people's eyes.  "key" alone names a
 * file, or a choice. */
static bool is_secret_name(const char *name, size_t n)
{
	static const char *const ends[] = { "password", "passphrase", "secret", "token", "key" };

	for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
		const size_t length = strlen(ends[k]);

		if (n >= length && !memcmp(name + n - length, ends[k], length))
			return strcmp(ends[k], "key") != 0 || n > length;
	}
	return false;
}

/* Text that grows up to its room. */
struct shown_text {
	char bytes[640];
	size_t used;
};

static void append_shown(struct shown_text *t, const char *from, size_t n)
{
	const size_t left = sizeof t->bytes - 1 - t->used;
	const size_t taken = n < left ? n : left;

	memcpy(t->bytes + t->used, from, taken);
	t->used += taken;
	t->bytes[t->used] = 0;
}

/* Writes the target fit for a terminal, with "***" in place of secrets. */
static void show_address(struct export_address *a, const char *text)
{
	struct shown_text t = { .used = 0 };
	const char *at = text + strcspn(text, "?");

	append_shown(&t, text, (size_t)(at - text));
	while (*at) {
		const size_t n = 1 + strcspn(at + 1, "&"); /* with the ? or & before it */
		const char *equals = memchr(at, '=', n);
		const bool hides = equals && is_secret_name(at + 1, (size_t)(equals - at) - 1);

		append_shown(&t, at, hides ? (size_t)(equals - at) + 1 : n);
		if (hides)
			append_shown(&t, "***", 3);
		at += n;
	}
	program_visible(a->shown, sizeof a->shown, t.bytes);
}

/* ---- Parts ---- */

static int hex_value_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Copies n bytes with %41 as "A".  Returns 0, or -1 with the reason. */
static int decode_part(
	char *to, size_t room, const char *from, size_t n, const struct address_why *why)
{
	size_t used = 0;

	for (size_t k = 0; k < n; k++) {
		char c = from[k];

		if (c == '%') {
			const int high = k + 1 < n ? hex_value_of(from[k + 1]) : -1;
			const int low = k + 2 < n ? hex_value_of(from[k + 2]) : -1;

			if (high < 0 || low < 0 || !(high | low))
				return refuse_address(why,
					"a %% begins two hexadecimal digits, not 00 (%%25 is the %% itself)");
			c = (char)(high << 4 | low);
			k += 2;
		}
		if (used + 1 >= room)
			return refuse_address(
				why, "a part of it is longer than %zu bytes", room - 1);
		to[used++] = c;
	}
	to[used] = 0;
	return 0;
}

/* Reads "NAME=VALUE" of n bytes.  Returns 0, or -1 with the reason. */
static int read_parameter(
	struct export_address *a, const char *text, size_t n, const struct address_why *why)
{
	const char *equals = memchr(text, '=', n);
	const size_t length = equals ? (size_t)(equals - text) : 0;
	struct export_parameter *p;

	if (!length)
		return refuse_address(why,
			"\"%.*s\" is no NAME=VALUE: write ?NAME=VALUE&NAME=VALUE", (int)n, text);
	if (strspn(text, LOWER DIGITS ".-_") < length)
		return refuse_address(why,
			"\"%.*s\" is no name of a parameter: these have small letters, digits, - and .",
			(int)length, text);
	if (a->count == EXPORT_PARAMETERS_MOST)
		return refuse_address(
			why, "more than %d parameters: leave some out", EXPORT_PARAMETERS_MOST);
	p = &a->parameters[a->count];
	if (length >= sizeof p->name)
		return refuse_address(why, "there is no parameter %.*s", (int)length, text);
	memcpy(p->name, text, length);
	p->name[length] = 0;
	if (export_parameter(a, p->name, NULL))
		return refuse_address(why, "%s is given twice: leave one out", p->name);
	a->count++;
	if (!decode_part(p->value, sizeof p->value, equals + 1, n - length - 1, why))
		return 0;
	char reason[200];

	snprintf(reason, sizeof reason, "%s", why->text);
	return refuse_address(why, "%s: %s", p->name, reason);
}

/* Reads the parameters behind the question mark.  Returns 0, or -1 with the reason. */
static int read_parameters(
	struct export_address *a, const char *text, const struct address_why *why)
{
	for (;;) {
		const size_t n = strcspn(text, "&");

		if (read_parameter(a, text, n, why))
			return -1;
		if (!text[n])
			return 0;
		text += n + 1;
	}
}

/* Takes n bytes of hosts.  Returns 0, or -1 with the reason. */
static int read_hosts(
	struct export_address *a, const char *text, size_t n, const struct address_why *why)
{
	if (!n)
		return refuse_address(why, "no host: write %s://HOST, or %s:FILE for a file",
			a->scheme, a->scheme);
	if (n >= sizeof a->hosts)
		return refuse_address(
			why, "the hosts have more than %zu bytes", sizeof a->hosts - 1);
	memcpy(a->hosts, text, n);
	a->hosts[n] = 0;
	for (const char *at = a->hosts; *at; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return refuse_address(
				why, "a host has no blanks and no control characters");
	if (strchr(a->hosts, '@'))
		return refuse_address(why,
			"a user before the host is not known: parameters say it, as ?username=NAME&password=WORD");
	return 0;
}

int export_address_read(struct export_address *a, const char *text, char *why_text, size_t room)
{
	const struct address_why why = { why_text, room };
	const size_t scheme = strspn(text, LOWER DIGITS "-");

	memset(a, 0, sizeof *a);
	show_address(a, text);
	if (!scheme || text[scheme] != ':' || !strspn(text, LOWER))
		return refuse_address(
			&why, "no kind of target before it: write KIND://HOST:PORT, or KIND:FILE");
	if (scheme >= sizeof a->scheme)
		return refuse_address(&why, "there is no kind %.*s", (int)scheme, text);
	memcpy(a->scheme, text, scheme);
	const char *at = text + scheme + 1;
	const bool has_hosts = !strncmp(at, "//", 2);

	if (has_hosts) {
		at += 2;
		const size_t n = strcspn(at, "/?");

		if (read_hosts(a, at, n, &why))
			return -1;
		at += n;
		at += *at == '/';
	}
	const size_t n = strcspn(at, "?");

	if (decode_part(a->path, sizeof a->path, at, n, &why))
		return -1;
	if (!has_hosts && !n)
		return refuse_address(&why, "no host and no file: write %s://HOST, or %s:FILE",
			a->scheme, a->scheme);
	return at[n] ? read_parameters(a, at + n + 1, &why) : 0;
}

/* ---- Parameters ---- */

const char *export_parameter(const struct export_address *a, const char *name, const char *fallback)
{
	for (uint32_t k = 0; k < a->count; k++)
		if (!strcmp(a->parameters[k].name, name))
			return a->parameters[k].value;
	return fallback;
}

int export_number(const struct export_address *a, const char *name, uint64_t least, uint64_t most,
	uint64_t *number, char *why_text, size_t room)
{
	const struct address_why why = { why_text, room };
	const char *value = export_parameter(a, name, NULL);

	if (!value || parse_whole(value, least, most, number))
		return 0;
	return refuse_address(&why, "%s wants a whole number from %llu to %llu", name,
		(unsigned long long)least, (unsigned long long)most);
}

/* Writes the names as "a, b and c". */
static void list_names(char *to, size_t room, const char *const *names)
{
	size_t used = 0;

	to[0] = 0;
	for (size_t k = 0; names[k] && used < room; k++) {
		const char *before = names[k + 1] ? ", " : " and ";
		const int n = snprintf(to + used, room - used, "%s%s", k ? before : "", names[k]);

		used += (size_t)n;
	}
}

int export_parameters_check(
	const struct export_address *a, const char *const *names, char *why_text, size_t room)
{
	const struct address_why why = { why_text, room };
	char known[400];

	for (uint32_t k = 0; k < a->count; k++) {
		size_t at = 0;

		while (names[at] && strcmp(names[at], a->parameters[k].name) != 0)
			at++;
		if (names[at])
			continue;
		list_names(known, sizeof known, names);
		if (!known[0])
			return refuse_address(&why, "there is no parameter %s: %s takes none",
				a->parameters[k].name, a->scheme);
		return refuse_address(&why, "there is no parameter %s: %s takes %s",
			a->parameters[k].name, a->scheme, known);
	}
	return 0;
}

/* ---- Hosts ---- */

/* Reads the port behind the colon, or takes the fallback.  Returns 0, or -1 with the reason. */
static int read_host_port(
	const char *text, uint16_t fallback, uint16_t *port, const struct address_why *why)
{
	uint64_t number = fallback;

	if (*text == ':' && !parse_whole(text + 1, 1, 65535, &number))
		return refuse_address(why, "\"%s\" is no port: these go from 1 to 65535", text + 1);
	if (*text && *text != ':')
		return refuse_address(why, "only :PORT may follow ], not \"%s\"", text);
	if (!number)
		return refuse_address(why, "the port is missing: write HOST:PORT");
	*port = (uint16_t)number;
	return 0;
}

int export_host_split(const char *text, uint16_t fallback, char host[256], uint16_t *port,
	char *why_text, size_t room)
{
	const struct address_why why = { why_text, room };
	const bool has_brackets = *text == '[';
	const char *first = text + has_brackets;
	const size_t n = strcspn(first, has_brackets ? "]" : ":");
	const char *rest = first + n;

	if (has_brackets && *rest != ']')
		return refuse_address(&why, "the ] behind the IPv6 address is missing");
	if (!has_brackets && *rest && strchr(rest + 1, ':'))
		return refuse_address(
			&why, "an IPv6 address stands in brackets: [%s], or [ADDRESS]:PORT", text);
	if (!n)
		return refuse_address(&why, "the host is missing: write HOST or HOST:PORT");
	if (n >= 256)
		return refuse_address(&why, "a host has at most 255 bytes");
	if (read_host_port(rest + has_brackets, fallback, port, &why))
		return -1;
	memcpy(host, first, n);
	host[n] = 0;
	return 0;
}
