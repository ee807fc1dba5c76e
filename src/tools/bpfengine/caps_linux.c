/* SPDX-License-Identifier: MIT */
/* Capabilities (capabilities(7)) of root, or of a program which was given some by setcap(8);
 * stateless.
 *
 * After the source is open the program needs no capability beside the capabilities of the plan.
 * no_new_privs ensures that no executed file gives any back.  The kernel's calls are made directly:
 * two calls need no library. */
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

/* Returns the capabilities to keep as bits of the first word. */
static uint32_t kept_capabilities(bool read, bool nice)
{
	uint32_t bits = 0;

	if (read)
		bits |= 1u << CAP_DAC_READ_SEARCH;
	if (nice)
		bits |= 1u << CAP_SYS_NICE;
	return bits;
}

/* Returns 0 or an errno. */
static int get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, data) ? errno : 0;
}

int cli_caps_before(bool read, bool nice)
{
	if (!kept_capabilities(read, nice))
		return 0;
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ? errno : 0;
}

/* Gives up all capabilities but those of the bits.  Returns 0 or an errno. */
static int keep_capabilities(uint32_t bits)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], want[2] = { { .permitted = 0 } };
	int failed = get_capabilities(now);

	if (failed)
		return failed;
	want[0].permitted = now[0].permitted & bits;
	want[0].effective = want[0].permitted;
	if (syscall(SYS_capset, &head, want))
		return errno;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	/* may fail on old kernels: ambient capabilities are a part of the permitted set */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	failed = get_capabilities(now);
	if (failed)
		return failed;
	if (now[0].permitted != want[0].permitted || now[1].permitted)
		return EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}

int cli_caps_after(bool read, bool nice)
{
	return keep_capabilities(kept_capabilities(read, nice));
}

int cli_caps_before_owners(void)
{
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) ? errno : 0;
}

int cli_caps_after_owners(void)
{
	return keep_capabilities(1u << CAP_DAC_READ_SEARCH | 1u << CAP_SYS_PTRACE);
}

void cli_caps_text(char *text, size_t room)
{
	struct __user_cap_data_struct now[2];

	if (get_capabilities(now)) {
		snprintf(text, room, "unknown capabilities");
		return;
	}
	const uint32_t low = now[0].permitted;
	const uint32_t high = now[1].permitted;
	if (!low && !high)
		snprintf(text, room, "no capabilities");
	else if (low & ~kept_capabilities(true, true) || high)
		snprintf(text, room, "capabilities %llx", (unsigned long long)high << 32 | low);
	else {
		const char *reading =
			low & kept_capabilities(true, false) ? " dac_read_search" : "";
		const char *priority = low & kept_capabilities(false, true) ? " sys_nice" : "";
		snprintf(text, room, "capabilities:%s%s", reading, priority);
	}
}
