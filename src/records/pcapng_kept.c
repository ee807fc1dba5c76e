/* SPDX-License-Identifier: MIT */
/* Keeps processes and blocks of a pcapng file (pcapng_kept.h).  The reader appends, any thread
 * reads: a packet comes after the named process, and a ring or call hands the packet on.
 * The memory is bounded: a file with more processes or blocks than fit here loses them, and the
 * count tells how many. */
#include "records/pcapng_kept.h"

#include "base/clock.h"
#include "records/packet_source.h"

enum { PIB_END = 0, PIB_NAME = 2, PIB_UUID = 4 };
#define KEPT_PROCESSES (1u << 18)
#define KEPT_BLOCKS (1u << 18)
#define KEPT_BYTES ((size_t)64 << 20)

static void count_left_out(struct bpei_pcapng_kept *kept)
{
	const uint64_t n = atomic_load_explicit(&kept->left_out, memory_order_relaxed);

	atomic_store_explicit(&kept->left_out, n + 1, memory_order_relaxed);
}

void bpei_pcapng_kept_init(struct bpei_pcapng_kept *kept)
{
	*kept = (struct bpei_pcapng_kept){ .opened_ns = 0 };
	kept->opened_ns = bpei_clock_mono_ns();
}

void bpei_pcapng_kept_free(struct bpei_pcapng_kept *kept)
{
	const uint32_t blocks = bpei_list_count(&kept->blocks);

	for (uint32_t i = 0; i < blocks; i++) {
		struct bpei_kept_block *b =
			(struct bpei_kept_block *)bpei_list_at(&kept->blocks, i, sizeof *b);

		free(b->body);
	}
	for (uint32_t i = 0; i < bpei_list_count(&kept->interfaces); i++) {
		struct bpei_kept_interface *of = (struct bpei_kept_interface *)bpei_list_at(
			&kept->interfaces, i, sizeof *of);

		free(of->memory);
	}
	bpei_list_free(&kept->interfaces);
	bpei_list_free(&kept->processes);
	bpei_list_free(&kept->sections);
	bpei_list_free(&kept->blocks);
	kept->block_bytes = 0;
	kept->in_processes = false;
}

/* ---- Processes ---- */

static void append_kept_section(struct bpei_pcapng_kept *kept, uint32_t first_interface)
{
	const struct bpei_kept_section section = { .first_interface = first_interface,
		.first_process = bpei_list_count(&kept->processes) };

	if (bpei_list_append(&kept->sections, &section, sizeof section, 4 * KEPT_PROCESSES)) {
		count_left_out(kept);
		kept->is_broken = true;
	}
}

void bpei_pcapng_kept_section(struct bpei_pcapng_kept *kept, uint32_t first_interface)
{
	if (!kept->in_processes)
		return;
	append_kept_section(kept, first_interface);
	kept->in_processes = false;
}

/* Copies a name without the final 0 of old writers. */
static void copy_process_name(struct bpei_process_info *process, struct bpei_cursor value)
{
	const size_t n = bpei_cursor_left(&value);
	size_t i = 0;

	for (; i < n && i + 1 < sizeof process->name && value.next[i]; i++)
		process->name[i] = (char)value.next[i];
	process->name[i] = 0;
}

static void read_process_options(
	struct bpei_process_info *process, struct bpei_cursor body, bool big)
{
	while (bpei_cursor_left(&body) >= 4) {
		const uint16_t code = bpei_cursor_u16(&body, big);
		const uint16_t length = bpei_cursor_u16(&body, big);
		const struct bpei_cursor value = bpei_cursor_init(body.next, length);

		if (code == PIB_END || !bpei_cursor_take(&body, (length + 3u) & ~3u))
			return;
		if (code == PIB_NAME)
			copy_process_name(process, value);
		if (code == PIB_UUID && length == sizeof process->uuid) {
			memcpy(process->uuid, value.next, sizeof process->uuid);
			process->has_uuid = 1;
		}
	}
}

void bpei_pcapng_kept_process(struct bpei_pcapng_kept *kept, uint32_t first_interface,
	const void *bytes, size_t length, bool big)
{
	struct bpei_cursor body = bpei_cursor_init(bytes, length);
	struct bpei_process_info process = { .pid = bpei_cursor_u32(&body, big) };

	if (!kept->in_processes)
		append_kept_section(kept, first_interface);
	kept->in_processes = true;
	if (kept->is_broken)
		return;
	read_process_options(&process, body, big);
	if (bpei_list_append(&kept->processes, &process, sizeof process, KEPT_PROCESSES))
		count_left_out(kept);
}

/* Returns how many sections begin at or before the interface. */
static uint32_t count_sections_up_to(const struct bpei_pcapng_kept *kept, uint32_t interface_id)
{
	uint32_t low = 0;
	uint32_t high = bpei_list_count(&kept->sections);

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct bpei_kept_section *s = (const struct bpei_kept_section *)bpei_list_at(
			&kept->sections, middle, sizeof *s);

		if (s->first_interface <= interface_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct bpei_process_info *bpei_pcapng_kept_find(
	const struct bpei_pcapng_kept *kept, uint32_t interface_id, uint32_t place)
{
	const struct bpei_kept_section *s;
	const uint32_t sections = count_sections_up_to(kept, interface_id);
	uint32_t end = bpei_list_count(&kept->processes);

	if (!sections)
		return NULL;
	if (sections < bpei_list_count(&kept->sections)) {
		s = (const struct bpei_kept_section *)bpei_list_at(
			&kept->sections, sections, sizeof *s);
		end = s->first_process;
	}
	s = (const struct bpei_kept_section *)bpei_list_at(
		&kept->sections, sections - 1, sizeof *s);
	if (place >= end - s->first_process)
		return NULL;
	return (const struct bpei_process_info *)bpei_list_at(
		&kept->processes, s->first_process + place, sizeof(struct bpei_process_info));
}

/* ---- Interfaces and blocks ---- */

void bpei_pcapng_kept_add_interface(
	struct bpei_pcapng_kept *kept, const void *body, size_t length, bool swapped)
{
	struct bpei_kept_interface interface = { .digits = 9 };

	/* An interface without room keeps the number. */
	if (length > KEPT_BYTES - kept->block_bytes ||
		bpei_kept_interface_read(&interface, body, length, swapped))
		count_left_out(kept);
	else
		kept->block_bytes += length;
	if (bpei_list_append(&kept->interfaces, &interface, sizeof interface, KEPT_BLOCKS))
		free(interface.memory);
}

const struct bpei_kept_interface *bpei_pcapng_kept_interface(
	const struct bpei_pcapng_kept *kept, uint32_t interface_id)
{
	const struct bpei_kept_interface *of;

	if (interface_id >= bpei_list_count(&kept->interfaces))
		return NULL;
	of = (const struct bpei_kept_interface *)bpei_list_at(
		&kept->interfaces, interface_id, sizeof *of);
	return of->memory ? of : NULL;
}

const struct bpei_kept_interface *bpei_batch_kept_interface(
	const struct bpe_batch *batch, uint32_t i)
{
	uint32_t interface_id;
	const struct bpei_packet_source *source =
		bpei_packet_source_of_batch(batch, i, &interface_id);

	if (!source || !source->kept)
		return NULL;
	return bpei_pcapng_kept_interface(source->kept, interface_id);
}

void bpei_pcapng_kept_block(struct bpei_pcapng_kept *kept, const struct bpei_kept_block *block)
{
	struct bpei_kept_block copy = *block;

	copy.body = NULL;
	if (block->length > KEPT_BYTES - kept->block_bytes) {
		count_left_out(kept);
		return;
	}
	copy.body = (uint8_t *)malloc(block->length ? block->length : 1);
	if (!copy.body) {
		count_left_out(kept);
		return;
	}
	memcpy(copy.body, block->body, block->length);
	if (bpei_list_append(&kept->blocks, &copy, sizeof copy, KEPT_BLOCKS)) {
		free(copy.body);
		count_left_out(kept);
		return;
	}
	kept->block_bytes += block->length;
}
