/* SPDX-License-Identifier: MIT */
/* Filling a struct bpe_error; pure. */
#include "base/error.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bpei_fail(
	struct bpe_error *e, int status, const char *step, int sys_errno, const char *format, ...)
{
	if (!e)
		return status;
	va_list args;
	va_start(args, format);
	e->status = status;
	e->sys_errno = sys_errno;
	snprintf(e->step, sizeof e->step, "%s", step);
	int n = vsnprintf(e->text, sizeof e->text, format, args);
	va_end(args);
	if (sys_errno && n >= 0 && (size_t)n < sizeof e->text)
		snprintf(e->text + n, sizeof e->text - (size_t)n, "%s%s", n ? ": " : "",
			strerror(sys_errno));
	/* Names of files and interfaces come from outside; new lines are kept if the format has
	 * some. */
	bpei_utf8_show(e->text, sizeof e->text, strchr(format, '\n') != NULL);
	return status;
}

int bpei_status_of(int sys_errno)
{
	switch (sys_errno) {
	case EPERM:
	case EACCES:
		return BPE_E_RIGHTS;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return BPE_E_ABSENT;
	case EBUSY:
		return BPE_E_BUSY;
	case ENOMEM:
	case ENOBUFS:
		return BPE_E_MEMORY;
	case ENOSYS:
	case EOPNOTSUPP:
		return BPE_E_UNSUPPORTED;
	default:
		return BPE_E_IO;
	}
}

const char *bpe_status_text(int status)
{
	static const char *const text[] = { "no error", "wrong argument", "out of memory",
		"permission denied", "not found", "busy", "input/output error",
		"not a savefile or damaged", "savefile ends inside a record", "interface went away",
		"not supported here", "not possible in this state", "end of source" };
	const int known = (int)(sizeof text / sizeof *text);
	return status <= 0 && status > -known ? text[-status] : "unknown error";
}
