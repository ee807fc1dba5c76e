/* SPDX-License-Identifier: MIT */
/* The public suffix list (publicsuffix.org, "Format"): the suffixes under which anybody can
 * register a name.
 *
 * A table keeps the rules by their text.  Rules that are not ASCII are kept twice: in UTF-8, and as
 * IDNA writes them ("xn--...").  Names come in both forms.  Constant once made. */
#ifndef BPEI_SUFFIXES_H
#define BPEI_SUFFIXES_H

#include "bpfengine.h"

/* Longest name that is looked for, without a 0. */
#define BPEI_NAME_MOST 255u

struct bpei_suffixes;

/* Reads a list.  path NULL: the first list of the system.  Fails with BPE_E_ABSENT or BPE_E_IO for
 * a file that cannot be read.  Fails with BPE_E_ARGUMENT for a file that is no list, or with
 * BPE_E_MEMORY. */
int bpei_suffixes_open(const char *path, struct bpei_suffixes **suffixes, struct bpe_error *error);
/* Makes the table from a list's text, which is changed.  Fails as bpei_suffixes_open. */
int bpei_suffixes_read(
	char *text, const char *path, struct bpei_suffixes **suffixes, struct bpe_error *error);
/* Frees the table, or NULL. */
void bpei_suffixes_close(struct bpei_suffixes *suffixes);

/* What the list says of a name. */
struct bpei_suffix {
	size_t registered; /* offset of the registered domain; n: the name is a public suffix */
	size_t suffix;     /* offset of the public suffix */
	bool listed;       /* false: no rule fits, and the last label counts as a suffix */
};

/* Finds the registered domain in a name of n bytes, in lower case, without a dot at the end and
 * without an empty label.  Any thread. */
struct bpei_suffix bpei_suffixes_find(
	const struct bpei_suffixes *suffixes, const char *name, size_t n);

#endif
