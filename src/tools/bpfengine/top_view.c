/* SPDX-License-Identifier: MIT */
/* The live view's terminal, by curses(3).
 *
 * Life: open, before anything is confined, makes the library read what it needs of files, and gives
 * the terminal back; start takes it again, and makes the thread that asks the engine; step shows
 * and minds the keys; close gives the terminal back and joins the thread. Two threads.  The shower
 * (main) owns the model and every call to curses.  The asker waits for `wanted`, fills `shot`, says
 * `ready`; one of the two has the shot at any time, told by these two under the mutex.  So keys are
 * minded however long a busy worker takes to answer. Signals are the program's (main.c): they set
 * flags, between two steps they are minded.  The one exception is top_view_restore, which needs no
 * curses: what a handler that leaves at once writes was prepared by open. */
#include "top.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#undef lines /* <term.h> has macros for what terminals can */
#undef columns

#define STEP_MS 100
#define FIRST_NS 300000000
#define NOTICES 8

enum mode { MODE_LIST, MODE_FILTER, MODE_HELP };
enum { STYLE_PLAIN, STYLE_ALERT, STYLE_FAINT };

struct top_view {
	struct top_model model;
	SCREEN *screen;
	FILE *input;               /* the terminal's own, if stdin is something else */
	struct bpe_engine *engine; /* NULL until start */
	bool utf8, colours, shown, paused, changed, over;
	enum mode mode;
	char before[TOP_FILTER]; /* the filter, should Escape bring it back */
	size_t first;            /* row at the top of the list */
	int64_t interval_ns, due_ns;
	int settled; /* shots taken since the end of the run; two are enough */

	pthread_t asker;
	bool asks;
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t moved;
	bool wanted, ready, leave;
	enum bpe_order order;
	int64_t since_ns;
	struct top_shot shot;
	char notice[NOTICES][256];
	uint32_t notices; /* in all; the last NOTICES are kept */
};

static struct {
	int fd; /* -1: nothing to bring back */
	struct termios mode;
	char text[64]; /* leaves the other screen, shows the cursor, ends colours */
	size_t length;
} saved = { .fd = -1 };

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- Services, read before files are out of reach ---- */

static struct service {
	uint32_t key;
	char name[20];
} *services;
static size_t service_count;

static int by_key(const void *x, const void *y)
{
	const struct service *a = x, *b = y;
	return a->key < b->key ? -1 : a->key > b->key;
}

static void read_services(void)
{
	size_t room = 0;
	setservent(1);
	for (const struct servent *s; (s = getservent()) && service_count < 65536;) {
		uint32_t proto = !strcmp(s->s_proto, "tcp")    ? 6
				 : !strcmp(s->s_proto, "udp")  ? 17
				 : !strcmp(s->s_proto, "sctp") ? 132
							       : 0;
		if (!proto)
			continue;
		if (service_count == room) {
			struct service *more = realloc(
				services, (room = room ? room * 2 : 512) * sizeof *services);
			if (!more)
				break;
			services = more;
		}
		services[service_count].key = proto << 16 | ntohs((uint16_t)s->s_port);
		snprintf(services[service_count++].name, sizeof services->name, "%s", s->s_name);
	}
	endservent();
	if (service_count)
		qsort(services, service_count, sizeof *services, by_key);
}

static const char *service(uint16_t port, uint8_t ip_proto)
{
	struct service key = { .key = (uint32_t)ip_proto << 16 | port };
	const struct service *s =
		service_count ? bsearch(&key, services, service_count, sizeof *services, by_key)
			      : NULL;
	return s ? s->name : NULL;
}

/* ---- The terminal ---- */

static int keep(int c)
{
	if (saved.length < sizeof saved.text)
		saved.text[saved.length++] = (char)c;
	return c;
}

static void keep_capability(const char *name)
{
	char *s = tigetstr((char *)(uintptr_t)name);
	if (s && s != (char *)-1)
		tputs(s, 1, keep);
}

void top_view_restore(void)
{
	if (saved.fd < 0)
		return;
	ssize_t n = write(STDOUT_FILENO, saved.text, saved.length);
	(void)n;
	tcsetattr(saved.fd, TCSANOW, &saved.mode);
}

static int refuse(struct top_view *v, const char *why)
{
	program_tell("--top: %s", why);
	top_view_close(v);
	return EXIT_USAGE;
}

static int open_view(struct top_view **view, const struct cli *c)
{
	char why[256];
	const char *term = getenv("TERM");
	struct top_view *v = calloc(1, sizeof *v);
	if (!v || !top_model_init(&v->model) ||
		!(v->shot.flows = calloc(TOP_FLOWS, sizeof *v->shot.flows))) {
		if (v)
			top_model_free(&v->model);
		free(v);
		program_tell("--top: no memory");
		return EXIT_ERROR;
	}
	pthread_mutex_init(&v->mutex, NULL);
	pthread_cond_init(&v->moved, NULL);
	if (!isatty(STDOUT_FILENO))
		return refuse(v,
			"the standard output is no terminal to show anything on; leave --top out, and there is a report at the end");
	if (!isatty(STDIN_FILENO)) { /* -r - */
		int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC);
		v->input = fd >= 0 ? fdopen(fd, "r") : NULL;
		if (!v->input)
			return refuse(v, "there is no terminal to read keys from");
	}
	setlocale(LC_CTYPE, "");
	v->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	read_services();
	saved.length = 0;
	if (tcgetattr(v->input ? fileno(v->input) : STDIN_FILENO, &saved.mode))
		return refuse(v, "the terminal does not tell how it is set");
	v->screen = newterm(NULL, stdout, v->input ? v->input : stdin);
	if (!v->screen) {
		snprintf(why, sizeof why, "%s%.64s%s",
			term && *term ? "the terminal \"" : "TERM is not set", term ? term : "",
			term && *term ? "\" (TERM) is not known to this system" : "");
		return refuse(v, why);
	}
	v->shown = true;
	const char *address = tigetstr((char *)(uintptr_t)"cup");
	if (!address || address == (const char *)-1) {
		snprintf(why, sizeof why, "the terminal \"%.64s\" (TERM) cannot move its cursor",
			term ? term : "?");
		return refuse(v, why);
	}
	keep_capability("sgr0"), keep_capability("rmkx"), keep_capability("cnorm"),
		keep_capability("rmcup");
	saved.fd = v->input ? fileno(v->input) : STDIN_FILENO;
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
#ifdef NCURSES_VERSION
	set_escdelay(25);
#endif
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(STYLE_ALERT, COLOR_RED, -1);
		init_pair(STYLE_FAINT, COLOR_CYAN, -1);
		v->colours = true;
	}
	endwin(); /* until start: what goes wrong before is told on the terminal as it was */
	v->shown = false;
	v->model.service = service;
	v->interval_ns = c->stats_interval_ns ? c->stats_interval_ns : 1000000000;
	v->changed = true;
	*view = v;
	return 0;
}

/* The library handles signals from newterm on, and its handlers leave without a word.  So none
 * comes in between, and until the program has its own handlers a signal ends it as it ends any
 * other, with the terminal as it was. */
int top_view_open(struct top_view **view, const struct cli *c)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGTSTP };
	const struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t set, before;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaddset(&set, ours[i]);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	int code = open_view(view, c);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		sigaction(ours[i], &usual, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

/* ---- The asker ---- */

static void *ask(void *view)
{
	struct top_view *v = view;
	pthread_mutex_lock(&v->mutex);
	for (;;) {
		while (!v->wanted && !v->leave)
			pthread_cond_wait(&v->moved, &v->mutex);
		if (v->leave)
			break;
		struct top_shot *s = &v->shot;
		enum bpe_order order = v->order;
		int64_t since_ns = v->since_ns;
		pthread_mutex_unlock(&v->mutex);
		bpe_engine_stats(v->engine, &s->stats);
		size_t n = bpe_engine_protocols(v->engine, s->protocols, TOP_PROTOCOLS);
		s->protocol_count = n < TOP_PROTOCOLS ? n : TOP_PROTOCOLS;
		int found = bpe_engine_largest_flows(
			v->engine, (uint32_t)order, since_ns, s->flows, TOP_FLOWS, &s->about, NULL);
		s->count = found > 0 ? (size_t)found : 0;
		pthread_mutex_lock(&v->mutex);
		v->wanted = false;
		v->ready = true;
	}
	pthread_mutex_unlock(&v->mutex);
	return NULL;
}

void top_view_start(struct top_view *v, struct bpe_engine *engine)
{
	sigset_t all, before;
	v->engine = engine;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	v->asks = !pthread_create(&v->asker, NULL, ask, v);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!v->asks)
		top_view_say(v, "no thread to ask the engine with: nothing will be shown");
	v->due_ns = now_ns() + (v->interval_ns < FIRST_NS ? v->interval_ns : FIRST_NS);
	v->shown = true;
	curs_set(0);
	clearok(curscr, TRUE);
	refresh();
}

/* Takes what is ready, and asks for the next when it is due. */
static void turn(struct top_view *v, bool ended)
{
	int64_t now = now_ns();
	pthread_mutex_lock(&v->mutex);
	if (v->ready) {
		v->ready = false;
		if (!v->paused)
			top_model_take(&v->model, &v->shot), v->changed = true;
		if (v->over && v->settled < 2)
			v->settled++;
	}
	if (ended && !v->over)
		v->over = true, v->due_ns = 0, v->changed = true;
	if (!v->wanted && !v->paused && now >= v->due_ns && v->settled < 2) {
		bool by_rate = v->model.sort == TOP_RATE && !v->over &&
			       v->model.now.about.packet_ns > 2000000000;
		v->order = v->model.sort == TOP_PACKETS ? BPE_ORDER_PACKETS : BPE_ORDER_BYTES;
		/* By rate, those that are silent need no place in the list.  Two seconds for what
		 * was on its way through the rings. */
		v->since_ns = by_rate ? v->model.now.about.packet_ns - 2000000000 : INT64_MIN;
		v->wanted = true;
		v->due_ns = now + v->interval_ns;
		pthread_cond_signal(&v->moved);
	}
	pthread_mutex_unlock(&v->mutex);
}

/* ---- Showing ---- */

static void put(struct top_view *v, int y, const char *text, attr_t attributes, short pair)
{
	if (y < 0)
		return;
	attrset(attributes | (v->colours && pair           ? (attr_t)COLOR_PAIR(pair)
				     : pair == STYLE_ALERT ? A_BOLD
							   : 0));
	move(y, 0);
	clrtoeol();
	addstr(text);
	attrset(A_NORMAL);
}

static const char *const help[] = {
	"s  S         sort by the next, the one before: rate, bytes, packets, retransmissions, round trip, duration",
	"b  p  t      sort by bytes, by packets, by rate",
	"r            the other way round",
	"/  f         filter: words of which all must be in address:port, protocol, state or process; !word: must not; Esc: none",
	"space        pause: the list stays as it is, the capture goes on",
	"n            names of services instead of port numbers",
	"u            rates in bytes/s or bit/s",
	"arrows, PgUp, PgDn, Home, End   through the list",
	"Ctrl-L       draw anew",
	"q            end the run, and report",
	"",
	"retr: segments sent again; rtt: lately, else of the handshake; -: not known",
	"Any key goes back.",
};

static void status(struct top_view *v, int y, int width)
{
	const struct top_model *m = &v->model;
	char text[TOP_LINE], line[TOP_LINE], latest[256] = "";
	if (y < 0)
		return;
	pthread_mutex_lock(&v->mutex);
	if (v->notices)
		snprintf(latest, sizeof latest, "%s", v->notice[(v->notices - 1) % NOTICES]);
	pthread_mutex_unlock(&v->mutex);
	if (v->mode == MODE_FILTER) {
		snprintf(text, sizeof text, "Filter: %s_", m->filter);
	} else {
		size_t until = m->shown < v->first + 1 ? m->shown : v->first + 1;
		int n = snprintf(text, sizeof text, "%s%s  %zu/%zu",
			v->over     ? "ENDED  "
			: v->paused ? "PAUSED  "
				    : "",
			top_sort_name(m->sort), until, m->shown);
		if (m->now.about.recent > m->now.count)
			n += snprintf(text + n, sizeof text - (size_t)n, " of %llu",
				(unsigned long long)m->now.about.recent);
		if (m->filter[0])
			n += snprintf(
				text + n, sizeof text - (size_t)n, "  filter \"%s\"", m->filter);
		snprintf(text + n, sizeof text - (size_t)n, "  %s",
			latest[0] ? latest
				  : "h help  q quit  s sort  r reverse  / filter  space pause");
	}
	put(v, y, top_text_cut(line, text, width - 1, v->utf8), A_BOLD,
		0); /* the last cell of all would scroll some terminals */
}

static void draw(struct top_view *v)
{
	int height, width;
	struct top_lines l;
	struct top_layout layout;
	struct top_model *m = &v->model;
	char text[TOP_LINE];
	bool drops = false;
	getmaxyx(stdscr, height, width);
	erase();
	if (v->mode == MODE_HELP) {
		for (int y = 0; y < (int)(sizeof help / sizeof *help) && y < height; y++)
			put(v, y, top_text_cut(text, help[y], width - 1, v->utf8), A_NORMAL, 0);
		refresh();
		return;
	}
	top_lines(&l, height);
	top_layout(&layout, width, m->sort, m->processes);
	put(v, l.source,
		top_text_source(text, bpe_engine_source(v->engine),
			(double)m->now.stats.elapsed_ns * 1e-9, v->over ? "ended" : "", width,
			v->utf8),
		A_NORMAL, STYLE_FAINT);
	put(v, l.rate, top_text_rate(text, m, width - (height == 1)), A_BOLD, 0);
	top_text_drops(text, m, width, &drops);
	put(v, l.drops, text, A_NORMAL, drops ? STYLE_ALERT : 0);
	put(v, l.protocols, top_text_protocols(text, m, width), A_NORMAL, 0);
	put(v, l.head, top_text_head(text, m, &layout, v->utf8), A_REVERSE, 0);
	size_t rows = l.row_count > 0 ? (size_t)l.row_count : 0;
	if (v->first + rows > m->shown)
		v->first = m->shown > rows ? m->shown - rows : 0;
	for (size_t i = 0; i < rows && v->first + i < m->shown; i++)
		put(v, l.rows + (int)i,
			top_text_row(text, m, &layout, &m->rows[m->order[v->first + i]], v->utf8),
			A_NORMAL, 0);
	status(v, l.status, width);
	refresh();
}

/* ---- Keys ---- */

static void sort_by(struct top_view *v, enum top_sort sort)
{
	v->model.sort = sort;
	v->first = 0;
	v->due_ns = 0; /* perhaps of other flows */
	if (v->over)
		v->settled = 1;
	top_model_arrange(&v->model);
}

static void filter_key(struct top_view *v, int key)
{
	char *f = v->model.filter;
	size_t n = strlen(f);
	if (key == '\r' || key == '\n' || key == KEY_ENTER)
		v->mode = MODE_LIST;
	else if (key == 27)
		memcpy(f, v->before, TOP_FILTER), v->mode = MODE_LIST;
	else if ((key == KEY_BACKSPACE || key == 127 || key == 8) && n)
		f[n - 1] = 0;
	else if (key == 21)
		f[0] = 0; /* Ctrl-U */
	else if (key >= 32 && key < 127 && n + 1 < TOP_FILTER)
		f[n] = (char)key, f[n + 1] = 0;
	v->first = 0;
	top_model_arrange(&v->model);
}

static bool key(struct top_view *v, int k)
{
	struct top_model *m = &v->model;
	int page = getmaxy(stdscr) > 8 ? getmaxy(stdscr) - 7 : 1;
	v->changed = true;
	if (k == KEY_RESIZE || k == 12) {
		clearok(curscr, TRUE);
		return true;
	}
	if (v->mode == MODE_FILTER)
		return filter_key(v, k), true;
	if (v->mode == MODE_HELP)
		return v->mode = MODE_LIST, true;
	switch (k) {
	case 'q':
	case 'Q':
		return false;
	case 'h':
	case '?':
		v->mode = MODE_HELP;
		break;
	case '/':
	case 'f':
		memcpy(v->before, m->filter, TOP_FILTER), v->mode = MODE_FILTER;
		break;
	case 27:
		m->filter[0] = 0, top_model_arrange(m);
		break;
	case ' ':
		v->paused = !v->paused, v->due_ns = 0;
		break;
	case 's':
		sort_by(v, (enum top_sort)((m->sort + 1) % TOP_SORTS));
		break;
	case 'S':
		sort_by(v, (enum top_sort)((m->sort + TOP_SORTS - 1) % TOP_SORTS));
		break;
	case 'b':
		sort_by(v, TOP_BYTES);
		break;
	case 'p':
		sort_by(v, TOP_PACKETS);
		break;
	case 't':
		sort_by(v, TOP_RATE);
		break;
	case 'r':
		m->reverse = !m->reverse, top_model_arrange(m);
		break;
	case 'n':
		m->names = !m->names;
		break;
	case 'u':
		m->bytes = !m->bytes;
		break;
	case KEY_DOWN:
		v->first++;
		break;
	case KEY_UP:
		v->first -= v->first > 0;
		break;
	case KEY_NPAGE:
		v->first += (size_t)page;
		break;
	case KEY_PPAGE:
		v->first -= v->first > (size_t)page ? (size_t)page : v->first;
		break;
	case KEY_HOME:
		v->first = 0;
		break;
	case KEY_END:
		v->first = m->shown;
		break;
	default:
		break;
	}
	return true;
}

/* Whether the terminal has gone: without SIGHUP (nohup, a shell that traps it) only this tells,
 * since reading keys from it fails at once, for ever.  Not poll(2), which macOS does not have for
 * terminals. */
static bool is_gone(const struct top_view *v)
{
	struct termios mode;
	int input = v->input ? fileno(v->input) : STDIN_FILENO;
	return tcgetattr(input, &mode) || tcgetattr(STDOUT_FILENO, &mode);
}

bool top_view_step(struct top_view *v, bool ended)
{
	if (is_gone(v))
		return false;
	turn(v, ended);
	if (v->changed)
		draw(v);
	v->changed = false;
	timeout(STEP_MS);
	for (int k; (k = getch()) != ERR; timeout(0))
		if (!key(v, k))
			return false;
	return true;
}

/* ---- Signals, notices, the end ---- */

void top_view_suspend(struct top_view *v)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, before;
	endwin();
	sigaction(SIGTSTP, &stop, &before);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &before, NULL);
	top_view_redraw(v);
}

void top_view_redraw(struct top_view *v)
{
	reset_prog_mode();
	clearok(curscr, TRUE);
	v->changed = true;
	refresh();
}

void top_view_say(struct top_view *v, const char *text)
{
	pthread_mutex_lock(&v->mutex);
	snprintf(v->notice[v->notices++ % NOTICES], sizeof v->notice[0], "%s", text);
	pthread_mutex_unlock(&v->mutex);
}

void top_view_close(struct top_view *v)
{
	if (!v)
		return;
	if (v->shown)
		endwin();
	saved.fd = -1;
	if (v->asks) {
		pthread_mutex_lock(&v->mutex);
		v->leave = true;
		pthread_cond_signal(&v->moved);
		pthread_mutex_unlock(&v->mutex);
		pthread_join(v->asker, NULL);
	}
	for (uint32_t i = v->notices > NOTICES ? v->notices - NOTICES : 0; i < v->notices; i++)
		program_tell("%s", v->notice[i % NOTICES]);
	if (v->screen)
		delscreen(v->screen);
	if (v->input)
		fclose(v->input);
	free(services);
	services = NULL, service_count = 0;
	free(v->shot.flows);
	top_model_free(&v->model);
	pthread_cond_destroy(&v->moved);
	pthread_mutex_destroy(&v->mutex);
	free(v);
}
