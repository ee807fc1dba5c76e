/* SPDX-License-Identifier: MIT */
/* A device over several sources: interfaces captured together, or savefiles merged by time.
 *
 * Each source is a separate device with filter, link type and counters.  Blocks belong to a source
 * (multi_read.c).  The counters here are sums over the sources; the numbers of each source stay
 * with the source (bpei_device_ops.source_stats).  The end of a source leaves the others going.  A
 * vanished interface comes back with wait_interface, as a device alone does. */
#include "device/multi.h"

#include "base/error.h"
#include "base/mem.h"
#include "filter/kernel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Statistics ---- */

/* Publishes which sums are known.  The sum over interfaces is known if each part is; the sum over
 * savefiles has the numbers in the files. */
static void publish_known(struct bpei_multi *m)
{
	const uint32_t count = bpei_multi_count(m);
	uint64_t all = UINT64_MAX;
	uint64_t any = 0;
	bool is_down = count;

	for (uint32_t k = 0; k < count; k++) {
		const struct bpei_device *d = m->sources[k]->device;
		const uint64_t known = bpei_counter_get(&d->kernel_known);

		all &= known;
		any |= known;
		is_down &= bpei_counter_get(&d->interface_down);
	}
	bpei_counter_set(&m->device.kernel_known, m->device.live && count ? all : any);
	bpei_counter_set(&m->device.interface_down, is_down);
}

static void update_multi_stats(struct bpei_device *d)
{
	struct bpei_multi *m = bpei_multi_of(d);

	if (m->watches && m->is_open)
		m->look_around(m);
	for (uint32_t k = 0; k < bpei_multi_count(m); k++) {
		struct bpei_multi_source *s = m->sources[k];

		s->device->ops->stats(s->device);
		bpei_multi_collect(m, s);
	}
	publish_known(m);
}

static bool give_source_stats(
	const struct bpei_device *device, uint32_t k, struct bpe_interface_stats *to)
{
	const struct bpei_multi *m = (const struct bpei_multi *)(const void *)device;

	if (k >= bpei_multi_count(m))
		return false;
	const struct bpei_multi_source *s = m->sources[k];
	const struct bpei_device *d = s->device;
	const int status = bpei_multi_has_ended(s);

	*to = (struct bpe_interface_stats){ .interface_id = s->own_id,
		.link_type = (int32_t)d->link_type,
		.status = status,
		.interface_down = bpei_counter_get(&d->interface_down),
		.read_packets = bpei_counter_get(&s->read_packets),
		.captured_bytes = bpei_counter_get(&s->captured_bytes),
		.wire_bytes = bpei_counter_get(&s->wire_bytes),
		.filtered = bpei_counter_get(&d->filtered),
		.duplicates = bpei_counter_get(&d->duplicates),
		.kernel_known = bpei_counter_get(&d->kernel_known),
		.kernel_received = bpei_counter_get(&d->kernel_received),
		.kernel_accepted = bpei_counter_get(&d->kernel_accepted),
		.kernel_dropped = bpei_counter_get(&d->kernel_dropped),
		.interface_dropped = bpei_counter_get(&d->interface_dropped) };
	memcpy(to->name, s->name, sizeof to->name);
	return true;
}

/* ---- The filter ---- */

/* Filters compiled for each source, before the first is installed. */
struct multi_filters {
	struct bpei_filter *of; /* an element for each source */
	uint32_t count;
};

static void free_filters(struct multi_filters *filters)
{
	for (uint32_t k = 0; filters->of && k < filters->count; k++) {
		free(filters->of[k].program);
		free(filters->of[k].wide);
	}
	free(filters->of);
}

/* Returns whether a change of the filter of all changes the source's filter. */
static bool takes_filter(const struct bpei_multi_source *s)
{
	return !s->own_filter && !bpei_multi_has_ended(s);
}

/* Blocks that were filled before the change are walked after it. */
static void filter_longer(struct bpei_multi_source *s)
{
	if (s->device->refilter_fills)
		s->device->refilter_fills += s->ahead;
}

int bpei_multi_shut(struct bpei_device *d, struct bpe_error *error)
{
	static const struct bpe_insn reject = { .code = 0x06 };

	return bpei_device_set_filter(d, &reject, 1, error);
}

/* Compiles the expression for each source.  Returns how many took it, or the failure if none did.
 */
static int compile_for_all(struct bpei_multi *m, const char *expression, uint32_t through,
	struct multi_filters *filters, struct bpe_error *error)
{
	struct bpe_error why = { .status = BPE_OK };
	int taken = 0;
	int asked = 0;

	for (uint32_t k = 0; k < filters->count; k++) {
		struct bpei_multi_source *s = m->sources[k];

		if (!takes_filter(s))
			continue;
		asked++;
		if (bpei_device_compile(s->device, expression, m->options.snaplen, through,
			    &filters->of[k], &why) >= 0)
			taken++;
		else
			filters->of[k] = (struct bpei_filter){ .program = NULL };
	}
	if (taken || !asked)
		return taken;
	if (error)
		*error = why;
	return why.status;
}

static int set_multi_expression(
	struct bpei_device *d, const char *expression, uint32_t through, struct bpe_error *error)
{
	struct bpei_multi *m = bpei_multi_of(d);
	struct multi_filters filters = { .count = bpei_multi_count(m) };

	filters.of = calloc(filters.count + 1, sizeof *filters.of);
	if (!filters.of)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filters");
	int r = compile_for_all(m, expression, through, &filters, error);
	for (uint32_t k = 0; k < filters.count && r >= 0; k++) {
		struct bpei_multi_source *s = m->sources[k];

		if (!takes_filter(s))
			continue;
		if (filters.of[k].program)
			r = bpei_device_set_expression(
				s->device, expression, through, &filters.of[k], error);
		else
			r = bpei_multi_shut(s->device, error);
		filter_longer(s);
	}
	free_filters(&filters);
	return r < 0 ? r : BPE_OK;
}

static int set_multi_filter(
	struct bpei_device *d, const struct bpei_filter *f, struct bpe_error *error)
{
	struct bpei_multi *m = bpei_multi_of(d);
	const uint32_t count = bpei_multi_count(m);
	int r = BPE_OK;

	for (uint32_t k = 0; k < count && f->length; k++)
		if (takes_filter(m->sources[k]) && m->sources[k]->device->link_type != d->link_type)
			return bpei_fail(error, BPE_E_UNSUPPORTED, "filter", 0,
				"the sources have several link types, and a program is for one: give an expression");
	for (uint32_t k = 0; k < count && r >= 0; k++) {
		if (!takes_filter(m->sources[k]))
			continue;
		r = bpei_device_set_filter(m->sources[k]->device, f->program, f->length, error);
		filter_longer(m->sources[k]);
	}
	return r < 0 ? r : BPE_OK;
}

/* ---- The rest of the contract ---- */

/* Wakes the reader through the pipe. */
static void wake_multi(struct bpei_device *d)
{
	ssize_t n = write(bpei_multi_of(d)->wake[1], "", 1);

	(void)n; /* a full pipe has woken the reader already */
}

static void free_queue(struct bpei_multi_block *b)
{
	while (b) {
		struct bpei_multi_block *next = b->next;

		bpei_mem_unmap(b->block.memory, b->block.memory_bytes);
		free(b);
		b = next;
	}
}

void bpei_multi_free_source(struct bpei_multi_source *s)
{
	if (!s)
		return;
	bpei_device_close(s->device); /* before the memory, which the device may look at */
	free_queue(s->waiting.first);
	free_queue(s->spare);
	if (s->current) {
		s->current->next = NULL;
		free_queue(s->current);
	}
	if (s->columns.data)
		bpei_columns_free(&s->columns, BPE_BATCH);
	free(s->ids);
	free(s->kept_name);
	free(s);
}

static void close_multi(struct bpei_device *d)
{
	struct bpei_multi *m = bpei_multi_of(d);

	free_queue(m->retired.first);
	for (uint32_t k = 0; k < bpei_multi_count(m); k++)
		bpei_multi_free_source(m->sources[k]);
	for (int i = 0; i < 2; i++)
		if (m->wake[i] >= 0)
			close(m->wake[i]);
	free(m->sources);
	free(m->merge.heap);
	free(m->polled);
	free(m->told);
	bpei_list_free(&m->origins);
	free(m);
}

const struct bpei_packet_source *bpei_multi_find_source(
	const struct bpei_packet_source *source, uint32_t *interface_id)
{
	const struct bpei_multi *m = (const struct bpei_multi *)(const void *)source;
	uint32_t low = 0;
	uint32_t high = bpei_list_count(&m->origins);

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct bpei_multi_origin *origin =
			(const struct bpei_multi_origin *)bpei_list_at(
				&m->origins, middle, sizeof *origin);

		if (origin->number == *interface_id) {
			*interface_id = origin->source_id;
			return origin->source;
		}
		if (origin->number < *interface_id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct bpei_packet_source *bpei_multi_source_at(
	const struct bpei_packet_source *source, uint32_t k)
{
	const struct bpei_multi *m = (const struct bpei_multi *)(const void *)source;

	return k < bpei_multi_count(m) ? &m->sources[k]->device->told : NULL;
}

const struct bpei_device_ops bpei_multi_ops = {
	.name = "multi",
	.fill = bpei_multi_fill,
	.walk = bpei_multi_walk,
	.done = bpei_multi_done,
	.stats = update_multi_stats,
	.wake = wake_multi,
	.close = close_multi,
	.set_filter = set_multi_filter,
	.set_expression = set_multi_expression,
	.source_stats = give_source_stats,
};
