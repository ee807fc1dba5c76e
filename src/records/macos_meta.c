/* SPDX-License-Identifier: MIT */
/* Reads macOS's longer headers, and the metadata of a packet from them (macos_meta.h).  Pure. Every
 * offset is proved to lie in the header first. */
#include "records/macos_meta.h"

#include "base/bytes.h"
#include "base/pktap.h"
#include "base/sized.h"
#include "records/pcapng_options.h"
#include "records/pushed.h"
#include "records/walk_pcapng.h"
#include "bpfengine.h"

/* ---- struct bpf_hdr_ext ---- */

/* Offsets in the header, and the bits of its packet flags. */
enum { EXT_FLAGS_OLD = 18, EXT_FLAGS = 19, EXT_PID = 20, EXT_COMM = 24, EXT_SERVICE_CLASS = 44 };
enum { EXT_PKTFLAGS_OLD = 42, EXT_PKTFLAGS = 41, EXT_TRACE_TAG = 42 };
enum { EXT_UNSENT = 52, EXT_UNSENT_SOCKET = 56, EXT_COMPRESSION = 60, EXT_COMM_BYTES = 17 };
enum { EXT_RETRANSMIT = 1, EXT_START_SEQUENCE = 2, EXT_LAST = 4, EXT_WAKE = 8 };

enum bpei_ext bpei_ext_generation(uint32_t hdrlen, bool compression_known)
{
	if (hdrlen >= 52 && hdrlen < 56)
		return BPEI_EXT_52;
	if (hdrlen >= 60 && hdrlen < 64)
		return compression_known ? BPEI_EXT_60 : BPEI_EXT_60_OLD;
	if (hdrlen >= 64 && hdrlen < 68)
		return BPEI_EXT_64;
	return BPEI_EXT_NONE;
}

bool bpei_ext_outgoing(enum bpei_ext ext, const uint8_t *record)
{
	switch (ext) {
	case BPEI_EXT_NONE:
	case BPEI_EXT_PUSHED:
	case BPEI_EXT_PCAPNG:
		return false;
	case BPEI_EXT_52:
	case BPEI_EXT_60_OLD:
		return bpei_load16(record + EXT_FLAGS_OLD) & 1;
	default:
		return record[EXT_FLAGS] & 1;
	}
}

/* ---- PKTAP ---- */

/* Offsets of version 2.  Strings lie behind the base, at offsets that the header gives. */
enum { V2_LENGTH = 0, V2_IFNAME = 3, V2_COMM = 4, V2_ECOMM = 5, V2_DLT = 6 };
enum { V2_UUID = 1, V2_EUUID = 2, V2_SERVICE_CLASS = 20, V2_FLOW = 24, V2_PID = 28, V2_EPID = 32 };
enum { PKTAP_LONGEST = 1024 };

bool bpei_pktap_read(const uint8_t *p, uint32_t caplen, struct bpei_pktap *pktap)
{
	struct bpei_pktap t;

	if (caplen < BPEI_PKTAP_V2_LEAST)
		return false;
	/* Both versions have their flags at the same place, and in them the version. */
	t.flags = bpei_load32(p + PKTAP_FLAGS);
	t.v2 = t.flags & PKTAP_V2;
	t.length = t.v2 ? p[V2_LENGTH] : bpei_load32(p + PKTAP_LENGTH);
	t.dlt = t.v2 ? bpei_load16(p + V2_DLT) : bpei_load32(p + PKTAP_DLT);
	if (t.length < (t.v2 ? BPEI_PKTAP_V2_LEAST : BPEI_PKTAP_V1_LEAST))
		return false;
	if (t.length > PKTAP_LONGEST || t.length > caplen)
		return false;
	*pktap = t;
	return true;
}

/* Copies the string at an offset of a version 2 header; an offset outside the header: no string. */
static void copy_v2_name(
	char *to, size_t room, const uint8_t *p, const struct bpei_pktap *t, uint8_t offset)
{
	if (offset >= BPEI_PKTAP_V2_LEAST && offset < t->length)
		bpei_meta_copy_name(to, room, p + offset, t->length - offset);
}

static void read_pktap_names(const uint8_t *p, const struct bpei_pktap *t, bool has_pid,
	bool has_effective_pid, struct bpe_meta *m)
{
	if (t->v2) {
		copy_v2_name(m->interface_name, sizeof m->interface_name, p, t, p[V2_IFNAME]);
		if (has_pid)
			copy_v2_name(m->comm, sizeof m->comm, p, t, p[V2_COMM]);
		if (has_effective_pid)
			copy_v2_name(
				m->effective_comm, sizeof m->effective_comm, p, t, p[V2_ECOMM]);
		return;
	}
	bpei_meta_copy_name(
		m->interface_name, sizeof m->interface_name, p + PKTAP_IFNAME, PKTAP_IFNAME_BYTES);
	if (has_pid)
		bpei_meta_copy_name(m->comm, sizeof m->comm, p + PKTAP_COMM, PKTAP_COMM_BYTES);
	if (has_effective_pid)
		bpei_meta_copy_name(m->effective_comm, sizeof m->effective_comm, p + PKTAP_ECOMM,
			PKTAP_COMM_BYTES);
}

static void read_pktap(const uint8_t *p, const struct bpei_pktap *t, struct bpe_meta *m)
{
	const int32_t pid = (int32_t)bpei_load32(p + (t->v2 ? V2_PID : PKTAP_PID));
	const int32_t effective_pid = (int32_t)bpei_load32(p + (t->v2 ? V2_EPID : PKTAP_EPID));

	if (t->flags & (PKTAP_IN | PKTAP_OUT)) {
		m->flags &= ~(uint32_t)BPE_META_OUT;
		m->flags |= BPE_META_DIRECTION | (t->flags & PKTAP_OUT ? BPE_META_OUT : 0);
	}
	if (t->flags & PKTAP_RETRANSMIT)
		m->flags |= BPE_META_RETRANSMIT;
	if (t->flags & PKTAP_NEW_FLOW)
		m->flags |= BPE_META_NEW_FLOW;
	if (t->flags & PKTAP_KEEP_ALIVE)
		m->flags |= BPE_META_KEEP_ALIVE;
	if (t->flags & PKTAP_WAKE)
		m->flags |= BPE_META_WAKE;
	m->service_class = bpei_load32(p + (t->v2 ? V2_SERVICE_CLASS : PKTAP_SVC));
	if (t->v2)
		m->flow_id = bpei_load32(p + V2_FLOW);
	else if (t->length >= PKTAP_UUID)
		m->flow_id = bpei_load32(p + PKTAP_FLOW);
	if (pid > 0) {
		m->pid = pid;
		m->flags |= BPE_META_PROCESS;
	}
	if (effective_pid > 0)
		m->effective_pid = effective_pid;
	read_pktap_names(p, t, pid > 0, effective_pid > 0, m);
}

/* ---- Metadata ---- */

/* Reads the extended header of the record at r. */
static void read_ext(const uint8_t *r, enum bpei_ext ext, struct bpe_meta *m)
{
	const int32_t pid = (int32_t)bpei_load32(r + EXT_PID);

	m->flags |= BPE_META_DIRECTION | (bpei_ext_outgoing(ext, r) ? BPE_META_OUT : 0);
	if (pid > 0) { /* 0: not known */
		m->pid = pid;
		m->flags |= BPE_META_PROCESS;
		bpei_meta_copy_name(m->comm, sizeof m->comm, r + EXT_COMM, EXT_COMM_BYTES);
	}
	m->service_class = bpei_load32(r + EXT_SERVICE_CLASS);
	if (ext == BPEI_EXT_52)
		return;
	const uint8_t flags = r[ext == BPEI_EXT_60_OLD ? EXT_PKTFLAGS_OLD : EXT_PKTFLAGS];
	if (flags & EXT_RETRANSMIT)
		m->flags |= BPE_META_RETRANSMIT;
	if (flags & EXT_START_SEQUENCE)
		m->flags |= BPE_META_START_SEQUENCE;
	if (flags & EXT_LAST)
		m->flags |= BPE_META_LAST;
	if (flags & EXT_WAKE)
		m->flags |= BPE_META_WAKE;
	m->unsent_bytes = bpei_load32(r + EXT_UNSENT);
	m->unsent_socket_bytes = bpei_load32(r + EXT_UNSENT_SOCKET);
	if (ext != BPEI_EXT_60_OLD)
		m->trace_tag = bpei_load16(r + EXT_TRACE_TAG);
}

/* Reads the metadata of a pushed packet, and the direction, which the packet may have besides. */
static void read_pushed(const uint8_t *data, uint16_t element, struct bpe_meta *m)
{
	struct bpe_meta own = *m;

	if (element & BPEI_META_OWN)
		memcpy(&own, data - BPEI_PUSHED_META, sizeof own);
	*m = own;
	/* The program's names may lack a terminating 0. */
	bpei_meta_copy_name(m->comm, sizeof m->comm, (const uint8_t *)own.comm, sizeof own.comm);
	bpei_meta_copy_name(m->effective_comm, sizeof m->effective_comm,
		(const uint8_t *)own.effective_comm, sizeof own.effective_comm);
	bpei_meta_copy_name(m->interface_name, sizeof m->interface_name,
		(const uint8_t *)own.interface_name, sizeof own.interface_name);
	if ((element & BPEI_META_WAY) == BPEI_WAY_UNKNOWN)
		return;
	m->flags &= ~(uint32_t)BPE_META_OUT;
	m->flags |= BPE_META_DIRECTION;
	if ((element & BPEI_META_WAY) == BPEI_WAY_OUT)
		m->flags |= BPE_META_OUT;
}

/* The headers of a record, before a packet of a BPF device. */
struct record_headers {
	const uint8_t *record;
	enum bpei_ext ext;
	const uint8_t *pktap; /* NULL: none */
	struct bpei_pktap tap;
};

/* Finds the headers before packet i. */
static struct record_headers find_record_headers(const struct bpe_batch *b, uint32_t i)
{
	const uint32_t back = b->meta[i] & BPEI_META_BACK;
	struct record_headers h = { .record = b->data[i] - back,
		.ext = (enum bpei_ext)(b->meta[i] >> BPEI_META_EXT_SHIFT & 7) };
	/* The header's length is read of macOS's layout alone: PKTAP is macOS's. */
	const uint32_t hdrlen = b->meta[i] & BPEI_META_PKTAP ? bpei_load16(h.record + 16) : back;

	if (hdrlen < back && bpei_pktap_read(h.record + hdrlen, back - hdrlen, &h.tap))
		h.pktap = h.record + hdrlen;
	return h;
}

/* Returns where a UUID is: 16 bytes at a place of the PKTAP header; NULL if there is none. */
static const uint8_t *find_uuid(const struct record_headers *h, uint32_t v1, uint32_t v2)
{
	static const uint8_t none[16] = { 0 };
	const uint32_t at = h->tap.v2 ? h->pktap[v2] : v1;

	if (at < BPEI_PKTAP_V2_LEAST || at + 16 > h->tap.length)
		return NULL;
	return memcmp(h->pktap + at, none, sizeof none) ? h->pktap + at : NULL;
}

static bool batch_has_meta(const struct bpe_batch *b, uint32_t i)
{
	return BPE_HAS(b, meta) && b->meta && i < b->count && b->meta[i];
}

/* Reads the metadata of packet i, which has an element, into *m without values. */
static void read_batch_meta(
	const struct bpe_batch *b, uint32_t i, struct bpe_meta *m, struct bpei_meta_more *more)
{
	const enum bpei_ext ext = (enum bpei_ext)(b->meta[i] >> BPEI_META_EXT_SHIFT & 7);

	if (ext == BPEI_EXT_PUSHED) {
		read_pushed(b->data[i], b->meta[i], m);
		return;
	}
	if (ext == BPEI_EXT_PCAPNG) {
		bpei_pcapng_read_meta(b, i, m);
		return;
	}
	const struct record_headers h = find_record_headers(b, i);

	if (h.ext != BPEI_EXT_NONE)
		read_ext(h.record, h.ext, m);
	if (h.ext == BPEI_EXT_64)
		more->compression = bpei_load32(h.record + EXT_COMPRESSION);
	if (!h.pktap)
		return;
	read_pktap(h.pktap, &h.tap, m);
	more->has_service_class = m->service_class != UINT32_MAX;
	more->pktap_flags = h.tap.flags;
	more->uuid = find_uuid(&h, PKTAP_UUID, V2_UUID);
	more->effective_uuid = find_uuid(&h, PKTAP_EUUID, V2_EUUID);
}

bool bpei_batch_meta_more(
	const struct bpe_batch *b, uint32_t i, struct bpe_meta *meta, struct bpei_meta_more *more)
{
	*meta = (struct bpe_meta){ .pid = -1, .effective_pid = -1 };
	*more = (struct bpei_meta_more){ .has_service_class = false };
	if (!batch_has_meta(b, i))
		return false;
	read_batch_meta(b, i, meta, more);
	return true;
}

int bpe_batch_meta_sized(const struct bpe_batch *b, uint32_t i, struct bpe_meta *meta, size_t bytes)
{
	struct bpei_meta_more more;
	struct bpe_meta m;

	if (!batch_has_meta(b, i))
		return 0;
	bpei_batch_meta_more(b, i, &m, &more);
	bpei_sized_give(meta, bytes, &m, sizeof m);
	return 1;
}
