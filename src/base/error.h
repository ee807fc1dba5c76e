/* SPDX-License-Identifier: MIT */
/* Filling a struct bpe_error. */
#ifndef BPEI_ERROR_H
#define BPEI_ERROR_H

#include "bpfengine.h"

/* Fills *e (if not NULL) and returns status, so a failure needs a single statement.  sys_errno 0:
 * none; otherwise the system's text follows the formatted text. */
int bpei_fail(struct bpe_error *e, int status, const char *step, int sys_errno, const char *format,
	...) __attribute__((format(printf, 5, 6)));

/* Returns the status for an errno where nothing better is known. */
int bpei_status_of(int sys_errno);

#endif
