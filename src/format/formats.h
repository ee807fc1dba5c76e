/* SPDX-License-Identifier: MIT */
/* The formats of a flow's line.  A new format is a function here, a row in format.c and a number in
 * enum bpe_format.  Pure. */
#ifndef BPEI_FORMATS_H
#define BPEI_FORMATS_H

#include "format/flow_text.h"

/* Each writes a flow as a line, without the line's end.  csv: a flow of NULL writes the names of
 * the columns. */
void bpei_format_json(struct bpei_writer *w, const struct bpe_flow *flow);
void bpei_format_zeek(struct bpei_writer *w, const struct bpe_flow *flow);
void bpei_format_eve(struct bpei_writer *w, const struct bpe_flow *flow);
void bpei_format_ecs(struct bpei_writer *w, const struct bpe_flow *flow);
void bpei_format_csv(struct bpei_writer *w, const struct bpe_flow *flow);

#endif
