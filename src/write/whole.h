/* SPDX-License-Identifier: MIT */
/* Where blocks of pcapng and records of pcap end, in bytes of this program, in the host's
 * byte order.  Pure. */
#ifndef BPEI_WHOLE_H
#define BPEI_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_PCAP_HEADER 24 /* bytes in front of the first record of a pcap file */

/* The whole pieces in the first bytes of a chunk. */
struct bpei_whole {
	size_t bytes;
	uint32_t packets;
	uint64_t captured_bytes; /* of these packets */
};

/* Measures the whole blocks (pcapng) or records (pcap) within the first `written` bytes of a chunk.
 * begins: the chunk begins with a file's header.  Ends at bytes of no block. */
struct bpei_whole bpei_whole_measure(
	const uint8_t *bytes, size_t written, bool pcapng, bool begins);

/* Copies the blocks to which later packets refer: section, interfaces, processes, names, or the
 * header of a pcap file.  Returns how many bytes the copy takes, also if room is less; then the
 * copy is without use. */
size_t bpei_whole_describe(
	const uint8_t *bytes, size_t used, bool pcapng, bool begins, uint8_t *to, size_t room);

#endif
