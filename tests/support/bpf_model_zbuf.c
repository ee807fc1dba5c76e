/* SPDX-License-Identifier: MIT */
/* FreeBSD's zero-copy buffers, by sys/net/bpf_zerocopy.c and catchpacket() of bpf.c.
 *
 * Two buffers lie in the caller's memory, each behind a header of 32 bytes: kernel_gen, kernel_len,
 * user_gen.  The first is the store; the other is held or free.  The kernel writes each record to
 * the caller's memory at once, but keeps the length of the store secret (bd_slen). The kernel
 * notices a returned buffer in catchpacket() and in reset_d() only.  Until the next packet
 * BIOCROTZBUF finds the slot taken and hands nothing over. */
#include "bpf_model_parts.h"

#include <errno.h>

#define HEADER 32u

static uint32_t get_word(const struct model *m, uint64_t at)
{
	uint32_t v = 0;
	m->get(m->user, &v, at, 4);
	return v;
}

int model_zbuf_set(struct model *m, struct model_node *d, uint64_t argument)
{
	static const uint8_t zero[HEADER];
	uint64_t z[3];
	if (!d->zero_copy)
		return -EOPNOTSUPP;
	int r = m->get(m->user, z, argument, 24);
	if (r < 0)
		return r;
	if (!z[0] || !z[1] || !z[2] || z[2] % 4096 || z[2] > 2u << 20)
		return -EINVAL;
	if (z[0] % 4096 || z[1] % 4096 || d->zbuf[0] || d->on)
		return -EINVAL;
	d->zbuf[0] = z[0];
	d->zbuf[1] = z[1];
	d->size = (uint32_t)z[2] - HEADER;
	for (int i = 0; i < 2; i++)
		if ((r = m->put(m->user, z[i], zero, HEADER)) < 0)
			return r;
	return 0;
}

/* Returns whether the reader returned the held buffer (bpf_zerocopy_canfreebuf). */
bool model_zbuf_returned(const struct model *m, const struct model_node *d)
{
	uint64_t held = d->zbuf[d->zstore ^ 1];
	return d->zheld && get_word(m, held) == get_word(m, held + 8);
}

void model_zbuf_reclaim(struct model *m, struct model_node *d)
{
	if (!model_zbuf_returned(m, d))
		return;
	d->zheld = d->zassigned[d->zstore ^ 1] = false;
	d->hold_length = d->hold_packets = 0;
}

/* Assigns the store to the caller: writes the length, then the generation. */
static void assign_buffer(struct model *m, struct model_node *d)
{
	uint64_t at = d->zbuf[d->zstore];
	uint32_t generation = get_word(m, at) + 1;
	if (d->zassigned[d->zstore])
		return;
	d->zassigned[d->zstore] = true;
	m->put(m->user, at + 4, &d->store_length, 4);
	m->put(m->user, at, &generation, 4);
}

/* Moves the store to the hold slot (ROTATE_BUFFERS, bpf_zerocopy_bufheld). */
void model_zbuf_hold(struct model *m, struct model_node *d)
{
	assign_buffer(m, d);
	d->zheld = true;
	d->hold_length = d->store_length;
	d->hold_packets = d->store_packets;
	d->store_length = d->store_packets = 0;
	d->zstore ^= 1;
}

/* Handles a full store.  Returns true if the packet is lost, because the other buffer is still
 * held. */
bool model_zbuf_full(struct model *m, struct model_node *d)
{
	if (d->zheld) {
		assign_buffer(m, d); /* bpf_zerocopy_buffull */
		return true;
	}
	model_zbuf_hold(m, d);
	return false;
}

void model_zbuf_write(
	struct model *m, struct model_node *d, uint32_t at, const void *bytes, size_t n)
{
	m->put(m->user, d->zbuf[d->zstore] + HEADER + at, bytes, n);
}

/* Answers BIOCROTZBUF, which needs no interface, and does nothing while the hold slot is taken. */
int model_zbuf_rotate(struct model *m, struct model_node *d, uint64_t argument)
{
	uint64_t z[3] = { 0 };
	if (!d->zero_copy)
		return -EOPNOTSUPP;
	if (!d->zheld && d->store_length) {
		z[0] = d->zbuf[d->zstore];
		z[2] = d->store_length;
		model_zbuf_hold(m, d);
	}
	return m->put(m->user, argument, z, 24);
}
