/* SPDX-License-Identifier: MIT */
/* The place of -w (write_place.h).  State: in struct cli. */
#include "write_place.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prints why nothing can be written.  Returns EXIT_ERROR. */
static int refuse_place(const struct cli *c, const char *why)
{
	program_tell("cannot write packets to %s: %s", c->place.shown, why);
	return EXIT_ERROR;
}

/* Uses a descriptor instead of a directory. */
static void use_open_file(struct write_place *p)
{
	p->directory = -1;
	p->fd = p->file.fd;
}

/* Uses the directory, in which the writer makes the files. */
static void use_directory(struct write_place *p)
{
	if (p->file.fd > STDERR_FILENO)
		close(p->file.fd);
	p->file.fd = -1;
	p->directory = p->file.directory;
	p->name = p->file.name;
}

/* Returns whether the remaining user may replace the file.  In directories like /tmp, only the
 * owner of a file may. */
static bool may_replace(const struct write_place *p)
{
	struct stat place;
	struct stat st;
	const uid_t user = cli_rights_user();

	if (fstat(p->file.directory, &place) || !(place.st_mode & S_ISVTX) || !user)
		return true;
	if (fstatat(p->file.directory, p->file.name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	return st.st_uid == user || place.st_uid == user;
}

/* Writes the folder of the path, as typed. */
static void write_folder(char *to, size_t room, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(to, room, ".");
	else if (slash == path)
		snprintf(to, room, "/");
	else
		snprintf(to, room, "%.*s", (int)(slash - path), path);
}

/* Prints why the remaining user can make no file, and the next step.  Returns EXIT_RIGHTS. */
static int refuse_directory(const struct cli *c)
{
	char folder[200];
	char user[64];

	write_folder(folder, sizeof folder, c->place.shown);
	cli_rights_user_name(user, sizeof user);
	if (cli_rights_user() == geteuid()) {
		program_tell("cannot write packets to %s: user %s may make no file in %s",
			c->place.shown, user, folder);
		return EXIT_RIGHTS;
	}
	program_tell(
		"cannot write packets to %s: once the source is open the program is user %s, who may make no file in %s.\n"
		"  install -d -m 700 -o %s %s/bpfengine\n"
		"makes a directory for that user (-w %s/bpfengine/...); -Z root keeps all rights",
		c->place.shown, user, folder, user, folder, folder);
	return EXIT_RIGHTS;
}

/* Refuses the file of --flows or --events, which may be missing so far.  file NULL: none.  Returns
 * 0 or EXIT_ERROR after the message. */
static int check_line_file(
	const struct cli *c, const struct cli_flows *file, const char *path, const char *why)
{
	const int directory = file ? cli_flows_directory(file) : -1;
	const char *slash = directory >= 0 ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	struct stat ours;
	struct stat theirs;

	if (directory < 0 || c->place.file.directory < 0 || strcmp(name, c->place.file.name))
		return 0;
	if (fstat(directory, &theirs) || fstat(c->place.file.directory, &ours))
		return 0;
	if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
		return 0;
	return refuse_place(c, why);
}

static int check_flow_file(const struct cli *c)
{
	const int code = check_line_file(
		c, c->flows, c->flows_path, "it is the file of --flows: name another file");

	if (code)
		return code;
	return check_line_file(
		c, c->events, c->events_path, "it is the file of --events: name another file");
}

/* Refuses to read the unfinished file of an earlier run and to write over the file.  Returns 0 or
 * EXIT_ERROR after the message. */
static int check_part(const struct cli *c)
{
	char name[300];
	struct stat st;

	snprintf(name, sizeof name, "%.250s.part", c->place.name);
	if (fstatat(c->place.directory, name, &st, 0) || !program_files_find(&c->used, &st, true))
		return 0;
	return refuse_place(c,
		"the savefile that is read has the name of the unfinished file: name another file");
}

/* Returns the path of the file's folder from the root, to be freed, or NULL and errno. */
static char *find_folder(const char *path)
{
	char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	char *folder = NULL;

	if (slash && slash > copy)
		*slash = 0;
	if (copy && !slash)
		folder = realpath(".", NULL);
	else if (copy)
		folder = realpath(slash == copy ? "/" : copy, NULL);
	free(copy);
	return folder;
}

/* Finds the directory of rotated files.  The writer makes the names, and replaces no file. */
static int find_directory(struct cli *c)
{
	struct write_place *p = &c->place;

	if (outfile_find_directory(&p->file, c->write.path))
		return refuse_place(c, p->file.why);
	use_directory(p);
	return cli_rights_may_make(p->directory) ? 0 : refuse_directory(c);
}

/* Finds a single file.  Returns 0, or the exit code after the message. */
static int find_file(struct cli *c)
{
	struct write_place *p = &c->place;
	const bool is_missing =
		outfile_find_replaced(&p->file, c->write.path, &c->used, cli_rights_user());
	int code;

	if (is_missing)
		return refuse_place(c, p->file.why);
	if (p->file.notice[0])
		cli_notice(c->quiet, "%s", p->file.notice);
	code = check_flow_file(c);
	if (code)
		return code;
	if (!p->file.regular || p->file.directory < 0) {
		use_open_file(p);
		return 0;
	}
	if (cli_rights_may_make(p->file.directory) && may_replace(p))
		use_directory(p);
	else if (cli_rights_user() == geteuid() && p->file.fd < 0)
		return refuse_directory(c);
	else
		use_open_file(p);
	return 0;
}

/* Refuses a terminal, which would obey the packets.  Returns 0 or EXIT_USAGE after the message. */
static int check_terminal(const struct cli *c)
{
	if (c->place.fd < 0 || !isatty(c->place.fd))
		return 0;
	program_tell("packets would go to the terminal as bytes: name a file (-w FILE), write to"
		     " another program (-w - | ...), or print packets (--print)");
	return EXIT_USAGE;
}

/* Finds the file of -b printname:.  Returns 0 or EXIT_ERROR after the message. */
static int find_name_list(struct cli *c)
{
	const char *path = c->write.print_name;

	if (!path)
		return 0;
	if (!strcmp(path, "stdout"))
		path = "-";
	else if (!strcmp(path, "stderr"))
		path = "/dev/stderr";
	if (!outfile_find(&c->place.names, path, &c->used, cli_rights_user()))
		return 0;
	program_tell("-b printname:%s: %s", c->write.print_name, c->place.names.why);
	return EXIT_ERROR;
}

int cli_write_find(struct cli *c)
{
	struct write_place *p = &c->place;
	int code;

	p->directory = -1;
	p->fd = -1;
	p->file.fd = -1;
	p->file.directory = -1;
	p->names.fd = -1;
	p->names.directory = -1;
	if (!c->write.path)
		return 0;
	p->used = true;
	program_visible(p->shown, sizeof p->shown, c->write.path);
	code = cli_write_rotates(c) ? find_directory(c) : find_file(c);
	if (!code)
		code = find_name_list(c);
	if (!code)
		code = check_terminal(c);
	if (code)
		return code;
	p->on_stdout = p->fd == STDOUT_FILENO;
	if (p->directory < 0)
		return 0;
	code = check_part(c);
	if (code)
		return code;
	p->folder = find_folder(c->write.path);
	return p->folder ? 0 : refuse_place(c, strerror(errno));
}

/* Makes the file of -b printname: if the file is missing.  Returns 0 or EXIT_ERROR after the
 * message. */
static int make_name_list(struct cli *c)
{
	struct outfile *o = &c->place.names;

	if (!c->write.print_name || !outfile_make(o))
		return 0;
	program_tell("-b printname:%s: %s", c->write.print_name, o->why);
	return EXIT_ERROR;
}

int cli_write_make(struct cli *c)
{
	struct write_place *p = &c->place;
	const int code = make_name_list(c);

	if (code || !p->used || p->directory >= 0 || p->file.fd >= 0)
		return code;
	if (outfile_make(&p->file))
		return refuse_place(c, p->file.why);
	cli_rights_give(p->file.fd, p->file.made);
	p->fd = p->file.fd;
	return 0;
}

void cli_write_name(const struct cli *c, const char *name)
{
	const char *slash = c->write.path ? strrchr(c->write.path, '/') : NULL;
	const int folder = slash ? (int)(slash - c->write.path) + 1 : 0;
	char line[PATH_MAX + 2];

	if (c->place.names.fd < 0)
		return;
	const int n = snprintf(line, sizeof line, "%.*s%s\n", folder, c->write.path, name);
	if (write(c->place.names.fd, line, (size_t)n) != n) {
		/* the ledger has the name, too */
	}
}

int cli_write_begin(struct cli *c)
{
	struct write_place *p = &c->place;

	if (!p->used || p->fd < 0 || !p->file.regular || p->on_stdout)
		return 0;
	return outfile_empty(&p->file) ? refuse_place(c, p->file.why) : 0;
}

void cli_write_forget(struct cli *c)
{
	struct write_place *p = &c->place;

	if (!p->used)
		return;
	outfile_close(&p->file);
	outfile_close(&p->names);
	free(p->folder);
	p->used = false;
}
