/* SPDX-License-Identifier: MIT */
/* --tunnels: a list of names of bpe_tunnel_name, "all" and "none", from left to right; -NAME takes
 * one away. */
#include "cli.h"

#include <string.h>

/* The bits that a word stands for; 0: it is none. */
static uint64_t bits_of(const char *word, size_t n)
{
	if (n == 3 && !memcmp(word, "all", n))
		return UINT64_MAX;
	for (int kind = 1; kind < BPE_TUNNEL_COUNT; kind++) {
		const char *name = bpe_tunnel_name(kind);
		if (strlen(name) == n && !memcmp(name, word, n))
			return BPE_TUNNEL_BIT(kind);
	}
	return 0;
}

size_t cli_tunnels(const char *list, uint64_t *closed, const char **wrong)
{
	uint64_t open = *list == '-' ? UINT64_MAX
				     : 0; /* a list that begins by taking away begins with all */
	for (;;) {
		size_t n = strcspn(list, ","), minus = *list == '-';
		const bool none = n == 4 && !memcmp(list, "none", n);
		uint64_t bits = none ? UINT64_MAX : bits_of(list + minus, n - minus);
		if (!bits) {
			*wrong = list;
			return n + !n;
		}
		open = minus || none ? open & ~bits : open | bits;
		list += n;
		if (!*list++)
			break;
	}
	*closed = ~open;
	return 0;
}

void cli_tunnels_help(FILE *to)
{
	enum { INDENT = 27, COLUMNS = 79 };
	size_t at = 0;
	for (int kind = 1; kind < BPE_TUNNEL_COUNT; kind++) {
		const char *name = bpe_tunnel_name(kind),
			   *comma = kind + 1 < BPE_TUNNEL_COUNT ? "," : "\n";
		if (at + 1 + strlen(name) + 1 > COLUMNS)
			fputc('\n', to), at = 0;
		at += (size_t)fprintf(to, "%*s%s%s", at ? 1 : INDENT, "", name, comma);
	}
}
