/* SPDX-License-Identifier: MIT */
/* The drivers' rules: reads, readiness and their timers. */
#include "bpf_model_parts.h"

#include <errno.h>
#include <string.h>

/* OpenBSD's BIOCSWTIMEOUT has run out since the store's first packet. */
static bool write_timer(const struct model *m, const struct model_node *d, int64_t now_ns)
{
	return model_is(m, BPEI_OPENBSD) && d->write_timeout_ns >= 0 && d->store_length &&
	       now_ns - d->first_ns >= d->write_timeout_ns;
}

int64_t model_read(struct model *m, int node, uint8_t *to, size_t n, int64_t began_ns,
	int64_t now_ns, bool signalled, int64_t *deadline_ns)
{
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
		bool rescue = model_is(m, BPEI_MACOS) && signalled;
		if (d->immediate || d->timed_out || d->nonblocking || over || rescue ||
			write_timer(m, d, now_ns) || (openbsd && !d->on))
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
	if (signalled)
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

/* macOS clamps NOTE_LOWAT to the buffer, and looks at it in immediate mode alone. */
bool model_low_water(const struct model *m, int node, size_t low_water)
{
	const struct model_node *d = &m->node[node];
	if (low_water > d->size)
		low_water = d->size;
	return !d->immediate || model_bytes(m, node) >= low_water;
}

/* bpf_ready(): a buffer that was given back does not count, whether or not it was taken back. */
static bool has_data(const struct model *m, const struct model_node *d, int64_t now_ns)
{
	if (d->hold_length && !(d->zero_copy && model_zbuf_returned(m, d)))
		return true;
	return d->store_length && (d->immediate || d->timed_out || write_timer(m, d, now_ns));
}

bool model_ready(struct model *m, int node, int64_t now_ns, int64_t *again_ns)
{
	struct model_node *d = &m->node[node];
	*again_ns = INT64_MAX;
	/* No interface: macOS tells a poll that begins then, not one that waits.  FreeBSD and
	 * OpenBSD say so; NetBSD never. */
	if (!d->on)
		return !model_is(m, BPEI_NETBSD) || d->hold_length ||
		       (d->immediate && d->store_length);
	if (d->select_since_ns && d->read_timeout_ns &&
		now_ns - d->select_since_ns >= d->read_timeout_ns)
		d->timed_out = true, d->select_since_ns = 0;
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
