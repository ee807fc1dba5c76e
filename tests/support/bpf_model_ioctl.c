/* SPDX-License-Identifier: MIT */
/* The drivers' rules: what each request answers. */
#include "bpf_model_parts.h"

#include "base/bytes.h"
#include "filter/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS 10000000 /* hz 100 */

enum { DLT_RAW = 12, DLT_PKTAP = 149 };
enum { RET_X = 0x0e, MISC_TAX = 0x07, MISC_TXA = 0x87 };

static int get_u32(struct model *m, uint64_t from, uint32_t *v)
{
	return m->get(m->user, v, from, 4);
}

static int put_u32(struct model *m, uint64_t to, uint32_t v)
{
	return m->put(m->user, to, &v, 4);
}

/* ---- Interfaces and link types ---- */

static struct model_interface *find_interface(struct model *m, const char *name)
{
	for (int i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &m->interface[i];
		if (f->name[0] && f->here && !strcmp(f->name, name))
			return f;
	}
	return NULL;
}

static bool is_tap(const struct model *m, const struct model_interface *f)
{
	return model_is(m, BPEI_MACOS) && f->dlt[0] == DLT_PKTAP;
}

static int make_buffers(struct model_node *d)
{
	model_release(d);
	d->store = malloc(d->size);
	d->hold = malloc(d->size);
	if (!d->store || !d->hold)
		return -ENOMEM;
	memset(d->store, 0xee, d->size); /* padding keeps old bytes */
	memset(d->hold, 0xdd, d->size);
	return 0;
}

static int set_interface(struct model *m, struct model_node *d, uint64_t argument)
{
	char name[17] = "";
	int r = m->get(m->user, name, argument, 16);
	if (r < 0)
		return r;
	name[15] = 0;
	struct model_interface *f = find_interface(m, name);
	if (!f)
		return -ENXIO;
	if (d->zero_copy && !d->zbuf[0])
		return -EINVAL;
	if (m->memory && d->size > m->memory)
		return -m->memory_errno;
	bool hidden = is_tap(m, f) && !d->wantpktap;
	if (hidden && f->dlts < 2)
		return -ENXIO;
	model_detach(d);
	if (!d->zero_copy && (r = make_buffers(d)) < 0)
		return r;
	model_reset(m, d);
	d->on = f;
	d->was_on = true;
	d->dlt = f->dlt[hidden];
	return 0;
}

/* Answers BIOCGDLTLIST.  Without BIOCSWANTPKTAP macOS leaves PKTAP out (bpf_getdltlist). */
static int dlt_list(struct model *m, struct model_node *d, uint64_t argument)
{
	const bool hides = model_is(m, BPEI_MACOS) && !d->wantpktap;
	uint32_t room, count = 0;
	uint64_t at;
	int r = get_u32(m, argument, &room);
	if (r >= 0)
		r = m->get(m->user, &at, argument + m->abi->dltlist_pointer, 8);
	if (r < 0)
		return r;
	if (!d->on)
		return -EINVAL;
	for (uint32_t i = 0; i < d->on->dlts; i++) {
		if (hides && d->on->dlt[i] == DLT_PKTAP)
			continue;
		if (at && count >= room)
			return -ENOMEM;
		if (at && (r = put_u32(m, at + 4 * count, d->on->dlt[i])) < 0)
			return r;
		count++;
	}
	return put_u32(m, argument, count);
}

static int set_dlt(struct model *m, struct model_node *d, uint32_t dlt)
{
	if (!d->on)
		return -EINVAL;
	if (model_is(m, BPEI_MACOS) && dlt == DLT_PKTAP && !d->wantpktap)
		dlt = DLT_RAW;
	if (dlt == d->dlt)
		return 0;
	for (uint32_t i = 0; i < d->on->dlts; i++) {
		if (d->on->dlt[i] != dlt)
			continue;
		d->dlt = dlt;
		model_reset(m, d);
		return 0;
	}
	return -EINVAL;
}

/* Returns the flags of SIOCGIFFLAGS: IFF_UP is 1 on all systems. */
int model_interface_flags(struct model *m, const char *name)
{
	const struct model_interface *f = find_interface(m, name);
	return f ? f->up : -ENXIO;
}

/* ---- Filters ---- */

/* Returns whether macOS's bpf_validate accepts the instruction and bpf_filter returns 0 there. */
static bool matches_nothing(uint16_t code)
{
	uint16_t class = code & 7;
	uint16_t mode = code & 0xe0;
	if (class == 7)
		return code != MISC_TAX && code != MISC_TXA;
	return code == RET_X || (class == 1 && (mode == 0x20 || mode == 0x40));
}

static void take_for_nothing(struct bpe_insn *program, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!matches_nothing(program[i].code))
			continue;
		/* The last must be a return. */
		if (i + 1 == n && (program[i].code & 7) != 6)
			continue;
		program[i] = (struct bpe_insn){ .code = 6 };
	}
}

static int set_program(struct model *m, struct model_node *d, uint64_t argument, bool keep)
{
	const struct bpei_kernel *kernel = &bpei_kernels[m->abi->system];
	uint32_t n;
	uint64_t at;
	struct bpe_insn program[BPE_MAX_INSNS];
	int r = get_u32(m, argument, &n);
	if (r >= 0)
		r = m->get(m->user, &at, argument + 8, 8);
	if (r < 0)
		return r;
	if (n > BPE_MAX_INSNS)
		return -EINVAL;
	if (!n && at && model_is(m, BPEI_MACOS))
		return -EINVAL;
	if (n && !at)
		return -EINVAL;
	if (n && m->get(m->user, program, at, n * sizeof *program) < 0)
		return -EINVAL;
	if (model_is(m, BPEI_MACOS))
		take_for_nothing(program, n);
	if (n && bpei_kernel_check(kernel, program, n))
		return -EINVAL;
	memcpy(d->program, program, n * sizeof *program);
	d->program_length = n;
	if (!keep || !n)
		model_reset(m, d); /* a failed request flushes nothing */
	return 0;
}

/* ---- Times, counters, buffers ---- */

static int set_timeout(struct model *m, uint64_t argument, int64_t *ns)
{
	uint8_t t[16];
	int r = m->get(m->user, t, argument, 16);
	if (r < 0)
		return r;
	int64_t s = (int64_t)bpei_load64(t);
	int64_t us = m->abi->microsecond_bytes == 4 ? (int32_t)bpei_load32(t + 8)
						    : (int64_t)bpei_load64(t + 8);
	if (s < 0 || s > 100000000 || us < 0 || us > 999999)
		return -EINVAL;
	int64_t v = s * 1000000000 + us * 1000;
	if (model_is(m, BPEI_MACOS))
		v = (v + TICK_NS - 1) / TICK_NS * TICK_NS;
	if (model_is(m, BPEI_NETBSD))
		v = v && v < TICK_NS ? TICK_NS : v / TICK_NS * TICK_NS;
	*ns = v;
	return 0;
}

static int get_timeout(struct model *m, int64_t ns, uint64_t argument)
{
	uint8_t t[16] = { 0 };
	uint64_t us = (uint64_t)(ns % 1000000000 / 1000);
	bpei_store64(t, (uint64_t)(ns / 1000000000));
	if (m->abi->microsecond_bytes == 4)
		bpei_store32(t + 8, (uint32_t)us);
	else
		bpei_store64(t + 8, us);
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

/* Returns the limit of BIOCSBLEN.  On macOS 11 and 12 a former BIOCSHEADDROP doubles the limit
 * (bpfioctl). */
static uint32_t buffer_limit(const struct model *m, const struct model_node *d)
{
	bool old = model_is(m, BPEI_MACOS) && m->version && m->version < 13;
	return old && d->headdrop ? m->buffer_most * 2 : m->buffer_most;
}

static int set_buffer(struct model *m, struct model_node *d, uint64_t argument)
{
	uint32_t v, most = buffer_limit(m, d);
	int r = get_u32(m, argument, &v);
	if (r < 0)
		return r;
	if (d->zero_copy)
		return -EOPNOTSUPP;
	if (d->on)
		return -EINVAL;
	d->size = v > most ? most : v;
	if (v < 32)
		d->size = 32;
	return put_u32(m, argument, d->size);
}

static int set_buffer_mode(struct model *m, struct model_node *d, uint32_t mode)
{
	if (mode != 1 && (mode != 2 || !m->zero_copy_enabled))
		return -EINVAL;
	if (d->on || d->zbuf[0])
		return -EBUSY;
	d->zero_copy = mode == 2;
	return 0;
}

/* ---- The requests ---- */

/* Returns whether the macOS release lacks the request (from each release's bpf.h). */
static bool too_old(const struct model *m, enum bpei_bpf_call call)
{
	if (!m->version || !model_is(m, BPEI_MACOS))
		return false;
	switch (call) {
	case BPEI_BIOCSHDRCOMP:
	case BPEI_BIOCGHDRCOMP:
	case BPEI_BIOCGHDRCOMPON:
	case BPEI_BIOCGHDRCOMPSTATS:
		return m->version < 13;
	case BPEI_BIOCSDIRECTION:
	case BPEI_BIOCGDIRECTION:
		return m->version < 14;
	case BPEI_BIOCSNOTSTAMP:
	case BPEI_BIOCGNOTSTAMP:
		return m->version < 15;
	default:
		return false;
	}
}

/* Answers a request which only reports a value; returns -EINVAL for other requests. */
static int get_request(struct model *m, const struct model_node *d, uint32_t call, uint64_t to)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	const bool macos = model_is(m, BPEI_MACOS);
	switch (call) {
	case BPEI_BIOCVERSION:
		return m->put(m->user, to, (uint16_t[]){ 1, 1 }, 4);
	case BPEI_BIOCGBLEN:
		return put_u32(m, to, d->size);
	case BPEI_BIOCGETIF:
		if (!d->on)
			return -EINVAL;
		memcpy(ifreq, d->on->name, 16);
		return m->put(m->user, to, ifreq, m->abi->ifreq_bytes);
	case BPEI_BIOCGDLT:
		return d->on ? put_u32(m, to, d->dlt) : -EINVAL;
	case BPEI_BIOCGRTIMEOUT:
		return get_timeout(m, d->read_timeout_ns, to);
	case BPEI_BIOCGWTIMEOUT:
		return d->write_timeout_ns < 0 ? -ENXIO : get_timeout(m, d->write_timeout_ns, to);
	case BPEI_BIOCGSTATS:
		return get_stats(m, d, to);
	case BPEI_BIOCGSEESENT:
		return put_u32(m, to, d->direction >> 1 & 1);
	case BPEI_BIOCGDIRECTION:
		if (!macos)
			return put_u32(m, to, d->direction == 3 ? 1 : d->direction & 2);
		return put_u32(m, to, d->direction);
	case BPEI_BIOCGHDRCMPLT:
		return put_u32(m, to, d->hdrcmplt);
	case BPEI_FIONREAD:
		return put_u32(m, to, d->store_length + (macos ? 0 : d->hold_length));
	case BPEI_BIOCGWANTPKTAP:
		return put_u32(m, to, d->wantpktap);
	case BPEI_BIOCGHEADDROP:
		return put_u32(m, to, d->headdrop);
	case BPEI_BIOCGHDRCOMP:
		return put_u32(m, to, d->hdrcomp);
	case BPEI_BIOCGHDRCOMPON:
		return put_u32(m, to, d->hdrcomp && m->compression_enabled);
	case BPEI_BIOCGHDRCOMPSTATS:
		return m->put(m->user, to, m->compression_stats, 56);
	case BPEI_BIOCGNOTSTAMP:
		return put_u32(m, to, d->no_stamp);
	case BPEI_BIOCGTSTAMP:
		return put_u32(m, to, d->nano);
	case BPEI_BIOCGETBUFMODE:
		return put_u32(m, to, d->zero_copy ? 2 : 1);
	case BPEI_BIOCGETZMAX:
		return d->zero_copy ? m->put(m->user, to, &(uint64_t){ 2u << 20 }, 8) : -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static int set_immediate(struct model *m, struct model_node *d, uint32_t v)
{
	d->immediate = model_is(m, BPEI_MACOS) ? v & 0xff : v; /* macOS: its lowest byte only */
	if (model_is(m, BPEI_OPENBSD))
		d->write_timeout_ns = d->immediate ? 0 : -1;
	return 0;
}

static int set_direction(struct model *m, struct model_node *d, uint32_t v)
{
	static const uint8_t bits[] = { 1, 3, 2 }; /* IN, INOUT, OUT */
	const bool macos = model_is(m, BPEI_MACOS);
	if (v > (macos ? 3 : 2))
		return -EINVAL;
	d->direction = macos ? v : bits[v];
	return 0;
}

static int set_compression(struct model_node *d, uint32_t v)
{
	if (v > 1)
		abort(); /* the real driver would now hang every BPF user of the machine */
	if (d->on)
		return -EINVAL;
	d->hdrcomp = v;
	return 0;
}

static int set_stamp_format(struct model_node *d, uint32_t v)
{
	if (v > 1 || d->on)
		return -EINVAL;
	d->nano = v == 1;
	return 0;
}

/* Answers macOS's switches; returns -EINVAL for other requests. */
static int set_private(
	struct model *m, struct model_node *d, uint32_t call, uint32_t v, uint64_t argument)
{
	switch (call) {
	case BPEI_BIOCSEXTHDR:
		/* The driver would write past the end of plain records in the buffers. */
		if (v && d->on)
			m->headers_switched_late = true;
		d->exthdr = v;
		return 0;
	case BPEI_BIOCSWANTPKTAP:
		d->wantpktap = v;
		return put_u32(m, argument, v);
	case BPEI_BIOCSHEADDROP:
		d->headdrop = v;
		return 0;
	case BPEI_BIOCSTRUNCATE:
		d->truncate = v;
		return 0;
	case BPEI_BIOCSPKTHDRV2:
		d->header_v2 = v;
		return 0;
	case BPEI_BIOCSNOTSTAMP:
		d->no_stamp = v;
		return 0;
	case BPEI_BIOCSHDRCOMP:
		return set_compression(d, v);
	default:
		return -EINVAL;
	}
}

static int set_request(
	struct model *m, struct model_node *d, uint32_t call, uint32_t v, uint64_t argument)
{
	switch (call) {
	case BPEI_BIOCSBLEN:
		return set_buffer(m, d, argument);
	case BPEI_BIOCSETIF:
		return set_interface(m, d, argument);
	case BPEI_BIOCSETF:
		return set_program(m, d, argument, false);
	case BPEI_BIOCSETFNR:
		return set_program(m, d, argument, true);
	case BPEI_BIOCFLUSH:
		model_reset(m, d);
		return 0;
	case BPEI_BIOCPROMISC:
		if (!d->on)
			return -EINVAL;
		if (!d->promiscuous) {
			d->promiscuous = true;
			d->on->promiscuous++;
		}
		return 0;
	case BPEI_BIOCSDLT:
		return set_dlt(m, d, v);
	case BPEI_BIOCGDLTLIST:
		return dlt_list(m, d, argument);
	case BPEI_BIOCSRTIMEOUT:
		return set_timeout(m, argument, &d->read_timeout_ns);
	case BPEI_BIOCSWTIMEOUT:
		return set_timeout(m, argument, &d->write_timeout_ns);
	case BPEI_BIOCDWTIMEOUT:
		d->write_timeout_ns = -1;
		return 0;
	case BPEI_BIOCIMMEDIATE:
		return set_immediate(m, d, v);
	case BPEI_BIOCSSEESENT:
		d->direction = v ? 3 : 1;
		return 0;
	case BPEI_BIOCSDIRECTION:
		return set_direction(m, d, v);
	case BPEI_BIOCSDIRFILT:
		d->direction = 3 & ~v;
		return 0;
	case BPEI_FIONBIO:
		d->nonblocking = v;
		return 0;
	case BPEI_BIOCSTSTAMP:
		return set_stamp_format(d, v);
	case BPEI_BIOCSETBUFMODE:
		return set_buffer_mode(m, d, v);
	case BPEI_BIOCSETZBUF:
		return model_zbuf_set(m, d, argument);
	case BPEI_BIOCROTZBUF:
		return model_zbuf_rotate(m, d, argument);
	case BPEI_BIOCSHDRCMPLT:
		d->hdrcmplt = v;
		return 0;
	case BPEI_BIOCLOCK:
		return 0;
	default:
		return set_private(m, d, call, v, argument);
	}
}

int model_ioctl(struct model *m, int node, uint32_t request, uint64_t argument, int64_t now_ns)
{
	struct model_node *d = &m->node[node];
	uint32_t call = 0, v = 0;
	(void)now_ns;
	int r;
	/* Every request stops the timer (bpfioctl). */
	if (!model_is(m, BPEI_OPENBSD)) {
		d->timed_out = false;
		d->select_since_ns = 0;
	}
	while (call < BPEI_BPF_CALL_COUNT && m->abi->call[call] != request)
		call++;
	if (call == BPEI_BPF_CALL_COUNT || too_old(m, call))
		return -EINVAL;
	bool takes_word = request & 0x80000000u && (request >> 16 & 0x1fff) == 4;
	if (takes_word && (r = get_u32(m, argument, &v)) < 0)
		return r;
	r = get_request(m, d, call, argument);
	return r == -EINVAL ? set_request(m, d, call, v, argument) : r;
}
