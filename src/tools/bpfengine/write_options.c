/* SPDX-License-Identifier: MIT */
/* Readers and checks of the options about written files (write_options.h); stateless. */
#include "write_options.h"

#include "answers.h"
#include "cli.h"
#include "options.h"

#include <string.h>

#define MOST_NS 9000000000000000000 /* 285 years */
#define LEAST_ROTATE_BYTES 4096     /* of a file: headers and at least one packet */
#define LEAST_RECORDER_BYTES (1u << 20)

enum { PART = 80 }; /* longest KEY=VALUE of a list */

/* Copies the next part of a list with commas, and moves *list behind the part.  Returns false at
 * the end. A part that is too long is cut, and matches no value. */
static bool take_part(const char **list, char part[PART])
{
	const size_t n = strcspn(*list, ",");
	const size_t kept = n < PART ? n : PART - 1;

	if (!**list)
		return false;
	memcpy(part, *list, kept);
	part[kept] = 0;
	*list += n + ((*list)[n] == ',');
	return true;
}

/* Returns the value of the part if its key is `key`, or NULL. */
static const char *value_of(const char *part, const char *key)
{
	const size_t n = strlen(key);

	return !strncmp(part, key, n) && part[n] == '=' ? part + n + 1 : NULL;
}

static bool parse_duration(const char *word, int64_t *ns)
{
	double seconds;

	if (!parse_seconds(word, 0, MOST_NS, &seconds))
		return false;
	*ns = (int64_t)(seconds * 1e9);
	return *ns > 0;
}

/* Reads a part of --rotate.  Returns whether the part is right. */
static bool read_rotate_part(struct write_options *w, const char *part)
{
	const char *size = value_of(part, "size");
	const char *every = value_of(part, "every");
	const char *packets = value_of(part, "packets");

	if (size)
		return parse_size(size, 1, &w->rotate_bytes) &&
		       w->rotate_bytes >= LEAST_ROTATE_BYTES;
	if (every)
		return parse_duration(every, &w->rotate_ns);
	return packets && parse_whole(packets, 1, UINT64_MAX / 2, &w->rotate_packets);
}

int cli_read_rotate(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	char part[PART];
	const char *list = word;

	if (!*word)
		return option_refuse_value(spec, word);
	while (take_part(&list, part))
		if (!read_rotate_part(&c->write, part))
			return option_refuse_value(spec, part);
	return 0;
}

/* Reads "10%".  Returns whether the word is right. */
static bool parse_percent(const char *word, uint32_t *percent)
{
	char digits[8];
	const size_t n = strcspn(word, "%");
	uint64_t number;

	if (strcmp(word + n, "%") != 0 || n >= sizeof digits)
		return false;
	memcpy(digits, word, n);
	digits[n] = 0;
	if (!parse_whole(digits, 1, 99, &number))
		return false;
	*percent = (uint32_t)number;
	return true;
}

/* Reads a part of --keep.  Returns whether the part is right. */
static bool read_keep_part(struct write_options *w, const char *part)
{
	const char *files = value_of(part, "files");
	const char *size = value_of(part, "size");
	const char *age = value_of(part, "age");
	const char *room = value_of(part, "free");

	if (files)
		return parse_whole(files, 1, UINT32_MAX, &w->keep_files);
	if (size)
		return parse_size(size, 1, &w->keep_bytes);
	if (age)
		return parse_duration(age, &w->keep_ns);
	return room && parse_percent(room, &w->keep_free_percent);
}

int cli_read_keep(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	char part[PART];
	const char *list = word;

	if (!*word)
		return option_refuse_value(spec, word);
	while (take_part(&list, part))
		if (!read_keep_part(&c->write, part))
			return option_refuse_value(spec, part);
	return 0;
}

int cli_read_compression(void *target, const struct option_spec *spec, const char *word)
{
	/* in the order of enum bpe_compression, which begins with AUTO */
	static const char *const names = "none|zstd|lz4|gzip";
	struct cli *c = target;
	char name[16];
	const size_t n = strcspn(word, ":");
	uint32_t index;
	const bool is_below = word[n] && word[n + 1] == '-'; /* zstd:-5 */
	uint64_t level = 0;

	if (n >= sizeof name)
		return option_refuse_value(spec, word);
	memcpy(name, word, n);
	name[n] = 0;
	if (!parse_choice(names, name, &index))
		return option_refuse_value(spec, word);
	if (word[n] && (!index || !parse_whole(word + n + 1 + is_below, 1, 22, &level)))
		return option_refuse_value(spec, word);
	c->write.compression = index + 1;
	c->write.compression_level = is_below ? -(int32_t)level : (int32_t)level;
	return 0;
}

int cli_read_ledger(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	if (word && strcmp(word, "sha256") != 0)
		return option_refuse_value(spec, word);
	c->write.ledger = CLI_LEDGER_ON;
	c->write.sha256 = word != NULL;
	return 0;
}

int cli_act_no_ledger(void *target)
{
	struct cli *c = target;

	c->write.ledger = CLI_LEDGER_OFF;
	return 0;
}

int cli_read_cutoff(void *target, const struct option_spec *spec, const char *word)
{
	struct write_options *w = &((struct cli *)target)->write;
	char part[PART];
	const char *list = word;
	const char *after;

	if (!take_part(&list, part))
		return option_refuse_value(spec, word);
	if (!strcmp(part, "0"))
		w->cutoff_bytes = 0;
	else if (!parse_size(part, 1, &w->cutoff_bytes))
		return option_refuse_value(spec, word);
	w->cutoff = true;
	w->cutoff_drop = false;
	if (!take_part(&list, part))
		return 0;
	after = value_of(part, "after");
	if (!after || *list || (strcmp(after, "headers") != 0 && strcmp(after, "drop") != 0))
		return option_refuse_value(spec, word);
	w->cutoff_drop = !strcmp(after, "drop");
	return 0;
}

/* Returns whether the word ends in a unit of time; other words are sizes. */
static bool ends_in_time(const char *word)
{
	const char *unit = word + strspn(word, "0123456789.");

	return !strcmp(unit, "s") || !strcmp(unit, "ms") || !strcmp(unit, "min") ||
	       !strcmp(unit, "m") || !strcmp(unit, "h");
}

int cli_read_recorder(void *target, const struct option_spec *spec, const char *word)
{
	struct write_options *w = &((struct cli *)target)->write;
	char part[PART];
	const char *list = word;

	if (!*word)
		return option_refuse_value(spec, word);
	while (take_part(&list, part)) {
		if (ends_in_time(part)) {
			if (!parse_duration(part, &w->recorder_ns))
				return option_refuse_value(spec, part);
		} else if (!parse_size(part, 1, &w->recorder_bytes) ||
			   w->recorder_bytes < LEAST_RECORDER_BYTES) {
			return option_refuse_value(spec, part);
		}
	}
	return 0;
}

/* ---- Checks ---- */

/* Refuses letters of tcpdump and dumpcap without -w.  Returns 0 or EXIT_USAGE after the message. */
static int check_letters(const struct cli *c)
{
	const struct write_options *w = &c->write;
	const double seconds = (double)w->letter_ns / 1e9;

	if (w->letter_ns)
		return option_answer("",
			"-G is for files that are written (-w). A line each %g s is --stats-interval %g",
			seconds, seconds);
	if (w->letter_bytes)
		return option_refuse("-C is for files that are written: add -w FILE");
	if (w->letter_files)
		return option_refuse("-W is for files that are written: add -w FILE");
	if (w->command)
		return option_refuse("-z is for files that are written: add -w FILE");
	if (w->is_ring)
		return option_refuse("-b is for files that are written: add -w FILE");
	if (w->stop_bytes || w->letter_stop_files)
		return option_refuse("-a %s is for files that are written: add -w FILE",
			w->stop_bytes ? "filesize:" : "files:");
	return 0;
}

/* Options about files, useless without -w. */
static const char *const of_writing[] = { "write-format", "write-compression", "rotate", "keep",
	"write-error", "write-memory", "sync", "write-comment", "write-hash", "ledger", "no-ledger",
	"cutoff", "recorder", "trigger", "split", "dedup", "anonymise" };

bool cli_write_rotates(const struct cli *c)
{
	const struct write_options *w = &c->write;

	return w->rotate_bytes || w->rotate_packets || w->rotate_ns || w->split ||
	       w->recorder_bytes || w->recorder_ns;
}

int cli_check_packet_output(const struct cli *c)
{
	const char *other = NULL;

	if (!c->write.path || strcmp(c->write.path, "-") != 0)
		return 0;
	if (c->top)
		other = "--top";
	else if (c->json)
		other = "--json";
	else if (c->flows_path && !strcmp(c->flows_path, "-"))
		other = "--flows -";
	else if (c->events_path && !strcmp(c->events_path, "-"))
		other = "--events -";
	else if (c->print.form)
		other = "the printing of packets";
	else if (c->counts)
		other = "--count";
	if (other)
		return option_refuse(
			"-w - and %s both want stdout: write one of them to a file", other);
	if (cli_write_rotates(c))
		return option_refuse("-w - is one stream, which cannot be rotated: name a file");
	return 0;
}

int cli_check_write_options(struct cli *c)
{
	const struct option_program *program = option_current();
	int code = 0;

	for (size_t k = 0; k < sizeof of_writing / sizeof *of_writing && !c->write.path; k++)
		if (option_is_given(program, of_writing[k]))
			return option_refuse(
				"--%s is for files that are written: add -w FILE", of_writing[k]);
	if (!c->write.path)
		code = check_letters(c);
	return code ? code : cli_complete_write_letters(c);
}
