/* SPDX-License-Identifier: MIT */
/* --tunnels: a list of names of bpe_tunnel_name, "all" and "none", read from left to right; -NAME
 * removes a tunnel from the set.  Pure. */
#include "cli.h"

#include <string.h>

static bool is_word(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && !memcmp(name, word, length);
}

/* Returns the bits of the tunnels which a word names, or 0 if the word is unknown. */
static uint64_t tunnel_word_bits(const char *word, size_t length)
{
	if (is_word(word, length, "all"))
		return UINT64_MAX;
	for (int kind = 1; kind < BPE_TUNNEL_COUNT; kind++)
		if (is_word(word, length, bpe_tunnel_name(kind)))
			return BPE_TUNNEL_BIT(kind);
	return 0;
}

size_t cli_tunnels(const char *list, uint64_t *closed, const char **wrong)
{
	/* a list which begins with a minus removes from all */
	uint64_t open = *list == '-' ? UINT64_MAX : 0;

	for (;;) {
		const size_t length = strcspn(list, ",");
		const size_t minus = *list == '-';
		const bool is_none = is_word(list, length, "none");
		uint64_t bits = UINT64_MAX;

		if (!is_none)
			bits = tunnel_word_bits(list + minus, length - minus);
		if (!bits) {
			*wrong = list;
			return length ? length : 1;
		}
		if (minus || is_none)
			open &= ~bits;
		else
			open |= bits;
		list += length;
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
		const char *name = bpe_tunnel_name(kind);
		const char *comma = kind + 1 < BPE_TUNNEL_COUNT ? "," : "\n";

		if (at + 1 + strlen(name) + 1 > COLUMNS) {
			fputc('\n', to);
			at = 0;
		}
		at += (size_t)fprintf(to, "%*s%s%s", at ? 1 : INDENT, "", name, comma);
	}
}
