/* SPDX-License-Identifier: MIT */
/* Rights of the program after its source is open: its user, its capabilities, its confinement.
 *
 * Three steps, in this order, on the only thread so far:
 *   the plan (rights_plan.c)  pure: decides from the options and the system which user to become
 *                             and what to keep;
 *   the drop (rights.c)       changes user and groups, and reduces privileges (caps_*.c, one file
 *                             for each system);
 *   the confinement           one file for each system (confine_*.c); cannot be undone, and every
 *                             thread inherits the confinement.
 *
 * The rule: without -Z nothing which works as root stops working.  A part of the program which
 * needs rights later keeps as few rights as possible, and says so.  With -Z rights are given up in
 * any case; an option which cannot work then is refused or reported.  (tcpdump drops rights by
 * itself where tcpdump was built so, as Debian's and OpenBSD's are; upstream's and Apple's stay
 * root.  A user who wants root says -Z root, here as there.) */
#ifndef CLI_RIGHTS_H
#define CLI_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files of the filter which the confinement lets through.  With more files the program is not
 * confined, so SIGUSR2 can read all of them again. */
#define CLI_FILES_MOST 16

enum cli_system {
	CLI_LINUX,
	CLI_MACOS,
	CLI_FREEBSD,
	CLI_NETBSD,
	CLI_OPENBSD,
	CLI_NO_SYSTEM /* a build which neither drops nor confines by itself */
};

struct cli_rights_facts {
	enum cli_system system;
	bool root;         /* the effective user id is 0 */
	bool user_is_root; /* -Z names user id 0 */
	bool user_is_self; /* -Z names the user which runs the program */
	bool no_confine;
	bool wait_interface, urgent, realtime, pinned;
	bool files_unreadable;      /* the user to become cannot read a file of the filter */
	const char *user;           /* -Z; NULL: not given */
	const char *fallback;       /* the user to become without -Z; NULL: no such user */
	const char *interface_name; /* NULL: a savefile */
	const char *bpf_device;     /* --bpf-device */
	size_t files;               /* of the filter, which SIGUSR2 reads again */
};

struct cli_rights_plan {
	bool refused; /* -Z and another option exclude each other; see why */
	bool confine;
	bool reduce;               /* give up rights beside user ids (Linux: capabilities) */
	bool keep_read, keep_nice; /* Linux: CAP_DAC_READ_SEARCH, CAP_SYS_NICE */
	bool live, bpf;            /* the source is a device; a BPF device */
	const char *become;        /* NULL: keep the user */
	const char *why;           /* says what is kept or refused; NULL: nothing to report */
	bool notice;               /* report `why` also without -v */
};

void cli_rights_plan(struct cli_rights_plan *plan, const struct cli_rights_facts *facts);

/* Returns macOS's profile with the files to read, the files to write and the folder to write
 * savefiles in (NULL: none), to be freed by the caller, or NULL without memory. */
char *cli_seatbelt_profile(
	const char *const *files, size_t count, const char *const outputs[2], const char *folder);

/* ---- Systems: caps_*.c, confine_*.c ---- */

extern const enum cli_system cli_system_here;

/* Run before and after the change of user.  Afterwards only the privileges to keep are left, and no
 * executed program gains any.  Return 0 or an errno. */
int cli_caps_before(bool keep_read, bool keep_nice);
int cli_caps_after(bool keep_read, bool keep_nice);
/* The same for the helper that asks for owners of sockets: what is kept reads the descriptors of
 * other users' processes.  cli_confine_owners then leaves the helper no system calls but those of
 * asking.  Each returns 0 or an errno; ENOTSUP: this system has no such confinement. */
int cli_caps_before_owners(void);
int cli_caps_after_owners(void);
int cli_confine_owners(void);
/* Writes "no capabilities" and the like; "" on systems without capabilities. */
void cli_caps_text(char *text, size_t room);

struct cli_confinement {
	const char *const *files; /* to be read again, by the names which they have then */
	size_t file_count;
	bool filter; /* there is a filter: the system's tables of names may be read */
	bool live, bpf;
	bool waits;           /* for the return of an interface (--wait-interface) */
	bool tuned;           /* threads will ask for cores or priorities */
	bool terminal;        /* the live view sets the terminal's mode and asks for its size */
	const char *output;   /* a file which SIGHUP opens anew for appending; NULL: none */
	int output_directory; /* descriptor of its directory */
	const char *second;   /* another file of that kind, only with the first; NULL: none */
	int second_directory;
	/* -w: the writer makes files in a directory, or writes to an open descriptor */
	bool writes;
	const char *write_folder; /* path of the directory from the root; NULL: none */
	int write_directory;      /* descriptor of the directory */
	int write_fd;             /* the open descriptor; -1: none */
	bool command;             /* a helper process is waited for at the end: -z, targets */
};

struct cli_confined {
	char holds[160];   /* mechanisms which work; "": none */
	char failed[160];  /* mechanisms which failed, and why; "": none */
	bool filter_fixed; /* the kernel's filter cannot be changed any more */
};

void cli_confine(const struct cli_confinement *how, struct cli_confined *done);

/* The system's tables in which a filter's names are looked up; NULL at the end. */
extern const char *const cli_name_files[];

#endif
