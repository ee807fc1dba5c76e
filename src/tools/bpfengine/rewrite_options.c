/* SPDX-License-Identifier: MIT */
/* The values of --dedup and --anonymise.  State: in struct write_options. */
#include "cli.h"

#include <string.h>

#define MOST_WINDOW_NS 9000000000000000000 /* 285 years */
#define MOST_PACKETS 1048576u

enum { MOST_PATH = 4096 };

/* Reads the next word of a list with commas into to, and moves *list behind.  Returns false at the
 * end.  A word that is too long is cut, and matches none. */
static bool take_list_word(const char **list, char *to, size_t room)
{
	const size_t n = strcspn(*list, ",");
	const size_t kept = n < room ? n : room - 1;

	if (!**list)
		return false;
	memcpy(to, *list, kept);
	to[kept] = 0;
	*list += n + ((*list)[n] == ',');
	return true;
}

/* Reads the window: a time, or packets=N. */
static bool read_dedup_window(struct write_options *w, const char *word)
{
	static const char packets[] = "packets=";
	uint64_t count;
	double seconds;

	if (strncmp(word, packets, sizeof packets - 1) != 0) {
		if (!parse_seconds(word, 1, MOST_WINDOW_NS, &seconds))
			return false;
		w->dedup_ns = (int64_t)(seconds * 1e9 + 0.5);
		w->dedup_packets = 0;
		return w->dedup_ns > 0;
	}
	if (!parse_whole(word + sizeof packets - 1, 1, MOST_PACKETS, &count))
		return false;
	w->dedup_packets = (uint32_t)count;
	w->dedup_ns = 0;
	return true;
}

int cli_read_dedup(void *target, const struct option_spec *spec, const char *word)
{
	struct write_options *w = &((struct cli *)target)->write;
	const char *list = word;
	char part[64];

	if (!take_list_word(&list, part, sizeof part) || !read_dedup_window(w, part))
		return option_refuse_value(spec, word);
	w->dedup = BPE_DEDUP_FRAME;
	if (!take_list_word(&list, part, sizeof part))
		return 0;
	if (*list || !parse_choice("frame|exact|ip", part, &w->dedup))
		return option_refuse_value(spec, word);
	return 0;
}

int cli_read_anonymise(void *target, const struct option_spec *spec, const char *word)
{
	struct write_options *w = &((struct cli *)target)->write;
	const char *list = word;
	char part[MOST_PATH];
	uint32_t flag;

	if (!take_list_word(&list, part, sizeof part) || !*part || strlen(part) == MOST_PATH - 1)
		return option_refuse_value(spec, word);
	w->anonymise_flags = 0;
	while (take_list_word(&list, part, sizeof part)) {
		/* in the order of the flags' bits */
		if (!parse_choice("mac|cut=payload|keep=none", part, &flag))
			return option_refuse_value(spec, word);
		w->anonymise_flags |= 1u << flag;
	}
	w->anonymise = word;
	return 0;
}
