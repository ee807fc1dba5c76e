/* SPDX-License-Identifier: MIT */
/* The interfaces of a writer: as described, by the number and link type of their packets. */
#ifndef BPEI_WRITER_INTERFACES_H
#define BPEI_WRITER_INTERFACES_H

#include "bpfengine.h"
#include "records/pcapng_interface.h"
#include "write/pcapng_out.h"

struct bpei_writer_interface {
	struct bpe_write_interface told; /* strings and filter are the table's */
	bool is_used;                    /* a packet of the interface was offered */
	bool has_counts;                 /* counts is filled */
	uint32_t place;                  /* in the file's section, if in_section */
	bool in_section;
	struct bpei_raw_options rest; /* other options of a file's interface; the table's */
	uint64_t written;             /* packets that were encoded, over all files */
	int64_t last_ns;              /* time of the last packet */
	struct bpe_stats counts;
	int64_t counts_ns; /* time of the last statistics block, or 0 */
	uint64_t counted;  /* written at that time */
};

struct bpei_writer_interfaces {
	struct bpei_writer_interface *list;
	uint32_t count;
	bool anonymous;      /* descriptions are left out, since they may tell of addresses */
	uint32_t in_section; /* interfaces that the present section has */
	struct bpei_writer_interface *recent; /* of the packet before; NULL: none */
};

/* Finds the interface; NULL: not known yet.  link_type below 0: the first of the number. */
struct bpei_writer_interface *bpei_interfaces_find(
	const struct bpei_writer_interfaces *interfaces, uint32_t id, int32_t link_type);
/* Adds an interface, or describes a known interface anew.  Returns NULL without memory; the table
 * stays as it was. */
struct bpei_writer_interface *bpei_interfaces_add(
	struct bpei_writer_interfaces *interfaces, const struct bpe_write_interface *told);
/* Keeps the other options of an interface of a pcapng file.  kept NULL: none. */
void bpei_interfaces_keep_rest(
	struct bpei_writer_interface *interface, const struct bpei_kept_interface *kept);
void bpei_interfaces_free(struct bpei_writer_interfaces *interfaces);

/* Begins a section, which has no interface. */
void bpei_interfaces_begin_section(struct bpei_writer_interfaces *interfaces);
/* Writes the interface's description.  snaplen: the writer's; 0: none.  Returns bytes, or 0 without
 * room. */
size_t bpei_interfaces_put(
	uint8_t *to, size_t room, const struct bpei_writer_interface *interface, uint32_t snaplen);
/* Writes the statistics of the interface, which is in the section.  stamp_ns: the time of the
 * counts.  Returns bytes, or 0 without room. */
size_t bpei_interfaces_put_counts(
	uint8_t *to, size_t room, const struct bpei_writer_interface *interface, int64_t stamp_ns);

#endif
