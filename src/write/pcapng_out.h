/* SPDX-License-Identifier: MIT */
/* Encodes pcapng blocks into memory, in this machine's byte order.  Pure: no files, no state but
 * the caller's.  Sources: draft-ietf-opsawg-pcapng; Apple's additions in pcap/pcap-ng.h and
 * pcap-darwin.c of libpcap-144.
 *
 * A function named ..._put returns the bytes of the block that it wrote at `to`, always a multiple
 * of 4; 0: the block needs more than `room`, and the bytes at `to` are of no use.  Texts are cut to
 * 65,535 bytes, NULL and empty texts are left out. */
#ifndef BPEI_PCAPNG_OUT_H
#define BPEI_PCAPNG_OUT_H

#include "base/bytes.h"
#include "base/cacheline.h"

#include <stdbool.h>
#include <stddef.h>

enum bpei_block_type {
	BPEI_BLOCK_INTERFACE = 1,
	BPEI_BLOCK_OLD_PACKET = 2,
	BPEI_BLOCK_SIMPLE_PACKET = 3,
	BPEI_BLOCK_NAMES = 4,
	BPEI_BLOCK_STATISTICS = 5,
	BPEI_BLOCK_PACKET = 6,
	BPEI_BLOCK_SECRETS = 10,
	BPEI_BLOCK_SECTION = 0x0a0d0d0a
};
#define BPEI_BLOCK_PROCESS 0x80000001u /* Apple's process information */

/* Options of any block, then those of packet blocks. */
enum bpei_option {
	BPEI_OPTION_END = 0,
	BPEI_OPTION_COMMENT = 1,
	BPEI_OPTION_FLAGS = 2,
	BPEI_OPTION_HASH = 3,
	BPEI_OPTION_DROPCOUNT = 4,
	BPEI_OPTION_PACKETID = 5,
	BPEI_OPTION_QUEUE = 6,
	BPEI_OPTION_VERDICT = 7,
	BPEI_OPTION_PROCESS_THREAD = 8,
	BPEI_OPTION_APPLE_PROCESS = 0x8001,
	BPEI_OPTION_APPLE_SERVICE_CLASS = 0x8002,
	BPEI_OPTION_APPLE_EFFECTIVE = 0x8003,
	BPEI_OPTION_APPLE_FLAGS = 0x8004,
	BPEI_OPTION_APPLE_FLOW = 0x8005,
	BPEI_OPTION_APPLE_TRACE_TAG = 0x8006,
	BPEI_OPTION_APPLE_DROP_REASON = 0x8007,
	BPEI_OPTION_APPLE_DROP_LINE = 0x8008,
	BPEI_OPTION_APPLE_DROP_FUNCTION = 0x8009,
	BPEI_OPTION_APPLE_COMPRESSION = 0x800a
};

/* Bits of BPEI_OPTION_APPLE_FLAGS. */
#define BPEI_APPLE_NEW_FLOW 0x01u
#define BPEI_APPLE_KEEP_ALIVE 0x02u
#define BPEI_APPLE_RETRANSMIT 0x04u
#define BPEI_APPLE_SOCKET 0x08u
#define BPEI_APPLE_NEXUS 0x10u
#define BPEI_APPLE_WAKE 0x20u
#define BPEI_APPLE_ULPN 0x40u
#define BPEI_APPLE_LPW 0x80u

/* The direction in BPEI_OPTION_FLAGS. */
enum { BPEI_EPB_IN = 1, BPEI_EPB_OUT = 2 };

/* Algorithms of BPEI_OPTION_HASH. */
enum { BPEI_HASH_CRC32 = 2, BPEI_HASH_TOEPLITZ = 5 };

/* ---- A block, part by part ---- */

struct bpei_block_out {
	uint8_t *begin, *next, *end; /* end: of the room */
	bool is_full;                /* a part had no room: the block cannot be finished */
};

/* Begins a block of this type, with room for room bytes. */
void bpei_block_begin(struct bpei_block_out *out, uint8_t *to, size_t room, uint32_t type);
void bpei_block_put16(struct bpei_block_out *out, uint16_t value);
void bpei_block_put32(struct bpei_block_out *out, uint32_t value);

/* Appends bytes, and zeros up to the next multiple of 4. */
void bpei_block_put_bytes(struct bpei_block_out *out, const void *bytes, size_t n);

/* Appends a time stamp: the upper word, then the lower. */
void bpei_block_put_stamp(struct bpei_block_out *out, uint64_t stamp);

/* Appends an option.  n: at most 65,535. */
void bpei_block_put_option(struct bpei_block_out *out, uint16_t code, const void *value, size_t n);
void bpei_block_put_option32(struct bpei_block_out *out, uint16_t code, uint32_t value);
void bpei_block_put_option64(struct bpei_block_out *out, uint16_t code, uint64_t value);

/* Appends a text as an option, cut behind a whole character. */
void bpei_block_put_text(struct bpei_block_out *out, uint16_t code, const char *text);

/* Appends the end of options, if with_options, and both lengths.  Returns the block's bytes; 0: no
 * room. */
size_t bpei_block_finish(struct bpei_block_out *out, bool with_options);

/* ---- Whole blocks ---- */

/* Options that are encoded already, without an end of options, in this machine's byte order. */
struct bpei_raw_options {
	const uint8_t *bytes; /* NULL: none */
	size_t length;        /* a multiple of 4 */
};

/* A section header.  The section's length is written as unknown (-1). */
struct bpei_section_out {
	const char *comment, *hardware, *os, *application;
	struct bpei_raw_options raw;
};
size_t bpei_section_put(uint8_t *to, size_t room, const struct bpei_section_out *section);

/* An interface description. */
struct bpei_interface_out {
	uint32_t link_type, snaplen; /* snaplen 0: no limit */
	uint8_t digits; /* of a second in time stamps; 6 is written without an option */
	bool has_mac, has_effective_id;
	uint8_t mac[6];
	uint32_t effective_id; /* Apple's e_if_id */
	uint64_t speed;        /* bits a second; 0: unknown */
	const char *name, *description, *hardware, *os, *filter_text, *comment;
	const void *program;     /* struct bpf_insn, 8 bytes each, of this machine's byte order */
	uint32_t program_length; /* instructions; at most 8,191 are written, else none */
	struct bpei_raw_options raw;
};
size_t bpei_interface_put(uint8_t *to, size_t room, const struct bpei_interface_out *interface);

/* Totals of an interface since the beginning of the capture.  Each is written if its bit is in
 * known: BPEI_STATISTICS_*. */
#define BPEI_STATISTICS_START 0x01u
#define BPEI_STATISTICS_END 0x02u
#define BPEI_STATISTICS_RECEIVED 0x04u
#define BPEI_STATISTICS_INTERFACE_DROPPED 0x08u
#define BPEI_STATISTICS_ACCEPTED 0x10u
#define BPEI_STATISTICS_DROPPED 0x20u
#define BPEI_STATISTICS_DELIVERED 0x40u
struct bpei_statistics_out {
	uint32_t interface_id, known;
	uint64_t stamp, start, end; /* time stamps of the interface's resolution */
	uint64_t received, interface_dropped, accepted, dropped, delivered;
	const char *comment;
};
size_t bpei_statistics_put(uint8_t *to, size_t room, const struct bpei_statistics_out *statistics);

/* Apple's process information.  uuid: 16 bytes; NULL: none. */
size_t bpei_process_put(
	uint8_t *to, size_t room, uint32_t pid, const char *name, const uint8_t *uuid);

/* Names of addresses: begin, add as many as have room, finish with bpei_block_finish after
 * bpei_names_end.  address: 4 or 16 bytes by ip_version 4 or 6.  add returns false, with nothing
 * changed, if the name has no room; the last bytes of the block are kept free. */
void bpei_names_begin(struct bpei_block_out *out, uint8_t *to, size_t room);
bool bpei_names_put(
	struct bpei_block_out *out, const uint8_t *address, int ip_version, const char *name);
size_t bpei_names_finish(struct bpei_block_out *out);

/* ---- Packets ---- */

/* A packet and where it goes. */
struct bpei_packet_out {
	const uint8_t *data;
	uint64_t stamp; /* bpei_stamp */
	uint32_t interface_id, caplen, wirelen;
};

/* What is known of a packet besides.  An option is written if its bit is in has.  Without a bit:
 * comment and drop_function (NULL: none), raw. */
#define BPEI_HAS_PROCESS 0x0001u
#define BPEI_HAS_EFFECTIVE 0x0002u
#define BPEI_HAS_FLAGS 0x0004u
#define BPEI_HAS_HASH 0x0008u
#define BPEI_HAS_DROPCOUNT 0x0010u
#define BPEI_HAS_PACKETID 0x0020u
#define BPEI_HAS_QUEUE 0x0040u
#define BPEI_HAS_VERDICT 0x0080u
#define BPEI_HAS_PROCESS_THREAD 0x0100u
#define BPEI_HAS_SERVICE_CLASS 0x0200u
#define BPEI_HAS_FLOW 0x0400u
#define BPEI_HAS_TRACE_TAG 0x0800u
#define BPEI_HAS_DROP_REASON 0x1000u
#define BPEI_HAS_DROP_LINE 0x2000u
#define BPEI_HAS_APPLE_FLAGS 0x4000u
#define BPEI_HAS_COMPRESSION 0x8000u
struct bpei_packet_extra {
	uint32_t has;
	uint32_t process, effective; /* places of process blocks in the section, from 0 on */
	uint32_t flags;              /* epb_flags */
	uint64_t dropcount, packetid;
	uint32_t queue;
	uint32_t pid, tid; /* 0: unknown */
	uint32_t service_class, flow, apple_flags, drop_reason, compression;
	uint16_t trace_tag, drop_line;
	uint8_t hash[17], verdict[9]; /* algorithm or kind, then the value */
	uint8_t hash_bytes, verdict_bytes;
	const char *drop_function, *comment;
	struct bpei_raw_options raw;
};

/* Returns the bytes of an enhanced packet block without options. */
static inline size_t bpei_packet_bytes(uint32_t caplen)
{
	return 32 + (((size_t)caplen + 3) & ~(size_t)3);
}

/* Returns a time as a stamp of 0 to 9 digits of a second; a time before 1970 is held at 0. */
static inline uint64_t bpei_stamp(int64_t time_ns, uint8_t digits)
{
	uint64_t stamp = time_ns < 0 ? 0 : (uint64_t)time_ns;

	if (BPEI_LIKELY(digits >= 9))
		return stamp;
	if (BPEI_LIKELY(digits == 6))
		return stamp / 1000;
	for (; digits < 9; digits++)
		stamp /= 10;
	return stamp;
}

/* Copies a packet.  Packets of 16 to 128 bytes are copied in pieces of 16 without a call. */
static inline void bpei_packet_copy(uint8_t *to, const uint8_t *from, size_t n)
{
	if (BPEI_UNLIKELY(n < 16 || n > 128)) {
		memcpy(to, from, n);
		return;
	}
	for (size_t at = 0; at + 16 < n; at += 16)
		memcpy(to + at, from + at, 16);
	memcpy(to + n - 16, from + n - 16, 16);
}

/* Writes the packet as an enhanced packet block without options, or with epb_flags if flags are not
 * 0.  The caller has proved room for bpei_packet_bytes(caplen) + 12.  Returns the block's bytes. */
static inline size_t bpei_packet_put_plain(
	uint8_t *to, const struct bpei_packet_out *p, uint32_t flags)
{
	const size_t data_bytes = ((size_t)p->caplen + 3) & ~(size_t)3;
	const size_t bytes = 32 + data_bytes + (flags ? 12 : 0);
	uint8_t *behind = to + 28 + data_bytes;

	bpei_store32(behind - 4, 0); /* padding; overwritten where there is none */
	bpei_store32(to, BPEI_BLOCK_PACKET);
	bpei_store32(to + 4, (uint32_t)bytes);
	bpei_store32(to + 8, p->interface_id);
	bpei_store32(to + 12, (uint32_t)(p->stamp >> 32));
	bpei_store32(to + 16, (uint32_t)p->stamp);
	bpei_store32(to + 20, p->caplen);
	bpei_store32(to + 24, p->wirelen);
	bpei_packet_copy(to + 28, p->data, p->caplen);
	if (flags) {
		bpei_store16(behind, BPEI_OPTION_FLAGS);
		bpei_store16(behind + 2, 4);
		bpei_store32(behind + 4, flags);
		bpei_store32(behind + 8, BPEI_OPTION_END);
		behind += 12;
	}
	bpei_store32(behind, (uint32_t)bytes);
	return bytes;
}

/* Begins a packet's block, up to and with the packet. */
void bpei_packet_begin(
	struct bpei_block_out *out, uint8_t *to, size_t room, const struct bpei_packet_out *packet);

/* Appends the options of the extra members, in Apple's order. */
void bpei_packet_put_extra(struct bpei_block_out *out, const struct bpei_packet_extra *extra);

/* Writes the packet with all that is known of it, options in Apple's order. */
size_t bpei_packet_put(uint8_t *to, size_t room, const struct bpei_packet_out *packet,
	const struct bpei_packet_extra *extra);

#endif
