/* SPDX-License-Identifier: MIT */
/* The live view's terminal: curses(3) at the start and the end, and the table of services.
 *
 * Life: open, before the program is confined, makes curses read its files; close at the end.  All
 * on the main thread, but for top_view_restore, which a signal handler calls: the text which the
 * handler writes was prepared by open, since curses is not safe there. */
#include "top_view.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#undef lines /* <term.h> has macros for the capabilities of terminals */
#undef columns

static struct {
	int fd; /* -1: nothing to restore */
	struct termios mode;
	char text[64]; /* leaves the alternate screen, shows the cursor, ends colours */
	size_t length;
} saved = { .fd = -1 };

/* ---- Services, read before files are out of reach ---- */

struct service {
	uint32_t key; /* protocol << 16 | port */
	char name[20];
};

static struct service *services;
static size_t service_count;

static int compare_services(const void *x, const void *y)
{
	const struct service *a = x;
	const struct service *b = y;

	return (a->key > b->key) - (a->key < b->key);
}

/* Returns the IP protocol of a service's transport, or 0. */
static uint32_t transport_number(const char *name)
{
	if (!strcmp(name, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(name, "udp"))
		return IPPROTO_UDP;
	return !strcmp(name, "sctp") ? 132 : 0;
}

/* Adds a service to the table, which has room for *room.  Returns false without memory. */
static bool add_service(size_t *room, uint32_t proto, const struct servent *s)
{
	if (service_count == *room) {
		*room = *room ? *room * 2 : 512;
		struct service *more = realloc(services, *room * sizeof *services);
		if (!more)
			return false;
		services = more;
	}
	services[service_count].key = proto << 16 | ntohs((uint16_t)s->s_port);
	snprintf(services[service_count].name, sizeof services->name, "%s", s->s_name);
	service_count++;
	return true;
}

static void read_services(void)
{
	enum { MOST = 65536 };
	const struct servent *s;
	size_t room = 0;

	setservent(1);
	while ((s = getservent()) && service_count < MOST) {
		const uint32_t proto = transport_number(s->s_proto);

		if (proto && !add_service(&room, proto, s))
			break;
	}
	endservent();
	if (service_count)
		qsort(services, service_count, sizeof *services, compare_services);
}

/* Returns the name of a service, or NULL. */
static const char *find_service(uint16_t port, uint8_t ip_proto)
{
	const struct service key = { .key = (uint32_t)ip_proto << 16 | port };
	const struct service *found = NULL;

	if (service_count)
		found = bsearch(&key, services, service_count, sizeof *services, compare_services);
	return found ? found->name : NULL;
}

static void free_services(void)
{
	free(services);
	services = NULL;
	service_count = 0;
}

/* ---- Text for a signal handler ---- */

/* Appends a byte to saved.text if there is room; an output function of tputs(3). */
static int save_character(int c)
{
	if (saved.length < sizeof saved.text)
		saved.text[saved.length++] = (char)c;
	return c;
}

/* Appends the sequence of a capability (terminfo(5)) to saved.text. */
static void save_capability(const char *name)
{
	char *text = tigetstr((char *)(uintptr_t)name);

	if (text && text != (char *)-1)
		tputs(text, 1, save_character);
}

void top_view_restore(void)
{
	if (saved.fd < 0)
		return;
	const ssize_t written = write(STDOUT_FILENO, saved.text, saved.length);
	(void)written; /* the process is about to leave: there is nothing else to do */
	tcsetattr(saved.fd, TCSANOW, &saved.mode);
}

/* ---- Start and end ---- */

/* Reports why the live view cannot start.  Returns EXIT_USAGE. */
static int refuse_terminal(const char *why)
{
	program_tell("--top: %s", why);
	return EXIT_USAGE;
}

static int input_descriptor(const struct top_view *v)
{
	return v->input ? fileno(v->input) : STDIN_FILENO;
}

/* Opens the terminal for keys if stdin is a file (-r -).  Returns 0, or an exit code. */
static int open_key_input(struct top_view *v)
{
	if (isatty(STDIN_FILENO))
		return 0;
	const int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC);
	v->input = fd >= 0 ? fdopen(fd, "r") : NULL;
	return v->input ? 0 : refuse_terminal("there is no terminal to read keys from");
}

static int refuse_unknown_terminal(void)
{
	const char *term = getenv("TERM");
	char why[256];

	if (!term || !*term)
		return refuse_terminal("TERM is not set");
	snprintf(
		why, sizeof why, "the terminal \"%.64s\" (TERM) is not known to this system", term);
	return refuse_terminal(why);
}

/* Returns 0, or an exit code if the terminal cannot place its cursor. */
static int check_cursor_addressing(void)
{
	const char *term = getenv("TERM");
	const char *address = tigetstr((char *)(uintptr_t)"cup");
	char why[256];

	if (address && address != (const char *)-1)
		return 0;
	snprintf(why, sizeof why, "the terminal \"%.64s\" (TERM) cannot move its cursor",
		term ? term : "?");
	return refuse_terminal(why);
}

static void set_terminal_modes(void)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
#ifdef NCURSES_VERSION
	set_escdelay(25);
#endif
}

/* Sets the colours, which all stand on the terminal's own background, so that the view suits light
 * and dark terminals.  https://no-color.org: NO_COLOR, unless empty, asks for none. */
static void set_colours(struct top_view *v, uint32_t color)
{
	const char *none = getenv("NO_COLOR");

	if (color == PRINT_COLOR_NEVER || (color == PRINT_COLOR_AUTO && none && *none))
		return;
	if (!has_colors() || start_color() == ERR || use_default_colors() == ERR)
		return;
	init_pair(TOP_STYLE_ALERT, COLOR_RED, -1);
	init_pair(TOP_STYLE_BARS, COLOR_GREEN, -1);
	v->colours = true;
}

/* Returns whether the terminal's font has bars of all heights; the console of Linux has none. */
static bool has_block_font(void)
{
	const char *term = getenv("TERM");

	return term && strcmp(term, "linux") != 0;
}

int top_terminal_open(struct top_view *v, uint32_t color)
{
	int code;

	if (!isatty(STDOUT_FILENO))
		return refuse_terminal(
			"the standard output is no terminal to show anything on; leave --top out, and there is a report at the end");
	code = open_key_input(v);
	if (code)
		return code;
	setlocale(LC_CTYPE, "");
	v->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	v->blocks = v->utf8 && has_block_font();
	read_services();
	v->model.service = find_service;
	saved.length = 0;
	if (tcgetattr(input_descriptor(v), &saved.mode))
		return refuse_terminal("the terminal does not tell how it is set");
	v->screen = newterm(NULL, stdout, v->input ? v->input : stdin);
	if (!v->screen)
		return refuse_unknown_terminal();
	v->is_shown = true;
	code = check_cursor_addressing();
	if (code)
		return code;
	save_capability("sgr0");
	save_capability("rmkx");
	save_capability("cnorm");
	save_capability("rmcup");
	saved.fd = input_descriptor(v);
	set_terminal_modes();
	set_colours(v, color);
	endwin(); /* until start, so that messages appear on the terminal as it was */
	v->is_shown = false;
	return 0;
}

/* Returns whether a terminal is gone.  poll(2) does not serve for terminals on macOS. */
bool top_terminal_is_gone(const struct top_view *v)
{
	struct termios mode;

	return tcgetattr(input_descriptor(v), &mode) || tcgetattr(STDOUT_FILENO, &mode);
}

void top_terminal_close(struct top_view *v)
{
	if (v->screen)
		delscreen(v->screen);
	if (v->input)
		fclose(v->input);
	free_services();
}

void top_terminal_leave(struct top_view *v)
{
	if (v->is_shown)
		endwin();
	saved.fd = -1;
}
