/* SPDX-License-Identifier: MIT */
/* Filters in user space: the only place where a filter runs on a device's packets.
 *
 * A filter runs here for savefiles and generated traffic, and where a kernel takes no part of the
 * filter or only a wider filter.  After a change of the kernel's filter, the new filter runs here
 * for a while: the kernel's buffers still hold packets which the older filter accepted.  An
 * expression is compiled anew for each link type.  The words inbound and outbound need a program
 * for each direction.  The reader owns all of this. */
#include "base/error.h"
#include "device/device.h"
#include "filter/decode.h"
#include "filter/kernel.h"
#include "names/numbers.h"
#include "records/batch.h"
#include "records/pushed.h"
#include "records/walk_pcapng.h"

#include <stdlib.h>
#include <string.h>

#define PKTAP_ROOM 256u /* a snapshot length counts the PKTAP header */

/* A program for each BPEI_WAY_; NULL: no packet passes. */
struct bpei_way_programs {
	struct bpei_decoded *way[BPEI_WAYS];
};

_Static_assert(BPE_WAY_IN - BPE_WAY_UNKNOWN == BPEI_WAY_IN &&
		       BPE_WAY_OUT - BPE_WAY_UNKNOWN == BPEI_WAY_OUT,
	"compile_way_programs");

/* Returns true if the expression depends on the direction of packets, and the device knows the
 * direction. */
static bool uses_direction(const struct bpei_device *d, const char *expression)
{
	return d->is_directed && strstr(expression, "bound");
}

static struct bpe_filter_options filter_options(
	const struct bpei_device *d, uint32_t link_type, uint32_t through)
{
	return (struct bpe_filter_options){ .link_type = (int32_t)link_type,
		.through = through,
		.netmask = d->netmask,
		.has_netmask = d->has_netmask };
}

static void free_program(struct bpei_filter *filter)
{
	free(filter->program);
	free(filter->wide);
}

int bpei_device_compile(const struct bpei_device *d, const char *expression, uint32_t snaplen,
	uint32_t through, struct bpei_filter *filter, struct bpe_error *error)
{
	struct bpe_filter_options how = filter_options(d, d->link_type, through);
	const uint32_t most = d->kernel ? d->kernel_insns : UINT32_MAX;

	how.snaplen = snaplen + (d->link_type == LINK_PKTAP ? PKTAP_ROOM : 0);
	if (!uses_direction(d, expression)) {
		how.way = BPE_WAY_NOT_TOLD;
		return bpei_compile_for(expression, &how, d->kernel, most, filter, error);
	}
	/* The expression is valid if packets of any direction may match. */
	for (how.way = BPE_WAY_IN; how.way <= BPE_WAY_OUT; how.way++)
		if (bpei_compile_for(expression, &how, d->kernel, most, filter, NULL) >= 0)
			return BPE_OK;
	how.way = BPE_WAY_UNKNOWN;
	return bpei_compile_for(expression, &how, d->kernel, most, filter, error);
}

/* ---- Installing a filter ---- */

/* Runs a copy of the program here. */
int bpei_device_filter_here(struct bpei_device *d, const struct bpe_insn *program, uint32_t length)
{
	struct bpei_decoded *copy = length ? bpei_decode(program, length) : NULL;

	if (length && !copy)
		return BPE_E_MEMORY;
	bpei_decoded_free(d->filter);
	d->filter = copy;
	d->filter_none = false;
	d->refilter_fills = 0;
	return BPE_OK;
}

void bpei_device_filter_until(struct bpei_device *d, uint32_t blocks)
{
	d->refilter_fills = d->filter ? blocks + 1 : 0;
}

void bpei_device_filter_drained(struct bpei_device *d)
{
	if (d->refilter_fills)
		bpei_device_filter_here(d, NULL, 0);
}

static int install_filter(
	struct bpei_device *d, const struct bpei_filter *f, struct bpe_error *error)
{
	if (d->ops->set_filter)
		return d->ops->set_filter(d, f, error);
	if (bpei_device_filter_here(d, f->program, f->length) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for %u instructions",
			f->length);
	return BPE_OK;
}

static void free_way_programs(struct bpei_device *d)
{
	for (int k = 0; d->way_programs && k < BPEI_WAYS; k++)
		bpei_decoded_free(d->way_programs->way[k]);
	free(d->way_programs);
	d->way_programs = NULL;
}

/* Compiles the expression once for each direction.  Returns BPE_OK or BPE_E_MEMORY. */
static int compile_way_programs(
	struct bpei_device *d, const char *expression, uint32_t through, uint32_t link_type)
{
	struct bpei_way_programs *made = calloc(1, sizeof *made);

	if (!made)
		return BPE_E_MEMORY;
	for (uint32_t k = 0; k < BPEI_WAYS; k++) {
		struct bpei_filter f;
		struct bpe_filter_options how = filter_options(d, link_type, through);

		how.way = BPE_WAY_UNKNOWN + k;
		if (bpei_compile_for(expression, &how, NULL, UINT32_MAX, &f, NULL) < 0)
			continue; /* no packet of this direction passes */
		made->way[k] = bpei_decode(f.program, f.length);
		free_program(&f);
	}
	free_way_programs(d);
	d->way_programs = made;
	return BPE_OK;
}

/* Forgets the expression, or packets of another link type would bring the old filter back. */
static void forget_expression(struct bpei_device *d)
{
	free_way_programs(d);
	free(d->expression);
	d->expression = NULL;
}

void bpei_device_filter_free(struct bpei_device *d)
{
	bpei_decoded_free(d->filter);
	d->filter = NULL;
	forget_expression(d);
}

int bpei_device_set_filter(struct bpei_device *d, const struct bpe_insn *filter, uint32_t length,
	struct bpe_error *error)
{
	/* The cast is safe: the instructions are copied and not written to. */
	const struct bpei_filter f = { .program = (struct bpe_insn *)(uintptr_t)filter,
		.length = length };
	int r = install_filter(d, &f, error);

	if (r >= 0)
		forget_expression(d);
	return r;
}

int bpei_device_set_expression(struct bpei_device *d, const char *expression, uint32_t through,
	const struct bpei_filter *f, struct bpe_error *error)
{
	if (d->ops->set_expression)
		return d->ops->set_expression(d, expression, through, error);
	char *copy = strdup(expression);

	if (!copy)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	int r = install_filter(d, f, error);
	if (r < 0) {
		free(copy);
		return r;
	}
	forget_expression(d);
	d->expression = copy;
	d->filter_link = d->link_type;
	d->filter_through = through;
	if (uses_direction(d, expression) &&
		compile_way_programs(d, expression, through, d->link_type) < 0)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	return r;
}

/* ---- Running the filter ---- */

/* Compiles the expression for packets of another link type.  An expression which cannot be compiled
 * for the type lets no packet through. */
static void recompile_for_link(struct bpei_device *d, uint32_t link_type)
{
	struct bpei_filter f;
	const struct bpe_filter_options how = filter_options(d, link_type, d->filter_through);
	const uint32_t fills = d->refilter_fills;

	d->filter_link = link_type;
	d->filter_none = true;
	if (d->way_programs) {
		if (compile_way_programs(d, d->expression, d->filter_through, link_type) < 0)
			free_way_programs(d);
		return;
	}
	if (bpei_compile_for(d->expression, &how, NULL, UINT32_MAX, &f, NULL) < 0)
		return;
	d->filter_none = bpei_device_filter_here(d, f.program, f.length) < 0;
	d->refilter_fills = fills;
	free_program(&f);
}

/* Returns how many bytes of packet i the filter keeps; 0: the packet is rejected. */
static uint32_t filter_packet(const struct bpei_device *d, const struct bpei_columns *c, uint32_t i)
{
	const struct bpei_decoded *p =
		d->way_programs ? d->way_programs->way[c->meta[i] & BPEI_META_WAY] : d->filter;

	if (d->way_programs ? !p : d->filter_none)
		return 0;
	return p ? bpei_decoded_run(p, c->data[i], c->wirelen[i], c->caplen[i]) : UINT32_MAX;
}

static void cut_packet(const struct bpei_columns *c, uint32_t i, uint32_t bytes)
{
	if (bytes < c->caplen[i])
		c->caplen[i] = bytes;
}

/* Filters packets which walk returned with their wrapper.  Packets are walked singly, since the
 * batch ends at a packet with another unwrapped link type, and the packet is walked again. */
static uint32_t walk_wrapped(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	uint32_t n = 0, batch_type = 0;

	while (n < max) {
		const size_t before = b->position;
		const struct bpei_columns at = bpei_columns_from(c, n);

		if (!d->ops->walk(d, b, &at, 1))
			break;
		if (d->expression && b->link_type != d->filter_link)
			recompile_for_link(d, b->link_type);
		const uint32_t keep = filter_packet(d, &at, 0);
		if (!keep) {
			bpei_counter_add(&d->filtered, 1);
			continue;
		}
		cut_packet(&at, 0, keep);
		const uint32_t link_type = d->ops->unwrap(d, &at, 0);
		if (n && link_type != batch_type) {
			b->position = before;
			break;
		}
		batch_type = link_type;
		cut_packet(&at, 0, d->snaplen);
		n++;
	}
	b->link_type = batch_type;
	return n;
}

uint32_t bpei_device_walk_filtered(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	if (d->wraps_packets)
		return walk_wrapped(d, b, c, max);
	for (;;) {
		const uint32_t n = d->ops->walk(d, b, c, max);
		uint32_t kept = 0;

		if (!n)
			return 0;
		if (d->expression && b->link_type != d->filter_link)
			recompile_for_link(d, b->link_type);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t keep = filter_packet(d, c, i);

			if (!keep)
				continue;
			cut_packet(c, i, keep < d->snaplen ? keep : d->snaplen);
			if (kept != i)
				bpei_columns_move(c, kept, i);
			kept++;
		}
		if (kept < n)
			bpei_counter_add(&d->filtered, n - kept);
		if (kept)
			return kept;
	}
}
