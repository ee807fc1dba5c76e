/* SPDX-License-Identifier: MIT */
/* Shared by the examples: the argument is an interface, a savefile, or synth. */
#ifndef SOURCE_H
#define SOURCE_H

#include <bpfengine.h>
#include <string.h>
#include <sys/stat.h>

static inline void source_option(struct bpe_options *options, const char *argument)
{
	struct stat st;
	bpe_options_init(options);
	if (!strcmp(argument, "-") || !stat(argument, &st))
		options->file = argument;
	else
		options->interface_name = argument;
}

#endif
