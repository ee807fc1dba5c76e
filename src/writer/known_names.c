/* SPDX-License-Identifier: MIT */
/* Names of addresses for name resolution blocks.  The writer's lock is held. */
#include "writer/known_names.h"

#include "bpfengine.h"
#include "write/pcapng_out.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_ROOM 32768u

static size_t address_bytes(uint32_t ip_version)
{
	return ip_version == 4 ? 4 : 16;
}

static uint32_t *find_recent(struct bpei_known_names *names, const struct bpei_known_name *name)
{
	uint32_t hash = name->ip_version;

	for (size_t k = 0; k < address_bytes(name->ip_version); k++)
		hash = hash * 31 + name->addr[k];
	return &names->recent[hash % BPEI_KNOWN_NAMES_RECENT];
}

int bpei_known_names_add(struct bpei_known_names *names, const struct bpei_known_name *name)
{
	uint32_t *recent = find_recent(names, name);
	const struct bpei_known_name *known = *recent ? &names->list[*recent - 1] : NULL;

	if (known && known->ip_version == name->ip_version && !strcmp(known->name, name->name) &&
		!memcmp(known->addr, name->addr, address_bytes(name->ip_version)))
		return 0;
	if (names->count == BPEI_KNOWN_NAMES_MOST)
		return 1;
	if (names->count == names->room) {
		const size_t room = names->room ? 2 * names->room : 16;
		void *more = realloc(names->list, room * sizeof *names->list);

		if (!more)
			return BPE_E_MEMORY;
		names->list = more;
		names->room = room;
	}
	char *text = strdup(name->name);

	if (!text)
		return BPE_E_MEMORY;
	names->list[names->count] = *name;
	names->list[names->count++].name = text;
	*recent = (uint32_t)names->count;
	return 1;
}

void bpei_known_names_free(struct bpei_known_names *names)
{
	for (size_t k = 0; k < names->count; k++)
		free(names->list[k].name);
	free(names->list);
	memset(names, 0, sizeof *names);
}

size_t bpei_known_names_put(
	const struct bpei_known_names *names, size_t *next, uint8_t *to, size_t room)
{
	size_t used = 0;

	while (*next < names->count && room - used >= BLOCK_ROOM) {
		const size_t before = *next;
		struct bpei_block_out out;

		bpei_names_begin(&out, to + used, BLOCK_ROOM);
		for (; *next < names->count; ++*next) {
			const struct bpei_known_name *name = &names->list[*next];

			if (!bpei_names_put(&out, name->addr, (int)name->ip_version, name->name))
				break;
		}
		if (*next == before)
			++*next; /* too long for a block */
		else
			used += bpei_names_finish(&out);
	}
	return used;
}
