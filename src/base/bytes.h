/* SPDX-License-Identifier: MIT */
/* The only unaligned loads and stores of the project.  The caller has checked the bounds. */
#ifndef BPEI_BYTES_H
#define BPEI_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t bpei_load16(const void *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof v);
	return v;
}
static inline uint32_t bpei_load32(const void *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof v);
	return v;
}
static inline uint64_t bpei_load64(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}
static inline void bpei_store16(void *p, uint16_t v)
{
	memcpy(p, &v, sizeof v);
}
static inline void bpei_store32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof v);
}
static inline void bpei_store64(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof v);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
static inline uint16_t bpei_be16(const void *p)
{
	return __builtin_bswap16(bpei_load16(p));
}
static inline uint32_t bpei_be32(const void *p)
{
	return __builtin_bswap32(bpei_load32(p));
}
static inline uint64_t bpei_be64(const void *p)
{
	return __builtin_bswap64(bpei_load64(p));
}
static inline uint16_t bpei_le16(const void *p)
{
	return bpei_load16(p);
}
static inline uint32_t bpei_le32(const void *p)
{
	return bpei_load32(p);
}
static inline uint64_t bpei_le64(const void *p)
{
	return bpei_load64(p);
}
static inline void bpei_put_be16(void *p, uint16_t v)
{
	bpei_store16(p, __builtin_bswap16(v));
}
static inline void bpei_put_be32(void *p, uint32_t v)
{
	bpei_store32(p, __builtin_bswap32(v));
}
#else
static inline uint16_t bpei_be16(const void *p)
{
	return bpei_load16(p);
}
static inline uint32_t bpei_be32(const void *p)
{
	return bpei_load32(p);
}
static inline uint64_t bpei_be64(const void *p)
{
	return bpei_load64(p);
}
static inline uint16_t bpei_le16(const void *p)
{
	return __builtin_bswap16(bpei_load16(p));
}
static inline uint32_t bpei_le32(const void *p)
{
	return __builtin_bswap32(bpei_load32(p));
}
static inline uint64_t bpei_le64(const void *p)
{
	return __builtin_bswap64(bpei_load64(p));
}
static inline void bpei_put_be16(void *p, uint16_t v)
{
	bpei_store16(p, v);
}
static inline void bpei_put_be32(void *p, uint32_t v)
{
	bpei_store32(p, v);
}
#endif

#endif
