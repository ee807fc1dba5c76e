/* SPDX-License-Identifier: MIT */
/* Questions and answers about the owners of flows (owner.h). */
#include "flow/owner.h"

#include "flow/flow_time.h"
#include "flow/table.h"

#include <string.h>

uint32_t bpei_table_opened(const struct bpei_table *t, const uint32_t **entries)
{
	*entries = t->opened;
	return t->owners ? t->opened_count : 0;
}

/* Returns true if the flow of the question is at its entry. */
static bool is_flow_asked(const struct bpei_table *t, const struct bpei_flow_question *q)
{
	const struct bpei_entry *const e = &t->entries[q->entry];

	return bpei_entry_flags(e) & FLAG_ALIVE && t->cold[q->entry].first_ns == q->opened_ns &&
	       !memcmp(e->key, q->key, sizeof q->key);
}

bool bpei_table_question(
	const struct bpei_table *t, uint32_t i, struct bpei_flow_question *question)
{
	const struct bpei_entry *const e = &t->entries[i];
	const uint32_t originator = bpei_entry_originator(e);
	const uint64_t rest = e->key[4]; /* see bpei_key_rest */
	const uint32_t interface = t->interfaces ? t->interfaces[i] : 0;
	const uint8_t proto = bpei_entry_proto(e);

	if (!(bpei_entry_flags(e) & FLAG_ALIVE) || (proto != IP_TCP && proto != IP_UDP))
		return false;
	*question = (struct bpei_flow_question){
		.asked = { .port = { (uint16_t)(rest >> 16 * originator),
				   (uint16_t)(rest >> 16 * !originator) },
			.ip_proto = proto,
			.ip_version =
				(rest & ~(KEY_INNER | KEY_TUNNEL)) >> KEY_VERSION_SHIFT & 0xff,
			.first_ns = bpei_timeline_time_of(
				t->options.timeline, interface, t->cold[i].first_ns) },
		.opened_ns = t->cold[i].first_ns,
		.entry = i
	};
	memcpy(question->key, e->key, sizeof question->key);
	memcpy(question->asked.addr[0], (const char *)e->key + 16 * originator, 16);
	memcpy(question->asked.addr[1], (const char *)e->key + 16 * !originator, 16);
	if (t->options.interface_indexes)
		question->asked.interface_index = interface;
	else if (!t->options.interface_ids)
		question->asked.interface_index = t->options.interface_index;
	return true;
}

void bpei_table_answer(struct bpei_table *t, const struct bpei_flow_question *q,
	const struct bpe_owner_answer *answer)
{
	if (!t->owners || !is_flow_asked(t, q))
		return;
	struct bpei_flow_owner *const owner = &t->owners[q->entry];
	struct bpei_process *const process = &t->processes[q->entry];

	owner->owner = (uint8_t)answer->owner;
	if (answer->owner != BPE_OWNER_KNOWN || process->pid)
		return;
	owner->uid = answer->uid;
	memcpy(owner->container, answer->container, sizeof owner->container);
	process->pid = answer->pid;
	process->effective_pid = answer->pid;
	memcpy(process->comm, answer->comm, sizeof process->comm);
	memcpy(process->effective_comm, answer->comm, sizeof process->effective_comm);
}
