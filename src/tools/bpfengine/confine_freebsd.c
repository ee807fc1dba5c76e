/* SPDX-License-Identifier: MIT */
/* FreeBSD: Capsicum (capsicum(4)).  Stateless.  Not run on FreeBSD yet.
 *
 * In capability mode no descriptor can be opened by a name.  Open descriptors keep the rights that
 * a capture needs: a BPF device may be read, waited for, asked for its counters and its interface,
 * and given another filter.  The device cannot be moved to another interface. */
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

#define DESCRIPTORS_MOST 1024

const enum cli_system cli_system_here = CLI_FREEBSD;

static const cap_ioctl_t device_ioctls[] = { BIOCGSTATS, BIOCGETIF, BIOCSETF, BIOCSETFNR, BIOCFLUSH,
	BIOCGBLEN, BIOCROTZBUF, FIONBIO, FIONREAD };
static const cap_ioctl_t terminal_ioctls[] = { TIOCGETA, TIOCGWINSZ };
static const cap_ioctl_t view_ioctls[] = { TIOCGETA, TIOCGWINSZ, TIOCSETA, TIOCSETAW, TIOCSETAF };

/* Returns 0 or an errno. */
static int set_descriptor_rights(int fd, const cap_rights_t *rights)
{
	return cap_rights_limit(fd, rights) ? errno : 0;
}

/* Limits the directory in which the flow file is opened anew.  The opened file gets no more rights
 * than the directory has.  Returns 0 or an errno. */
static int limit_directory(int fd)
{
	cap_rights_t rights;

	cap_rights_init(&rights, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL, CAP_SEEK,
		CAP_FTRUNCATE, CAP_LOOKUP, CAP_CREATE);
	return set_descriptor_rights(fd, &rights);
}

/* Limits the directory in which the writer makes, renames and removes savefiles.  Returns 0 or an
 * errno. */
static int limit_write_directory(int fd)
{
	cap_rights_t rights;

	cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FSTATAT,
		CAP_FSTATFS, CAP_FCNTL, CAP_FCHMOD, CAP_FLOCK, CAP_FSYNC, CAP_SEEK, CAP_FTRUNCATE,
		CAP_LOOKUP, CAP_CREATE, CAP_UNLINKAT, CAP_RENAMEAT_SOURCE, CAP_RENAMEAT_TARGET,
		CAP_LINKAT_SOURCE, CAP_LINKAT_TARGET);
	return set_descriptor_rights(fd, &rights);
}

/* Limits a character device: the BPF device, or the output of --flows.  Returns 0 or an errno. */
static int limit_device(int fd)
{
	cap_rights_t rights;

	cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL, CAP_IOCTL,
		CAP_MMAP_R, CAP_SEEK);
	if (cap_ioctls_limit(fd, device_ioctls, sizeof device_ioctls / sizeof *device_ioctls))
		return errno;
	return set_descriptor_rights(fd, &rights);
}

/* Limits any other descriptor.  CAP_FTRUNCATE lets a torn line be cut off the flow file.  view: the
 * live view sets the terminal's mode.  Returns 0 or an errno. */
static int limit_other(int fd, bool view)
{
	const size_t view_count = sizeof view_ioctls / sizeof *view_ioctls;
	const size_t terminal_count = sizeof terminal_ioctls / sizeof *terminal_ioctls;
	const cap_ioctl_t *ioctls = view ? view_ioctls : terminal_ioctls;
	const size_t count = view ? view_count : terminal_count;
	cap_rights_t rights;

	cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FSTAT, CAP_FCNTL, CAP_IOCTL,
		CAP_MMAP_R, CAP_SEEK, CAP_FTRUNCATE, CAP_FSYNC);
	if (cap_ioctls_limit(fd, ioctls, count))
		return errno;
	return set_descriptor_rights(fd, &rights);
}

/* Limits a descriptor, if the number is open.  Returns 0 or an errno. */
static int limit_descriptor(int fd, const struct cli_confinement *how)
{
	struct stat st;

	if (fstat(fd, &st))
		return errno == EBADF ? 0 : errno;
	if (how->output && fd == how->output_directory)
		return limit_directory(fd);
	if (how->second && fd == how->second_directory)
		return limit_directory(fd);
	if (how->write_folder && fd == how->write_directory)
		return limit_write_directory(fd);
	const bool is_view = how->terminal && isatty(fd);
	if (fd > STDERR_FILENO && S_ISCHR(st.st_mode) && !is_view)
		return limit_device(fd);
	return limit_other(fd, how->terminal);
}

static const char *describe_capsicum_files(const struct cli_confinement *how)
{
	if (how->write_folder)
		return how->output ? "no files but the flows' and the packets'"
				   : "no files but the packets'";
	return how->output ? "no files but the flows'" : "no files";
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	int failed = 0;

	*done = (struct cli_confined){ .filter_fixed = false };
	for (int fd = 0; fd < getdtablesize() && fd < DESCRIPTORS_MOST && !failed; fd++)
		failed = limit_descriptor(fd, how);
	if (!failed && cap_enter())
		failed = errno;
	if (failed)
		snprintf(done->failed, sizeof done->failed, "no Capsicum (%s)",
			failed == ENOSYS ? "this kernel has none" : strerror(failed));
	else
		snprintf(done->holds, sizeof done->holds,
			"Capsicum (%s, no new sockets, the device as it is)",
			describe_capsicum_files(how));
}

int cli_confine_owners(void)
{
	return ENOTSUP;
}
