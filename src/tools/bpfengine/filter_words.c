/* SPDX-License-Identifier: MIT */
/* Answers to filters which do not compile (answers.h).  Each rewriter makes another filter out of
 * the words; the compiler proves the result before the user sees the result.  Stateless. */
#include "answers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST_WORDS = 60, MOST_WORD = 120 };

/* The words of a filter, and the text made of the words. */
struct filter_words {
	int count;
	char word[MOST_WORDS][MOST_WORD];
	char made[OPTION_LINE];
};

/* Splits a filter at blanks.  Returns false if the filter is too long. */
static bool split_filter_words(struct filter_words *w, const char *filter)
{
	w->count = 0;
	while (*(filter += strspn(filter, " \t\n"))) {
		const size_t n = strcspn(filter, " \t\n");

		if (n >= MOST_WORD || w->count == MOST_WORDS)
			return false;
		snprintf(w->word[w->count++], MOST_WORD, "%.*s", (int)n, filter);
		filter += n;
	}
	return w->count > 0;
}

/* Adds words behind the new text. */
static void add_made(struct filter_words *w, const char *text)
{
	const size_t used = strlen(w->made);

	if (!*text)
		return;
	snprintf(w->made + used, sizeof w->made - used, "%s%s", used ? " " : "", text);
}

/* Joins all words, with another text for `count` words from `at` on. */
static bool replace_words(struct filter_words *w, int at, int count, const char *text)
{
	w->made[0] = 0;
	for (int k = 0; k < w->count; k++) {
		if (k == at)
			add_made(w, text);
		if (k < at || k >= at + count)
			add_made(w, w->word[k]);
	}
	if (at == w->count)
		add_made(w, text);
	return true;
}

static bool is_digits(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

static bool is_word_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

/* ---- Rewriters: each returns whether it has made a filter ---- */

static bool use_small_letters(struct filter_words *w)
{
	bool changed = false;

	for (int k = 0; k < w->count; k++)
		for (char *s = w->word[k]; *s; s++) {
			changed |= isupper((unsigned char)*s) != 0;
			*s = (char)tolower((unsigned char)*s);
		}
	return changed && replace_words(w, w->count, 0, "");
}

/* Makes "port 80 or port 443" of "port 80,443" and of "port 80 443". */
static bool part_ports(struct filter_words *w)
{
	static const char *const qualifiers[] = { "tcp", "udp", "sctp", "src", "dst", NULL };
	char made[OPTION_LINE] = "";
	char before[200] = "";
	int first;
	int last;
	int ports = 0;
	int at = 0;

	while (at < w->count && strcmp(w->word[at], "port") != 0)
		at++;
	for (first = at; first > 0 && is_word_of(w->word[first - 1], qualifiers);)
		first--;
	for (int k = first; k < at; k++)
		snprintf(
			before + strlen(before), sizeof before - strlen(before), "%s ", w->word[k]);
	for (last = at + 1; last < w->count; last++) {
		char *rest = w->word[last];

		if (last > at + 1 && !isdigit((unsigned char)*rest))
			break;
		for (char *port = strtok_r(rest, ",", &rest); port;
			port = strtok_r(NULL, ",", &rest))
			snprintf(made + strlen(made), sizeof made - strlen(made), "%s%sport %s",
				ports++ ? " or " : "", before, port);
	}
	if (ports < 2)
		return false;
	char whole[OPTION_LINE + 4];

	if (!first && last == w->count)
		return replace_words(w, first, last - first, made);
	snprintf(whole, sizeof whole, "(%s)", made);
	return replace_words(w, first, last - first, whole);
}

static bool use_range_dash(struct filter_words *w)
{
	for (int k = 1; k < w->count; k++) {
		char *colon = strchr(w->word[k], ':');

		if (strcmp(w->word[k - 1], "portrange") || !colon)
			continue;
		*colon = '-';
		return replace_words(w, w->count, 0, "");
	}
	return false;
}

/* Makes "tcp port 80" of "tcp 80". */
static bool add_port_word(struct filter_words *w)
{
	static const char *const before[] = { "tcp", "udp", "sctp", NULL };

	for (int k = 1; k < w->count; k++)
		if (is_digits(w->word[k]) && is_word_of(w->word[k - 1], before))
			return replace_words(w, k, 0, "port");
	return false;
}

static bool name_lone_port(struct filter_words *w)
{
	return w->count == 1 && is_digits(w->word[0]) && replace_words(w, 0, 0, "port");
}

/* Makes "port 80" of "port=80" and "port:80". */
static bool leave_out_sign(struct filter_words *w)
{
	static const char *const names[] = { "port", "host", "net", NULL };
	char name[MOST_WORD];
	char text[MOST_WORD + 2];

	for (int k = 0; k < w->count; k++) {
		const size_t n = strcspn(w->word[k], "=:");
		const char *rest = w->word[k] + n + strspn(w->word[k] + n, "=:");

		snprintf(name, sizeof name, "%.*s", (int)n, w->word[k]);
		if (w->word[k][n] && *rest && is_word_of(name, names)) {
			snprintf(text, sizeof text, "%s %s", name, rest);
			return replace_words(w, k, 1, text);
		}
		if (k && !n && !*rest && is_word_of(w->word[k - 1], names))
			return replace_words(w, k, 1, "");
	}
	return false;
}

/* Returns whether the word is an address, or with `net` a network. */
static bool is_address_word(const char *word, bool *net)
{
	char address[64];
	unsigned char bytes[16];
	const char *slash = strchr(word, '/');

	snprintf(address, sizeof address, "%.*s", (int)(slash ? slash - word : (long)strlen(word)),
		word);
	*net = slash && is_digits(slash + 1);
	if (slash && !*net)
		return false;
	return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
}

/* Makes "host 1.2.3.4" of "1.2.3.4", and "net 10.0.0.0/8" of "10.0.0.0/8". */
static bool name_addresses(struct filter_words *w)
{
	static const char *const before[] = { "host", "net", "src", "dst", "mask", "gateway",
		NULL };
	bool changed = false;
	bool net;

	w->made[0] = 0;
	for (int k = 0; k < w->count; k++) {
		if (is_address_word(w->word[k], &net) &&
			(!k || !is_word_of(w->word[k - 1], before))) {
			add_made(w, net ? "net" : "host");
			changed = true;
		}
		add_made(w, w->word[k]);
	}
	return changed;
}

/* Makes "net 10.0.0.0/8" of "net 10.0.0.1/8". */
static bool mask_network(struct filter_words *w)
{
	char text[80];
	char address[MOST_WORD];
	struct in_addr a;
	uint64_t bits;
	bool net;

	for (int k = 1; k < w->count; k++) {
		const char *slash = strchr(w->word[k], '/');

		if (strcmp(w->word[k - 1], "net") || !is_address_word(w->word[k], &net) || !net)
			continue;
		snprintf(address, sizeof address, "%.*s", (int)(slash - w->word[k]), w->word[k]);
		if (inet_pton(AF_INET, address, &a) != 1 || !parse_whole(slash + 1, 1, 32, &bits))
			continue;
		a.s_addr &= htonl((uint32_t)(UINT64_MAX << (32 - bits)));
		snprintf(text, sizeof text, "%s/%u",
			inet_ntop(AF_INET, &a, address, sizeof address), (unsigned)bits);
		return replace_words(w, k, 1, text);
	}
	return false;
}

/* Makes "host 1.2.3.4 and port 80" of "host 1.2.3.4:80". */
static bool part_address_port(struct filter_words *w)
{
	char text[MOST_WORD + 40];
	char address[MOST_WORD];
	bool net;

	for (int k = 0; k < w->count; k++) {
		const char *colon = strrchr(w->word[k], ':');
		const int is_named = k && !strcmp(w->word[k - 1], "host");

		if (!colon || !is_digits(colon + 1))
			continue;
		snprintf(address, sizeof address, "%.*s", (int)(colon - w->word[k]), w->word[k]);
		if (!is_address_word(address, &net) || net || strchr(address, ':'))
			continue;
		snprintf(text, sizeof text, "host %s and port %s", address, colon + 1);
		return replace_words(w, k - is_named, 1 + is_named, text);
	}
	return false;
}

/* Puts "and" between two terms; "or" between two protocols, which no packet is both of. */
static bool add_missing_and(struct filter_words *w)
{
	static const char *const starts[] = { "src", "dst", "host", "net", "port", "portrange",
		"tcp", "udp", "icmp", "icmp6", "arp", "ip", "ip6", "ether", "vlan", "not", NULL };
	static const char *const joins[] = { "and", "or", "not", "&&", "||", "!", "(", "src", "dst",
		"ether", "ip", "ip6", "arp", NULL };
	static const char *const protocols[] = { "tcp", "udp", "icmp", "icmp6", "arp", NULL };
	bool changed = false;

	w->made[0] = 0;
	for (int k = 0; k < w->count; k++) {
		const char *before = k ? w->word[k - 1] : "(";
		const bool is_start = is_word_of(w->word[k], starts) && !is_word_of(before, joins);
		const bool is_pair =
			is_word_of(before, protocols) && is_word_of(w->word[k], protocols);

		if (is_pair)
			add_made(w, "or");
		else if (is_start && !is_word_of(before, protocols))
			add_made(w, "and");
		changed |= is_pair || (is_start && !is_word_of(before, protocols));
		add_made(w, w->word[k]);
	}
	return changed;
}

static bool replace_commas(struct filter_words *w)
{
	bool changed = false;

	w->made[0] = 0;
	for (int k = 0; k < w->count; k++) {
		const size_t n = strlen(w->word[k]);
		const bool has_comma = n && w->word[k][n - 1] == ',';

		if (has_comma)
			w->word[k][n - 1] = 0;
		if (w->word[k][0])
			add_made(w, w->word[k]);
		if (has_comma)
			add_made(w, "or");
		changed |= has_comma;
	}
	return changed;
}

static bool replace_lone_signs(struct filter_words *w)
{
	for (int k = 0; k < w->count; k++) {
		if (!strcmp(w->word[k], "|"))
			return replace_words(w, k, 1, "or");
		if (!strcmp(w->word[k], "&"))
			return replace_words(w, k, 1, "and");
	}
	return false;
}

static bool name_tcp_flag(struct filter_words *w)
{
	static const char *const flags[] = { "syn", "fin", "rst", "ack", "push", "psh", "urg",
		NULL };
	char text[80];

	if (w->count != 1 || !is_word_of(w->word[0], flags))
		return false;
	snprintf(text, sizeof text, "tcp[tcpflags] & tcp-%.10s != 0",
		strcmp(w->word[0], "psh") ? w->word[0] : "push");
	return replace_words(w, 0, 1, text);
}

static bool name_echo(struct filter_words *w)
{
	if (w->count != 2 || strcmp(w->word[0], "icmp") || strcmp(w->word[1], "echo"))
		return false;
	return replace_words(w, 0, 2, "icmp[icmptype] == icmp-echo");
}

static bool leave_out_proto(struct filter_words *w)
{
	for (int k = 0; k + 1 < w->count; k++)
		if (!strcmp(w->word[k], "proto") || !strcmp(w->word[k], "protocol"))
			return replace_words(w, k, 1, "");
	return false;
}

static bool use_host_word(struct filter_words *w)
{
	for (int k = 1; k < w->count; k++)
		if (!strcmp(w->word[k], "ip") &&
			(!strcmp(w->word[k - 1], "src") || !strcmp(w->word[k - 1], "dst")))
			return replace_words(w, k, 1, "host");
	return false;
}

/* Leaves out the quotes around the expression, plain or typographic. */
static bool leave_out_quotes(struct filter_words *w)
{
	char text[OPTION_LINE];
	size_t used = 0;
	bool changed = false;

	replace_words(w, w->count, 0, "");
	for (const char *s = w->made; *s && used + 1 < sizeof text; s++) {
		const bool is_wide =
			!strncmp(s, "\xe2\x80\x9c", 3) || !strncmp(s, "\xe2\x80\x9d", 3) ||
			!strncmp(s, "\xe2\x80\x98", 3) || !strncmp(s, "\xe2\x80\x99", 3);

		changed |= is_wide || *s == '"' || *s == '\'';
		if (is_wide)
			s += 2;
		else if (*s != '"' && *s != '\'')
			text[used++] = *s;
	}
	text[used] = 0;
	snprintf(w->made, sizeof w->made, "%s", text);
	return changed;
}

static const struct {
	bool (*make)(struct filter_words *w);
	const char *sentence; /* with %s for the new filter */
} rewriters[] = {
	{ leave_out_quotes, "the expression has quotes of its own: leave them out: %s" },
	{ use_small_letters, "words are in small letters: %s" },
	{ part_ports, "several ports are \"%s\"" },
	{ use_range_dash, "several in a row are \"%s\"" },
	{ add_port_word, "did you mean \"%s\"?" },
	{ name_lone_port, "did you mean \"%s\"?" },
	{ leave_out_sign, "write \"%s\"" },
	{ mask_network, "the network address has bits set behind its mask; the network is \"%s\"" },
	{ part_address_port, "an address with a port is \"%s\"" },
	{ name_tcp_flag, "packets with the flag are '%s'" },
	{ name_echo, "echo requests are '%s'" },
	{ leave_out_proto, "without \"proto\" it is \"%s\"" },
	{ use_host_word, "addresses follow \"host\": %s" },
	{ name_addresses, "an address alone is \"host ADDRESS\", a network \"net\": %s" },
	{ replace_commas, "write \"%s\"" },
	{ replace_lone_signs, "write \"or\" (two bars) and \"and\" (two &): %s" },
	{ add_missing_and, "\"and\" or \"or\" is missing between two terms: %s" },
};

/* Prints the sentence of a rewriter, and the line. */
static void answer_rewritten(const struct cli *c, size_t rewriter, const char *made)
{
	const char *sentence = rewriters[rewriter].sentence;
	const char *mark = strstr(sentence, "%s");
	char line[OPTION_LINE];

	option_answer(cli_line_with_filter(c, line, made), "filter: %.*s%s%s",
		(int)(mark - sentence), sentence, made, mark + 2);
}

/* Prints the answer to a display filter.  Returns false if the filter is none. */
static bool explain_display(const struct cli *c)
{
	char filter[OPTION_LINE];
	char line[OPTION_LINE] = "";
	const char *advice;

	if (!cli_translate_display(c->filter, filter, sizeof filter, &advice))
		return false;
	if (*filter)
		cli_line_with_filter(c, line, filter);
	if (strstr(c->filter, " contains ") || strstr(c->filter, " matches "))
		option_answer(NULL,
			"filter: \"%s\" is a word of Wireshark's display filters. No filter here looks for text: tshark -Y does.",
			strstr(c->filter, " contains ") ? "contains" : "matches");
	else if (!*filter)
		option_answer(NULL, "filter: \"%s\" is a display filter of Wireshark. %s.",
			c->filter, advice);
	else if (!strchr(c->filter, ' ') && !strchr(c->filter, '.'))
		option_answer(line,
			"filter: \"%s\" is no word of filters. Here it is \"%s\":", c->filter,
			filter);
	else
		option_answer(line,
			"filter: \"%s\" is a display filter of Wireshark. Here it is \"%s\":",
			c->filter, filter);
	return true;
}

/* Prints the answer to a URL behind "host".  Returns false if there is none. */
static bool explain_url(const struct cli *c)
{
	const char *url = strstr(c->filter, "://");

	if (!url)
		return false;
	option_answer(NULL, "filter: a URL is no host: \"host %.*s\"", (int)strcspn(url + 3, "/: "),
		url + 3);
	return true;
}

bool cli_explain_filter(const struct cli *c)
{
	struct filter_words w;

	if (!c->filter || strlen(c->filter) >= OPTION_LINE / 2)
		return false;
	if (explain_display(c) || explain_url(c))
		return true;
	for (size_t k = 0; k < sizeof rewriters / sizeof *rewriters; k++) {
		if (!split_filter_words(&w, c->filter))
			return false;
		if (!rewriters[k].make(&w) || !cli_is_filter(w.made))
			continue;
		answer_rewritten(c, k, w.made);
		return true;
	}
	return false;
}
