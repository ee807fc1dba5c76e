/* SPDX-License-Identifier: MIT */
/* Options: defaults and checks that need no device. */
#ifndef BPEI_OPTIONS_H
#define BPEI_OPTIONS_H

#include "bpfengine.h"

/* A checked copy of what the caller gave, in this library's size. */
int bpei_options_check(
	struct bpe_options *copy, const struct bpe_options *given, struct bpe_error *error);

#endif
