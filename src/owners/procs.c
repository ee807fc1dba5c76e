/* SPDX-License-Identifier: MIT */
/* The list of processes and sockets (procs.h).
 *
 * Processes lie in a table by number, sockets in a table by inode.  Both have a bound: a new
 * element takes the place of an old element of the same set.  A process is the same as before if
 * number and start time are equal.  Inodes of sockets are unique for a long time.  So an inode
 * stays right after the end of the process. */
#include "owners/procs.h"

#include "base/descriptor.h"
#include "owners/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROCESSES = 32768, SOCKETS = 131072, WAYS = 4, LIST_MOST = 65536 };
enum { TEXT_ROOM = 4096, FRESH_NS = 50000000 };

struct process {
	int32_t pid; /* 0: free */
	uint32_t uid;
	uint64_t start;   /* ticks since the boot */
	int64_t read_ns;  /* when comm was read */
	int64_t found_ns; /* when a socket was asked for last; 0: never */
	uint64_t listed;  /* number of the last look at the process */
	bool has_container;
	char comm[32];
	char container[64];
};

struct known_socket {
	uint32_t inode; /* 0: free */
	uint32_t at;    /* place of the process */
	uint64_t start; /* of the process; differs: another process took the place */
};

/* A process to be read by a look, in the order of rank and pid. */
struct candidate {
	int32_t pid;
	bool is_new;
	int64_t found_ns;
};

struct bpei_procs {
	int root;
	int64_t (*now)(void);
	int64_t saved_ns, saved_at; /* time for looks, and when it was counted */
	bool was_denied;
	uint32_t turn; /* which way of a full set is taken next */
	struct bpei_procs_counts counts;
	struct process *processes;
	struct known_socket *sockets;
	struct candidate *list;
	size_t listed;
};

/* ---- Tables ---- */

static uint32_t hash_key_number(uint32_t n)
{
	n ^= n >> 16;
	n *= 0x7feb352du;
	n ^= n >> 15;
	return n;
}

/* Returns the place of a process, or the place that it may take. */
static struct process *find_process_place(struct bpei_procs *p, int32_t pid)
{
	struct process *set =
		&p->processes[hash_key_number((uint32_t)pid) % PROCESSES & ~(WAYS - 1u)];
	struct process *oldest = set;

	for (int k = 0; k < WAYS; k++)
		if (set[k].pid == pid)
			return &set[k];
	for (int k = 0; k < WAYS; k++) {
		if (!set[k].pid)
			return &set[k];
		if (set[k].listed < oldest->listed)
			oldest = &set[k];
	}
	return oldest;
}

static struct known_socket *find_socket(struct bpei_procs *p, uint32_t inode)
{
	struct known_socket *set = &p->sockets[hash_key_number(inode) % SOCKETS & ~(WAYS - 1u)];

	for (int k = 0; k < WAYS; k++)
		if (set[k].inode == inode)
			return &set[k];
	return NULL;
}

static void keep_socket(struct bpei_procs *p, uint32_t inode, const struct process *owner)
{
	struct known_socket *set = &p->sockets[hash_key_number(inode) % SOCKETS & ~(WAYS - 1u)];
	struct known_socket *to = find_socket(p, inode);

	for (int k = 0; k < WAYS && !to; k++)
		if (!set[k].inode)
			to = &set[k];
	if (!to)
		to = &set[p->turn++ % WAYS];
	*to = (struct known_socket){
		.inode = inode, .at = (uint32_t)(owner - p->processes), .start = owner->start
	};
}

/* ---- A process ---- */

/* Reads a file of a process.  Returns the bytes, or -1. */
static ssize_t read_process_file(
	const struct bpei_procs *p, int32_t pid, const char *name, char *text, size_t room)
{
	char path[64];

	snprintf(path, sizeof path, "%d/%s", (int)pid, name);
	const int fd = openat(p->root, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	const ssize_t n = read(fd, text, room - 1);

	close(fd);
	if (n >= 0)
		text[n] = 0;
	return n;
}

/* Reads name and start time out of "PID (NAME) S ..."; the name may have brackets.  Returns false
 * for another text. */
static bool parse_stat(char *text, char comm[32], uint64_t *start)
{
	char *open = strchr(text, '(');
	char *close_bracket = strrchr(text, ')');
	char *at = close_bracket;

	if (!open || !close_bracket || close_bracket < open)
		return false;
	for (int field = 2; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*start = strtoull(at, NULL, 10);
	snprintf(comm, 32, "%.*s", (int)(close_bracket - open - 1), open + 1);
	return true;
}

/* Reads a process anew, unless the last reading is fresh.  Returns the place; NULL: there is no
 * process. */
static struct process *refresh_process(struct bpei_procs *p, int32_t pid, int64_t now)
{
	struct process *to = find_process_place(p, pid);
	char text[TEXT_ROOM];
	char comm[32];
	char folder[16];
	uint64_t start;
	struct stat st;

	if (to->pid == pid && now - to->read_ns < FRESH_NS)
		return to;
	snprintf(folder, sizeof folder, "%d", (int)pid);
	if (read_process_file(p, pid, "stat", text, sizeof text) < 0 ||
		!parse_stat(text, comm, &start) || fstatat(p->root, folder, &st, 0))
		return NULL;
	if (to->pid != pid || to->start != start)
		*to = (struct process){ .pid = pid, .start = start };
	to->uid = st.st_uid;
	to->read_ns = now;
	memcpy(to->comm, comm, sizeof to->comm);
	return to;
}

/* Reads the container of a process, once. */
static void read_container(struct bpei_procs *p, struct process *to)
{
	char text[TEXT_ROOM];

	if (to->has_container)
		return;
	const ssize_t n = read_process_file(p, to->pid, "cgroup", text, sizeof text);

	if (n < 0)
		return;
	bpei_container_name(text, (size_t)n, to->container, sizeof to->container);
	to->has_container = true;
}

/* Fills *found from a place. */
static void fill_found(struct bpei_procs *p, struct process *from, struct bpei_procs_found *found)
{
	read_container(p, from);
	*found = (struct bpei_procs_found){ .pid = from->pid, .uid = from->uid };
	memcpy(found->comm, from->comm, sizeof found->comm);
	memcpy(found->container, from->container, sizeof found->container);
}

/* ---- A look ---- */

/* Returns the inode of "socket:[123]", or 0. */
static uint32_t parse_socket_link(const char *text)
{
	if (strncmp(text, "socket:[", 8) != 0)
		return 0;
	return (uint32_t)strtoul(text + 8, NULL, 10);
}

/* Keeps the sockets of a process. */
static void read_descriptors(struct bpei_procs *p, int32_t pid, int64_t now)
{
	char path[64];
	struct process *owner = refresh_process(p, pid, now);

	if (!owner)
		return;
	owner->listed = p->counts.looks;
	snprintf(path, sizeof path, "%d/fd", (int)pid);
	const int fd = openat(p->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder) {
		p->was_denied |= errno == EACCES || errno == EPERM;
		p->counts.denied++;
		if (fd >= 0)
			close(fd);
		return;
	}
	p->counts.processes++;
	for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
		char text[32];
		const ssize_t n = readlinkat(fd, e->d_name, text, sizeof text - 1);

		if (n <= 0)
			continue;
		text[n] = 0;
		p->counts.descriptors++;
		const uint32_t inode = parse_socket_link(text);

		if (inode)
			keep_socket(p, inode, owner);
	}
	closedir(folder);
}

/* Compares candidates: new processes first, then processes found lately, then the newest. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->is_new != y->is_new)
		return y->is_new - x->is_new;
	if (x->found_ns != y->found_ns)
		return x->found_ns < y->found_ns ? 1 : -1;
	return x->pid < y->pid ? 1 : -1;
}

/* Lists all processes in the order of reading. */
static void list_candidates(struct bpei_procs *p)
{
	const int fd = bpei_fd_keep(openat(p->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	p->listed = 0;
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (const struct dirent *e = readdir(folder); e && p->listed < LIST_MOST;
		e = readdir(folder)) {
		char *end;
		const long pid = strtol(e->d_name, &end, 10);

		if (pid <= 0 || *end || pid > INT32_MAX)
			continue;
		const struct process *known = find_process_place(p, (int32_t)pid);
		const bool is_known = known->pid == (int32_t)pid;

		p->list[p->listed++] = (struct candidate){ .pid = (int32_t)pid,
			.is_new = !is_known,
			.found_ns = is_known ? known->found_ns : 0 };
	}
	closedir(folder);
	qsort(p->list, p->listed, sizeof *p->list, compare_candidates);
}

static bool are_all_known(struct bpei_procs *p, const uint32_t *inodes, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (inodes[k] && !find_socket(p, inodes[k]))
			return false;
	return true;
}

/* Counts the time for looks up to now.  Returns whether there is any. */
static bool has_time_for_look(struct bpei_procs *p, int64_t now)
{
	p->saved_ns += (now - p->saved_at) / BPEI_PROCS_SHARE;
	p->saved_at = now;
	if (p->saved_ns > BPEI_PROCS_SAVED_NS)
		p->saved_ns = BPEI_PROCS_SAVED_NS;
	return p->saved_ns > 0;
}

bool bpei_procs_look(struct bpei_procs *p, const uint32_t *inodes, size_t n)
{
	const int64_t now = p->now();

	if (are_all_known(p, inodes, n))
		return true;
	if (!has_time_for_look(p, now)) {
		p->counts.refused++;
		return false;
	}
	p->counts.looks++;
	p->was_denied = false;
	list_candidates(p);
	for (size_t k = 0; k < p->listed; k++) {
		if (!p->list[k].is_new && are_all_known(p, inodes, n))
			break;
		read_descriptors(p, p->list[k].pid, now);
	}
	p->saved_ns -= p->now() - now;
	return true;
}

bool bpei_procs_find(struct bpei_procs *p, uint32_t inode, struct bpei_procs_found *found)
{
	const struct known_socket *s = inode ? find_socket(p, inode) : NULL;
	const int64_t now = p->now();

	if (!s)
		return false;
	struct process *owner = &p->processes[s->at];

	if (!owner->pid || owner->start != s->start)
		return false;
	const int32_t pid = owner->pid;
	const uint64_t start = owner->start;
	const struct process *again = refresh_process(p, pid, now); /* exec changes the name */

	if (again && again->start != start)
		return false;
	owner->found_ns = now;
	fill_found(p, owner, found);
	return true;
}

bool bpei_procs_by_pid(struct bpei_procs *p, int32_t pid, struct bpei_procs_found *found)
{
	struct process *owner = refresh_process(p, pid, p->now());

	if (!owner)
		return false;
	fill_found(p, owner, found);
	return true;
}

bool bpei_procs_were_denied(const struct bpei_procs *p)
{
	return p->was_denied;
}

const struct bpei_procs_counts *bpei_procs_count(const struct bpei_procs *p)
{
	return &p->counts;
}

struct bpei_procs *bpei_procs_new(const char *root, int64_t (*now)(void))
{
	struct bpei_procs *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->root = bpei_fd_open(root, O_RDONLY | O_DIRECTORY);
	p->now = now;
	p->saved_ns = BPEI_PROCS_SAVED_NS;
	p->saved_at = now();
	p->processes = calloc(PROCESSES, sizeof *p->processes);
	p->sockets = calloc(SOCKETS, sizeof *p->sockets);
	p->list = calloc(LIST_MOST, sizeof *p->list);
	if (p->root >= 0 && p->processes && p->sockets && p->list)
		return p;
	bpei_procs_free(p);
	return NULL;
}

void bpei_procs_free(struct bpei_procs *p)
{
	if (!p)
		return;
	if (p->root >= 0)
		close(p->root);
	free(p->processes);
	free(p->sockets);
	free(p->list);
	free(p);
}
