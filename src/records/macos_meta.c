/* SPDX-License-Identifier: MIT */
/* macOS's longer headers, and what they say of a packet.  Pure; every offset is proved to lie in
 * the header first. */
#include "base/bytes.h"
#include "base/pktap.h"
#include "records/layout.h"

/* ---- struct bpf_hdr_ext ---- */

enum bpei_ext bpei_ext_of(uint32_t hdrlen, bool compression_known)
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
	if (ext == BPEI_EXT_NONE)
		return false;
	return ext == BPEI_EXT_52 || ext == BPEI_EXT_60_OLD ? bpei_load16(record + 18) & 1
							    : record[19] & 1;
}

/* ---- PKTAP ---- */

bool bpei_pktap_read(const uint8_t *p, uint32_t caplen, struct bpei_pktap *pktap)
{
	struct bpei_pktap t;
	if (caplen < BPEI_PKTAP_V2_LEAST)
		return false;
	t.flags = bpei_load32(
		p + PKTAP_FLAGS); /* at the same place in both: the test of which it is */
	t.v2 = t.flags & PKTAP_V2;
	t.length = t.v2 ? p[0] : bpei_load32(p + PKTAP_LENGTH);
	t.dlt = t.v2 ? bpei_load16(p + 6) : bpei_load32(p + PKTAP_DLT);
	if (t.length < (t.v2 ? BPEI_PKTAP_V2_LEAST : BPEI_PKTAP_V1_LEAST) || t.length > 1024 ||
		t.length > caplen)
		return false;
	*pktap = t;
	return true;
}

/* A name of at most n bytes that may lack its end; what is not printable becomes '?'. */
static void name(char *to, size_t room, const uint8_t *from, size_t n)
{
	size_t i = 0;
	for (; i < n && i + 1 < room && from[i]; i++)
		to[i] = from[i] >= 0x20 && from[i] != 0x7f ? (char)from[i] : '?';
	to[i] = 0;
}

static void pktap_meta(const uint8_t *p, const struct bpei_pktap *t, struct bpe_meta *m)
{
	if (t->flags & (PKTAP_IN | PKTAP_OUT))
		m->flags = (m->flags & ~BPE_META_OUT) | BPE_META_DIRECTION |
			   (t->flags & PKTAP_OUT ? BPE_META_OUT : 0);
	if (t->flags & PKTAP_RETRANSMIT)
		m->flags |= BPE_META_RETRANSMIT;
	if (t->flags & PKTAP_NEW_FLOW)
		m->flags |= BPE_META_NEW_FLOW;
	if (t->flags & PKTAP_KEEP_ALIVE)
		m->flags |= BPE_META_KEEP_ALIVE;
	if (t->flags & PKTAP_WAKE)
		m->flags |= BPE_META_WAKE;
	int32_t pid = (int32_t)bpei_load32(p + (t->v2 ? 28 : PKTAP_PID)),
		epid = (int32_t)bpei_load32(p + (t->v2 ? 32 : PKTAP_EPID));
	m->service_class = bpei_load32(p + (t->v2 ? 20 : PKTAP_SVC));
	if (pid > 0)
		m->pid = pid, m->flags |= BPE_META_PROCESS;
	if (epid > 0)
		m->effective_pid = epid;
	if (t->v2) { /* strings lie behind the base, at offsets; 0: absent */
		if (p[3] >= BPEI_PKTAP_V2_LEAST && p[3] < t->length)
			name(m->interface_name, sizeof m->interface_name, p + p[3],
				t->length - p[3]);
		if (p[4] >= BPEI_PKTAP_V2_LEAST && p[4] < t->length && pid > 0)
			name(m->comm, sizeof m->comm, p + p[4], t->length - p[4]);
		if (p[5] >= BPEI_PKTAP_V2_LEAST && p[5] < t->length && epid > 0)
			name(m->effective_comm, sizeof m->effective_comm, p + p[5],
				t->length - p[5]);
		return;
	}
	name(m->interface_name, sizeof m->interface_name, p + PKTAP_IFNAME, PKTAP_IFNAME_BYTES);
	if (pid > 0)
		name(m->comm, sizeof m->comm, p + PKTAP_COMM, PKTAP_COMM_BYTES);
	if (epid > 0)
		name(m->effective_comm, sizeof m->effective_comm, p + PKTAP_ECOMM,
			PKTAP_COMM_BYTES);
}

static void ext_meta(const uint8_t *r, enum bpei_ext ext, struct bpe_meta *m)
{
	m->flags |= BPE_META_DIRECTION | (bpei_ext_outgoing(ext, r) ? BPE_META_OUT : 0);
	int32_t pid = (int32_t)bpei_load32(r + 20);
	if (pid > 0) { /* 0: not known */
		m->pid = pid;
		m->flags |= BPE_META_PROCESS;
		name(m->comm, sizeof m->comm, r + 24, 17);
	}
	m->service_class = bpei_load32(r + 44);
	if (ext == BPEI_EXT_52)
		return;
	uint8_t flags = r[ext == BPEI_EXT_60_OLD ? 42 : 41];
	if (flags & 1)
		m->flags |= BPE_META_RETRANSMIT;
	if (flags & 2)
		m->flags |= BPE_META_START_SEQUENCE;
	if (flags & 4)
		m->flags |= BPE_META_LAST;
	if (flags & 8)
		m->flags |= BPE_META_WAKE;
	m->unsent_bytes = bpei_load32(r + 52);
	m->unsent_socket_bytes = bpei_load32(r + 56);
	if (ext != BPEI_EXT_60_OLD)
		m->trace_tag = bpei_load16(r + 42);
}

int bpe_batch_meta(const struct bpe_batch *b, uint32_t i, struct bpe_meta *meta)
{
	struct bpei_pktap t;
	struct bpe_meta m = { .pid = -1, .effective_pid = -1 };
	if (!b->meta || i >= b->count || !b->meta[i])
		return 0;
	const uint8_t *record = b->data[i] - (b->meta[i] & BPEI_META_BACK);
	enum bpei_ext ext = b->meta[i] >> BPEI_META_EXT_SHIFT & 7;
	if (ext != BPEI_EXT_NONE)
		ext_meta(record, ext, &m);
	uint32_t back = b->meta[i] & BPEI_META_BACK,
		 hdrlen = b->meta[i] & BPEI_META_PKTAP ? bpei_load16(record + 16) : back;
	if (hdrlen < back && bpei_pktap_read(record + hdrlen, back - hdrlen, &t))
		pktap_meta(record + hdrlen, &t,
			&m); /* of macOS's layout alone; in another hdrlen says nothing */
	*meta = m;
	return 1;
}
