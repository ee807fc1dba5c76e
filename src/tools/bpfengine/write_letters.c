/* SPDX-License-Identifier: MIT */
/* Letters of tcpdump and dumpcap about written files, as values of struct write_options
 * (write_options.h); stateless. */
#include "answers.h"
#include "options.h"
#include "write_options.h"

#include <string.h>

#define MOST_NS 9000000000000000000
#define MILLION 1000000
#define KILOBYTE 1000 /* of dumpcap's filesize */
#define MOST_KILOBYTES UINT64_C(2147483647)

/* ---- Letters of tcpdump ---- */

int cli_read_file_size(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	if (!parse_size(word, MILLION, &c->write.letter_bytes))
		return option_refuse_value(spec, word);
	return 0;
}

int cli_read_file_time(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	double seconds;

	if (!parse_seconds(word, 1000000000, MOST_NS, &seconds)) {
		if (!strcmp(word, "fields") || !strcmp(word, "protocols"))
			return option_answer("",
				"-G is tcpdump's: a time after which files end. tshark -G %s lists what tshark knows",
				word);
		return option_refuse_value(spec, word);
	}
	c->write.letter_ns = (int64_t)(seconds * 1e9);
	return 0;
}

int cli_read_file_count(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	if (!parse_whole(word, 1, UINT32_MAX, &c->write.letter_files))
		return option_refuse_value(spec, word);
	return 0;
}

int cli_read_command(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	if (!*word)
		return option_refuse_value(spec, word);
	if (strchr(word, ',') && cli_is_statistic(word))
		return cli_answer_statistic(word);
	c->write.command = word;
	return 0;
}

/* ---- dumpcap and tshark ---- */

/* Reads a value of dumpcap's -b: a whole number. */
static bool read_ring_number(struct write_options *w, const char *kind, size_t n, const char *value)
{
	uint64_t number;

	if (n == 8 && !strncmp(kind, "filesize", n)) {
		if (!parse_whole(value, 1, MOST_KILOBYTES, &number))
			return false;
		w->ring_bytes = number * KILOBYTE;
		return true;
	}
	if (n == 7 && !strncmp(kind, "packets", n))
		return parse_whole(value, 1, UINT64_MAX / 2, &w->ring_packets);
	if (n == 5 && !strncmp(kind, "files", n))
		return parse_whole(value, 1, 99999, &w->ring_files);
	if (n != 11 || strncmp(kind, "nametimenum", n) != 0 || !parse_whole(value, 1, 2, &number))
		return false;
	w->time_before_number = number == 2;
	return true;
}

/* Reads a kind and its value.  Returns whether both are right. */
static bool read_ring(struct write_options *w, const char *word, const char *value)
{
	const size_t n = (size_t)(value - word) - 1;
	double seconds;

	if (n == 9 && !strncmp(word, "printname", n)) {
		w->print_name = value;
		return *value;
	}
	if (n != 8 || (strncmp(word, "duration", n) != 0 && strncmp(word, "interval", n) != 0))
		return read_ring_number(w, word, n, value);
	if (!parse_seconds(value, 0, MOST_NS, &seconds) || seconds < 1e-3)
		return false;
	if (!strncmp(word, "interval", n))
		w->ring_interval_ns = (int64_t)(seconds * 1e9);
	else
		w->ring_ns = (int64_t)(seconds * 1e9);
	return true;
}

int cli_read_ring(void *target, const struct option_spec *spec, const char *word)
{
	struct write_options *w = &((struct cli *)target)->write;
	const char *colon = strchr(word, ':');

	if (!colon || !read_ring(w, word, colon + 1))
		return option_refuse("-b %s, not \"%s\"", spec->wants, word);
	w->is_ring = true;
	return 0;
}

bool cli_is_ring_word(const char *word)
{
	static const char *const kinds[] = { "duration:", "filesize:", "files:", "packets:",
		"interval:", "printname:", "nametimenum:" };

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		if (!strncmp(word, kinds[k], strlen(kinds[k])))
			return true;
	return false;
}

int cli_read_stop_size(struct cli *c, const char *word)
{
	uint64_t kilobytes;

	if (!parse_whole(word, 1, MOST_KILOBYTES, &kilobytes))
		return option_refuse("-a filesize: wants kilobytes, 1 or more, not \"%s\"", word);
	c->write.stop_bytes = kilobytes * KILOBYTE;
	return 0;
}

int cli_read_stop_files(struct cli *c, const char *word)
{
	if (!parse_whole(word, 1, UINT32_MAX, &c->write.letter_stop_files))
		return option_refuse(
			"-a files: wants a number of files, 1 or more, not \"%s\"", word);
	return 0;
}

/* ---- The letters together ---- */

/* Returns the message about options with the same work, or NULL. */
static const char *find_contradiction(const struct write_options *w)
{
	const bool is_tcpdump = w->letter_bytes || w->letter_ns || w->letter_files;
	const bool has_own = w->rotate_bytes || w->rotate_packets || w->rotate_ns;

	if (is_tcpdump && w->is_ring)
		return "-C, -G and -W are tcpdump's, and -b is dumpcap's: give letters of one of them";
	if (has_own && (is_tcpdump || w->is_ring))
		return "--rotate and the letters -C, -G and -b do the same: leave one of them out";
	if (w->letter_files && !w->letter_bytes && !w->letter_ns)
		return "-W is a number of files: give -C SIZE or -G SECONDS, too";
	if (w->ring_files && !w->ring_bytes && !w->ring_ns && !w->ring_interval_ns &&
		!w->ring_packets)
		return "-b files: wants a limit that ends a file, too: -b filesize:, duration:, interval: or packets:";
	if (w->ring_ns && w->ring_interval_ns)
		return "-b duration: and -b interval: contradict each other";
	if (w->letter_stop_files && !has_own && !is_tcpdump && !w->is_ring)
		return "-a files: counts files that are rotated: give --rotate or -b, too";
	return NULL;
}

/* Completes the values by tcpdump's letters.  -W with both -C and -G has no effect but on names. */
static void complete_tcpdump(struct write_options *w)
{
	w->rotate_bytes = w->letter_bytes;
	w->rotate_ns = w->letter_ns;
	w->from_start = true;
	if (w->letter_bytes)
		w->names = CLI_NAMES_TCPDUMP;
	if (w->letter_bytes && !w->letter_ns)
		w->keep_files = w->letter_files;
	else if (!w->letter_bytes)
		w->stop_files = w->letter_files;
	w->name_files = w->letter_files;
}

/* Completes the values by dumpcap's -b. */
static void complete_dumpcap(struct write_options *w)
{
	w->rotate_bytes = w->ring_bytes;
	w->rotate_packets = w->ring_packets;
	w->rotate_ns = w->ring_ns ? w->ring_ns : w->ring_interval_ns;
	w->from_start = w->ring_ns != 0;
	w->keep_files = w->ring_files;
	w->names = CLI_NAMES_DUMPCAP;
	if (!w->rotate_bytes && w->stop_bytes) {
		w->rotate_bytes = w->stop_bytes; /* as dumpcap has it: -a filesize: rotates then */
		w->stop_bytes = 0;
	}
}

int cli_complete_write_letters(struct cli *c)
{
	struct write_options *w = &c->write;
	const char *wrong = find_contradiction(w);

	if (wrong)
		return option_refuse("%s", wrong);
	if (w->letter_bytes || w->letter_ns)
		complete_tcpdump(w);
	else if (w->is_ring)
		complete_dumpcap(w);
	if (w->letter_stop_files)
		w->stop_files = w->letter_stop_files;
	if (w->stop_bytes && (!w->rotate_bytes || w->stop_bytes < w->rotate_bytes)) {
		w->rotate_bytes = w->stop_bytes;
		w->stop_files = 1;
	}
	return 0;
}
