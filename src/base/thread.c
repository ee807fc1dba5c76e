/* SPDX-License-Identifier: MIT */
/* The core and the urgency of a thread; stateless.  Sources: sched_setaffinity(2), sched(7),
 * setpriority(2) (Linux); <pthread/qos.h>, <mach/thread_policy.h> (macOS: affinity is a hint, and
 * refused on Apple silicon); pthread_np(3) (FreeBSD). */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <mach/thread_policy.h>
#include <pthread/qos.h>
#elif defined(__FreeBSD__)
#include <pthread_np.h>
#include <sys/cpuset.h>
#include <sys/param.h>
#elif defined(__OpenBSD__)
#include <pthread_np.h>
#endif

uint32_t bpei_thread_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (uint32_t)n : 1;
}

uint32_t bpei_thread_own_cores(void)
{
#if defined(__linux__)
	cpu_set_t own;

	if (!pthread_getaffinity_np(pthread_self(), sizeof own, &own) && CPU_COUNT(&own) > 0)
		return (uint32_t)CPU_COUNT(&own);
#elif defined(__FreeBSD__)
	cpuset_t own;

	if (!pthread_getaffinity_np(pthread_self(), sizeof own, &own) && CPU_COUNT(&own) > 0)
		return (uint32_t)CPU_COUNT(&own);
#endif
	return bpei_thread_cores();
}

#if !defined(__APPLE__)
static int set_fifo(void)
{
	struct sched_param p = { .sched_priority = sched_get_priority_min(SCHED_FIFO) + 9 };
	return pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
}
#endif

#if defined(__linux__)

/* Pins to the core-th core which this process may use: a container's cores do not begin at 0. */
int bpei_thread_pin(uint32_t core)
{
	cpu_set_t allowed, chosen;

	if (sched_getaffinity(0, sizeof allowed, &allowed))
		return errno;
	uint32_t count = (uint32_t)CPU_COUNT(&allowed);
	if (!count)
		return EINVAL;
	core %= count;
	for (int c = 0; c < CPU_SETSIZE; c++) {
		if (!CPU_ISSET(c, &allowed) || core--)
			continue;
		CPU_ZERO(&chosen);
		CPU_SET(c, &chosen);
		return pthread_setaffinity_np(pthread_self(), sizeof chosen, &chosen);
	}
	return EINVAL;
}

int bpei_thread_urgent(int realtime)
{
	if (realtime)
		return set_fifo();
	/* On Linux a nice value belongs to a thread (setpriority(2), NOTES). */
	return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -10) ? errno : 0;
}

void bpei_thread_name(const char *name)
{
	pthread_setname_np(pthread_self(), name);
}

#elif defined(__APPLE__)

int bpei_thread_pin(uint32_t core)
{
	thread_affinity_policy_data_t policy = { (integer_t)core + 1 }; /* 0 is "no tag" */
	kern_return_t r = thread_policy_set(pthread_mach_thread_np(pthread_self()),
		THREAD_AFFINITY_POLICY, (thread_policy_t)&policy, THREAD_AFFINITY_POLICY_COUNT);
	return r == KERN_SUCCESS ? 0 : ENOTSUP;
}

int bpei_thread_urgent(int realtime)
{
	(void)realtime;
	return pthread_set_qos_class_self_np(QOS_CLASS_USER_INTERACTIVE, 0);
}

void bpei_thread_name(const char *name)
{
	pthread_setname_np(name);
}

#else

int bpei_thread_pin(uint32_t core)
{
#if defined(__FreeBSD__)
	cpuset_t one;
	CPU_ZERO(&one);
	CPU_SET(core % bpei_thread_cores(), &one);
	return pthread_setaffinity_np(pthread_self(), sizeof one, &one);
#else
	(void)core;
	return ENOTSUP;
#endif
}

int bpei_thread_urgent(int realtime)
{
	return realtime ? set_fifo() : ENOTSUP;
}

void bpei_thread_name(const char *name)
{
#if defined(__FreeBSD__) || defined(__OpenBSD__)
	pthread_set_name_np(pthread_self(), name);
#elif defined(__NetBSD__)
	pthread_setname_np(pthread_self(), "%s", (void *)(uintptr_t)name);
#else
	(void)name;
#endif
}

#endif
