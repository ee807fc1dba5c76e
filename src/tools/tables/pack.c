/* SPDX-License-Identifier: MIT */
/* Packing of Parquet's pages by libzstd (parquet.h).  A build without the library packs nothing. */
#include "tools/tables/parquet.h"

#ifdef BPEI_HAVE_ZSTD

#include <zstd.h>

#define LEVEL 1 /* the encodings have shortened the values already */

struct page_packer *page_packer_open(void)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	if (context &&
		ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL))) {
		ZSTD_freeCCtx(context);
		context = NULL;
	}
	return (struct page_packer *)context;
}

size_t page_packer_bound(size_t n)
{
	return ZSTD_compressBound(n);
}

size_t page_packer_pack(
	struct page_packer *packer, const void *from, size_t n, void *to, size_t room)
{
	const size_t packed = ZSTD_compress2((ZSTD_CCtx *)packer, to, room, from, n);

	return ZSTD_isError(packed) ? 0 : packed;
}

void page_packer_close(struct page_packer *packer)
{
	ZSTD_freeCCtx((ZSTD_CCtx *)packer);
}

#else

struct page_packer *page_packer_open(void)
{
	return NULL;
}

size_t page_packer_bound(size_t n)
{
	return n;
}

size_t page_packer_pack(
	struct page_packer *packer, const void *from, size_t n, void *to, size_t room)
{
	(void)packer;
	(void)from;
	(void)n;
	(void)to;
	(void)room;
	return 0;
}

void page_packer_close(struct page_packer *packer)
{
	(void)packer;
}

#endif
