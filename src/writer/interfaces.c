/* SPDX-License-Identifier: MIT */
/* The interfaces of a writer, and their blocks.  The writer's lock is held. */
#include "writer/interfaces.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct bpei_writer_interface *bpei_interfaces_find(
	const struct bpei_writer_interfaces *interfaces, uint32_t id, int32_t link_type)
{
	for (uint32_t k = 0; k < interfaces->count; k++) {
		const struct bpe_write_interface *told = &interfaces->list[k].told;

		if (told->interface_id == id && (link_type < 0 || told->link_type == link_type))
			return &interfaces->list[k];
	}
	return NULL;
}

static void free_description(struct bpe_write_interface *told)
{
	bpei_mem_free_const(told->name);
	bpei_mem_free_const(told->description);
	bpei_mem_free_const(told->hardware);
	bpei_mem_free_const(told->os);
	bpei_mem_free_const(told->filter_text);
	bpei_mem_free_const(told->filter);
}

/* Copies strings and filter in place.  Returns false without memory; *told is freed then. */
static bool own_description(struct bpe_write_interface *told)
{
	const char **const texts[] = { &told->name, &told->description, &told->hardware, &told->os,
		&told->filter_text };
	const struct bpe_insn *filter = told->filter;
	bool good = true;

	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		if (*texts[k])
			good &= (*texts[k] = strdup(*texts[k])) != NULL;
	told->filter = NULL;
	if (filter && told->filter_length) {
		struct bpe_insn *copy = malloc(told->filter_length * sizeof *copy);

		if (copy)
			memcpy(copy, filter, told->filter_length * sizeof *copy);
		told->filter = copy;
		good &= copy != NULL;
	}
	if (!good)
		free_description(told);
	return good;
}

/* Takes out all that may tell of an address. */
static void strip_description(struct bpe_write_interface *told)
{
	told->name = told->description = told->hardware = told->os = told->filter_text = NULL;
	told->filter = NULL;
	told->filter_length = 0;
	told->has_mac = 0;
}

struct bpei_writer_interface *bpei_interfaces_add(
	struct bpei_writer_interfaces *interfaces, const struct bpe_write_interface *told)
{
	struct bpei_writer_interface *known =
		bpei_interfaces_find(interfaces, told->interface_id, told->link_type);
	struct bpe_write_interface own = *told;

	if (interfaces->anonymous)
		strip_description(&own);
	if (!own_description(&own))
		return NULL;
	if (known) {
		free_description(&known->told);
		known->told = own;
		return known;
	}
	struct bpei_writer_interface *more =
		realloc(interfaces->list, (interfaces->count + 1) * sizeof *more);

	if (!more) {
		free_description(&own);
		return NULL;
	}
	interfaces->list = more;
	interfaces->recent = NULL;
	known = &more[interfaces->count++];
	*known = (struct bpei_writer_interface){ .told = own };
	return known;
}

void bpei_interfaces_keep_rest(
	struct bpei_writer_interface *interface, const struct bpei_kept_interface *kept)
{
	uint8_t *copy = kept && kept->rest_bytes ? malloc(kept->rest_bytes) : NULL;

	if (!copy)
		return;
	memcpy(copy, kept->rest, kept->rest_bytes);
	bpei_mem_free_const(interface->rest.bytes);
	interface->rest = (struct bpei_raw_options){ copy, kept->rest_bytes };
}

void bpei_interfaces_free(struct bpei_writer_interfaces *interfaces)
{
	for (uint32_t k = 0; k < interfaces->count; k++) {
		free_description(&interfaces->list[k].told);
		bpei_mem_free_const(interfaces->list[k].rest.bytes);
	}
	free(interfaces->list);
	*interfaces = (struct bpei_writer_interfaces){ 0 };
}

void bpei_interfaces_begin_section(struct bpei_writer_interfaces *interfaces)
{
	interfaces->in_section = 0;
	for (uint32_t k = 0; k < interfaces->count; k++)
		interfaces->list[k].in_section = false;
}

size_t bpei_interfaces_put(
	uint8_t *to, size_t room, const struct bpei_writer_interface *interface, uint32_t snaplen)
{
	const struct bpe_write_interface *told = &interface->told;
	struct bpei_interface_out out = { .link_type = (uint32_t)told->link_type,
		.snaplen = told->snaplen,
		.digits = (uint8_t)told->time_digits,
		.has_mac = told->has_mac != 0,
		.speed = told->speed,
		.name = told->name,
		.description = told->description,
		.hardware = told->hardware,
		.os = told->os,
		.filter_text = told->filter_text,
		.program = told->filter,
		.program_length = told->filter_length,
		.raw = interface->rest };

	memcpy(out.mac, told->mac, sizeof out.mac);
	if (snaplen && (!out.snaplen || snaplen < out.snaplen))
		out.snaplen = snaplen;
	return bpei_interface_put(to, room, &out);
}

size_t bpei_interfaces_put_counts(
	uint8_t *to, size_t room, const struct bpei_writer_interface *interface, int64_t stamp_ns)
{
	static const uint32_t bits[][2] = { { BPE_KNOWN_RECEIVED, BPEI_STATISTICS_RECEIVED },
		{ BPE_KNOWN_DROPPED, BPEI_STATISTICS_DROPPED },
		{ BPE_KNOWN_INTERFACE_DROPPED, BPEI_STATISTICS_INTERFACE_DROPPED },
		{ BPE_KNOWN_ACCEPTED, BPEI_STATISTICS_ACCEPTED } };
	const struct bpe_stats *counts = &interface->counts;
	struct bpei_statistics_out out = { .interface_id = interface->place,
		.known = BPEI_STATISTICS_DELIVERED,
		.stamp = bpei_stamp(stamp_ns, (uint8_t)interface->told.time_digits),
		.received = counts->kernel_received,
		.interface_dropped = counts->interface_dropped,
		.accepted = counts->kernel_accepted,
		.dropped = counts->kernel_dropped,
		.delivered = interface->written };

	for (size_t k = 0; interface->has_counts && k < sizeof bits / sizeof *bits; k++)
		if (counts->kernel_known & bits[k][0])
			out.known |= bits[k][1];
	return bpei_statistics_put(to, room, &out);
}
