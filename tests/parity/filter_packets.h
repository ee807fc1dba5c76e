/* SPDX-License-Identifier: MIT */
/* Packets of many link types, kept for comparing filters with libpcap's. */
#ifndef FILTER_PACKETS_H
#define FILTER_PACKETS_H

#include <stdbool.h>
#include <stdint.h>

#define LINKS 62

/* Link types as in savefiles, and libpcap's numbers on this system. */
struct link_number {
	int link, dlt;
};
extern const struct link_number links[LINKS];

struct packet {
	uint8_t *data;
	uint32_t caplen, wirelen;
};
extern struct packet *packets[LINKS]; /* of links[l], count[l] packets */
extern uint32_t count[LINKS];

/* Keeps up to 300 packets of the savefile; nothing if the file cannot be read. */
void read_savefile(const char *path);
/* Keeps packets of the generator. */
void read_synth(void);
/* Puts the Ethernet packets under the headers of all other link types. */
void make_other_packets(void);
void make_random_packets(void);

/* Returns a random number; the row of numbers is the same in each run. */
uint32_t draw_packet_number(void);

static inline uint32_t read_le16(const uint8_t *d)
{
	return d[0] | (uint32_t)d[1] << 8;
}

#endif
