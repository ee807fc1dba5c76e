/* SPDX-License-Identifier: MIT */
/* Filling a struct bpe_error. */
#ifndef BPEI_ERROR_H
#define BPEI_ERROR_H

#include "bpfengine.h"

/* Fills *e (if not NULL) and returns status, so that failing is one statement.  sys_errno 0: none;
 * otherwise its text is put behind the formatted one. */
int bpei_fail(struct bpe_error *e, int status, const char *step, int sys_errno, const char *format,
	...) __attribute__((format(printf, 5, 6)));

/* The status that fits an errno where nothing better is known. */
int bpei_status_of(int sys_errno);

#endif
