/* SPDX-License-Identifier: MIT */
/* A hash table of processes with open addressing (process_table.h).  Slots are probed one after
 * another; the last process is the last of its run of slots, so its removal breaks no run. */
#include "write/process_table.h"

#define TABLE_FIRST 32u
#define TABLE_MOST (1u << 18)

static uint32_t hash_process(const struct bpei_process_info *p)
{
	const uint8_t *bytes = (const uint8_t *)p;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < sizeof *p; i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return (uint32_t)(h >> 32 ^ h);
}

/* Returns the process's slot: with its place, or free. */
static uint32_t find_process_slot(
	const struct bpei_process_table *t, const struct bpei_process_info *p)
{
	const uint32_t mask = 2 * t->room - 1;
	uint32_t at = hash_process(p) & mask;

	while (t->slots[at] && memcmp(&t->processes[t->slots[at] - 1], p, sizeof *p) != 0)
		at = (at + 1) & mask;
	return at;
}

/* Doubles the table.  Returns false without memory, with the table as before. */
static bool grow_process_table(struct bpei_process_table *t)
{
	const uint32_t room = t->room ? t->room * 2 : TABLE_FIRST;
	struct bpei_process_table more = { .count = t->count, .room = room };

	if (room > TABLE_MOST)
		return false;
	more.processes = (struct bpei_process_info *)calloc(room, sizeof *more.processes);
	more.slots = (uint32_t *)calloc((size_t)room * 2, sizeof *more.slots);
	if (!more.processes || !more.slots) {
		bpei_process_table_free(&more);
		return false;
	}
	for (uint32_t i = 0; i < t->count; i++) {
		more.slots[find_process_slot(&more, &t->processes[i])] = i + 1;
		more.processes[i] = t->processes[i];
	}
	bpei_process_table_free(t);
	*t = more;
	return true;
}

uint32_t bpei_process_table_add(
	struct bpei_process_table *t, const struct bpei_process_info *process, bool *is_new)
{
	*is_new = false;
	if (t->room) {
		const uint32_t at = find_process_slot(t, process);

		if (t->slots[at])
			return t->slots[at] - 1;
	}
	if (t->count == t->room && !grow_process_table(t))
		return BPEI_NO_PROCESS;
	t->slots[find_process_slot(t, process)] = t->count + 1;
	t->processes[t->count] = *process;
	*is_new = true;
	return t->count++;
}

void bpei_process_table_undo(struct bpei_process_table *t)
{
	t->slots[find_process_slot(t, &t->processes[t->count - 1])] = 0;
	t->count--;
}

void bpei_process_table_clear(struct bpei_process_table *t)
{
	if (t->room)
		memset(t->slots, 0, (size_t)t->room * 2 * sizeof *t->slots);
	t->count = 0;
}

void bpei_process_table_free(struct bpei_process_table *t)
{
	free(t->processes);
	free(t->slots);
	*t = (struct bpei_process_table){ .count = 0 };
}
