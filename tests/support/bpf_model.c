/* SPDX-License-Identifier: MIT */
/* The drivers' rules.  Sources: bsd/net/bpf.c of xnu-11417 (and what it did when run), sys/net/bpf.c of FreeBSD 14, of NetBSD 1.203
 * (and what it did when run) and 1.259, of OpenBSD 1.234; the function is named where a rule is not plain.
 *
 * Two buffers a descriptor: store is filled; when the next record does not fit and the hold slot is free they change places, else
 * the packet is lost (bpf_catchpacket).  A read takes the hold buffer, or makes the store one first. */
#include "bpf_model.h"

#include "base/bytes.h"
#include "filter/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS 10000000	/* hz 100 */

static bool is(const struct model *m, enum bpei_bpf_system system) { return m->abi->system == system; }

void model_init(struct model *m, const struct bpei_bpf_abi *abi)
{
	memset(m, 0, sizeof *m);
	m->abi = abi;
	m->made = 4;
	m->buffer_most = abi->most_buffer;
	m->memory_errno = abi->system == BPEI_NETBSD ? ENOBUFS : ENOMEM;
	m->compression_enabled = true;
}

static void release(struct model_node *d)
{
	free(d->store);
	free(d->hold);
	d->store = d->hold = NULL;
	d->store_length = d->hold_length = d->store_packets = d->hold_packets = 0;
}

void model_free(struct model *m)
{
	for (int i = 0; i < MODEL_NODES; i++) release(&m->node[i]);
}

struct model_interface *model_add(struct model *m, const char *name, uint32_t dlt, uint32_t link_bytes)
{
	for (int i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &m->interface[i];
		if (f->name[0]) continue;
		*f = (struct model_interface){ .dlt = { dlt }, .dlts = 1, .link_bytes = link_bytes, .here = true };
		strncpy(f->name, name, sizeof f->name - 1);
		return f;
	}
	return NULL;
}

/* ---- Open and close ---- */

int model_open(struct model *m, int number, int pid)
{
	if (!m->abi->numbered) {
		for (number = 0; number < MODEL_NODES && m->node[number].open; number++) continue;
		if (number == MODEL_NODES) return -EMFILE;
	} else {
		if (number < 0 || number >= MODEL_NODES || (uint32_t)number >= m->made) return -ENOENT;
		if (m->node[number].open) return -EBUSY;
		if ((uint32_t)number + 1 == m->made && m->made < MODEL_NODES) m->made++;	/* opening the last makes one more */
	}
	struct model_node *d = &m->node[number];
	*d = (struct model_node){ .open = true, .size = m->abi->default_buffer, .direction = 3, .write_timeout_ns = -1, .pid = pid };
	return number;
}

static void detach(struct model_node *d)
{
	if (d->on && d->promiscuous) d->on->promiscuous--;
	d->promiscuous = false;
	d->on = NULL;
}

void model_close(struct model *m, int node)
{
	detach(&m->node[node]);
	release(&m->node[node]);
	m->node[node].open = false;
}

/* ---- Requests ---- */

static void reset(struct model_node *d)
{
	d->store_length = d->hold_length = d->store_packets = d->hold_packets = 0;
	d->received = d->dropped = d->accepted = 0;
	d->previous_length = 0;
}

static int get_u32(struct model *m, uint64_t from, uint32_t *v) { return m->get(m->user, v, from, 4); }
static int put_u32(struct model *m, uint64_t to, uint32_t v) { return m->put(m->user, to, &v, 4); }

static int set_interface(struct model *m, struct model_node *d, uint64_t argument)
{
	char name[17] = "";
	int r = m->get(m->user, name, argument, 16);
	if (r < 0) return r;
	name[15] = 0;
	struct model_interface *f = NULL;
	for (int i = 0; i < MODEL_INTERFACES; i++)
		if (m->interface[i].name[0] && m->interface[i].here && !strcmp(m->interface[i].name, name)) f = &m->interface[i];
	if (!f) return -ENXIO;
	if (m->memory && d->size > m->memory) return -m->memory_errno;
	bool tap = f->dlt[0] == 149 && is(m, BPEI_MACOS);
	if (tap && !d->wantpktap && f->dlts < 2) return -ENXIO;
	detach(d);
	release(d);
	d->store = malloc(d->size);
	d->hold = malloc(d->size);
	if (!d->store || !d->hold) return -ENOMEM;
	memset(d->store, 0xee, d->size);	/* padding is what was there before */
	memset(d->hold, 0xdd, d->size);
	reset(d);
	d->on = f;
	d->was_on = true;
	d->dlt = tap && !d->wantpktap ? f->dlt[1] : f->dlt[0];
	return 0;
}

static int set_program(struct model *m, struct model_node *d, uint64_t argument, bool keep)
{
	uint32_t n;
	uint64_t at;
	struct bpe_insn program[BPE_MAX_INSNS];
	int r = get_u32(m, argument, &n);
	if (r >= 0) r = m->get(m->user, &at, argument + 8, 8);
	if (r < 0) return r;
	if (n > BPE_MAX_INSNS) return -EINVAL;
	if (!n && at && is(m, BPEI_MACOS)) return -EINVAL;
	if (n && !at) return -EINVAL;
	if (n && m->get(m->user, program, at, n * sizeof *program) < 0) return -EINVAL;
	if (n && bpei_kernel_refuses(&bpei_kernels[m->abi->system], program, n)) return -EINVAL;
	memcpy(d->program, program, n * sizeof *program);
	d->program_length = n;
	if (!keep || !n) reset(d);	/* a failed one flushes nothing */
	return 0;
}

static int dlt_list(struct model *m, struct model_node *d, uint64_t argument)
{
	uint32_t room, i;
	uint64_t at;
	int r = get_u32(m, argument, &room);
	if (r >= 0) r = m->get(m->user, &at, argument + m->abi->dltlist_pointer, 8);
	if (r < 0) return r;
	if (!d->on) return -EINVAL;
	for (i = 0; i < d->on->dlts && at; i++) {
		if (i >= room) return -ENOMEM;
		if ((r = put_u32(m, at + 4 * i, d->on->dlt[i])) < 0) return r;
	}
	return put_u32(m, argument, d->on->dlts);
}

static int set_dlt(struct model_node *d, uint32_t dlt)
{
	if (!d->on) return -EINVAL;
	if (dlt == d->dlt) return 0;
	for (uint32_t i = 0; i < d->on->dlts; i++) {
		if (d->on->dlt[i] != dlt) continue;
		d->dlt = dlt;
		reset(d);
		return 0;
	}
	return -EINVAL;
}

static int set_timeout(struct model *m, uint64_t argument, int64_t *ns)
{
	uint8_t t[16];
	int r = m->get(m->user, t, argument, 16);
	if (r < 0) return r;
	int64_t s = (int64_t)bpei_load64(t), us = m->abi->microsecond_bytes == 4 ? (int32_t)bpei_load32(t + 8) : (int64_t)bpei_load64(t + 8);
	if (s < 0 || s > 100000000 || us < 0 || us > 999999) return -EINVAL;
	int64_t v = s * 1000000000 + us * 1000;
	if (is(m, BPEI_MACOS)) v = (v + TICK_NS - 1) / TICK_NS * TICK_NS;
	if (is(m, BPEI_NETBSD)) v = v && v < TICK_NS ? TICK_NS : v / TICK_NS * TICK_NS;
	*ns = v;
	return 0;
}

static int get_timeout(struct model *m, const struct model_node *d, uint64_t argument)
{
	uint8_t t[16] = { 0 };
	bpei_store64(t, (uint64_t)(d->read_timeout_ns / 1000000000));
	if (m->abi->microsecond_bytes == 4) bpei_store32(t + 8, (uint32_t)(d->read_timeout_ns % 1000000000 / 1000));
	else bpei_store64(t + 8, (uint64_t)(d->read_timeout_ns % 1000000000 / 1000));
	return m->put(m->user, argument, t, 16);
}

static int get_stats(struct model *m, const struct model_node *d, uint64_t argument)
{
	uint8_t s[128] = { 0 };
	if (m->abi->stat_width == 8) {
		bpei_store64(s, d->received);
		bpei_store64(s + 8, d->dropped);
		bpei_store64(s + m->abi->capt_offset, d->accepted);
	} else {
		bpei_store32(s, (uint32_t)d->received);
		bpei_store32(s + 4, (uint32_t)d->dropped);
	}
	return m->put(m->user, argument, s, m->abi->stat_bytes);
}

static int set_buffer(struct model *m, struct model_node *d, uint64_t argument)
{
	uint32_t v;
	int r = get_u32(m, argument, &v);
	if (r < 0) return r;
	if (d->on) return -EINVAL;
	d->size = v < 32 ? 32 : v > m->buffer_most ? m->buffer_most : v;
	return put_u32(m, argument, d->size);
}

static void rotate(struct model *m, struct model_node *d);
static void given_back(struct model *m, struct model_node *d);

static int set_zbuf(struct model *m, struct model_node *d, uint64_t argument)
{
	uint64_t z[3];
	int r = m->get(m->user, z, argument, 24);
	if (r < 0) return r;
	if (!d->zero_copy || z[2] % 4096 || !z[2] || z[2] > 2u << 20 || z[0] % 4096 || z[1] % 4096 || d->zbuf[0]) return -EINVAL;
	d->zbuf[0] = z[0], d->zbuf[1] = z[1];
	d->size = (uint32_t)z[2] - 32;
	return 0;
}

static int rotate_zbuf(struct model *m, struct model_node *d, uint64_t argument)
{
	uint64_t z[3] = { 0 };
	if (!d->zero_copy || !d->on) return -EINVAL;
	given_back(m, d);
	if (!d->hold_length && d->store_length) {
		z[0] = d->zbuf[d->turns & 1];
		z[2] = d->store_length;
		rotate(m, d);
	}
	return m->put(m->user, argument, z, 24);
}

/* macOS's requests by the release that brought them (the grep of each release's bpf.h). */
static bool too_old(const struct model *m, enum bpei_bpf_call call)
{
	if (!m->version || !is(m, BPEI_MACOS)) return false;
	switch (call) {
	case BPEI_BIOCSHDRCOMP: case BPEI_BIOCGHDRCOMP: case BPEI_BIOCGHDRCOMPON: case BPEI_BIOCGHDRCOMPSTATS: return m->version < 13;
	case BPEI_BIOCSDIRECTION: case BPEI_BIOCGDIRECTION: return m->version < 14;
	case BPEI_BIOCSNOTSTAMP: case BPEI_BIOCGNOTSTAMP: return m->version < 15;
	default: return false;
	}
}

int model_ioctl(struct model *m, int node, uint32_t request, uint64_t argument, int64_t now_ns)
{
	struct model_node *d = &m->node[node];
	uint32_t call = 0, v = 0;
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	(void)now_ns;
	int r;
	if (!is(m, BPEI_OPENBSD)) d->timed_out = false, d->select_since_ns = 0;	/* every request stops the timer (bpfioctl) */
	while (call < BPEI_BPF_CALL_COUNT && m->abi->call[call] != request) call++;
	if (call == BPEI_BPF_CALL_COUNT || too_old(m, call)) return -EINVAL;
	if (request & 0x80000000u && (request >> 16 & 0x1fff) == 4 && (r = get_u32(m, argument, &v)) < 0) return r;
	switch (call) {
	case BPEI_BIOCVERSION: return m->put(m->user, argument, (uint16_t[]){ 1, 1 }, 4);
	case BPEI_BIOCGBLEN: return put_u32(m, argument, d->size);
	case BPEI_BIOCSBLEN: return set_buffer(m, d, argument);
	case BPEI_BIOCSETIF: return set_interface(m, d, argument);
	case BPEI_BIOCGETIF:
		if (!d->on) return -EINVAL;
		memcpy(ifreq, d->on->name, 16);
		return m->put(m->user, argument, ifreq, m->abi->ifreq_bytes);
	case BPEI_BIOCSETF: return set_program(m, d, argument, false);
	case BPEI_BIOCSETFNR: return set_program(m, d, argument, true);
	case BPEI_BIOCFLUSH: reset(d); return 0;
	case BPEI_BIOCPROMISC:
		if (!d->on) return -EINVAL;
		if (!d->promiscuous) d->promiscuous = true, d->on->promiscuous++;
		return 0;
	case BPEI_BIOCGDLT: return d->on ? put_u32(m, argument, d->dlt) : -EINVAL;
	case BPEI_BIOCSDLT: return set_dlt(d, v);
	case BPEI_BIOCGDLTLIST: return dlt_list(m, d, argument);
	case BPEI_BIOCGRTIMEOUT: return get_timeout(m, d, argument);
	case BPEI_BIOCSRTIMEOUT: return set_timeout(m, argument, &d->read_timeout_ns);
	case BPEI_BIOCSWTIMEOUT: return set_timeout(m, argument, &d->write_timeout_ns);
	case BPEI_BIOCDWTIMEOUT: d->write_timeout_ns = -1; return 0;
	case BPEI_BIOCGSTATS: return get_stats(m, d, argument);
	case BPEI_BIOCIMMEDIATE:
		d->immediate = is(m, BPEI_MACOS) ? v & 0xff : v;	/* macOS looks at the lowest byte only */
		if (is(m, BPEI_OPENBSD)) d->write_timeout_ns = d->immediate ? 0 : -1;
		return 0;
	case BPEI_BIOCSSEESENT: d->direction = v ? 3 : 1; return 0;
	case BPEI_BIOCSDIRECTION:
		if (is(m, BPEI_MACOS) ? v > 3 : v > 2) return -EINVAL;
		d->direction = is(m, BPEI_MACOS) ? v : v == 0 ? 1 : v == 1 ? 3 : 2;
		return 0;
	case BPEI_BIOCSDIRFILT: d->direction = 3 & ~v; return 0;
	case BPEI_FIONREAD: return put_u32(m, argument, d->store_length + (is(m, BPEI_MACOS) ? 0 : d->hold_length));
	case BPEI_FIONBIO: d->nonblocking = v; return 0;
	case BPEI_BIOCSEXTHDR: d->exthdr = v; return 0;
	case BPEI_BIOCSWANTPKTAP: d->wantpktap = v; return put_u32(m, argument, v);
	case BPEI_BIOCSHEADDROP: d->headdrop = v; return 0;
	case BPEI_BIOCGHEADDROP: return put_u32(m, argument, d->headdrop);
	case BPEI_BIOCSTRUNCATE: d->truncate = v; return 0;
	case BPEI_BIOCSHDRCOMP:
		if (v > 1) abort();	/* the real one would now hang every BPF user of the machine */
		if (d->on) return -EINVAL;
		d->hdrcomp = v;
		return 0;
	case BPEI_BIOCGHDRCOMP: return put_u32(m, argument, d->hdrcomp);
	case BPEI_BIOCGHDRCOMPON: return put_u32(m, argument, d->hdrcomp && m->compression_enabled);
	case BPEI_BIOCSTSTAMP:
		if (v > 1 || d->on) return -EINVAL;
		d->nano = v == 1;
		return 0;
	case BPEI_BIOCSETBUFMODE:
		if (v != 1 && (v != 2 || !m->zero_copy_enabled)) return -EINVAL;	/* net.bpf.zerocopy_enable */
		if (d->on) return -EBUSY;
		d->zero_copy = v == 2;
		return 0;
	case BPEI_BIOCGETZMAX: return m->put(m->user, argument, &(uint64_t){ 2u << 20 }, 8);
	case BPEI_BIOCSETZBUF: return set_zbuf(m, d, argument);
	case BPEI_BIOCROTZBUF: return rotate_zbuf(m, d, argument);
	case BPEI_BIOCSHDRCMPLT: case BPEI_BIOCLOCK: return 0;
	default: return -EINVAL;
	}
}

/* ---- Packets ---- */

/* The store buffer goes to the caller: its length, then the generation, which is what makes it the caller's. */
static void hand_over(struct model *m, struct model_node *d)
{
	uint64_t at = d->zbuf[d->turns & 1];
	uint32_t generation = 0;
	m->put(m->user, at + 32, d->store, d->store_length);
	m->put(m->user, at + 4, &d->store_length, 4);
	m->get(m->user, &generation, at, 4);
	generation++;
	m->put(m->user, at, &generation, 4);
	d->turns++;
}

/* Whether the caller has given its buffer back is looked at when there is need (bpf_zerocopy_canfreebuf). */
static void given_back(struct model *m, struct model_node *d)
{
	uint32_t header[3] = { 0 };
	if (!d->zero_copy || !d->hold_length) return;
	m->get(m->user, header, d->zbuf[(d->turns - 1 - d->assigned) & 1], 12);
	if (header[0] == header[2]) d->hold_length = d->hold_packets = 0;
}

static void rotate(struct model *m, struct model_node *d)
{
	if (d->zero_copy && !d->assigned) hand_over(m, d);
	d->assigned = false;
	uint8_t *p = d->hold;
	d->hold = d->store;
	d->hold_length = d->store_length;
	d->hold_packets = d->store_packets;
	d->store = p;
	d->store_length = d->store_packets = 0;
	if (d->headdrop) d->previous_length = 0;
}

static uint32_t header(const struct model *m, const struct model_node *d, uint8_t *h, uint32_t hdrlen, const struct model_packet *p, uint32_t caplen, uint32_t complen)
{
	const struct bpei_layout *l = m->abi->layout;
	int64_t s = p->time_ns / 1000000000, ns = p->time_ns % 1000000000;
	memset(h, 0, hdrlen);
	if (l->stamp_bytes == 4) {
		bpei_store32(h, (uint32_t)s);
		bpei_store32(h + 4, (uint32_t)(ns / 1000));
	} else {
		bpei_store64(h, (uint64_t)s);
		bpei_store64(h + 8, (uint64_t)(d->nano ? ns : ns / 1000));
	}
	bpei_store32(h + l->caplen, caplen);
	bpei_store32(h + l->datalen, p->wirelen);
	bpei_store16(h + l->hdrlen, (uint16_t)hdrlen);
	if (l->flags && hdrlen > l->flags) h[l->flags] = p->outgoing ? 0x20 : 0x10;
	if (d->hdrcomp && m->compression_enabled) h[18] = (uint8_t)complen;
	if (!d->exthdr || !is(m, BPEI_MACOS)) return hdrlen;
	bool old = m->version && m->version < 13;
	if (old) bpei_store16(h + 18, p->outgoing);
	else h[19] = p->outgoing;
	if (!p->outgoing) return hdrlen;
	bpei_store32(h + 20, (uint32_t)p->pid);
	if (p->comm) strncpy((char *)h + 24, p->comm, 16);
	h[old ? 42 : 41] = p->pktflags;
	bpei_store32(h + 44, p->service_class);
	return hdrlen;
}

static uint32_t counted(const struct model *m, const struct model_node *d)
{
	if (is(m, BPEI_MACOS) && d->exthdr) return m->version && m->version < 15 ? (m->version < 10 ? 52 : 60) : 64;
	if (is(m, BPEI_MACOS) && d->hdrcomp && m->compression_enabled) return 20;
	if (is(m, BPEI_OPENBSD) && m->openbsd_old) return 20;
	return m->abi->layout->counted;
}

static uint32_t common(const struct model_node *d, const uint8_t *data, uint32_t n)
{
	uint32_t i = 0, most = d->previous_length < n ? d->previous_length : n;
	while (i < most && data[i] == d->previous[i]) i++;
	i &= ~3u;
	return i > 252 ? 252 : i;
}

static void catch_packet(struct model *m, struct model_node *d, const struct model_packet *p, uint32_t keep, int64_t now_ns)
{
	const uint32_t align = m->abi->layout->align;
	uint32_t hdrlen = bpei_layout_hdrlen(counted(m, d), align, d->on->link_bytes), caplen = keep < p->caplen ? keep : p->caplen, complen = 0;
	if (d->size <= hdrlen) return;	/* lost, and not counted: as macOS does */
	if (caplen > d->size - hdrlen) caplen = d->size - hdrlen;
	uint32_t at = bpei_layout_align(d->store_length, align);
	if (at + hdrlen + caplen > d->size || d->assigned) {
		given_back(m, d);
		if (d->hold_length && d->headdrop) {
			d->dropped += d->hold_packets;
			d->hold_length = 0;
		}
		if (d->hold_length) {
			if (d->zero_copy && !d->assigned) hand_over(m, d), d->assigned = true;	/* bpf_zerocopy_buffull */
			d->dropped++;
			return;
		}
		rotate(m, d);
		at = 0;
	}
	if (d->hdrcomp && m->compression_enabled) {
		complen = common(d, p->data, caplen);
		d->previous_length = caplen & 0xff;
		memcpy(d->previous, p->data, d->previous_length);
	}
	if (!at) d->first_ns = now_ns;
	header(m, d, d->store + at, hdrlen, p, caplen - complen, complen);
	memcpy(d->store + at + hdrlen, p->data + complen, caplen - complen);
	d->store_length = at + hdrlen + caplen - complen;
	d->store_packets++;
}

void model_tap(struct model *m, struct model_interface *on, const struct model_packet *p, int64_t now_ns)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		struct model_node *d = &m->node[i];
		if (!d->open || d->on != on) continue;
		bool seen = d->direction & (p->outgoing ? 2 : 1);
		if (is(m, BPEI_OPENBSD)) d->received++;	/* before the direction */
		if (!seen) continue;
		if (!is(m, BPEI_OPENBSD)) d->received++;
		uint32_t keep = d->program_length ? bpei_filter_run(d->program, p->data, p->wirelen, p->caplen) : UINT32_MAX;
		if (!keep) continue;
		d->accepted++;
		catch_packet(m, d, p, keep, now_ns);
	}
}

bool model_room(const struct model *m, const struct model_interface *on, uint32_t caplen)
{
	const uint32_t align = m->abi->layout->align;
	for (int i = 0; i < MODEL_NODES; i++) {
		const struct model_node *d = &m->node[i];
		if (!d->open || d->on != on || !d->hold_length) continue;	/* a full store would move to hold */
		if (d->assigned || bpei_layout_align(d->store_length, align) + bpei_layout_hdrlen(counted(m, d), align, on->link_bytes) + caplen > d->size) return false;
	}
	return true;
}

bool model_drained(const struct model *m, const struct model_interface *on)
{
	for (int i = 0; i < MODEL_NODES; i++)
		if (m->node[i].open && m->node[i].on == on && (m->node[i].store_length || m->node[i].hold_length)) return false;
	return true;
}

void model_remove(struct model *m, struct model_interface *on)
{
	on->here = false;
	for (int i = 0; i < MODEL_NODES; i++)
		if (m->node[i].open && m->node[i].on == on) detach(&m->node[i]);
}

/* ---- Reading ---- */

static bool write_timer(const struct model *m, const struct model_node *d, int64_t now_ns)
{
	return is(m, BPEI_OPENBSD) && d->write_timeout_ns >= 0 && d->store_length && now_ns - d->first_ns >= d->write_timeout_ns;
}

int64_t model_read(struct model *m, int node, uint8_t *to, size_t n, int64_t began_ns, int64_t now_ns, bool signalled, int64_t *deadline_ns)
{
	struct model_node *d = &m->node[node];
	const bool openbsd = is(m, BPEI_OPENBSD), netbsd = is(m, BPEI_NETBSD);
	if (!n) return 0;
	if (openbsd && !d->on && began_ns == now_ns) return -ENXIO;
	if (d->zero_copy) return -EOPNOTSUPP;
	if (n != d->size) return -EINVAL;
	bool over = d->read_timeout_ns && now_ns - began_ns >= d->read_timeout_ns && now_ns != began_ns;
	if (!d->hold_length && d->store_length) {
		bool rescue = is(m, BPEI_MACOS) && signalled;
		if (d->immediate || d->timed_out || d->nonblocking || over || rescue || write_timer(m, d, now_ns) || (openbsd && !d->on)) rotate(m, d);
	}
	if (d->hold_length) {
		d->timed_out = false;
		uint32_t length = d->hold_length;
		memcpy(to, d->hold, length);
		d->hold_length = d->hold_packets = 0;
		return length;
	}
	if (!d->on && !netbsd) return openbsd ? -EIO : -ENXIO;
	if (d->nonblocking) return openbsd ? 0 : -EWOULDBLOCK;
	if (signalled) return -EINTR;
	if (over) return 0;
	*deadline_ns = d->read_timeout_ns ? began_ns + d->read_timeout_ns : INT64_MAX;
	if (openbsd && d->write_timeout_ns >= 0 && d->store_length && d->first_ns + d->write_timeout_ns < *deadline_ns)
		*deadline_ns = d->first_ns + d->write_timeout_ns;
	return MODEL_SLEEP;
}

uint32_t model_bytes(const struct model *m, int node)
{
	const struct model_node *d = &m->node[node];
	return d->hold_length ? d->hold_length : d->store_length;
}

bool model_ready(struct model *m, int node, int64_t now_ns, int64_t *again_ns)
{
	struct model_node *d = &m->node[node];
	*again_ns = INT64_MAX;
	if (!d->on) {	/* macOS: a poll is never told when it waits; asked anew it says so.  FreeBSD and OpenBSD say so; NetBSD never. */
		return is(m, BPEI_NETBSD) ? d->hold_length || (d->immediate && d->store_length) : true;
	}
	if (d->select_since_ns && d->read_timeout_ns && now_ns - d->select_since_ns >= d->read_timeout_ns) d->timed_out = true, d->select_since_ns = 0;
	if (d->hold_length || (d->store_length && (d->immediate || d->timed_out || write_timer(m, d, now_ns)))) return true;
	if (is(m, BPEI_OPENBSD)) {
		if (d->write_timeout_ns >= 0 && d->store_length) *again_ns = d->first_ns + d->write_timeout_ns;
		return false;
	}
	if (d->read_timeout_ns && !d->timed_out) {
		if (!d->select_since_ns) d->select_since_ns = now_ns;
		*again_ns = d->select_since_ns + d->read_timeout_ns;
	}
	return false;
}

ssize_t model_sysctl_stats(struct model *m, uint8_t *to, size_t n)
{
	size_t at = 0;
	for (int i = 0; i < MODEL_NODES; i++) {
		const struct model_node *d = &m->node[i];
		if (!d->open) continue;
		if (n - at < 136) return -ENOMEM;
		uint8_t *x = to + at;
		memset(x, 0, 136);
		bpei_store32(x, 136);
		bpei_store32(x + 4, (uint32_t)i);
		bpei_store32(x + 24, (uint32_t)d->pid);
		bpei_store64(x + 40, d->received);
		bpei_store64(x + 48, d->dropped);
		bpei_store64(x + 56, d->accepted);
		if (d->on) memcpy(x + 80, d->on->name, 16);
		at += 136;
	}
	return (ssize_t)at;
}
