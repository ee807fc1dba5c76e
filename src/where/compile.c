/* SPDX-License-Identifier: MIT */
/* From the text of a condition to its steps (program.h).
 *
 *     condition = term { ("or" | "||") term }
 *     term       = factor { ("and" | "&&") factor }
 *     factor    = ("not" | "!") factor | "(" condition ")" | comparison
 *     comparison = FIELD
 *                | FIELD ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=") VALUE
 *                | FIELD ["not"] "like" VALUE
 *                | FIELD ["not"] "in" (VALUE | "(" VALUE { "," VALUE } ")")
 *
 * Each part of a condition is a range of steps with two lists of exits: where the part holds, and
 * where the part does not.  A list runs through the `yes` and `no` of the steps, until the exit is
 * known.  The parser calls itself only for parentheses and "not", at most BPEI_WHERE_DEPTH deep. */
#include "where/lex.h"
#include "where/suggest.h"
#include "where/values.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_EXIT 0xffffu /* the end of a list */

/* A list of exits: 2 * step for `yes`, 2 * step + 1 for `no`. */
struct exits {
	uint16_t first, last;
};

struct part {
	uint16_t begin;
	struct exits yes, no;
};

struct compiler {
	const char *expression;
	struct bpei_where_token token; /* at hand */
	struct bpe_where *where;
	uint32_t texts; /* bytes used in where->texts */
	uint32_t depth;
	struct bpe_error *error;
	bool failed;
};

/* ---- Errors ---- */

/* Fills the error with the column of a token and a reason.  Only the first error counts. */
static __attribute__((format(printf, 3, 4))) bool refuse_token(
	struct compiler *c, const struct bpei_where_token *t, const char *format, ...)
{
	char why[220];
	va_list arguments;

	if (c->failed)
		return false;
	c->failed = true;
	va_start(arguments, format);
	vsnprintf(why, sizeof why, format, arguments);
	va_end(arguments);
	bpei_utf8_show(why, sizeof why, false);
	bpei_fail(c->error, BPE_E_ARGUMENT, "where", 0, "condition, column %u: %s",
		(unsigned)t->at + 1, why);
	return false;
}

/* Writes a token for an error: `"foo"`, or a phrase for the end. */
static const char *show_token(
	const struct compiler *c, const struct bpei_where_token *t, char text[48])
{
	const int n = t->length > 40 ? 40 : (int)t->length;

	if (t->kind == BPEI_WHERE_END)
		return "the end";
	if (t->kind == BPEI_WHERE_QUOTED)
		snprintf(text, 48, "%.*s", n, c->expression + t->at);
	else
		snprintf(text, 48, "\"%.*s\"", n, c->expression + t->at);
	return text;
}

static bool refuse_expected(struct compiler *c, const char *what)
{
	char text[48];

	if (c->token.kind == BPEI_WHERE_OPEN_QUOTE)
		return refuse_token(c, &c->token, "the quote has no end");
	return refuse_token(
		c, &c->token, "expected %s, not %s", what, show_token(c, &c->token, text));
}

/* ---- Steps and exits ---- */

static void next_token(struct compiler *c)
{
	c->token = bpei_where_lex(c->expression, c->token.at + c->token.length);
}

static uint16_t *find_exit(struct compiler *c, uint16_t exit)
{
	struct bpei_where_step *s = &c->where->steps[exit / 2];

	return exit % 2 ? &s->no : &s->yes;
}

/* Sends all exits of a list to a step. */
static void lead_exits(struct compiler *c, struct exits list, uint16_t to)
{
	for (uint16_t exit = list.first; exit != NO_EXIT;) {
		uint16_t *at = find_exit(c, exit);

		exit = *at;
		*at = to;
	}
}

static struct exits join_exits(struct compiler *c, struct exits a, struct exits b)
{
	if (a.first == NO_EXIT)
		return b;
	if (b.first == NO_EXIT)
		return a;
	*find_exit(c, a.last) = b.first;
	return (struct exits){ a.first, b.last };
}

static struct part negate_part(struct part p)
{
	return (struct part){ p.begin, p.no, p.yes };
}

/* Joins two parts, of which the second is looked at only if the first holds. */
static struct part both_parts(struct compiler *c, struct part a, struct part b)
{
	lead_exits(c, a.yes, b.begin);
	return (struct part){ a.begin, b.yes, join_exits(c, a.no, b.no) };
}

static struct part either_part(struct compiler *c, struct part a, struct part b)
{
	return negate_part(both_parts(c, negate_part(a), negate_part(b)));
}

/* Adds a step, and returns the step as a part. */
static bool add_step(struct compiler *c, const struct bpei_where_step *step, struct part *part)
{
	const uint32_t n = c->where->count;

	if (n == BPEI_WHERE_STEPS)
		return refuse_token(c, &c->token, "more than %u comparisons", BPEI_WHERE_STEPS);
	c->where->steps[n] = *step;
	c->where->steps[n].yes = NO_EXIT;
	c->where->steps[n].no = NO_EXIT;
	c->where->count++;
	part->begin = (uint16_t)n;
	part->yes = (struct exits){ (uint16_t)(2 * n), (uint16_t)(2 * n) };
	part->no = (struct exits){ (uint16_t)(2 * n + 1), (uint16_t)(2 * n + 1) };
	return true;
}

/* ---- Values ---- */

static bool refuse_value(struct compiler *c, const struct bpei_where_field *f, const char *text,
	size_t length, const char *want)
{
	char shown[48];
	char near[150] = "";

	if (f->choice)
		bpei_where_suggest_choice(f, text, length, near, sizeof near);
	return refuse_token(c, &c->token, "%s wants %s, not %s%s", f->name, want,
		show_token(c, &c->token, shown), near);
}

/* Reads the current token as a value of the step's field. */
static bool parse_value(struct compiler *c, struct bpei_where_step *s)
{
	const struct bpei_where_field *f = s->field;
	char *text = c->where->texts + c->texts;
	const char *want;

	if (c->token.kind != BPEI_WHERE_WORD && c->token.kind != BPEI_WHERE_QUOTED)
		return refuse_expected(c, "a value");
	const size_t n = bpei_where_unquote(c->expression, &c->token, text);

	text[n] = 0;
	if (!bpei_where_value_read(f, text, n, &s->value, &want))
		return refuse_value(c, f, text, n, want);
	s->value.text = c->texts;
	s->value.length = (uint32_t)n;
	c->texts += (uint32_t)n + 1;
	for (size_t i = 0; i < n && !f->exact; i++)
		text[i] = bpei_where_small(text[i]);
	next_token(c);
	return true;
}

/* Parses a value and adds the comparing step. */
static bool parse_compared(struct compiler *c, struct bpei_where_step *s, struct part *part)
{
	return parse_value(c, s) && add_step(c, s, part);
}

/* Parses the values behind "in": a value, or values in parentheses. */
static bool parse_values(struct compiler *c, struct bpei_where_step *s, struct part *part)
{
	struct part another;

	if (c->token.kind != BPEI_WHERE_OPEN)
		return parse_compared(c, s, part);
	next_token(c);
	if (!parse_compared(c, s, part))
		return false;
	while (c->token.kind == BPEI_WHERE_COMMA) {
		next_token(c);
		if (!parse_compared(c, s, &another))
			return false;
		*part = either_part(c, *part, another);
	}
	if (c->token.kind != BPEI_WHERE_CLOSE)
		return refuse_expected(c, "\",\" or \")\" after a value of the list");
	next_token(c);
	return true;
}

/* ---- Comparisons ---- */

/* Makes the opposite of a comparison: the field is known, and the comparison does not hold. */
static bool add_known(struct compiler *c, const struct bpei_where_step *s, struct part *known)
{
	struct bpei_where_step step = *s;

	step.test = BPEI_WHERE_IS_KNOWN;
	return add_step(c, &step, known);
}

/* Parses "like", "in", "=" and their opposites, whose sign is the current token. */
static bool parse_equal(
	struct compiler *c, struct bpei_where_step *s, bool is_opposite, struct part *part)
{
	const struct bpei_where_token sign = c->token;
	const uint8_t kind = s->field->kind;
	const bool has_texts =
		kind == BPEI_WHERE_TEXT || kind == BPEI_WHERE_LIST || kind == BPEI_WHERE_LETTERS;
	struct part known = { 0 };

	if (sign.kind == BPEI_WHERE_LIKE && !has_texts)
		return refuse_token(c, &sign, "%s is no text: use = or in", s->field->name);
	next_token(c);
	if (is_opposite && !add_known(c, s, &known))
		return false;
	s->test = sign.kind == BPEI_WHERE_LIKE ? BPEI_WHERE_IS_LIKE : BPEI_WHERE_IS_EQUAL;
	if (sign.kind == BPEI_WHERE_IN ? !parse_values(c, s, part) : !parse_compared(c, s, part))
		return false;
	if (is_opposite)
		*part = both_parts(c, known, negate_part(*part));
	return true;
}

/* Parses "<" and the other signs of order. */
static bool parse_order(
	struct compiler *c, struct bpei_where_step *s, uint8_t test, struct part *part)
{
	if (!bpei_where_has_order(s->field))
		return refuse_token(c, &c->token, "%s has no order: use = or != or in%s",
			s->field->name, s->field->kind == BPEI_WHERE_TEXT ? " or like" : "");
	next_token(c);
	s->test = test;
	return parse_compared(c, s, part);
}

/* Parses a field alone: known, or a true flag. */
static bool parse_lone_field(struct compiler *c, struct bpei_where_step *s, struct part *part)
{
	s->test = BPEI_WHERE_IS_KNOWN;
	if (s->field->kind == BPEI_WHERE_FLAG) {
		s->test = BPEI_WHERE_IS_EQUAL;
		s->value.number = 1;
	}
	return add_step(c, s, part);
}

static bool parse_sign(struct compiler *c, struct bpei_where_step *s, struct part *part)
{
	switch (c->token.kind) {
	case BPEI_WHERE_EQUAL:
	case BPEI_WHERE_LIKE:
	case BPEI_WHERE_IN:
		return parse_equal(c, s, false, part);
	case BPEI_WHERE_UNEQUAL:
		return parse_equal(c, s, true, part);
	case BPEI_WHERE_NOT:
		next_token(c);
		if (c->token.kind != BPEI_WHERE_LIKE && c->token.kind != BPEI_WHERE_IN)
			return refuse_expected(c, "\"like\" or \"in\" after \"not\"");
		return parse_equal(c, s, true, part);
	case BPEI_WHERE_LESS:
		return parse_order(c, s, BPEI_WHERE_IS_LESS, part);
	case BPEI_WHERE_AT_MOST:
		return parse_order(c, s, BPEI_WHERE_IS_AT_MOST, part);
	case BPEI_WHERE_MORE:
		return parse_order(c, s, BPEI_WHERE_IS_MORE, part);
	case BPEI_WHERE_AT_LEAST:
		return parse_order(c, s, BPEI_WHERE_IS_AT_LEAST, part);
	case BPEI_WHERE_END:
	case BPEI_WHERE_CLOSE:
	case BPEI_WHERE_AND:
	case BPEI_WHERE_OR:
		return parse_lone_field(c, s, part);
	default:
		return refuse_expected(
			c, "a comparison (=, !=, <, <=, >, >=, like, in), and, or, or the end");
	}
}

static bool parse_field_test(struct compiler *c, struct part *part)
{
	struct bpei_where_step s = { .value = { .number = 0 } };
	const char *word = c->expression + c->token.at;
	char shown[48];
	char near[150];

	if (c->token.kind != BPEI_WHERE_WORD)
		return refuse_expected(c, "a field, \"not\" or \"(\"");
	s.field = bpei_where_field(word, c->token.length, &s.end);
	if (!s.field) {
		bpei_where_suggest_field(word, c->token.length, near, sizeof near);
		return refuse_token(c, &c->token, "there is no field %s%s",
			show_token(c, &c->token, shown),
			near[0] ? near : "; bpfengine-where(7) lists the fields");
	}
	next_token(c);
	return parse_sign(c, &s, part);
}

/* ---- Conditions ---- */

static bool parse_condition(struct compiler *c, struct part *part);

/* Parses a factor with `nots` before it. */
static bool parse_inverted(struct compiler *c, struct part *part)
{
	bool is_negated = false;

	for (; c->token.kind == BPEI_WHERE_NOT; next_token(c))
		is_negated = !is_negated;
	if (c->token.kind != BPEI_WHERE_OPEN) {
		if (!parse_field_test(c, part))
			return false;
	} else {
		if (c->depth++ == BPEI_WHERE_DEPTH)
			return refuse_token(c, &c->token,
				"more than %u parentheses inside each other", BPEI_WHERE_DEPTH);
		next_token(c);
		if (!parse_condition(c, part))
			return false;
		c->depth--;
		if (c->token.kind != BPEI_WHERE_CLOSE)
			return refuse_expected(c, "\")\", \"and\" or \"or\"");
		next_token(c);
	}
	if (is_negated)
		*part = negate_part(*part);
	return true;
}

static bool parse_conjunction(struct compiler *c, struct part *part)
{
	struct part another;

	if (!parse_inverted(c, part))
		return false;
	while (c->token.kind == BPEI_WHERE_AND) {
		next_token(c);
		if (!parse_inverted(c, &another))
			return false;
		*part = both_parts(c, *part, another);
	}
	return true;
}

static bool parse_condition(struct compiler *c, struct part *part)
{
	struct part another;

	if (!parse_conjunction(c, part))
		return false;
	while (c->token.kind == BPEI_WHERE_OR) {
		next_token(c);
		if (!parse_conjunction(c, &another))
			return false;
		*part = either_part(c, *part, another);
	}
	return true;
}

/* Compiles all of the expression. */
static bool compile_whole(struct compiler *c)
{
	struct part all;

	next_token(c);
	if (c->token.kind == BPEI_WHERE_END)
		return refuse_token(c, &c->token, "the condition is empty");
	if (!parse_condition(c, &all))
		return false;
	if (c->token.kind != BPEI_WHERE_END)
		return refuse_expected(c, "\"and\", \"or\" or the end");
	lead_exits(c, all.yes, BPEI_WHERE_ACCEPT);
	lead_exits(c, all.no, BPEI_WHERE_REFUSE);
	return true;
}

int bpe_where_compile(const char *expression, struct bpe_where **where, struct bpe_error *error)
{
	struct compiler c = { .expression = expression, .error = error };
	const size_t length = strnlen(expression, BPEI_WHERE_LENGTH + 1);

	if (length > BPEI_WHERE_LENGTH)
		return bpei_fail(error, BPE_E_ARGUMENT, "where", 0,
			"condition: longer than %u bytes", BPEI_WHERE_LENGTH);
	c.where = calloc(1, sizeof *c.where);
	if (!c.where)
		return bpei_fail(error, BPE_E_MEMORY, "where", 0, "no memory for a condition");
	c.where->steps = calloc(BPEI_WHERE_STEPS, sizeof *c.where->steps);
	c.where->texts = malloc(2 * length + 2); /* a final 0 for each value */
	if (!c.where->steps || !c.where->texts) {
		bpe_where_free(c.where);
		return bpei_fail(error, BPE_E_MEMORY, "where", 0, "no memory for a condition");
	}
	if (!compile_whole(&c)) {
		bpe_where_free(c.where);
		return BPE_E_ARGUMENT;
	}
	*where = c.where;
	return BPE_OK;
}

void bpe_where_free(struct bpe_where *where)
{
	if (!where)
		return;
	free(where->steps);
	free(where->texts);
	free(where);
}
