/* SPDX-License-Identifier: MIT */
/* The own SSH connection, left out by --print and --top; stateless.
 *
 * A line on the screen of an SSH session is a packet of the session, and would be the next line.
 * sshd tells the session both ends in SSH_CONNECTION.  sudo takes the variable away.  So root also
 * looks into the environments of the ancestors, where the system shows environments (Linux: /proc).
 * A wrong variable leaves a packet out at most, and the notice names the connection. */
#include "cli.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VARIABLE "SSH_CONNECTION="
#define ANCESTORS_MOST 16
#define ENVIRONMENT_MOST (256u << 10) /* bytes of an environment to look at */

/* ---- The variable's value ---- */

/* Takes the next word of the text.  Returns false for a longer word than fits, or none. */
static bool take_ssh_word(const char **text, char *to, size_t room)
{
	const size_t n = strcspn(*text, " ");

	if (!n || n >= room)
		return false;
	memcpy(to, *text, n);
	to[n] = 0;
	*text += n;
	if (**text == ' ' && (*text)[1])
		(*text)++;
	return true;
}

/* Takes an address, and writes it as a filter knows it: without a zone, IPv4 as IPv4.  Returns
 * false for no address. */
static bool take_address(const char **text, char to[INET6_ADDRSTRLEN])
{
	char word[INET6_ADDRSTRLEN + 32];
	struct in_addr four;
	struct in6_addr six;

	if (!take_ssh_word(text, word, sizeof word))
		return false;
	word[strcspn(word, "%")] = 0;
	if (inet_pton(AF_INET, word, &four) == 1)
		return inet_ntop(AF_INET, &four, to, INET6_ADDRSTRLEN);
	if (inet_pton(AF_INET6, word, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, &six.s6_addr[12], to, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &six, to, INET6_ADDRSTRLEN);
}

/* Takes a port.  Returns 0 for no port. */
static unsigned take_port(const char **text)
{
	char word[6];

	if (!take_ssh_word(text, word, sizeof word) || word[strspn(word, "0123456789")])
		return 0;
	const unsigned long port = strtoul(word, NULL, 10);
	return port <= UINT16_MAX ? (unsigned)port : 0;
}

bool cli_ssh_read(struct cli_ssh *ssh, const char *connection)
{
	const char *rest = connection;

	if (!take_address(&rest, ssh->client))
		return false;
	ssh->client_port = take_port(&rest);
	if (!ssh->client_port || !take_address(&rest, ssh->server))
		return false;
	ssh->server_port = take_port(&rest);
	return ssh->server_port && !*rest && !strchr(ssh->client, ':') == !strchr(ssh->server, ':');
}

/* ---- The ancestors' environments ---- */

/* Returns the number of the parent of a process, or 0. */
static long parent_of_process(long process)
{
	char path[48];
	char text[512];
	long parent = 0;

	snprintf(path, sizeof path, "/proc/%ld/stat", process);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	const ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	/* "PID (NAME) STATE PARENT": a name may have any character */
	const char *behind_name = strrchr(text, ')');
	if (!behind_name || sscanf(behind_name, ") %*c %ld", &parent) != 1)
		return 0;
	return parent;
}

/* Returns the variable's value in an environment of n bytes, or NULL. */
static const char *find_variable(const char *environment, size_t n)
{
	for (size_t at = 0; at < n; at += strlen(environment + at) + 1)
		if (!strncmp(environment + at, VARIABLE, sizeof VARIABLE - 1))
			return environment + at + sizeof VARIABLE - 1;
	return NULL;
}

/* Copies the variable of a process.  Returns whether the process has the variable. */
static bool copy_variable_of(long process, char *to, size_t room)
{
	char path[48];
	char *text = malloc(ENVIRONMENT_MOST + 1);
	size_t used = 0;
	ssize_t n = 1;

	snprintf(path, sizeof path, "/proc/%ld/environ", process);
	const int fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && n > 0 && used < ENVIRONMENT_MOST) {
		n = read(fd, text + used, ENVIRONMENT_MOST - used);
		used += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[used] = 0;
	const char *value = used ? find_variable(text, used) : NULL;
	if (value)
		snprintf(to, room, "%s", value);
	free(text);
	return value;
}

/* Copies the variable of the nearest ancestor with the variable.  Returns false without. */
static bool copy_ancestors_variable(char *to, size_t room)
{
	long process = getppid();

	for (int k = 0; k < ANCESTORS_MOST && process > 1; k++) {
		if (copy_variable_of(process, to, room))
			return true;
		process = parent_of_process(process);
	}
	return false;
}

/* ---- The filter ---- */

/* Returns whether lines of the run come back as packets of the session. */
static bool is_shown_live(const struct cli *c)
{
	const char *name = c->engine.interface_name;

	if (c->with_ssh || c->filter || !name || !(c->print.form || c->top))
		return false;
	return strcmp(name, "synth") && strncmp(name, "synth:", 6);
}

void cli_ssh_leave_out(struct cli *c)
{
	const char *own = getenv("SSH_CONNECTION");
	struct cli_ssh ssh;
	char value[160];

	if (!is_shown_live(c))
		return;
	if (own)
		snprintf(value, sizeof value, "%s", own);
	else if (geteuid() || !copy_ancestors_variable(value, sizeof value))
		return;
	if (!cli_ssh_read(&ssh, value))
		return;
	snprintf(c->ssh_filter, sizeof c->ssh_filter,
		"not (host %s and host %s and tcp port %u and tcp port %u)", ssh.client, ssh.server,
		ssh.client_port, ssh.server_port);
	c->engine.filter_expression = c->ssh_filter;
	cli_notice(c->quiet,
		"the own SSH connection (from %s, port %u) is left out (--with-ssh shows it, as any filter does)",
		ssh.client, ssh.client_port);
}

bool cli_ssh_take_back(struct cli *c)
{
	if (!c->ssh_filter[0])
		return false;
	c->ssh_filter[0] = 0;
	c->engine.filter_expression = NULL;
	return true;
}
