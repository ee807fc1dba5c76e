/* SPDX-License-Identifier: MIT */
/* The public record made of an entry, and the largest flows.  Pure. */
#include "flow/table.h"

void bpei_entry_record(const struct bpei_table *t, uint32_t i, enum bpe_flow_end why, struct bpe_flow *record)
{
	const struct bpei_entry *e = &t->entries[i];
	struct bpe_key key = { .port = { 0 } };
	uint32_t o = !!(e->bits & ENTRY_ORIGIN);
	memcpy(&key, e->key, sizeof e->key);
	memcpy((char *)&key + sizeof e->key, &e->key_end, sizeof e->key_end);
	struct bpe_flow r = { .port = { key.port[o], key.port[!o] }, .ip_proto = key.ip_proto, .ip_version = key.ip_version,
		.vlan = { key.vlan[0], key.vlan[1] }, .tcp_state = e->state, .tcp_flags = { e->tcp_flags[o], e->tcp_flags[!o] },
		.end = (uint8_t)why, .flags = e->bits & ENTRY_MIDSTREAM ? BPE_FLOW_MIDSTREAM : 0, .hash = e->hash,
		.packets = { e->packets[o], e->packets[!o] }, .captured_bytes = { e->captured[o], e->captured[!o] },
		.wire_bytes = { e->wire[o], e->wire[!o] }, .first_ns = e->first_ns, .last_ns = e->last_ns,
		.pid = -1, .effective_pid = -1 };
	const struct bpei_process *p = t->processes && t->processes[i].pid ? &t->processes[i] : NULL;
	if (p) {
		r.pid = p->pid;
		r.effective_pid = p->effective_pid;
		memcpy(r.comm, p->comm, sizeof r.comm);
		memcpy(r.effective_comm, p->effective_comm, sizeof r.effective_comm);
	}
	memcpy(r.addr[0], key.addr[o], 16);
	memcpy(r.addr[1], key.addr[!o], 16);
	*record = r;
}

int bpei_table_get(const struct bpei_table *t, uint32_t flow, const struct bpe_key *key, struct bpe_flow *record)
{
	if (flow >= t->touched || !(t->entries[flow].bits & ENTRY_ALIVE) || !bpei_entry_is(&t->entries[flow], key)) return 0;
	bpei_entry_record(t, flow, BPE_END_NONE, record);
	return 1;
}

void bpei_table_top(const struct bpei_table *t, struct bpe_flow *top, size_t n, size_t *filled)
{
	for (uint32_t i = 0; i < t->touched && n; i++) {
		const struct bpei_entry *e = &t->entries[i];
		uint64_t bytes = e->wire[0] + e->wire[1];
		if (!(e->bits & ENTRY_ALIVE)) continue;
		if (*filled == n && bytes <= top[n - 1].wire_bytes[0] + top[n - 1].wire_bytes[1]) continue;
		size_t at = *filled < n ? (*filled)++ : n - 1;
		for (; at && bytes > top[at - 1].wire_bytes[0] + top[at - 1].wire_bytes[1]; at--) top[at] = top[at - 1];
		bpei_entry_record(t, i, BPE_END_NONE, &top[at]);
	}
}
