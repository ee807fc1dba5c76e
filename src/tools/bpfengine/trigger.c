/* SPDX-License-Identifier: MIT */
/* The trigger of the flight recorder (trigger.h).
 *
 * A filter is compiled for the link types that are common, while files may still be read.  Of
 * another link type the program is compiled when the first packet comes; a filter that the link
 * type does not have accepts none of its packets. */
#include "trigger.h"

#include "tools/common/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS 16
#define SECOND_NS 1000000000

/* Ethernet, NULL, raw IP, LOOP, Linux cooked 1 and 2, 802.11 with and without radiotap, PKTAP. */
static const int common_links[] = { 1, 0, 101, 108, 113, 276, 105, 127, 258 };

/* A filter, compiled for a link type; program NULL: the link type does not have the filter. */
struct trigger_program {
	int link_type;
	struct bpe_insn *program;
};

struct trigger {
	enum trigger_kind kind;
	int64_t after_ns;
	uint64_t most;     /* retransmissions of a flow that pull no trigger */
	uint64_t lost;     /* packets lost at the call before */
	char *expression;  /* owned */
	uint32_t programs; /* in use */
	struct trigger_program program[PROGRAMS];
};

/* ---- The words ---- */

/* Cuts ",after=SECONDS" off the words.  Returns false after a message. */
static bool take_after(char *words, int64_t *after_ns)
{
	char *const comma = strrchr(words, ',');
	char *end;

	*after_ns = TRIGGER_AFTER_NS;
	if (!comma || strncmp(comma, ",after=", 7) != 0)
		return true;
	errno = 0;
	const double seconds = strtod(comma + 7, &end);
	const bool has_unit = *end == 's' && !end[1];

	if (end == comma + 7 || (*end && !has_unit) || errno || !(seconds >= 0) || seconds > 1e9) {
		program_tell("--trigger: \"%s\" is no number of seconds, as in after=5", comma + 7);
		return false;
	}
	*after_ns = (int64_t)(seconds * SECOND_NS);
	*comma = 0;
	return true;
}

/* Compiles the filter for a link type, and keeps the program.  Returns the status. */
static int add_program(struct trigger *t, int link_type, struct bpe_error *error)
{
	struct trigger_program *const p = &t->program[t->programs];
	uint32_t length;

	*p = (struct trigger_program){ .link_type = link_type };
	const int status =
		bpe_filter_compile(t->expression, link_type, 0, &p->program, &length, error);

	if (status < 0)
		p->program = NULL;
	t->programs++;
	return status;
}

/* Compiles the filter for the common link types.  Returns false after a message: the filter is
 * wrong, or none of the link types has the filter. */
static bool compile_filters(struct trigger *t)
{
	struct bpe_error error = { .status = BPE_OK };
	struct bpe_error first = { .status = BPE_OK };
	bool is_known = false;

	for (size_t k = 0; k < sizeof common_links / sizeof *common_links; k++) {
		const int status = add_program(t, common_links[k], &error);

		is_known |= status >= 0;
		if (status < 0 && first.status >= 0)
			first = error;
	}
	if (!is_known)
		program_tell("--trigger: %s", first.text);
	return is_known;
}

/* Reads N of retransmissions>N.  Returns false after a message. */
static bool read_retransmissions(struct trigger *t, const char *number)
{
	char *end;

	errno = 0;
	t->most = strtoull(number, &end, 10);
	t->kind = TRIGGER_RETRANSMISSIONS;
	if (*number >= '0' && *number <= '9' && !*end && !errno && t->most < UINT32_MAX)
		return true;
	program_tell("--trigger: \"%s\" is no count, as in retransmissions>10", number);
	return false;
}

/* Reads the words without ",after=".  Returns false after a message. */
static bool read_words(struct trigger *t, const char *words)
{
	static const char retransmissions[] = "retransmissions>";
	static const char list[] = "list:";

	if (!*words) {
		program_tell("--trigger: there is no expression");
		return false;
	}
	if (!strncmp(words, retransmissions, sizeof retransmissions - 1))
		return read_retransmissions(t, words + sizeof retransmissions - 1);
	if (!strcmp(words, "drops")) {
		t->kind = TRIGGER_DROPS;
		return true;
	}
	const bool is_list = !strncmp(words, list, sizeof list - 1);
	const char *const text = is_list ? words + sizeof list - 1 : words;
	const char *front = "";

	/* the filter's language takes a path without a slash for a word */
	if (is_list)
		front = strchr(text, '/') ? "net in " : "net in ./";
	const size_t room = strlen(front) + strlen(text) + 1;

	t->expression = malloc(room);
	if (!t->expression) {
		program_tell("--trigger: no memory");
		return false;
	}
	snprintf(t->expression, room, "%s%s", front, text);
	return compile_filters(t);
}

struct trigger *trigger_open(const char *words)
{
	struct trigger *const t = calloc(1, sizeof *t);
	char *const copy = strdup(words);

	if (!t || !copy) {
		program_tell("--trigger: no memory");
		free(copy);
		free(t);
		return NULL;
	}
	const bool is_good = take_after(copy, &t->after_ns) && read_words(t, copy);

	free(copy);
	if (is_good)
		return t;
	trigger_close(t);
	return NULL;
}

void trigger_close(struct trigger *t)
{
	if (!t)
		return;
	for (uint32_t k = 0; k < t->programs; k++)
		bpe_filter_free(t->program[k].program);
	free(t->expression);
	free(t);
}

enum trigger_kind trigger_kind_of(const struct trigger *t)
{
	return t->kind;
}

int64_t trigger_after_ns(const struct trigger *t)
{
	return t->after_ns;
}

/* ---- Packets ---- */

/* Returns the program for a link type, or NULL if the link type does not have the filter. */
static const struct bpe_insn *find_program(struct trigger *t, int link_type)
{
	struct bpe_error error;

	for (uint32_t k = 0; k < t->programs; k++)
		if (t->program[k].link_type == link_type)
			return t->program[k].program;
	if (t->programs == PROGRAMS)
		return NULL;
	add_program(t, link_type, &error);
	return t->program[t->programs - 1].program;
}

static bool filter_takes_batch(struct trigger *t, const struct bpe_batch *b)
{
	const struct bpe_insn *program = NULL;
	int link_type = -1;

	for (uint32_t i = 0; i < b->count; i++) {
		if (b->layers[i].link_type != link_type) {
			link_type = b->layers[i].link_type;
			program = find_program(t, link_type);
		}
		if (program && bpe_filter_run(program, b->data[i], b->wirelen[i], b->caplen[i]))
			return true;
	}
	return false;
}

/* Counts the retransmissions that packets of the batch added to the flow of packet i. */
static uint64_t count_added(const struct bpe_batch *b, uint32_t i)
{
	uint64_t added = 0;

	for (uint32_t k = 0; k < b->count; k++)
		added += b->marks[k] & BPE_MARK_RETRANSMISSION && b->flow[k] == b->flow[i];
	return added;
}

/* Returns whether the count of a flow passes the bound within the batch.  So a flow pulls the
 * trigger once. */
static bool retransmissions_take_batch(const struct trigger *t, const struct bpe_batch *b)
{
	struct bpe_flow flow;

	if (!b->marks || !b->flow)
		return false;
	for (uint32_t i = 0; i < b->count; i++) {
		if (!(b->marks[i] & BPE_MARK_RETRANSMISSION) || bpe_batch_flow(b, i, &flow) <= 0)
			continue;
		const uint64_t now = (uint64_t)flow.retransmissions[0] + flow.retransmissions[1];

		if (now > t->most && now - t->most <= count_added(b, i))
			return true;
	}
	return false;
}

bool trigger_takes_batch(struct trigger *t, const struct bpe_batch *batch)
{
	if (t->kind == TRIGGER_FILTER)
		return filter_takes_batch(t, batch);
	return t->kind == TRIGGER_RETRANSMISSIONS && retransmissions_take_batch(t, batch);
}

/* ---- Counters ---- */

/* Returns the packets that were lost on their way to the handlers. */
static uint64_t count_lost(const struct bpe_stats *s)
{
	uint64_t lost = s->kernel_dropped + s->interface_dropped;

	for (int k = 0; k < BPE_DROP_COUNT; k++)
		if (k != BPE_DROP_DUPLICATE)
			lost += s->dropped[k];
	return lost;
}

bool trigger_takes_counts(struct trigger *t, const struct bpe_stats *stats)
{
	const uint64_t before = t->lost;

	t->lost = count_lost(stats);
	return t->kind == TRIGGER_DROPS && t->lost > before;
}
