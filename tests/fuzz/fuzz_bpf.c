/* SPDX-License-Identifier: MIT */
/* Gives any bytes as the buffer of a BPF device's read, in every layout, with extended and PKTAP
 * headers, or compressed.  The buffer ends where memory ends.  Every packet lies in the
 * buffer, the walk comes to an end, and the books of torn buffers hold.
 *
 * Input: a byte for the layout, a byte of choices (bit 0: extended headers, 1: of macOS 13 and
 * later, 2: PKTAP, 3: metadata, 4: PKTAP headers come off behind the walk, 5: compressed, 6: the
 * fast path), a byte for the walk's limit, then the buffer. */
#include "records/batch.h"
#include "records/bpf_inflate.h"
#include "records/macos_meta.h"
#include "records/walk_bpf.h"
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROOM 65536u

static uint32_t link_type_of(uint32_t dlt)
{
	return dlt & 3;
}

/* Copies n bytes to the end of a mapping, so reading past the last byte faults. */
static uint8_t *at_the_end(const uint8_t *bytes, size_t n)
{
	static uint8_t *region;
	if (!region) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		region = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (region == MAP_FAILED || mprotect(region + ROOM, page, PROT_NONE))
			abort();
	}
	uint8_t *to = region + ROOM - n;
	if (n)
		memcpy(to, bytes, n);
	return to;
}

static uint64_t look_at_meta(const struct bpe_batch *b, uint32_t i)
{
	struct bpe_meta m;
	if (!bpe_batch_meta(b, i, &m))
		return 0;
	FUZZ_CHECK(strlen(m.comm) < sizeof m.comm &&
		   strlen(m.effective_comm) < sizeof m.effective_comm &&
		   strlen(m.interface_name) < sizeof m.interface_name);
	FUZZ_CHECK(!(m.flags & BPE_META_PROCESS) == (m.pid <= 0));
	return m.flags;
}

/* Checks the n packets of a walk.  Returns a sum over all bytes and metadata. */
static uint64_t check_walked_packets(const struct bpei_bpf_walk *how, struct bpei_columns *c,
	uint32_t n, const uint8_t *buffer, size_t length)
{
	struct bpe_batch batch = bpei_batch_view(c, 0, n, 0);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (how->pktap && how->keeps_pktap)
			bpei_bpf_unwrap(how, c, i);
		FUZZ_CHECK(c->data[i] >= buffer &&
			   c->caplen[i] <= (size_t)(buffer + length - c->data[i]) &&
			   c->caplen[i] <= how->snaplen);
		FUZZ_CHECK(!(c->outgoing[i] & ~BPE_PKT_OUTGOING));
		for (uint32_t k = 0; k < c->caplen[i]; k++)
			sum += c->data[i][k];
		if (how->meta)
			sum += look_at_meta(&batch, i);
	}
	return sum;
}

void fuzz_bpf(const uint8_t *bytes, size_t n)
{
	static const struct bpei_layout *const layouts[] = { &bpei_layout_macos,
		&bpei_layout_freebsd, &bpei_layout_netbsd, &bpei_layout_openbsd,
		&bpei_layout_freebsd_nano, &bpei_layout_freebsd_bintime, &bpei_layout_openbsd_old,
		&bpei_layout_macos_comp };
	static struct bpei_columns c;
	static uint8_t whole[ROOM * 16];
	if (!c.data && bpei_columns_new(&c, BPE_BATCH) < 0)
		abort();
	if (n < 3 || n - 3 > ROOM)
		return;
	bpei_counter torn = { 0 };
	uint8_t choices = bytes[1];
	uint32_t max = bytes[2] % BPE_BATCH + 1, most_records;
	uint64_t packets = 0, flags = 0;
	struct bpei_bpf_walk how = { .layout = layouts[bytes[0] % 8],
		.link_type = 1,
		.snaplen = 200,
		.extended = choices & 1,
		.compression_known = choices & 2,
		.pktap = choices & 4,
		.keeps_pktap = choices & 16,
		.meta = choices & 12,
		.link_type_of = link_type_of,
		.torn_blocks = &torn };
	how.plain = choices & 64 && !how.pktap && !how.meta;
	size_t length = n - 3;
	const uint8_t *buffer = at_the_end(bytes + 3, length);
	if (choices & 32) {
		struct bpei_inflate chain = { .length = 0 };
		size_t size = bpei_inflate_size(buffer, length), made;
		if (size == BPEI_INFLATE_FAILED)
			return;
		FUZZ_CHECK(size <= length * 14 + 16);
		made = bpei_inflate(&chain, buffer, length, whole, size);
		if (made == BPEI_INFLATE_FAILED)
			return;
		FUZZ_CHECK(made <= size && size - made < 4);
		if (made > ROOM)
			return;
		length = made;
		buffer = at_the_end(whole, made);
		how.layout = &bpei_layout_macos;
	}
	struct bpei_block b = { .bytes = buffer, .length = length, .stop_offset = length };
	most_records = (uint32_t)(length / how.layout->min_header + 1);
	for (uint32_t got, last = 0; (got = bpei_walk_bpf(&how, &b, &c, max));
		last = (uint32_t)b.position) {
		FUZZ_CHECK(got <= max && b.position > last);
		flags += check_walked_packets(&how, &c, got, buffer, length);
		packets += got;
		FUZZ_CHECK(packets <= most_records);
	}
	FUZZ_CHECK(b.position >= length && bpei_counter_get(&torn) <= 1);
	(void)flags;
}
