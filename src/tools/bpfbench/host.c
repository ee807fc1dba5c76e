/* SPDX-License-Identifier: MIT */
/* The facts of the host on which figures depend: machine, system and load.  Facts that the system
 * does not tell are absent. */
#include "result.h"

#include "base/thread.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__)
#include <sys/sysctl.h>
#include <sys/types.h>
#endif
#if defined(__OpenBSD__)
#include <sys/types.h>

#include <sys/sysctl.h>
#endif
#if !defined(__linux__)
#include <stdlib.h>
#endif

#if defined(__linux__)
/* Copies the value of the first line of the form "key : value".  key NULL: the first line.  Returns
 * false if there is none. */
static bool find_line_value(const char *path, const char *key, char *to, size_t room)
{
	char line[4096];
	FILE *f = fopen(path, "re");
	bool found = false;
	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f)) {
		char *value = key ? strchr(line, ':') : line;
		if (key && (strncmp(line, key, strlen(key)) || !value))
			continue;
		if (key)
			value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, "\n")] = 0;
		snprintf(to, room, "%.*s", (int)room - 1, value);
		found = true;
	}
	fclose(f);
	return found;
}

static void machine_facts(struct facts *f)
{
	char text[4096];
	if (find_line_value("/proc/cpuinfo", "model name", text, 200) ||
		find_line_value("/proc/cpuinfo", "CPU part", text, 200))
		fact_add(f, "cpu", "%.200s", text);
	else
		fact_add(f, "cpu", "unknown");
	if (find_line_value(
		    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", NULL, text, 200))
		fact_add(f, "governor", "%.100s", text);
	else
		fact_add(f, "governor", "unknown");
	if (find_line_value("/proc/cpuinfo", "flags", text, sizeof text))
		fact_add(f, "virtual", "%s", strstr(text, " hypervisor") ? "yes" : "no");
	else
		fact_add(f, "virtual", "unknown");
	if (find_line_value("/proc/loadavg", NULL, text, 200))
		fact_add(f, "load", "%.14s", text);
}
#else
static void machine_facts(struct facts *f)
{
	char text[200] = "unknown";
	double load[3];
	size_t n = sizeof text;
#if defined(__APPLE__)
	if (sysctlbyname("machdep.cpu.brand_string", text, &n, NULL, 0))
		snprintf(text, sizeof text, "unknown");
#elif defined(__OpenBSD__)
	int mib[2] = { CTL_HW, HW_MODEL };
	if (sysctl(mib, 2, text, &n, NULL, 0))
		snprintf(text, sizeof text, "unknown");
#else
	if (sysctlbyname("hw.model", text, &n, NULL, 0))
		snprintf(text, sizeof text, "unknown");
#endif
	fact_add(f, "cpu", "%.199s", text);
	fact_add(f, "governor", "unknown"); /* no system tells in a word */
	fact_add(f, "virtual", "unknown");
	if (getloadavg(load, 3) == 3)
		fact_add(f, "load", "%.2f %.2f %.2f", load[0], load[1], load[2]);
}
#endif

void host_facts(struct facts *f)
{
	struct utsname u;
	char when[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	if (!uname(&u)) {
		fact_add(f, "host", "%.64s", u.nodename);
		fact_add(f, "system", "%.64s", u.sysname);
		fact_add(f, "release", "%.64s", u.release);
		fact_add(f, "machine", "%.64s", u.machine);
	}
	machine_facts(f);
	fact_number(f, "cores", bpei_thread_cores());
	fact_add(f, "time", "%s", when);
	fact_add(f, "bpfengine", "%s", bpe_version());
	fact_add(f, "build", "%s", bpe_build_info());
	fact_add(f, "revision", "%s", bench_revision);
}
