/* SPDX-License-Identifier: MIT */
/* Changing the filter of a running engine: a query for the reader, since the device is the
 * reader's.
 *
 * The reader polls wherever the reader may stay long (reader.c): before each block and batch, and
 * while waiting for a free block or for room in a ring.  A worker's handler asking for a change is
 * therefore answered, too.  Before the start and from a handler on the reader's own thread the
 * change is made at once.  After the reader has left, a change fails with BPE_E_STATE. */
#include "engine/engine.h"

#include "base/error.h"
#include "filter/filter.h"
#include "filter/kernel.h"

struct filter_change {
	struct bpei_query query;
	const char *expression; /* NULL: filter is a program given by hand */
	const struct bpei_filter *filter;
	struct bpe_error *error;
	int result;
};

/* Hands the new filter to the device.  Returns BPE_OK or a failure. */
static int change_device_filter(struct bpe_engine *e, const struct filter_change *c)
{
	if (c->expression)
		return bpei_device_set_expression(e->input.device, c->expression,
			e->options.filter_through, c->filter, c->error);
	return bpei_device_set_filter(
		e->input.device, c->filter->program, c->filter->length, c->error);
}

/* Makes the change, or fails the change if the run has ended. */
static enum bpei_progress step_filter_change(
	struct bpei_query *query, struct bpei_answerer *answerer, uint32_t budget)
{
	struct filter_change *c = (struct filter_change *)query;
	struct bpe_engine *e = answerer->self;

	(void)budget;
	if (answerer->state == BPEI_ANSWERER_LEFT)
		c->result = bpei_fail(c->error, BPE_E_STATE, "filter", 0, "the run has ended");
	else
		c->result = change_device_filter(e, c);
	return BPEI_QUERY_DONE;
}

int bpei_engine_change_filter(struct bpe_engine *e, const char *expression,
	const struct bpei_filter *filter, struct bpe_error *error)
{
	struct filter_change change = { .query = { step_filter_change },
		.expression = expression,
		.filter = filter,
		.error = error };

	if (bpei_query_is_reader(e))
		step_filter_change(&change.query, &e->reader_answers, 0);
	else
		bpei_query_ask(&e->filter_desk, &change.query);
	return change.result;
}
