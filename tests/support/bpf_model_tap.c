/* SPDX-License-Identifier: MIT */
/* The drivers' rules: packets into buffers.
 *
 * A descriptor has two buffers; packets fill the store.  When the next record does not fit and the
 * hold slot is free, the buffers change places.  Without a free slot the packet is dropped
 * (bpf_catchpacket).  A read takes the hold buffer, or first rotates the store into the hold slot.
 */
#include "bpf_model_parts.h"

#include "base/bytes.h"
#include "filter/kernel.h"

#include <string.h>

#define HEADER_MOST 128u

void model_rotate(struct model *m, struct model_node *d)
{
	if (d->zero_copy) {
		model_zbuf_hold(m, d);
		return;
	}
	uint8_t *p = d->hold;
	d->hold = d->store;
	d->hold_length = d->store_length;
	d->hold_packets = d->store_packets;
	d->store = p;
	d->store_length = d->store_packets = 0;
	if (d->headdrop)
		d->previous_length = 0;
}

static bool is_compressed(const struct model *m, const struct model_node *d)
{
	return model_is(m, BPEI_MACOS) && d->hdrcomp && m->compression_enabled;
}

static uint32_t extended_header_bytes(const struct model *m)
{
	if (!m->version || m->version >= 15)
		return 64;
	return m->version < 10 ? 52 : 60;
}

uint32_t model_counted(const struct model *m, const struct model_node *d)
{
	if (model_is(m, BPEI_MACOS) && d->exthdr)
		return extended_header_bytes(m);
	if (is_compressed(m, d))
		return 20;
	if (model_is(m, BPEI_OPENBSD) && m->openbsd_old)
		return 20;
	return m->abi->layout->hdrlen_base;
}

static void write_stamp(const struct model *m, const struct model_node *d, uint8_t *h, int64_t time)
{
	int64_t s = time / 1000000000;
	int64_t ns = time % 1000000000;
	if (d->no_stamp)
		return;
	if (m->abi->layout->stamp_bytes == 4) {
		bpei_store32(h, (uint32_t)s);
		bpei_store32(h + 4, (uint32_t)(ns / 1000));
		return;
	}
	bpei_store64(h, (uint64_t)s);
	bpei_store64(h + 8, (uint64_t)(d->nano ? ns : ns / 1000));
}

/* Writes the fields of macOS's struct bpf_hdr_ext behind the common fields. */
static void write_extended(const struct model *m, uint8_t *h, const struct model_packet *p)
{
	bool old = m->version && m->version < 13;
	if (old)
		bpei_store16(h + 18, p->outgoing);
	else
		h[19] = p->outgoing;
	if (!p->outgoing)
		return;
	bpei_store32(h + 20, (uint32_t)p->pid);
	if (p->comm)
		strncpy((char *)h + 24, p->comm, 16);
	h[old ? 42 : 41] = p->pktflags;
	bpei_store32(h + 44, p->service_class);
}

/* Writes the header's own bytes and returns their number.  Bytes between the header and hdrlen keep
 * their old values: on macOS and Ethernet bytes 64 and 65 of an extended record, 20 and 21 of a
 * compressed record. */
static uint32_t write_header(const struct model *m, const struct model_node *d, uint8_t *h,
	uint32_t hdrlen, const struct model_packet *p, uint32_t caplen, uint32_t complen)
{
	const struct bpei_layout *l = m->abi->layout;
	bool leaves_rest = d->exthdr || is_compressed(m, d) || model_is(m, BPEI_NETBSD);
	uint32_t own = model_counted(m, d);
	if (own > hdrlen || !leaves_rest)
		own = hdrlen;
	memset(h, 0, own);
	write_stamp(m, d, h, p->time_ns);
	bpei_store32(h + l->caplen, caplen - complen);
	bpei_store32(h + l->datalen, p->wirelen);
	bpei_store16(h + l->hdrlen, (uint16_t)hdrlen);
	if (l->flags && hdrlen > l->flags)
		h[l->flags] = p->outgoing ? 0x20 : 0x10;
	if (is_compressed(m, d))
		h[18] = (uint8_t)complen;
	if (model_is(m, BPEI_MACOS) && d->exthdr)
		write_extended(m, h, p);
	return own;
}

/* Returns get_common_prefix_size: at most (caplen & 0xff) bytes of both packets are compared. */
static uint32_t common_prefix(const struct model_node *d, const uint8_t *data, uint32_t n)
{
	uint32_t i = 0;
	uint32_t most = d->previous_length < (n & 0xff) ? d->previous_length : n & 0xff;
	while (i < most && data[i] == d->previous[i])
		i++;
	i &= ~3u;
	return i > 252 ? 252 : i;
}

static uint32_t compress_packet(
	struct model *m, struct model_node *d, const uint8_t *data, uint32_t n)
{
	if (!is_compressed(m, d))
		return 0;
	uint32_t complen = common_prefix(d, data, n);
	d->previous_length = n & 0xff;
	memcpy(d->previous, data, d->previous_length);
	m->compression_stats[0]++;
	m->compression_stats[complen ? 4 : 3]++;
	m->compression_stats[5] += complen;
	return complen;
}

/* Makes room in the store for a record, and sets *at to the offset.  Returns false without room. */
static bool make_room(struct model *m, struct model_node *d, uint32_t *at, uint32_t bytes)
{
	if (d->zero_copy)
		model_zbuf_reclaim(m, d); /* at every packet, not only in need */
	*at = bpei_layout_align(d->store_length, m->abi->layout->align);
	if (*at + bytes <= d->size && !d->zassigned[d->zstore])
		return true;
	*at = 0;
	if (d->zero_copy)
		return !model_zbuf_full(m, d);
	if (d->hold_length && d->headdrop) {
		d->dropped += d->hold_packets;
		d->hold_length = 0;
	}
	if (d->hold_length)
		return false;
	model_rotate(m, d);
	return true;
}

static void append_record_bytes(
	struct model *m, struct model_node *d, uint32_t at, const void *from, uint32_t n)
{
	if (d->zero_copy)
		model_zbuf_write(m, d, at, from, n);
	else
		memcpy(d->store + at, from, n);
}

/* Appends a record to the store.  NetBSD cuts the record, header included, to a buffer shorter than
 * the header. */
static void catch_packet(struct model *m, struct model_node *d, const struct model_packet *p,
	uint32_t keep, int64_t now_ns)
{
	uint8_t h[HEADER_MOST] = { 0 };
	uint32_t hdrlen =
		bpei_layout_hdrlen(model_counted(m, d), m->abi->layout->align, d->on->link_bytes);
	uint32_t caplen = keep < p->caplen ? keep : p->caplen, at;
	uint32_t room = d->size > hdrlen ? d->size - hdrlen : 0;
	uint32_t head = hdrlen;
	if (d->size < hdrlen && !model_is(m, BPEI_NETBSD))
		return; /* lost, and not counted */
	if (d->size < hdrlen)
		head = d->size;
	if (caplen > room)
		caplen = room;
	if (!make_room(m, d, &at, head + caplen)) {
		d->dropped++;
		return;
	}
	uint32_t complen = compress_packet(m, d, p->data, caplen);
	if (!at)
		d->first_ns = now_ns;
	uint32_t own = write_header(m, d, h, hdrlen, p, caplen, complen);
	append_record_bytes(m, d, at, h, own < head ? own : head);
	append_record_bytes(m, d, at + head, p->data + complen, caplen - complen);
	d->store_length = at + head + caplen - complen;
	d->store_packets++;
}

/* Returns whether a descriptor listens on the link type of the tap, by default the primary link
 * type (bpf_tap_imp). */
static bool is_listening(
	const struct model_node *d, const struct model_interface *on, const struct model_packet *p)
{
	return d->open && d->on == on && d->dlt == (p->dlt ? p->dlt : on->dlt[0]);
}

void model_tap(
	struct model *m, struct model_interface *on, const struct model_packet *p, int64_t now_ns)
{
	const bool openbsd = model_is(m, BPEI_OPENBSD);
	for (int i = 0; i < MODEL_NODES; i++) {
		struct model_node *d = &m->node[i];
		if (!is_listening(d, on, p))
			continue;
		bool seen = d->direction & (p->outgoing ? 2 : 1);
		if (openbsd)
			d->received++; /* before the direction */
		if (!seen)
			continue;
		if (!openbsd)
			d->received++;
		uint32_t keep = UINT32_MAX;
		if (d->program_length)
			keep = bpei_filter_run(d->program, p->data, p->wirelen, p->caplen);
		if (!keep)
			continue;
		d->accepted++;
		catch_packet(m, d, p, keep, now_ns);
	}
}
