/*
 * cxctl surveys why: which surveys of a file a page gets, and why not the
 * others.  The rules are those of the module's survey_match.c, and the reasons
 * those of its why.c; what is not said on the command line is not decided but
 * told.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cxctl_why.h"


const char *
cx_why_line(const cx_why_t *w, const char *key)
{
    const char *s;

    s = json_string_value(json_object_get(w->json, key));

    return s ? s : "";
}


void
cx_why_add(char *dst, const char *fmt, ...)
{
    size_t  len;
    va_list args;

    len = strlen(dst);
    va_start(args, fmt);
    vsnprintf(dst + len, CX_WHY_TEXT - len, fmt, args);
    va_end(args);
}


/* ---- dates and quotas ---- */

static void
cx_why_dates(cx_why_t *w)
{
    const char *from, *until;

    from = cx_why_line(w, "from");
    until = cx_why_line(w, "until");

    if (*from && strcmp(w->today, from) < 0) {
        cx_why_add(w->why, "not before %s (UTC)", from);

    } else if (*until && strcmp(w->today, until) > 0) {
        cx_why_add(w->why, "not after %s (UTC)", until);
    }
}


/* answers that a field of the quota has, of all shards; -1 (said) */

static int64_t
cx_why_count(cx_ctl_t *c, const char *field)
{
    int     i;
    char    key[CX_KEY_MAX + 1];
    int64_t n, all;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_ask(c, 3, "HGET", cx_ctl_key(c, key, CX_KEY_QUOTA, 0, 0, NULL),
                   field);
    }

    for (i = 0, all = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            return -1;
        }

        all += cx_number(&n, &c->reply.s[0]) ? 0 : n;
    }

    return all;
}


/* a bound of answers; 0, or -1 (said) */

static int
cx_why_bound(cx_why_t *w, const char *key, const char *field,
             const char *reached)
{
    int64_t n, bound;

    bound = json_integer_value(json_object_get(w->json, key));

    if (bound <= 0 || w->why[0]) {
        return 0;
    }

    n = cx_why_count(w->ctl, field);

    if (n < 0) {
        return -1;
    }

    if (n >= bound) {
        cx_why_add(w->why, "%s of %lld answers is reached", reached,
                   (long long) bound);

    } else {
        cx_why_add(w->only, ", %s quota (%lld of %lld)", key, (long long) n,
                   (long long) bound);
    }

    return 0;
}


static int
cx_why_quota(cx_why_t *w)
{
    char        field[CX_NAME_MAX + 24];
    const char *id;

    id = cx_why_line(w, "id");

    if (cx_why_bound(w, "total", id, "the quota")) {
        return -1;
    }

    snprintf(field, sizeof(field), "%.32s:%lld", id,
             (long long) cx_window(CX_DAY, (int64_t) time(NULL) * 1000));

    return cx_why_bound(w, "daily", field, "the daily quota");
}


/* ---- one survey, all surveys ---- */

static int
cx_why_decide(cx_why_t *w)
{
    if (json_is_true(json_object_get(w->json, "retired"))) {
        cx_why_add(w->why, "it is retired");
        return 0;
    }

    cx_why_where(w);

    if (w->why[0] == '\0') {
        cx_why_dates(w);
    }

    return w->why[0] ? 0 : cx_why_quota(w);
}


static int
cx_why_survey(cx_why_t *w)
{
    int rc;

    rc = cx_why_decide(w);
    cx_ctl_whole(w->why);
    cx_ctl_whole(w->only);

    return rc;
}


static double
cx_why_sample(const cx_why_t *w)
{
    const json_t *sample;

    sample = json_object_get(w->json, "sample");

    return sample ? json_number_value(sample) : 100;
}


static void
cx_why_row(const cx_why_t *w, cx_table_t *t)
{
    cx_table_add(t, "%s", cx_why_line(w, "id"));

    if (w->why[0]) {
        cx_table_add(t, "%s", w->why);
        return;
    }

    cx_table_add(t, "matched: %.4g %% of visits%s%s%s%s", cx_why_sample(w),
                 w->lang ? ", in " : "", w->lang ? w->lang : "", w->only,
                 json_is_true(json_object_get(w->json, "dry_run"))
                     ? "; dry run: counted, not shown"
                     : "");
}


static json_t *
cx_why_json(const cx_why_t *w)
{
    json_t *o;

    o = json_object();
    json_object_set_new(o, "id", json_string(cx_why_line(w, "id")));
    json_object_set_new(o, "matched", json_boolean(w->why[0] == '\0'));
    json_object_set_new(o, "reason",
                        w->why[0] ? json_string(w->why) : json_null());
    json_object_set_new(o, "sample", json_real(cx_why_sample(w)));
    json_object_set_new(o, "lang",
                        w->lang ? json_string(w->lang) : json_null());
    json_object_set_new(o, "conditions",
                        json_string(w->only[0] ? w->only + 2 : ""));
    json_object_set_new(o, "dry_run",
                        json_boolean(
                            json_is_true(json_object_get(w->json, "dry_run"))));

    return o;
}


/* 1 if what Redis knows is needed to say why */

static int
cx_why_needs(const json_t *list)
{
    size_t        i;
    const json_t *survey;

    for (i = 0; i < json_array_size(list); i++) {
        survey = json_array_get(list, i);

        if (json_object_get(survey, "daily")
            || json_object_get(survey, "total")) {
            return 1;
        }
    }

    return 0;
}


/* the file; NULL (said) */

static json_t *
cx_why_file(const char *file)
{
    json_t      *root;
    json_error_t err;

    root = json_load_file(file, JSON_REJECT_DUPLICATES, &err);

    if (root == NULL) {
        fprintf(stderr, "cxctl: %s: line %d: %s\n", file, err.line, err.text);
        return NULL;
    }

    if (!json_is_array(json_object_get(root, "surveys"))) {
        fprintf(stderr,
                "cxctl: %s: no \"surveys\": expected a file of cx_surveys; "
                "nginx -t says what is wrong with one\n",
                file);
        json_decref(root);
        return NULL;
    }

    return root;
}


static int
cx_why_all(cx_ctl_t *c, const json_t *list, const char *page)
{
    int                      rc;
    size_t                   i;
    json_t                  *o, *answers;
    cx_why_t                 w;
    cx_table_t               t;
    static const char *const head[] = { "<SURVEY", "<WHY" };
    static const char        rest[]
        = "cooling down and opted out are known to the visitor's browser "
          "only: ?cx_debug=1 there";

    cx_table_begin(&t, 2, head);
    answers = json_array();

    for (i = 0; i < json_array_size(list); i++) {
        memset(&w, 0, sizeof(cx_why_t));
        w.ctl = c;
        w.page = page;
        w.json = json_array_get(list, i);
        cx_ctl_time(w.today, (int64_t) time(NULL) * 1000);
        w.today[10] = '\0';

        rc = cx_why_survey(&w);

        if (rc == 0) {
            cx_why_row(&w, &t);
            json_array_append_new(answers, cx_why_json(&w));
        }

        cx_why_free(&w);

        if (rc) {
            cx_table_free(&t);
            json_decref(answers);
            return CX_CTL_ERROR;
        }
    }

    if (c->json) {
        o = json_object();
        json_object_set_new(o, "page", cx_json_text(page, strlen(page)));
        json_object_set(o, "surveys", answers);
        json_object_set_new(o, "note", json_string(rest));
        cx_json_print(o);
        cx_table_free(&t);

    } else {
        printf("page %s\n\n", page);
        cx_table_print(&t);
        printf("\n%s\n", rest);
    }

    json_decref(answers);

    return CX_CTL_OK;
}


int
cx_ctl_cmd_why(cx_ctl_t *c)
{
    int         rc;
    char        page[CX_PAGE_MAX + 1];
    size_t      len;
    json_t     *root, *list;
    const char *arg;

    if (c->n_args < 2) {
        (void) cx_ctl_bad("command", "surveys why", "needs a page key");
        return CX_CTL_ERROR;
    }

    if (c->file == NULL) {
        (void) cx_ctl_bad("option", "--file",
                          "say which file cx_surveys of nginx.conf names");
        return CX_CTL_ERROR;
    }

    arg = c->args[1];

    /* a path is as good as its key; folding a key changes nothing */

    if (*arg == '/') {
        len = cx_page_fold((unsigned char *) page, (const unsigned char *) arg,
                           strlen(arg));
        page[len] = '\0';
        arg = page;
    }

    root = cx_why_file(c->file);

    if (root == NULL) {
        return CX_CTL_ERROR;
    }

    list = json_object_get(root, "surveys");
    rc = cx_why_needs(list) && cx_ctl_open(c, 1) ? CX_CTL_ERROR
                                                 : cx_why_all(c, list, arg);
    json_decref(root);

    return rc;
}
