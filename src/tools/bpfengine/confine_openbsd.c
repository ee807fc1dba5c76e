/* SPDX-License-Identifier: MIT */
/* OpenBSD: pledge(2) and unveil(2).  Stateless.  Not run on OpenBSD yet.
 *
 * Under a pledge a BPF device can be read and asked for its counters (promise "bpf"), but gets no
 * other filter.  With files to read again (SIGUSR2) a live capture is therefore confined by unveil
 * alone.  The promise "error" makes a call outside the promises fail with ENOSYS, as on other
 * systems, instead of ending the capture. */
#include "rights.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const enum cli_system cli_system_here = CLI_OPENBSD;
const char *const cli_name_files[] = { "/etc/services", "/etc/protocols", "/etc/networks",
	"/etc/hosts", NULL };

struct openbsd_plan {
	bool reads, writes, records, pledges;
	char promises[96];
};

static struct openbsd_plan plan_openbsd(const struct cli_confinement *how)
{
	struct openbsd_plan p = {
		.reads = how->file_count || (how->filter && !how->live),
		.writes = how->output,
		.records = how->write_folder,
		.pledges = !how->live || !how->file_count,
	};
	const char *reads = p.reads || p.writes || p.records ? " rpath" : "";
	const char *writes = p.writes || p.records ? " wpath cpath" : "";
	/* the writer sets modes of new files and locks the ledger */
	const char *records = p.records ? " fattr flock" : "";
	const char *bpf = how->live ? " bpf" : "";
	const char *terminal = how->terminal ? " tty" : "";

	snprintf(p.promises, sizeof p.promises, "stdio%s%s%s%s%s error", reads, writes, records,
		bpf, terminal);
	return p;
}

/* Unveils one file.  Returns 0 or an errno. */
static int unveil_file(const char *path, const char *permissions)
{
	return unveil(path, permissions) ? errno : 0;
}

/* Limits the files which can be opened.  Returns 0 or an errno. */
static int unveil_files(const struct cli_confinement *how, const struct openbsd_plan *p)
{
	int failed = 0;

	for (size_t i = 0; i < how->file_count && !failed; i++)
		failed = unveil_file(how->files[i], "r");
	for (size_t i = 0; p->reads && cli_name_files[i] && !failed; i++) {
		failed = unveil_file(cli_name_files[i], "r");
		if (failed == ENOENT)
			failed = 0;
	}
	if (p->writes && !failed)
		failed = unveil_file(how->output, "wc");
	if (p->writes && how->second && !failed)
		failed = unveil_file(how->second, "wc");
	if (p->records && !failed)
		failed = unveil_file(how->write_folder, "rwc");
	if ((p->reads || p->writes || p->records) && !failed)
		failed = unveil_file(NULL, NULL);
	return failed;
}

static const char *describe_unveiled(const struct openbsd_plan *p)
{
	if (p->records)
		return p->reads ? "unveil (the filter's files, and the packets' directory)"
				: "unveil (the packets' directory)";
	if (p->reads && p->writes)
		return "unveil (the filter's files, and the flows')";
	if (p->reads)
		return "unveil (the filter's files)";
	return p->writes ? "unveil (the flows' file)" : "";
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	const struct openbsd_plan p = plan_openbsd(how);
	int failed = unveil_files(how, &p);
	int used = 0;

	*done = (struct cli_confined){ .filter_fixed = false };
	if (p.pledges && !failed)
		failed = pledge(p.promises, NULL) ? errno : 0;
	if (failed) {
		snprintf(done->failed, sizeof done->failed, "no pledge, or no unveil (%s)",
			strerror(failed));
		return;
	}
	done->filter_fixed = p.pledges && how->live;
	if (p.pledges)
		used = snprintf(done->holds, sizeof done->holds, "pledge (%s)%s", p.promises,
			p.reads || p.writes || p.records ? ", " : "");
	snprintf(
		done->holds + used, sizeof done->holds - (size_t)used, "%s", describe_unveiled(&p));
}

int cli_confine_owners(void)
{
	return ENOTSUP;
}
