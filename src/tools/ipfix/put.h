/* SPDX-License-Identifier: MIT */
/* Numbers in network byte order.  The caller has checked the room.  Each function returns the end.
 */
#ifndef IPFIX_PUT_H
#define IPFIX_PUT_H

#include <stdint.h>
#include <string.h>

static inline uint8_t *put_byte(uint8_t *at, uint32_t value)
{
	*at = (uint8_t)value;
	return at + 1;
}

static inline uint8_t *put_net16(uint8_t *at, uint32_t value)
{
	uint16_t wire = (uint16_t)value;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	wire = __builtin_bswap16(wire);
#endif
	memcpy(at, &wire, sizeof wire);
	return at + sizeof wire;
}

static inline uint8_t *put_net32(uint8_t *at, uint32_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap32(value);
#endif
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

static inline uint8_t *put_net64(uint8_t *at, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	memcpy(at, &value, sizeof value);
	return at + sizeof value;
}

static inline uint8_t *put_octets(uint8_t *at, const void *bytes, size_t n)
{
	memcpy(at, bytes, n);
	return at + n;
}

#endif
