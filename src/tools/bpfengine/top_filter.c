/* SPDX-License-Identifier: MIT */
/* The filter of the live view: words that flows are searched for; pure. */
#include "top_model.h"

#include <ctype.h>
#include <string.h>

uint16_t top_port(const struct bpe_flow *f, int end)
{
	return cli_is_icmp(f) ? 0 : f->port[end];
}

/* Returns whether the text contains the word, in letters of either case. */
static bool contains_word(const char *text, const char *word, size_t n)
{
	for (; *text; text++) {
		size_t i = 0;

		while (i < n && text[i] &&
			tolower((unsigned char)text[i]) == tolower((unsigned char)word[i]))
			i++;
		if (i == n)
			return true;
	}
	return !n;
}

/* Reads ":443" as a port.  Returns whether the word is a port. */
static bool parse_port_word(const char *word, size_t n, unsigned long *port)
{
	if (n < 2 || n > 6 || word[0] != ':')
		return false;
	*port = 0;
	for (size_t i = 1; i < n; i++) {
		if (!isdigit((unsigned char)word[i]))
			return false;
		*port = *port * 10 + (unsigned long)(word[i] - '0');
	}
	return true;
}

/* Returns whether a word of the filter matches; ":443" is a port, and no part of an IPv6 address.
 */
static bool matches_word(const struct bpe_flow *f, const char *text, const char *word, size_t n)
{
	unsigned long port;

	if (parse_port_word(word, n, &port))
		return port && (top_port(f, 0) == port || top_port(f, 1) == port);
	return contains_word(text, word, n);
}

/* Writes ":443" and ":https" of an end; "" without port. */
static void write_searched_port(
	const struct top_model *m, const struct bpe_flow *f, int end, char *text, size_t room)
{
	const uint16_t port = top_port(f, end);
	const char *name = m->service && port ? m->service(port, f->ip_proto) : NULL;

	text[0] = 0;
	if (port)
		snprintf(text, room, ":%u", port);
	if (name)
		snprintf(text + strlen(text), room - strlen(text), " :%s", name);
}

/* Writes all which the filter's words are searched in. */
static void write_searched_text(
	const struct top_model *m, const struct bpe_flow *f, char *text, size_t room)
{
	char address[2][48], proto[16], ports[2][48];
	const char *end = bpe_flow_end_name(f->end);
	const char *app = f->names.app ? bpe_app_name(f->names.app) : NULL;
	const char *comm = f->pid > 0 ? f->comm : "";

	for (int k = 0; k < 2; k++) {
		cli_address(address[k], sizeof address[k], f->addr[k], f->ip_version);
		write_searched_port(m, f, k, ports[k], sizeof ports[k]);
	}
	snprintf(text, room, "%s%s %s%s %s %s %s %.255s %.63s %.63s %.32s", address[0], ports[0],
		address[1], ports[1], cli_protocol(proto, sizeof proto, f->ip_proto, f->ip_version),
		cli_tcp_state(f->tcp_state), end ? end : "", f->names.server, f->names.client,
		f->names.container, comm);
	if (app)
		snprintf(text + strlen(text), room - strlen(text), " %s", app);
	if (f->pid > 0)
		snprintf(text + strlen(text), room - strlen(text), " (%d)", f->pid);
}

bool top_matches(const struct top_model *m, const struct bpe_flow *f, const char *filter)
{
	char text[1024];

	filter += strspn(filter, " ");
	if (!*filter)
		return true;
	write_searched_text(m, f, text, sizeof text);
	for (; *filter; filter += strspn(filter, " ")) {
		const bool is_negated = *filter == '!';

		filter += is_negated;
		const size_t n = strcspn(filter, " ");
		if (n && matches_word(f, text, filter, n) == is_negated)
			return false;
		filter += n;
	}
	return true;
}
