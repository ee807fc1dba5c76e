/* SPDX-License-Identifier: MIT */
/* Declarations shared by the parts of the drivers' model.  bpf_model.c holds nodes and interfaces,
 * bpf_model_ioctl.c requests, bpf_model_tap.c packets.  bpf_model_zbuf.c holds FreeBSD's shared
 * buffers, bpf_model_read.c reads and readiness. */
#ifndef BPF_MODEL_PARTS_H
#define BPF_MODEL_PARTS_H

#include "bpf_model.h"

static inline bool model_is(const struct model *m, enum bpei_bpf_system system)
{
	return m->abi->system == system;
}

/* bpf_model.c */
void model_detach(struct model_node *d);
void model_release(struct model_node *d);                /* frees the kernel's own buffers */
void model_reset(struct model *m, struct model_node *d); /* reset_d: buffers and counters */

/* bpf_model_tap.c */
void model_rotate(struct model *m, struct model_node *d);
uint32_t model_counted(const struct model *m, const struct model_node *d);

/* bpf_model_zbuf.c */
int model_zbuf_set(struct model *m, struct model_node *d, uint64_t argument);
int model_zbuf_rotate(struct model *m, struct model_node *d, uint64_t argument);
bool model_zbuf_returned(const struct model *m, const struct model_node *d);
void model_zbuf_reclaim(struct model *m, struct model_node *d);
void model_zbuf_hold(struct model *m, struct model_node *d);
bool model_zbuf_full(struct model *m, struct model_node *d);
void model_zbuf_write(
	struct model *m, struct model_node *d, uint32_t at, const void *bytes, size_t n);

#endif
