/* SPDX-License-Identifier: MIT */
/* What the program may still do once its source is open: which user it is, and what holds it.
 *
 * Three steps, in this order, on the one thread that there is by then:
 *   the plan (rights_plan.c)  pure: from what was asked, and what the system can, who to become and
 * what to keep; the drop (rights.c)       user, groups; what is left of privileges (caps_*.c, one
 * file a system); the confinement           one file a system (confine_*.c): what nobody can take
 * back, and every thread inherits.
 *
 * The rule: without -Z nothing that works as root stops working: what needs rights later keeps
 * them, as few as can be, and says so. With -Z they go in any case: what cannot work then is
 * refused, or told.  (tcpdump drops by itself where it was built so, as Debian's and OpenBSD's are;
 * upstream's and Apple's stay root.  Whoever wants that says -Z root here as there.) */
#ifndef CLI_RIGHTS_H
#define CLI_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_FILES_MOST                                                                             \
	16 /* files of the filter that are looked after; a filter with more is read again          \
	      unconfined */

enum cli_system {
	CLI_LINUX,
	CLI_MACOS,
	CLI_FREEBSD,
	CLI_NETBSD,
	CLI_OPENBSD,
	CLI_NO_SYSTEM
}; /* the last: a build that neither drops nor confines by itself */

struct cli_rights_facts {
	enum cli_system system;
	bool root;         /* effective user id 0 */
	bool user_is_root; /* -Z names user id 0 */
	bool user_is_self; /* -Z names who we are */
	bool no_confine;
	bool wait_interface, urgent, realtime, pinned;
	bool files_unreadable;      /* a file of the filter is not to be read by who we become */
	const char *user;           /* -Z; NULL: not given */
	const char *fallback;       /* who we become without it; NULL: there is no such user */
	const char *interface_name; /* NULL: a savefile */
	const char *bpf_device;     /* --bpf-device */
	size_t files;               /* of the filter, that SIGUSR2 reads again */
};

struct cli_rights_plan {
	bool refused; /* why */
	bool confine;
	bool reduce; /* give up what the system has beside user ids (Linux: capabilities) */
	bool keep_read, keep_nice; /* Linux: CAP_DAC_READ_SEARCH, CAP_SYS_NICE */
	bool live, bpf;            /* a device; one of BPF's */
	const char *become;        /* NULL: stay who we are */
	const char *why;           /* what is kept, or refused, in words; NULL: nothing of note */
	bool notice;               /* why is news for whoever did not ask (-v) */
};

void cli_rights_plan(struct cli_rights_plan *plan, const struct cli_rights_facts *facts);

/* macOS's profile, in its own language, with files to read and one to write (NULL: none); for free,
 * NULL without memory. */
char *cli_seatbelt_profile(const char *const *files, size_t count, const char *output);

/* ---- Systems: caps_*.c, confine_*.c ---- */

extern const enum cli_system cli_system_here;

/* Around setuid.  Afterwards only what is to be kept is left, and no program that is started gains
 * any.  0 or an errno. */
int cli_caps_before(bool keep_read, bool keep_nice);
int cli_caps_after(bool keep_read, bool keep_nice);
void cli_caps_text(char *text, size_t room); /* "no capabilities"; "" where there are none */

struct cli_confinement {
	const char *const
		*files; /* to be read again, from wherever their directory has them then */
	size_t file_count;
	bool filter; /* there is one: the system's tables of names may be looked into */
	bool live, bpf;
	bool tuned;         /* threads will ask for cores or priorities */
	bool terminal;      /* its mode is set, and asked for its size: the live view */
	const char *output; /* a file that SIGHUP opens anew, for appending, in the directory below;
			       NULL: none */
	int output_directory; /* descriptor */
};

struct cli_confined {
	char holds[160];   /* in words; "": nothing */
	char failed[160];  /* what did not, and why; "": all that the system has */
	bool filter_fixed; /* the kernel's filter cannot be changed any more */
};

void cli_confine(const struct cli_confinement *how, struct cli_confined *done);

/* The system's tables that a filter's names come from, ended by NULL. */
extern const char *const cli_name_files[];

#endif
