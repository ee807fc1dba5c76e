/* SPDX-License-Identifier: MIT */
/* Passes blocks on (passing.h).  Headers of records and options, and the type of secrets, get this
 * machine's byte order.  A damaged block is left out: other readers would refuse the whole file. */
#include "write/passing.h"

#include "records/pcapng_kept.h"
#include "records/pcapng_options.h"
#include "write/pcapng_out.h"

enum { RECORD_END = 0, RECORD_HEAD = 4, PASSED_FRAME = 12 };
enum { SECTION_HEAD = 16, SECTION_OS = 3 };
#define SECTION_MOST 65536u /* bytes of a section header with texts that pass */

/* Returns where the source is in the section; NULL: no memory. */
static struct bpei_passed_source *find_passed_source(
	struct bpei_passing *p, const struct bpei_pcapng_kept *kept)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (p->sources[i].kept == kept && p->sources[i].opened_ns == kept->opened_ns)
			return &p->sources[i];
	struct bpei_passed_source *more =
		(struct bpei_passed_source *)realloc(p->sources, (p->count + 1) * sizeof *more);

	if (!more)
		return NULL;
	p->sources = more;
	more[p->count] = (struct bpei_passed_source){ kept, kept->opened_ns, 0 };
	return &more[p->count++];
}

/* Returns the source's next block to pass; NULL: none. */
static const struct bpei_kept_block *find_next_block(
	struct bpei_passed_source *at, const struct bpei_pcapng_kept *kept)
{
	const uint32_t count = bpei_list_count(&kept->blocks);

	for (; at->passed < count; at->passed++) {
		const struct bpei_kept_block *b = (const struct bpei_kept_block *)bpei_list_at(
			&kept->blocks, at->passed, sizeof *b);

		if (b->type == BPEI_BLOCK_NAMES || b->type == BPEI_BLOCK_SECRETS)
			return b;
	}
	return NULL;
}

/* Finds the first source with a waiting block.  Returns the block; NULL: none. */
static const struct bpei_kept_block *find_waiting_block(struct bpei_passing *p,
	const struct bpei_packet_source *source, struct bpei_passed_source **at)
{
	const struct bpei_packet_source *single;

	for (uint32_t k = 0; (single = bpei_packet_source_at(source, k)); k++) {
		const struct bpei_kept_block *block;

		if (!single->kept || !bpei_list_count(&single->kept->blocks))
			continue;
		*at = find_passed_source(p, single->kept);
		block = *at ? find_next_block(*at, single->kept) : NULL;
		if (block)
			return block;
	}
	return NULL;
}

bool bpei_passing_waits(struct bpei_passing *p, const struct bpei_packet_source *source)
{
	struct bpei_passed_source *at;

	return find_waiting_block(p, source, &at) != NULL;
}

/* ---- The parts of a block ---- */

/* Returns whether a record of names is long enough for the address. */
static bool is_record_whole(uint16_t code, uint16_t length)
{
	static const uint16_t least[] = { 0, 4, 16, 6, 8 };

	return code >= sizeof least / sizeof *least || length >= least[code];
}

/* Copies records or options up to and with the end.  Returns false for damage. */
static bool pass_records(
	struct bpei_block_out *out, struct bpei_cursor *body, bool big, bool is_names)
{
	while (bpei_cursor_left(body) >= RECORD_HEAD) {
		const uint16_t code = bpei_cursor_u16(body, big);
		const uint16_t length = bpei_cursor_u16(body, big);
		const uint8_t *value;

		if (code == RECORD_END) {
			bpei_block_put32(out, RECORD_END);
			return true;
		}
		value = bpei_cursor_take(body, (length + 3u) & ~3u);
		if (!value || (is_names && !is_record_whole(code, length)))
			return false;
		bpei_block_put_option(out, code, value, length);
	}
	return !is_names && !bpei_cursor_left(body); /* options may lack their end */
}

/* Copies the head of a block of secrets, and the secrets.  Returns whether they are whole. */
static bool pass_secrets(struct bpei_block_out *out, struct bpei_cursor *body, bool big)
{
	const uint32_t kind = bpei_cursor_u32(body, big);
	const uint32_t length = bpei_cursor_u32(body, big);
	const uint64_t padded = ((uint64_t)length + 3) & ~(uint64_t)3;

	if (body->bad || padded > bpei_cursor_left(body))
		return false;
	bpei_block_put32(out, kind);
	bpei_block_put32(out, length);
	bpei_block_put_bytes(out, bpei_cursor_take(body, (size_t)padded), length);
	return true;
}

/* Copies the parts of a block.  Returns false for damage. */
static bool put_block_parts(struct bpei_block_out *out, const struct bpei_kept_block *b)
{
	const bool big = (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != b->swapped;
	struct bpei_cursor body = bpei_cursor_init(b->body, b->length);

	if (b->type == BPEI_BLOCK_SECRETS) {
		if (!pass_secrets(out, &body, big))
			return false;
	} else if (!pass_records(out, &body, big, true)) {
		return false;
	}
	return !bpei_cursor_left(&body) || pass_records(out, &body, big, false);
}

size_t bpei_passing_put(struct bpei_passing *p, const struct bpei_packet_source *source,
	uint8_t *to, size_t room, size_t most, bool *is_full)
{
	struct bpei_passed_source *at;
	const struct bpei_kept_block *b;

	*is_full = false;
	while ((b = find_waiting_block(p, source, &at))) {
		struct bpei_block_out out;
		const size_t bytes = PASSED_FRAME + (size_t)b->length;
		bool is_whole = bytes <= most;

		if (is_whole && bytes > room) {
			*is_full = true;
			return 0;
		}
		at->passed++;
		if (is_whole) {
			bpei_block_begin(&out, to, room, b->type);
			is_whole = put_block_parts(&out, b);
		}
		const size_t put = is_whole ? bpei_block_finish(&out, false) : 0;
		if (put)
			return put;
		p->left_out++;
	}
	return 0;
}

void bpei_passing_begin(struct bpei_passing *p)
{
	p->count = 0;
}

void bpei_passing_free(struct bpei_passing *p)
{
	free(p->sources);
	*p = (struct bpei_passing){ .count = 0 };
}

/* ---- Section headers ---- */

/* Returns the first section header block of the sources; NULL: none. */
static const struct bpei_kept_block *find_section_block(const struct bpei_packet_source *source)
{
	const struct bpei_packet_source *first = bpei_packet_source_at(source, 0);
	const struct bpei_kept_block *b;

	if (!first || !first->kept || !bpei_list_count(&first->kept->blocks))
		return NULL;
	b = (const struct bpei_kept_block *)bpei_list_at(&first->kept->blocks, 0, sizeof *b);
	return b->type == BPEI_BLOCK_SECTION ? b : NULL;
}

/* Copies the texts of a section header: comment, hardware and system.  Returns the bytes. */
static size_t copy_section_texts(uint8_t *to, const struct bpei_kept_block *b)
{
	const bool big = (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) != b->swapped;
	struct bpei_block_out out = { .begin = to, .next = to, .end = to + b->length };
	struct bpei_cursor body = bpei_cursor_init(b->body, b->length);
	struct bpei_option_in o;

	bpei_cursor_take(&body, SECTION_HEAD);
	struct bpei_options_in options = { .rest = body, .big = big };
	while (bpei_options_next(&options, &o))
		if (o.code >= BPEI_OPTION_COMMENT && o.code <= SECTION_OS)
			bpei_block_put_option(
				&out, o.code, o.value.next, bpei_cursor_left(&o.value));
	return (size_t)(out.next - out.begin);
}

void bpei_section_take_source(
	struct bpei_section_out *section, const struct bpei_packet_source *source)
{
	const struct bpei_kept_block *b = find_section_block(source);
	uint8_t *texts = b && b->length <= SECTION_MOST ? (uint8_t *)malloc(b->length) : NULL;

	if (!texts)
		return;
	section->raw.bytes = texts;
	section->raw.length = copy_section_texts(texts, b);
	section->hardware = NULL;
	section->os = NULL;
}
