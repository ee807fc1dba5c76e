/* SPDX-License-Identifier: MIT */
/* The tunnels by which flows came; tunnels.c. */
#ifndef BPEI_FLOW_TUNNELS_H
#define BPEI_FLOW_TUNNELS_H

#include "flow/table.h"

/* Returns the bytes reserved for the tunnels of so many flows. */
uint64_t bpei_tunnels_bytes(uint64_t max_flows);

/* Returns BPE_OK or BPE_E_MEMORY. */
int bpei_tunnels_init(struct bpei_table *t);
void bpei_tunnels_free(struct bpei_table *t);

/* Keeps the tunnel of packet p, which opens the flow. */
void bpei_flow_tunnel_open(
	struct bpei_table *t, uint32_t entry, const struct bpe_batch *b, uint32_t p);

/* Gives the flow's tunnel back. */
void bpei_flow_tunnel_drop(struct bpei_table *t, uint32_t entry);

/* Returns the flow's tunnel; NULL if there was no room for the tunnel. */
const struct bpe_tunnel *bpei_flow_tunnel_find(const struct bpei_table *t, uint32_t entry);

#endif
