/* SPDX-License-Identifier: MIT */
/* Names of interfaces (names.h).
 *
 * A savefile of pcapng names its interfaces, and flows have the names.  So the first flow with a
 * first packet from an interface tells the interface's name; until then a minus sign stands for the
 * name. */
#include "names.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>

#define MOST_TRIES 256

/* Keeps a name, fit for a terminal unless names are raw. */
static void keep_name(const struct print_names *names, char text[NAME_BYTES], const char *name)
{
	struct print_line line = { .at = text, .end = text + NAME_BYTES - 1 };

	if (names->is_raw)
		line_put_text(&line, name);
	else
		line_put_escaped(&line, (const uint8_t *)name, strlen(name));
	*line.at = 0;
}

/* Adds an interface without a name.  Returns the place. */
static uint32_t add_named_interface(struct print_names *names, uint32_t id)
{
	const uint32_t k = names->count++;

	names->known[k].id = id;
	names->known[k].tries = MOST_TRIES;
	strcpy(names->known[k].text, "-");
	return k;
}

void names_begin(struct print_names *names, const char *name)
{
	if (name && !names->is_any) {
		names->is_fixed = true;
		keep_name(names, names->fixed, name);
	}
	if (!names->is_any)
		return;
	struct if_nameindex *const list = if_nameindex();
	for (const struct if_nameindex *f = list; f && f->if_index; f++)
		if (names->count < NAMED_INTERFACES)
			keep_name(names, names->known[add_named_interface(names, f->if_index)].text,
				f->if_name);
	if (list)
		if_freenameindex(list);
}

/* Asks the source, or the flow of packet i, for the name of the interface at place k. */
static void ask_for_name(
	struct print_names *names, uint32_t k, const struct bpe_batch *b, uint32_t i)
{
	struct bpe_write_interface told;
	struct bpe_flow flow;

	if (bpe_batch_interface(b, i, &told) > 0 && told.name) {
		keep_name(names, names->known[k].text, told.name);
		names->known[k].tries = 0;
		return;
	}
	if (!b->flow || bpe_batch_flow(b, i, &flow) != 1)
		return;
	names->known[k].tries--;
	if (!(flow.flags & BPE_FLOW_INTERFACE_ID) || flow.interface_id != names->known[k].id)
		return;
	char *const text = names->known[k].text;
	if (flow.interface_name[0])
		keep_name(names, text, flow.interface_name);
	else
		snprintf(text, NAME_BYTES, "#%" PRIu32, flow.interface_id);
	names->known[k].tries = 0;
}

const char *names_of_packet(struct print_names *names, const struct bpe_batch *b, uint32_t i)
{
	const uint32_t id = b->interface_id[i];
	uint32_t k = names->last;

	if (names->is_fixed)
		return names->fixed;
	if (k >= names->count || names->known[k].id != id) {
		for (k = 0; k < names->count && names->known[k].id != id; k++)
			continue;
		if (k == NAMED_INTERFACES)
			return "-";
		if (k == names->count)
			k = add_named_interface(names, id);
		names->last = k;
	}
	if (names->known[k].tries && !names->is_any)
		ask_for_name(names, k, b, i);
	return names->known[k].text;
}
