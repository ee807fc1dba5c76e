/* SPDX-License-Identifier: MIT */
/* The drivers' rules: reads, readiness and their timers. */
#include "bpf_model_parts.h"

#include <errno.h>
#include <string.h>

/* Returns whether OpenBSD's BIOCSWTIMEOUT has expired since the store's first packet. */
static bool has_write_timer_expired(
	const struct model *m, const struct model_node *d, int64_t now_ns)
{
	return model_is(m, BPEI_OPENBSD) && d->write_timeout_ns >= 0 && d->store_length &&
	       now_ns - d->first_ns >= d->write_timeout_ns;
}

int64_t model_read(struct model *m, int node, uint8_t *to, size_t n,
	const struct model_moment *moment, int64_t *deadline_ns)
{
	const int64_t began_ns = moment->began_ns;
	const int64_t now_ns = moment->now_ns;
	struct model_node *d = &m->node[node];
	const bool openbsd = model_is(m, BPEI_OPENBSD);
	const bool netbsd = model_is(m, BPEI_NETBSD);
	if (!n)
		return 0;
	if (openbsd && !d->on && began_ns == now_ns)
		return -ENXIO;
	if (d->zero_copy)
		return -EOPNOTSUPP;
	if (n != d->size)
		return -EINVAL;
	int64_t slept_ns = now_ns - began_ns;
	bool over = d->read_timeout_ns && slept_ns && slept_ns >= d->read_timeout_ns;
	if (!d->hold_length && d->store_length) {
		bool rescue = model_is(m, BPEI_MACOS) && moment->signalled;
		if (d->immediate || d->timed_out || d->nonblocking || over || rescue ||
			has_write_timer_expired(m, d, now_ns) || (openbsd && !d->on))
			model_rotate(m, d);
	}
	if (d->hold_length) {
		d->timed_out = false;
		uint32_t length = d->hold_length;
		memcpy(to, d->hold, length);
		d->hold_length = d->hold_packets = 0;
		return length;
	}
	if (!d->on && !netbsd)
		return openbsd ? -EIO : -ENXIO;
	if (d->nonblocking)
		return openbsd ? 0 : -EWOULDBLOCK;
	if (moment->signalled)
		return -EINTR;
	if (over)
		return 0;
	*deadline_ns = d->read_timeout_ns ? began_ns + d->read_timeout_ns : INT64_MAX;
	if (openbsd && d->write_timeout_ns >= 0 && d->store_length &&
		d->first_ns + d->write_timeout_ns < *deadline_ns)
		*deadline_ns = d->first_ns + d->write_timeout_ns;
	return MODEL_SLEEP;
}

uint32_t model_bytes(const struct model *m, int node)
{
	const struct model_node *d = &m->node[node];
	return d->hold_length ? d->hold_length : d->store_length;
}

/* Clamps NOTE_LOWAT to the buffer as macOS does, which uses NOTE_LOWAT in immediate mode alone. */
bool model_low_water(const struct model *m, int node, size_t low_water)
{
	const struct model_node *d = &m->node[node];
	if (low_water > d->size)
		low_water = d->size;
	return !d->immediate || model_bytes(m, node) >= low_water;
}

/* Returns bpf_ready(): a buffer returned by the reader does not count, even before the kernel took
 * the buffer back. */
static bool has_data(const struct model *m, const struct model_node *d, int64_t now_ns)
{
	if (d->hold_length && !(d->zero_copy && model_zbuf_returned(m, d)))
		return true;
	return d->store_length &&
	       (d->immediate || d->timed_out || has_write_timer_expired(m, d, now_ns));
}

bool model_ready(struct model *m, int node, int64_t now_ns, int64_t *again_ns)
{
	struct model_node *d = &m->node[node];
	*again_ns = INT64_MAX;
	/* Without an interface: on macOS a new poll reports the node ready, a waiting poll does
	 * not. FreeBSD and OpenBSD report ready; NetBSD never does. */
	if (!d->on)
		return !model_is(m, BPEI_NETBSD) || d->hold_length ||
		       (d->immediate && d->store_length);
	if (d->select_since_ns && d->read_timeout_ns &&
		now_ns - d->select_since_ns >= d->read_timeout_ns) {
		d->timed_out = true;
		d->select_since_ns = 0;
	}
	if (has_data(m, d, now_ns))
		return true;
	if (model_is(m, BPEI_OPENBSD)) {
		if (d->write_timeout_ns >= 0 && d->store_length)
			*again_ns = d->first_ns + d->write_timeout_ns;
		return false;
	}
	if (d->read_timeout_ns && !d->timed_out) {
		if (!d->select_since_ns)
			d->select_since_ns = now_ns;
		*again_ns = d->select_since_ns + d->read_timeout_ns;
	}
	return false;
}
