/* SPDX-License-Identifier: MIT */
/* Options: defaults and checks without a device. */
#ifndef BPEI_OPTIONS_H
#define BPEI_OPTIONS_H

#include "bpfengine.h"

/* Checks the caller's options and copies them in this library's size.  Returns BPE_OK, or a failure
 * with *error filled and *copy unchanged. */
int bpei_options_check(
	struct bpe_options *copy, const struct bpe_options *given, struct bpe_error *error);

#endif
