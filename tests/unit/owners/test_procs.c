/* SPDX-License-Identifier: MIT */
/* Processes and sockets in a tree made by the test, with a scripted clock. */
#include "owners/procs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static int64_t now_ns;
static int64_t step_ns; /* of each reading of the clock */

static int64_t read_test_clock(void)
{
	now_ns += step_ns;
	return now_ns;
}

static void write_process_text(int pid, const char *name, const char *text)
{
	char path[160];

	snprintf(path, sizeof path, "%s/%d/%s", root, pid, name);
	FILE *to = fopen(path, "w");

	cr_assert_not_null(to, "%s", path);
	fputs(text, to);
	fclose(to);
}

/* Makes a process, or changes the name. */
static void make_test_process(int pid, const char *comm, unsigned start)
{
	char path[160], text[256];

	snprintf(path, sizeof path, "%s/%d", root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/%d/fd", root, pid);
	mkdir(path, 0700);
	snprintf(text, sizeof text,
		"%d (%s) S 1 1 1 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 %u 1000 200\n", pid, comm,
		start);
	write_process_text(pid, "stat", text);
	write_process_text(pid, "cgroup", "0::/system.slice/x.service\n");
}

static void make_link(int pid, int fd, const char *to)
{
	char path[160];

	snprintf(path, sizeof path, "%s/%d/fd/%d", root, pid, fd);
	cr_assert_eq(symlink(to, path), 0, "%s", path);
}

static void make_socket(int pid, int fd, unsigned inode)
{
	char to[64];

	snprintf(to, sizeof to, "socket:[%u]", inode);
	make_link(pid, fd, to);
}

static void make_tree(void)
{
	now_ns = 1000000000;
	step_ns = 1000;
	snprintf(root, sizeof root, "/tmp/bpe-procs-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	make_test_process(1, "init", 5);
	make_test_process(700, "a (b) c", 100);
	make_socket(700, 3, 1001);
	make_link(700, 4, "/dev/null");
	make_link(700, 5, "pipe:[77]");
	make_test_process(800, "web", 200);
	make_socket(800, 10, 2001);
	make_socket(800, 11, 2002);
	write_process_text(800, "cgroup", "0::/lxc/web01/x\n");
}

static void remove_tree(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", root);
	cr_expect_eq(system(command), 0);
}

TestSuite(procs, .init = make_tree, .fini = remove_tree);

/* Looks for an inode and finds its process. */
static bool look_and_find(struct bpei_procs *p, uint32_t inode, struct bpei_procs_found *found)
{
	return bpei_procs_look(p, &inode, 1) && bpei_procs_find(p, inode, found);
}

Test(procs, sockets_of_processes)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	cr_assert_not_null(p);
	cr_assert(look_and_find(p, 1001, &found));
	cr_expect_eq(found.pid, 700);
	cr_expect_str_eq(found.comm, "a (b) c");
	cr_expect_eq(found.uid, getuid());
	cr_expect_str_eq(found.container, "");
	cr_assert(look_and_find(p, 2002, &found));
	cr_expect_eq(found.pid, 800);
	cr_expect_str_eq(found.container, "lxc:web01");
	cr_expect_not(look_and_find(p, 77, &found), "a pipe");
	cr_expect_not(bpei_procs_find(p, 0, &found));
	bpei_procs_free(p);
}

Test(procs, what_is_known_is_not_looked_for)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	cr_assert(look_and_find(p, 2001, &found));
	const uint64_t looks = bpei_procs_count(p)->looks;

	cr_assert(look_and_find(p, 2002, &found));
	cr_assert(look_and_find(p, 1001, &found));
	cr_expect_eq(bpei_procs_count(p)->looks, looks);
	bpei_procs_free(p);
}

Test(procs, new_processes_and_those_found_last_come_first)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	cr_assert(look_and_find(p, 1001, &found));
	make_test_process(900, "curl", 300);
	make_socket(900, 5, 3001);
	uint64_t before = bpei_procs_count(p)->processes;

	cr_assert(look_and_find(p, 3001, &found));
	cr_expect_eq(found.pid, 900);
	cr_expect_eq(bpei_procs_count(p)->processes, before + 1, "the new one alone");
	cr_assert(look_and_find(p, 1001, &found));
	make_socket(700, 6, 1002);
	before = bpei_procs_count(p)->processes;
	cr_assert(look_and_find(p, 1002, &found));
	cr_expect_eq(found.pid, 700);
	cr_expect_eq(bpei_procs_count(p)->processes, before + 1, "the one found last alone");
	bpei_procs_free(p);
}

Test(procs, a_process_that_ended_is_remembered)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;
	char command[128];

	cr_assert(look_and_find(p, 2001, &found));
	snprintf(command, sizeof command, "rm -rf '%s/800'", root);
	cr_assert_eq(system(command), 0);
	now_ns += 3000000000;
	cr_assert(bpei_procs_find(p, 2001, &found));
	cr_expect_str_eq(found.comm, "web");
	cr_expect_eq(found.pid, 800);
	cr_expect_str_eq(found.container, "lxc:web01");
	bpei_procs_free(p);
}

Test(procs, a_number_that_was_given_again_is_another_process)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	cr_assert(look_and_find(p, 2001, &found));
	make_test_process(800, "other", 999);
	now_ns += 3000000000;
	cr_expect_not(bpei_procs_find(p, 2001, &found));
	bpei_procs_free(p);
}

Test(procs, exec_changes_the_name)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	cr_assert(look_and_find(p, 2001, &found));
	make_test_process(800, "worker", 200);
	now_ns += 3000000000;
	cr_assert(bpei_procs_find(p, 2001, &found));
	cr_expect_str_eq(found.comm, "worker");
	cr_assert(bpei_procs_by_pid(p, 700, &found));
	cr_expect_str_eq(found.comm, "a (b) c");
	cr_expect_not(bpei_procs_by_pid(p, 701, &found));
	bpei_procs_free(p);
}

Test(procs, looks_take_a_tenth_of_the_time)
{
	struct bpei_procs *p = bpei_procs_new(root, read_test_clock);
	struct bpei_procs_found found;

	step_ns = 150000000; /* a look takes 0.15 s or more, on this clock */
	for (uint32_t k = 0; k < 100; k++)
		look_and_find(p, 5000 + k, &found);
	const struct bpei_procs_counts *c = bpei_procs_count(p);
	const int64_t spent = now_ns - 1000000000;

	cr_expect_eq(c->looks + c->refused, 100);
	cr_expect(c->looks > 0);
	/* a look takes a step at least; the saved time of the start comes on top */
	cr_expect(c->looks <= (uint64_t)(spent / BPEI_PROCS_SHARE / step_ns) + 3, "%llu looks",
		(unsigned long long)c->looks);
	cr_expect(c->refused > c->looks);
	bpei_procs_free(p);
}

Test(procs, no_tree)
{
	cr_expect_null(bpei_procs_new("/nonexistent/proc", read_test_clock));
	bpei_procs_free(NULL);
}
