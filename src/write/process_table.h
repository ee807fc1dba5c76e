/* SPDX-License-Identifier: MIT */
/* The processes of a written section: each has the place of the process information block,
 * from 0 on.  A process is a pid, a name and a UUID: a pid may have several blocks, as in Apple's
 * files. */
#ifndef BPEI_PROCESS_TABLE_H
#define BPEI_PROCESS_TABLE_H

#include "records/pcapng_kept.h"

#define BPEI_NO_PROCESS UINT32_MAX

struct bpei_process_table {
	struct bpei_process_info *processes; /* by place */
	uint32_t *slots;                     /* hash table of places + 1; 0: free */
	uint32_t count, room;                /* room: of processes; slots has twice as many */
};

/* Finds or adds the process.  Returns the place; BPEI_NO_PROCESS without memory, or behind the
 * most processes.  *is_new: the process was added. */
uint32_t bpei_process_table_add(
	struct bpei_process_table *table, const struct bpei_process_info *process, bool *is_new);

/* Removes the last added process. */
void bpei_process_table_undo(struct bpei_process_table *table);

/* Forgets all processes: a section begins. */
void bpei_process_table_clear(struct bpei_process_table *table);
void bpei_process_table_free(struct bpei_process_table *table);

#endif
