/* SPDX-License-Identifier: MIT */
/* A column chunk of a Parquet file (chunk.h): at most two pages, the dictionary and the data.  The
 * numbers of fields are parquet.thrift's. */
#include "tools/tables/chunk.h"

#define PAGE_DATA 0
#define PAGE_DICTIONARY 2
#define CODEC_NONE 0
#define CODEC_ZSTD 6
#define PACK_LEAST 64u      /* shorter pages are not worth the compression */
#define SAMPLED (32u << 10) /* of a longer page a part is tried first */
#define SAMPLE (8u << 10)

/* A page, and where the page is packed. */
struct page {
	int kind;
	const struct table_bytes *content;
	struct table_bytes *packed;
	size_t values;
	enum parquet_encoding encoding;
};

/* Returns whether the compression of the page is worth the time. */
static bool is_worth_packing(struct chunk_room *room, const struct table_bytes *page)
{
	struct table_bytes *try = &room->packed[1];
	const size_t bound = page_packer_bound(SAMPLE);

	if (page->used < PACK_LEAST)
		return false;
	if (page->used < SAMPLED)
		return true;
	table_bytes_empty(try);
	if (!table_bytes_grow(try, bound))
		return false;
	const size_t n = page_packer_pack(
		room->packer, page->at + page->used / 2 - SAMPLE / 2, SAMPLE, try->at, bound);
	return n && n < SAMPLE / 10 * 9;
}

/* Packs a page.  Returns false if the library failed. */
static bool pack_page(struct chunk_room *room, const struct page *p)
{
	const size_t bound = page_packer_bound(p->content->used);

	table_bytes_empty(p->packed);
	if (!table_bytes_grow(p->packed, bound))
		return false;
	p->packed->used = page_packer_pack(
		room->packer, p->content->at, p->content->used, p->packed->at, bound);
	return p->packed->used;
}

static void write_page_head(struct table_bytes *to, const struct page *p, bool is_packed)
{
	struct thrift_writer w;

	thrift_begin(&w, to);
	thrift_i32(&w, 1, p->kind);
	thrift_i32(&w, 2, (int32_t)p->content->used);
	thrift_i32(&w, 3, (int32_t)(is_packed ? p->packed->used : p->content->used));
	thrift_struct(&w, p->kind == PAGE_DATA ? 5 : 7);
	thrift_i32(&w, 1, (int32_t)p->values);
	thrift_i32(&w, 2, p->encoding);
	if (p->kind == PAGE_DATA) {
		thrift_i32(&w, 3, PARQUET_RLE); /* levels of nulls */
		thrift_i32(&w, 4, PARQUET_RLE); /* levels of repetition, which there are none of */
	}
	thrift_end(&w);
	thrift_end(&w);
}

/* Adds a page.  Returns the bytes without compression. */
static uint64_t add_page(
	struct chunk_room *room, const struct page *p, bool is_packed, struct table_bytes *pages)
{
	const struct table_bytes *body = is_packed ? p->packed : p->content;

	table_bytes_empty(&room->head);
	write_page_head(&room->head, p, is_packed);
	table_bytes_add(pages, room->head.at, room->head.used);
	table_bytes_add(pages, body->at, body->used);
	if (room->head.failed || body->failed)
		pages->failed = true;
	return room->head.used + p->content->used;
}

static void write_statistics(struct thrift_writer *w, const struct column *c)
{
	thrift_struct(w, 12);
	thrift_i64(w, 3, (int64_t)(c->rows - c->values));
	if (c->has_least_and_most) {
		thrift_binary(w, 5, c->most, c->most_bytes);
		thrift_binary(w, 6, c->least, c->least_bytes);
		thrift_bool(w, 7, true);
		thrift_bool(w, 8, true);
	}
	thrift_end(w);
}

/* Where a chunk lies in the file. */
struct chunk_place {
	uint64_t dictionary, data; /* where the pages begin; dictionary 0: none */
	uint64_t packed, unpacked; /* bytes */
	bool is_packed;
};

static void write_chunk(
	struct thrift_writer *w, const struct column *c, const struct chunk_place *place)
{
	thrift_element_struct(w);
	thrift_i64(w, 2, 0); /* where the metadata is: only in the footer */
	thrift_struct(w, 3);
	thrift_i32(w, 1, c->type->type);
	thrift_list(w, 2, THRIFT_I32, c->entries ? 3 : 2);
	thrift_element_i32(w, PARQUET_RLE);
	thrift_element_i32(w, c->encoding);
	if (c->entries)
		thrift_element_i32(w, PARQUET_PLAIN);
	thrift_list(w, 3, THRIFT_BINARY, 1);
	thrift_element_text(w, c->type->name);
	thrift_i32(w, 4, place->is_packed ? CODEC_ZSTD : CODEC_NONE);
	thrift_i64(w, 5, (int64_t)c->rows);
	thrift_i64(w, 6, (int64_t)place->unpacked);
	thrift_i64(w, 7, (int64_t)place->packed);
	thrift_i64(w, 9, (int64_t)place->data);
	if (place->dictionary)
		thrift_i64(w, 11, (int64_t)place->dictionary);
	write_statistics(w, c);
	thrift_end(w);
	thrift_end(w);
}

void chunk_add(struct chunk_room *room, const struct column *c, uint64_t at,
	struct table_bytes *pages, struct thrift_writer *meta, uint64_t *unpacked)
{
	const struct page dictionary = { .kind = PAGE_DICTIONARY,
		.content = &c->dictionary,
		.packed = &room->packed[1],
		.values = c->entries,
		.encoding = PARQUET_PLAIN };
	const struct page data = { .kind = PAGE_DATA,
		.content = &room->page,
		.packed = &room->packed[0],
		.values = c->rows,
		.encoding = c->encoding };
	struct chunk_place place = { 0 };
	const size_t before = pages->used;

	table_bytes_empty(&room->page);
	table_bytes_add(&room->page, c->levels.at, c->levels.used);
	table_bytes_add(&room->page, c->data.at, c->data.used);
	if (room->packer)
		place.is_packed = is_worth_packing(room, &room->page) ||
				  (c->entries && is_worth_packing(room, &c->dictionary));
	/* All pages of a chunk are packed, or none. */
	if (place.is_packed)
		place.is_packed = pack_page(room, &data);
	if (place.is_packed && c->entries)
		place.is_packed = pack_page(room, &dictionary);
	if (c->entries) {
		place.dictionary = at + pages->used;
		place.unpacked += add_page(room, &dictionary, place.is_packed, pages);
	}
	place.data = at + pages->used;
	place.unpacked += add_page(room, &data, place.is_packed, pages);
	place.packed = pages->used - before;
	*unpacked += place.unpacked;
	write_chunk(meta, c, &place);
}

void chunk_room_free(struct chunk_room *room)
{
	table_bytes_free(&room->head);
	table_bytes_free(&room->page);
	table_bytes_free(&room->packed[0]);
	table_bytes_free(&room->packed[1]);
	page_packer_close(room->packer);
}
