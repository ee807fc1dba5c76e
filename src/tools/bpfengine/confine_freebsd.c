/* SPDX-License-Identifier: MIT */
/* FreeBSD: Capsicum (capsicum(4)).  No new descriptor can be opened by a name any more; those that
 * are open keep what a capture does with them: a BPF device may be read, waited for, asked for its
 * counters and its interface, given another filter, and nothing else, so that it cannot be moved to
 * another interface.  Not run on FreeBSD yet. */
#include "rights.h"

#include <sys/types.h>
#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <net/bpf.h>
#include <net/if.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

const enum cli_system cli_system_here = CLI_FREEBSD;

static int limit(int fd, bool view, bool directory)
{
	static const cap_ioctl_t device[] = { BIOCGSTATS, BIOCGETIF, BIOCSETF, BIOCSETFNR,
		BIOCFLUSH, BIOCGBLEN, BIOCROTZBUF, FIONBIO, FIONREAD };
	static const cap_ioctl_t terminal[] = { TIOCGETA, TIOCGWINSZ, TIOCSETA, TIOCSETAW,
		TIOCSETAF }; /* the last three: the live view's */
	cap_rights_t rights;
	struct stat st;
	if (fstat(fd, &st))
		return errno == EBADF ? 0 : errno;
	if (directory) { /* where the flows' file is opened anew: what is opened gets no more rights
			    than these */
		cap_rights_init(&rights, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL, CAP_SEEK,
			CAP_FTRUNCATE, CAP_LOOKUP, CAP_CREATE);
	} else if (fd > STDERR_FILENO && S_ISCHR(st.st_mode) &&
		   !(view && isatty(fd))) { /* the device, or what --flows writes to */
		cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL,
			CAP_IOCTL, CAP_MMAP_R, CAP_SEEK);
		if (cap_ioctls_limit(fd, device, sizeof device / sizeof *device))
			return errno;
	} else { /* CAP_FTRUNCATE: a torn line is cut off the flows' file */
		cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL,
			CAP_IOCTL, CAP_MMAP_R, CAP_SEEK, CAP_FTRUNCATE);
		if (cap_ioctls_limit(fd, terminal, view ? 5 : 2))
			return errno;
	}
	return cap_rights_limit(fd, &rights) ? errno : 0;
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	int e = 0;
	*done = (struct cli_confined){ .filter_fixed = false };
	for (int fd = 0; fd < getdtablesize() && fd < 1024 && !e; fd++)
		e = limit(fd, how->terminal, how->output && fd == how->output_directory);
	if (!e && cap_enter())
		e = errno;
	if (!e)
		snprintf(done->holds, sizeof done->holds,
			"Capsicum (%s, no new sockets, the device as it is)",
			how->output ? "no files but the flows'" : "no files");
	else
		snprintf(done->failed, sizeof done->failed, "no Capsicum (%s)",
			e == ENOSYS ? "this kernel has none" : strerror(e));
}
