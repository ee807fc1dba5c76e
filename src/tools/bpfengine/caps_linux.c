/* SPDX-License-Identifier: MIT */
/* Capabilities (capabilities(7)): of root, or of a program that was given some by setcap(8).  After
 * the source is open none is needed, but what the plan keeps.  no_new_privs sees to it that no file
 * gives any back.  By the kernel's own calls: no library for two of them. */
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_CAP_AMBIENT
#define PR_CAP_AMBIENT 47 /* Linux 4.3 */
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#endif

static uint32_t kept(bool read, bool nice)
{
	return (read ? 1u << CAP_DAC_READ_SEARCH : 0) | (nice ? 1u << CAP_SYS_NICE : 0);
}

static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	return syscall(SYS_capget, &head, data) ? errno : 0;
}

int cli_caps_before(bool read, bool nice)
{
	return kept(read, nice) && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ? errno : 0;
}

int cli_caps_after(bool read, bool nice)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], want[2] = { { .permitted = 0 } };
	int e = get(now);
	if (e)
		return e;
	want[0].permitted = want[0].effective = now[0].permitted & kept(read, nice);
	if (syscall(SYS_capset, &head, want))
		return errno;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
		0); /* those left out of permitted are out of it already */
	if ((e = get(now)))
		return e;
	if (now[0].permitted != want[0].permitted || now[1].permitted)
		return EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}

void cli_caps_text(char *text, size_t room)
{
	struct __user_cap_data_struct now[2];
	if (get(now))
		snprintf(text, room, "unknown capabilities");
	else if (!now[0].permitted && !now[1].permitted)
		snprintf(text, room, "no capabilities");
	else if (now[0].permitted & ~kept(true, true) || now[1].permitted)
		snprintf(text, room, "capabilities %llx",
			(unsigned long long)now[1].permitted << 32 | now[0].permitted);
	else
		snprintf(text, room, "capabilities:%s%s",
			now[0].permitted & kept(true, false) ? " dac_read_search" : "",
			now[0].permitted & kept(false, true) ? " sys_nice" : "");
}
