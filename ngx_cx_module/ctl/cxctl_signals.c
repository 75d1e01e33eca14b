/* cxctl signals: the table in force; conf/signals.md is made by it. */

#include <stdio.h>
#include <string.h>
#include "cx_agg.h"
#include "cxctl.h"


int
cx_ctl_tuning(cx_ctl_t *c, const char *file)
{
    char why[600];

    cx_tuning_default(&c->tuning);

    if (cx_agg_tuning(&c->tuning, file, why, sizeof(why))) {
        fprintf(stderr, "cxctl: %s\n", why);
        return -1;
    }

    return 0;
}


static const char *
cx_signals_seen(int seen)
{
    switch (seen) {
    case CX_SEEN_EDGE:
        return "edge";

    case CX_SEEN_BROWSER:
        return "browser";

    case CX_SEEN_VITALS:
        return "browser's vitals";

    default: /* CX_SEEN_BOTH */
        return "edge, browser";
    }
}


/* ---- text ---- */

static void
cx_signals_text(const cx_tuning_t *t)
{
    int  i;
    char rule[CX_RULE_MAX];

    for (i = 0; i < CX_SIG_N; i++) {
        printf("%s, seen by %s, strength %g, cap %u\n", cx_signals[i].name,
               cx_signals_seen(cx_signals[i].seen), t->strength[i], t->cap[i]);
        cx_signal_rule(rule, i, t);
        cx_ctl_wrap(rule);
        snprintf(rule, sizeof(rule), "[%s]", cx_signals[i].source);
        cx_ctl_wrap(rule);
        putchar('\n');
    }

    for (i = 0; i < CX_T_N; i++) {
        printf("%s %ld", cx_thresholds[i].name, t->t[i]);

        if (t->t[i] != cx_thresholds[i].value) {
            printf(" (default %ld)", cx_thresholds[i].value);
        }

        printf(", %ld to %ld, used by %s\n", cx_thresholds[i].min,
               cx_thresholds[i].max, cx_signals_seen(cx_thresholds[i].seen));
        cx_ctl_wrap(cx_thresholds[i].what);
        snprintf(rule, sizeof(rule), "[%s]", cx_thresholds[i].source);
        cx_ctl_wrap(rule);
        putchar('\n');
    }
}


/* ---- JSON ---- */

static json_t *
cx_signals_json_seen(int seen)
{
    json_t *list;

    list = json_array();

    if (seen & CX_SEEN_EDGE) {
        json_array_append_new(list, json_string("edge"));
    }

    if (seen & CX_SEEN_BROWSER) {
        json_array_append_new(list, json_string("browser"));
    }

    if (seen & CX_SEEN_VITALS) {
        json_array_append_new(list, json_string("vitals"));
    }

    return list;
}


static json_t *
cx_signals_json_one(int i, const cx_tuning_t *t)
{
    char    rule[CX_RULE_MAX];
    json_t *o;

    o = json_object();
    cx_signal_rule(rule, i, t);
    json_object_set_new(o, "name", json_string(cx_signals[i].name));
    json_object_set_new(o, "seen_by", cx_signals_json_seen(cx_signals[i].seen));
    json_object_set_new(o, "rule", json_string(rule));
    json_object_set_new(o, "strength", json_real(t->strength[i]));
    json_object_set_new(o, "strength_default",
                        json_real(cx_signals[i].strength));
    json_object_set_new(o, "cap", json_integer(t->cap[i]));
    json_object_set_new(o, "cap_default", json_integer(cx_signals[i].cap));
    json_object_set_new(o, "source", json_string(cx_signals[i].source));

    return o;
}


static json_t *
cx_signals_json_threshold(int i, const cx_tuning_t *t)
{
    json_t               *o;
    const cx_threshold_t *h;

    o = json_object();
    h = &cx_thresholds[i];
    json_object_set_new(o, "name", json_string(h->name));
    json_object_set_new(o, "value", json_integer(t->t[i]));
    json_object_set_new(o, "default", json_integer(h->value));
    json_object_set_new(o, "min", json_integer(h->min));
    json_object_set_new(o, "max", json_integer(h->max));
    json_object_set_new(o, "used_by", cx_signals_json_seen(h->seen));
    json_object_set_new(o, "what", json_string(h->what));
    json_object_set_new(o, "source", json_string(h->source));

    return o;
}


static void
cx_signals_json(const cx_tuning_t *t)
{
    int     i;
    json_t *o, *list;

    o = json_object();
    list = json_array();
    json_object_set_new(o, "signals", list);

    for (i = 0; i < CX_SIG_N; i++) {
        json_array_append_new(list, cx_signals_json_one(i, t));
    }

    list = json_array();
    json_object_set_new(o, "thresholds", list);

    for (i = 0; i < CX_T_N; i++) {
        json_array_append_new(list, cx_signals_json_threshold(i, t));
    }

    cx_json_print(o);
}


/* ---- Markdown ---- */

static const char cx_signals_intro[] =
    /* clang-format off */
    "# Signals of struggle\n"
    "\n"
    "Made by `cxctl signals --markdown` from `include/cx_signal.h`; "
    "`t/signals.t` checks that. `cxctl signals --thresholds FILE`\n"
    "prints the same with the numbers of your site.\n"
    "\n"
    "Each signal is evidence that a visit to a page was a struggle, not "
    "a proof. A visit's evidence is x, the sum of strength\n"
    "times count over its signals, each counted up to its cap; the "
    "chance that the visit was a struggle is 1 - e^-x. Inferred\n"
    "effort of a page is 100 times the mean of that chance over its "
    "visits.\n"
    "\n"
    "Seen by: the edge sees requests, with or without JavaScript; the "
    "browser sees what happens on the page; of the browser's\n"
    "vitals it sends the values, and the edge judges them. A browser's "
    "signal about a page that the edge did not serve in that\n"
    "visit counts apart (`unseen:<name>`).\n"
    "\n";
/* clang-format on */


static const char cx_signals_tuning[] =
    /* clang-format off */
    "\n"
    "## Thresholds\n"
    "\n"
    "The numbers in the rules, and the strengths and caps, can be "
    "changed for a site in a file, which nginx (`cx_thresholds`),\n"
    "`cx-aggregator` (`thresholds`) and `cxctl` (`--thresholds`) read; "
    "give all of them the same one:\n"
    "\n"
    "```\n"
    "# a shop whose pages are slow on purpose: nobody waits less than "
    "1.2 s\n"
    "slow_page_ms 1200\n"
    "slow_page.strength 0.1\n"
    "dead_click.cap 2\n"
    "```\n"
    "\n"
    "Strengths are decimals from 0 to 10, caps integers from 1 to %d. "
    "What was counted before a change stays counted by the\n"
    "rules of that time; strengths apply to it from the next scoring on.\n"
    "\n";
/* clang-format on */


static void
cx_signals_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|' || *text == '<') {
            putchar('\\');
        }

        putchar(*text);
    }

    fputs(" |", stdout);
}


static void
cx_signals_markdown(const cx_tuning_t *t)
{
    int                   i;
    char                  rule[CX_RULE_MAX];
    const cx_threshold_t *h;

    fputs(cx_signals_intro, stdout);
    puts("| signal | seen by | rule | strength | cap | source |\n"
         "| --- | --- | --- | ---: | ---: | --- |");

    for (i = 0; i < CX_SIG_N; i++) {
        printf("| `%s` | %s | ", cx_signals[i].name,
               cx_signals_seen(cx_signals[i].seen));
        cx_signal_rule(rule, i, t);
        cx_signals_cell(rule);
        printf(" %g | %u | ", t->strength[i], t->cap[i]);
        cx_signals_cell(cx_signals[i].source);
        putchar('\n');
    }

    printf(cx_signals_tuning, CX_CAP_MAX);
    puts("| threshold | value | least | most | used by | what | source |\n"
         "| --- | ---: | ---: | ---: | --- | --- | --- |");

    for (i = 0; i < CX_T_N; i++) {
        h = &cx_thresholds[i];
        printf("| `%s` | %ld", h->name, t->t[i]);

        if (t->t[i] != h->value) {
            printf(" (default %ld)", h->value);
        }

        printf(" | %ld | %ld | %s | ", h->min, h->max,
               cx_signals_seen(h->seen));
        cx_signals_cell(h->what);
        putchar(' ');
        cx_signals_cell(h->source);
        putchar('\n');
    }
}


int
cx_ctl_cmd_signals(cx_ctl_t *c)
{
    if (c->json) {
        cx_signals_json(&c->tuning);

    } else if (c->markdown) {
        cx_signals_markdown(&c->tuning);

    } else {
        cx_signals_text(&c->tuning);
    }

    return CX_CTL_OK;
}
