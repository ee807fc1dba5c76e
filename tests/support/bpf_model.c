/* SPDX-License-Identifier: MIT */
/* The drivers' rules: nodes and interfaces.
 *
 * Sources: bsd/net/bpf.c of xnu-11417, which was also run.  sys/net/bpf.c of FreeBSD 14;
 * release 12.2 was run.  The same file of NetBSD, revisions 1.203 (also run) and 1.259, and of
 * OpenBSD, revision 1.234.  Comments name the kernel's function where a rule is not plain. */
#include "bpf_model_parts.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void model_init(struct model *m, const struct bpei_bpf_abi *abi)
{
	memset(m, 0, sizeof *m);
	m->abi = abi;
	m->made = 4;
	m->buffer_most = abi->most_buffer;
	m->memory_errno = abi->system == BPEI_NETBSD ? ENOBUFS : ENOMEM;
	m->compression_enabled = true;
}

void model_release(struct model_node *d)
{
	free(d->store);
	free(d->hold);
	d->store = d->hold = NULL;
	d->store_length = d->hold_length = d->store_packets = d->hold_packets = 0;
}

void model_free(struct model *m)
{
	for (int i = 0; i < MODEL_NODES; i++)
		model_release(&m->node[i]);
}

struct model_interface *model_add(
	struct model *m, const char *name, uint32_t dlt, uint32_t link_bytes)
{
	for (int i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &m->interface[i];
		if (f->name[0])
			continue;
		*f = (struct model_interface){ .dlt = { dlt },
			.dlts = 1,
			.link_bytes = link_bytes,
			.here = true,
			.up = true };
		strncpy(f->name, name, sizeof f->name - 1);
		return f;
	}
	return NULL;
}

int model_open(struct model *m, int number, int pid)
{
	if (!m->abi->numbered) {
		for (number = 0; number < MODEL_NODES && m->node[number].open; number++)
			continue;
		if (number == MODEL_NODES)
			return -EMFILE;
	} else {
		if (number < 0 || number >= MODEL_NODES)
			return -ENOENT;
		if ((uint32_t)number >= m->made)
			return -ENOENT;
		if (m->node[number].open)
			return -EBUSY;
		/* Opening the last node makes the next. */
		if ((uint32_t)number + 1 == m->made && m->made < MODEL_NODES)
			m->made++;
	}
	struct model_node *d = &m->node[number];
	*d = (struct model_node){ .open = true,
		.size = m->abi->default_buffer,
		.direction = 3,
		.write_timeout_ns = -1,
		.pid = pid,
		.wantpktap = m->wants_pktap };
	return number;
}

void model_detach(struct model_node *d)
{
	if (d->on && d->promiscuous)
		d->on->promiscuous--;
	d->promiscuous = false;
	d->on = NULL;
}

void model_close(struct model *m, int node)
{
	model_detach(&m->node[node]);
	model_release(&m->node[node]);
	m->node[node].open = false;
}

void model_reset(struct model *m, struct model_node *d)
{
	d->received = d->dropped = d->accepted = 0;
	d->previous_length = 0;
	if (d->zero_copy) {
		model_zbuf_reclaim(m, d);
		if (!d->zassigned[d->zstore])
			d->store_length = d->store_packets = 0;
		return;
	}
	d->store_length = d->hold_length = d->store_packets = d->hold_packets = 0;
}

void model_remove(struct model *m, struct model_interface *on)
{
	on->here = false;
	for (int i = 0; i < MODEL_NODES; i++)
		if (m->node[i].open && m->node[i].on == on)
			model_detach(&m->node[i]);
}

bool model_room(const struct model *m, const struct model_interface *on, uint32_t caplen)
{
	const uint32_t align = m->abi->layout->align;
	for (int i = 0; i < MODEL_NODES; i++) {
		const struct model_node *d = &m->node[i];
		if (!d->open || d->on != on)
			continue;
		/* A full store would move to a free hold slot. */
		bool is_free =
			d->zero_copy ? !d->zheld || model_zbuf_returned(m, d) : !d->hold_length;
		if (is_free)
			continue;
		uint32_t at = bpei_layout_align(d->store_length, align);
		uint32_t hdrlen = bpei_layout_hdrlen(model_counted(m, d), align, on->link_bytes);
		if (d->zassigned[d->zstore] || at + hdrlen + caplen > d->size)
			return false;
	}
	return true;
}

bool model_drained(const struct model *m, const struct model_interface *on)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		const struct model_node *d = &m->node[i];
		if (!d->open || d->on != on)
			continue;
		/* The reader may have read the records of a shared store in place. */
		if (d->zero_copy) {
			if (d->zheld && !model_zbuf_returned(m, d))
				return false;
		} else if (d->store_length || d->hold_length) {
			return false;
		}
	}
	return true;
}

ssize_t model_sysctl_stats(struct model *m, uint8_t *to, size_t n)
{
	size_t at = 0;
	if (m->version && m->version < 13)
		return -ENOENT; /* macOS 11 and 12 lack the counter */
	for (int i = 0; i < MODEL_NODES; i++) {
		const struct model_node *d = &m->node[i];
		if (!d->open)
			continue;
		if (n - at < 136)
			return -ENOMEM;
		uint8_t *x = to + at;
		memset(x, 0, 136);
		bpei_store32(x, 136);
		bpei_store32(x + 4, (uint32_t)i);
		bpei_store32(x + 24, (uint32_t)d->pid);
		bpei_store64(x + 40, d->received);
		bpei_store64(x + 48, d->dropped);
		bpei_store64(x + 56, d->accepted);
		if (d->on)
			memcpy(x + 80, d->on->name, 16);
		at += 136;
	}
	return (ssize_t)at;
}
