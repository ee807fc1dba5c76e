/* SPDX-License-Identifier: MIT */
/* Tests the plan of rights of every system on every host: the user to become, and the rights to
 * keep.  Also the files of a filter, and macOS's profile. */
#include "tools/bpfengine/rights.h"
#include "tools/common/program.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT .root = true, .fallback = "nobody"
#define ROOT_Z(name) .root = true, .user = name

enum {
	CONFINE = 1,
	REDUCE = 2,
	READ = 4,
	NICE = 8,
	NOTICE = 16,
	REFUSED = 32,
	LIVE = 64,
	BPF = 128
};

static const struct row {
	struct cli_rights_facts facts;
	const char *become;
	unsigned flags;  /* all which are to be set */
	const char *why; /* a part of the text; NULL: none */
} rows[] = {
	/* Linux, root */
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0" }, "nobody",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "synth" }, "nobody", CONFINE | REDUCE,
		NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "synth:count=3" }, "nobody",
		CONFINE | REDUCE, NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "synth0" }, "nobody",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX, ROOT }, "nobody", CONFINE | REDUCE, NULL },
	{ { .system = CLI_LINUX, ROOT, .no_confine = true, .interface_name = "eth0" }, "nobody",
		REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX, ROOT, .wait_interface = true, .interface_name = "eth0" }, "nobody",
		CONFINE | REDUCE | LIVE, NULL }, /* AF_PACKET waits for nothing */
	{ { .system = CLI_LINUX, ROOT, .wait_interface = true, .interface_name = "bpf:en0" }, NULL,
		NOTICE | LIVE | BPF, "--wait-interface" },
	{ { .system = CLI_LINUX, ROOT, .bpf_device = "/x/bpf", .interface_name = "bpf:en0" }, NULL,
		NOTICE | LIVE | BPF, "--bpf-device" },
	{ { .system = CLI_LINUX, ROOT, .bpf_device = "/x/bpf", .interface_name = "eth0" }, "nobody",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0", .files = 1 }, "nobody",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX,
		  ROOT,
		  .interface_name = "eth0",
		  .files = 1,
		  .files_unreadable = true },
		"nobody", CONFINE | REDUCE | READ | NOTICE | LIVE, "DAC_READ_SEARCH" },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0", .files = 17 }, "nobody",
		REDUCE | LIVE, "SIGUSR2" },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0", .urgent = true }, "nobody",
		CONFINE | REDUCE | NICE | LIVE, NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0", .urgent = true, .realtime = true },
		"nobody", CONFINE | REDUCE | NICE | LIVE, NULL },
	{ { .system = CLI_LINUX, .root = true, .interface_name = "eth0" }, NULL,
		CONFINE | REDUCE | NOTICE | LIVE, "no user to become" },
	{ { .system = CLI_LINUX, .root = true, .interface_name = "eth0", .files = 1 }, NULL,
		CONFINE | REDUCE | READ | NOTICE | LIVE, "no user to become" },
	/* Linux, -Z */
	{ { .system = CLI_LINUX, ROOT_Z("max"), .interface_name = "eth0" }, "max",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX,
		  ROOT_Z("max"),
		  .interface_name = "eth0",
		  .files = 1,
		  .files_unreadable = true },
		"max", CONFINE | REDUCE | NOTICE | LIVE, "cannot read" },
	{ { .system = CLI_LINUX, ROOT_Z("max"), .interface_name = "eth0", .urgent = true }, "max",
		CONFINE | REDUCE | NICE | LIVE, NULL },
	{ { .system = CLI_LINUX,
		  ROOT_Z("max"),
		  .interface_name = "bpf:en0",
		  .wait_interface = true },
		NULL, REFUSED | NOTICE | LIVE | BPF, "--wait-interface" },
	{ { .system = CLI_LINUX, ROOT_Z("root"), .user_is_root = true, .interface_name = "eth0" },
		NULL, CONFINE | LIVE, "keeps all" },
	{ { .system = CLI_LINUX,
		  ROOT_Z("root"),
		  .user_is_root = true,
		  .wait_interface = true,
		  .interface_name = "bpf:en0" },
		NULL, LIVE | BPF, "keeps all" },
	/* Linux, not root: capabilities of the file go */
	{ { .system = CLI_LINUX, .interface_name = "eth0" }, NULL, CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_LINUX, .interface_name = "eth0", .urgent = true }, NULL,
		CONFINE | REDUCE | NICE | LIVE, NULL },
	{ { .system = CLI_LINUX, .user = "max", .interface_name = "eth0" }, NULL,
		CONFINE | REDUCE | NOTICE | LIVE, "only root" },
	{ { .system = CLI_LINUX, .user = "max", .user_is_self = true, .interface_name = "eth0" },
		NULL, CONFINE | REDUCE | LIVE, NULL },
	/* macOS */
	{ { .system = CLI_MACOS, ROOT, .interface_name = "en0" }, "nobody",
		CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_MACOS, ROOT, .interface_name = "pktap" }, NULL, NOTICE | LIVE | BPF,
		"pktap0" },
	{ { .system = CLI_MACOS, ROOT, .interface_name = "pktap0" }, "nobody",
		CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_MACOS, ROOT_Z("max"), .interface_name = "pktap" }, NULL,
		REFUSED | NOTICE | LIVE | BPF, "pktap0" },
	{ { .system = CLI_MACOS,
		  ROOT,
		  .interface_name = "en0",
		  .files = 1,
		  .files_unreadable = true },
		NULL, CONFINE | NOTICE | LIVE | BPF, "only root" },
	{ { .system = CLI_MACOS,
		  ROOT_Z("max"),
		  .interface_name = "en0",
		  .files = 1,
		  .files_unreadable = true },
		"max", CONFINE | REDUCE | NOTICE | LIVE | BPF, "cannot read" },
	{ { .system = CLI_MACOS, ROOT, .interface_name = "en0", .urgent = true, .realtime = true },
		"nobody", CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_MACOS, .interface_name = "en0", .wait_interface = true }, NULL,
		LIVE | BPF, "--wait-interface" },
	{ { .system = CLI_MACOS, .interface_name = "en0" }, NULL, CONFINE | REDUCE | LIVE | BPF,
		NULL },
	/* FreeBSD: capability mode knows no paths, and scheduling is root's */
	{ { .system = CLI_FREEBSD, ROOT, .interface_name = "em0" }, "nobody",
		CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_FREEBSD, ROOT, .interface_name = "em0", .files = 1 }, "nobody",
		REDUCE | LIVE | BPF, "SIGUSR2" },
	{ { .system = CLI_FREEBSD, ROOT, .interface_name = "em0", .pinned = true }, "nobody",
		REDUCE | LIVE | BPF, "--pin" },
	{ { .system = CLI_FREEBSD, .interface_name = "em0", .pinned = true, .no_confine = true },
		NULL, REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_LINUX, ROOT, .interface_name = "eth0", .pinned = true }, "nobody",
		CONFINE | REDUCE | LIVE, NULL },
	{ { .system = CLI_FREEBSD,
		  ROOT,
		  .interface_name = "em0",
		  .realtime = true,
		  .urgent = true },
		NULL, CONFINE | NOTICE | LIVE | BPF, "realtime" },
	{ { .system = CLI_FREEBSD,
		  ROOT_Z("max"),
		  .interface_name = "em0",
		  .realtime = true,
		  .urgent = true },
		"max", CONFINE | REDUCE | LIVE | BPF, NULL },
	/* NetBSD, OpenBSD */
	{ { .system = CLI_NETBSD, ROOT, .interface_name = "wm0" }, "nobody",
		CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_OPENBSD, ROOT, .interface_name = "em0", .files = 1 }, "nobody",
		CONFINE | REDUCE | LIVE | BPF, NULL },
	{ { .system = CLI_OPENBSD,
		  ROOT,
		  .interface_name = "em0",
		  .wait_interface = true,
		  .realtime = true,
		  .urgent = true },
		NULL, NOTICE | LIVE | BPF, "--wait-interface" },
	/* a build for a sanitizer */
	{ { .system = CLI_NO_SYSTEM, ROOT, .interface_name = "eth0" }, NULL, LIVE | BPF,
		"sanitizer" },
	{ { .system = CLI_NO_SYSTEM, ROOT_Z("max"), .interface_name = "synth" }, "max", REDUCE,
		NULL },
};

/* Returns the flag if the plan's member is set. */
static unsigned flag_of_member(bool set, unsigned flag)
{
	return set ? flag : 0;
}

/* Returns the plan's members as flags. */
static unsigned flags_of_plan(const struct cli_rights_plan *p)
{
	return flag_of_member(p->confine, CONFINE) | flag_of_member(p->reduce, REDUCE) |
	       flag_of_member(p->keep_read, READ) | flag_of_member(p->keep_nice, NICE) |
	       flag_of_member(p->notice, NOTICE) | flag_of_member(p->refused, REFUSED) |
	       flag_of_member(p->live, LIVE) | flag_of_member(p->bpf, BPF);
}

Test(rights, who_and_what_and_why)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cli_rights_plan p;
		cli_rights_plan(&p, &rows[i].facts);
		unsigned flags = flags_of_plan(&p);
		cr_expect_eq(flags, rows[i].flags, "row %zu: %x, not %x", i, flags, rows[i].flags);
		cr_expect(!p.become == !rows[i].become &&
				  (!p.become || !strcmp(p.become, rows[i].become)),
			"row %zu: becomes %s", i, p.become ? p.become : "nobody else");
		cr_expect(!p.why == !rows[i].why && (!p.why || strstr(p.why, rows[i].why)),
			"row %zu: %s", i, p.why ? p.why : "no reason");
		cr_expect(!p.refused || (!p.become && rows[i].facts.user), "row %zu", i);
	}
}

Test(rights, files_of_a_filter)
{
	static const struct {
		const char *expression, *found;
		size_t count;
	} cases[] = {
		{ "tcp port 80", "", 0 },
		{ "", "", 0 },
		{ "in", "", 0 },
		{ "host in ./a", "./a ", 1 },
		{ "host in /etc/x or port in ../ports", "/etc/x ../ports ", 2 },
		{ "(host in ./a)", "./a ", 1 },
		{ "not (src net in\n\t./a b)", "./a ", 1 },
		{ "host main ./a", "", 0 },
		{ "host \\in ./a", "", 0 },
		{ "inner(tcp) and host in ./in", "./in ", 1 },
		{ "dir in", "", 0 },
		{ "dir in and port in ./in./in in /in", "./in./in /in ", 2 },
		{ "ip[in /2]", "", 0 },
		{ "host in ./1 or host in ./2 or host in ./3 or host in ./4", "./1 ./2 ./3 ", 4 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *paths[3] = { NULL, NULL, NULL }, all[256] = "";
		size_t n = program_filter_files(cases[i].expression, paths, 3);
		for (size_t k = 0; k < 3; k++) {
			if (paths[k])
				strcat(strcat(all, paths[k]), " ");
			free(paths[k]);
		}
		cr_expect_eq(n, cases[i].count, "%s: %zu", cases[i].expression, n);
		cr_expect_str_eq(all, cases[i].found);
	}
}

Test(rights, macos_profile)
{
	const char *const files[] = { "/Volumes/x/hosts", "/odd \"name\\", "" };
	static const char links[] = "(allow file-read-metadata)\n";
	static const char read_hosts[] = "(allow file-read* (literal \"/Volumes/x/hosts\"))\n";
	static const char read_odd[] = "(allow file-read* (literal \"/odd \\\"name\\\\\"))\n";
	static const char write_odd[] = "(allow file-write* (literal \"/odd \\\"name\\\\\"))\n";
	const char *const no_outputs[2] = { NULL, NULL };
	const char *const an_output[2] = { files[1], NULL };
	char *none = cli_seatbelt_profile(NULL, 0, no_outputs, NULL);
	char *some = cli_seatbelt_profile(files, 2, no_outputs, NULL);
	char *out = cli_seatbelt_profile(files, 1, an_output, NULL);
	char *alone = cli_seatbelt_profile(NULL, 0, an_output, NULL);
	char *folder = cli_seatbelt_profile(NULL, 0, no_outputs, files[0]);
	char wanted[512];
	cr_assert(none && some && out && alone && folder);
	cr_expect(!strncmp(none, "(version 1)\n(deny default)\n", 27), "%s", none);
	cr_expect(!strstr(none, "file-read") && !strstr(none, "network") &&
			  !strstr(none, "process-exec") && !strstr(none, "file-write"),
		"%s", none);
	snprintf(wanted, sizeof wanted, "%s%s%s%s", none, links, read_hosts, read_odd);
	cr_expect_str_eq(some, wanted);
	snprintf(wanted, sizeof wanted, "%s%s%s%s", none, links, read_hosts, write_odd);
	cr_expect_str_eq(out, wanted);
	snprintf(wanted, sizeof wanted, "%s%s%s", none, links, write_odd);
	cr_expect_str_eq(alone, wanted);
	snprintf(wanted, sizeof wanted, "%s%s%s", none, links,
		"(allow file-read* file-write* (subpath \"/Volumes/x/hosts\"))\n");
	cr_expect_str_eq(folder, wanted);
	int depth = 0;
	for (const char *p = none; *p; p++) {
		depth += (*p == '(') - (*p == ')');
		cr_expect(depth >= 0);
	}
	cr_expect_eq(depth, 0);
	free(none);
	free(some);
	free(out);
	free(alone);
	free(folder);
}
