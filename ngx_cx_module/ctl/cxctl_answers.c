/* cxctl verbatims, tail. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cxctl.h"

#define CX_TAIL_PAUSE 100 /* ms between looks at many streams */


/* ---- verbatims ---- */

static void
cx_verbatim_row(cx_ctl_t *c, cx_table_t *t)
{
    char        when[32];
    const char *version, *choice;

    cx_table_add(t, "%s", cx_ctl_time(when, cx_ctl_number(c, "ts")));
    cx_table_add(t, "%s", cx_ctl_field(c, "page"));
    version = cx_ctl_field(c, "version");
    choice = cx_ctl_field(c, "choice");
    cx_table_add(t, "%s%s%s", cx_ctl_field(c, "survey"), *version ? "@" : "",
                 version);
    cx_table_add(t, "%s%s%s%s%s", cx_ctl_field(c, "metric"),
                 *cx_ctl_field(c, "score") ? " " : "", cx_ctl_field(c, "score"),
                 *choice ? " #" : "", choice);
    cx_table_add(t, "%s", cx_ctl_field(c, "lang"));
    cx_table_add(t, "%s", cx_ctl_field(c, "source"));
    cx_table_add(t, "%s", "");

    /* longer than a formatted cell may be */

    free(t->cell[t->rows - 1]);
    t->cell[t->rows - 1] = cx_ctl_safe(cx_ctl_field(c, "text"),
                                       strlen(cx_ctl_field(c, "text")));
}


static json_t *
cx_verbatim_json(cx_ctl_t *c, const cx_str_t *id)
{
    size_t    i;
    json_t   *o;
    int64_t   n;
    cx_str_t *name, *value;

    o = json_object();
    json_object_set_new(o, "answer", cx_json_text((char *) id->data, id->len));

    for (i = 1; i + 1 < c->reply.n; i += 2) {
        name = &c->reply.s[i];
        value = &c->reply.s[i + 1];

        if (strcmp((char *) name->data, "other") == 0
            || strcmp((char *) name->data, "said") == 0)
        {
            continue;
        }

        if ((strcmp((char *) name->data, "ts") == 0
             || strcmp((char *) name->data, "score") == 0
             || strcmp((char *) name->data, "done") == 0
             || strcmp((char *) name->data, "chance") == 0)
            && cx_number(&n, value) == 0)
        {
            json_object_set_new(o, (char *) name->data, json_integer(n));

        } else {
            json_object_set_new(o, (char *) name->data,
                                cx_json_text((char *) value->data, value->len));
        }
    }

    return o;
}


int
cx_ctl_cmd_verbatims(cx_ctl_t *c)
{
    int                      rc;
    char                     key[CX_KEY_MAX + 1];
    size_t                   i, n;
    json_t                  *o, *list;
    cx_table_t               t;
    cx_ctl_page_t           *p;
    static const char *const head[] = { "<TIME (UTC)", "<PAGE", "<SURVEY",
                                        "<SCORE",      "<LANG", "<SOURCE",
                                        "<TEXT" };

    p = cx_ctl_index(c, CX_KEY_VERBATIMS, 0, 0, c->limit, &n);

    if (p == NULL) {
        return CX_CTL_ERROR;
    }

    list = json_array();
    cx_table_begin(&t, 7, head);
    rc = CX_CTL_OK;

    for (i = 0; i < n; i++) {
        cx_ctl_part(c, p[i].part);
        cx_ctl_ask(c, 2, "HGETALL",
                   cx_ctl_key(c, key, CX_KEY_ANSWER, 0, 0, &p[i].name));
    }

    for (i = 0; i < n; i++) {
        cx_ctl_part(c, p[i].part);

        if (cx_ctl_get(c)) {
            rc = CX_CTL_ERROR;
            break;
        }

        if (c->reply.n > 1) { /* else it has just expired */
            cx_verbatim_row(c, &t);
            json_array_append_new(list, cx_verbatim_json(c, &p[i].name));
        }
    }

    if (c->json) {
        o = json_object();
        json_object_set_new(o, "site", json_string((char *) c->whole.data));
        json_object_set(o, "verbatims", list);
        cx_json_print(o);

    } else {
        cx_table_print(&t);
    }

    cx_table_free(&t);
    json_decref(list);
    cx_ctl_pages_free(p, n);

    return rc;
}


/* ---- tail ---- */

/* an entry's n pairs from token i on */

static void
cx_tail_text(cx_ctl_t *c, const char *id, size_t i, size_t n)
{
    char       *s, *name, when[32];
    size_t      k;
    cx_str_t   *v;
    const char *type, *page;

    type = "?";
    page = "";
    v = c->reply.s + i;

    for (k = 0; k + 1 < n; k += 2) {
        if (strcmp((char *) v[k].data, "type") == 0) {
            type = (char *) v[k + 1].data;

        } else if (strcmp((char *) v[k].data, "page") == 0) {
            page = (char *) v[k + 1].data;
        }
    }

    s = cx_ctl_safe(page, strlen(page));
    name = cx_ctl_safe(type, strlen(type));
    printf("%s  %-7s %s ", cx_ctl_time(when, strtoll(id, NULL, 10)), name, s);
    free(name);
    free(s);

    for (k = 0; k + 1 < n; k += 2) {
        if (v[k + 1].len && strcmp((char *) v[k].data, "type") != 0
            && strcmp((char *) v[k].data, "page") != 0
            && strcmp((char *) v[k].data, "ts") != 0)
        {
            name = cx_ctl_safe((char *) v[k].data, v[k].len);
            s = cx_ctl_safe((char *) v[k + 1].data, v[k + 1].len);
            printf(" %s=%s", name, s);
            free(name);
            free(s);
        }
    }

    putchar('\n');
    fflush(stdout);
}


static void
cx_tail_json(cx_ctl_t *c, const char *id, size_t i, size_t n)
{
    size_t    k;
    json_t   *o;
    cx_str_t *v;

    o = json_object();
    json_object_set_new(o, "id", json_string(id));
    v = c->reply.s + i;

    for (k = 0; k + 1 < n; k += 2) {
        if (v[k + 1].len) {
            json_object_set_new(o, (char *) v[k].data,
                                cx_json_text((char *) v[k + 1].data,
                                             v[k + 1].len));
        }
    }

    cx_json_print_line(o);
}


/* what one reply to XREAD holds; how many entries, at most left (-1: all) */

static long
cx_tail_take(cx_ctl_t *c, char *at, size_t size, long left)
{
    long   done;
    size_t i, n, entries;

    if (c->reply.type[0] != REDIS_REPLY_ARRAY) {
        return 0;
    }

    /* array of one stream: its key, its entries */

    entries = c->reply.s[3].len;
    done = 0;

    for (i = 4; entries > 0 && done != left; entries--) {
        n = c->reply.s[i + 2].len;
        snprintf(at, size, "%s", (char *) c->reply.s[i + 1].data);

        if (c->json) {
            cx_tail_json(c, at, i + 3, n);

        } else {
            cx_tail_text(c, at, i + 3, n);
        }

        i += 3 + n;
        done++;
    }

    return done;
}


/* asks all parts, the only one with a wait; how many came, or -1 */

static long
cx_tail_poll(cx_ctl_t *c, char (*at)[48], long left)
{
    int  i;
    char key[CX_KEY_MAX + 1];
    long done;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_key(c, key, CX_KEY_EVENTS, 0, 0, NULL);

        if (c->parts == 1) {
            cx_ctl_ask(c, 8, "XREAD", "COUNT", "100", "BLOCK", "1000",
                       "STREAMS", key, at[i]);
        } else {
            cx_ctl_ask(c, 6, "XREAD", "COUNT", "100", "STREAMS", key, at[i]);
        }
    }

    done = 0;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            return -1;
        }

        done += cx_tail_take(c, at[i], sizeof(at[i]),
                             left < 0 ? -1 : left - done);
    }

    return done;
}


int
cx_ctl_cmd_tail(cx_ctl_t *c)
{
    int             i, rc;
    char            at[CX_SHARDS_MAX + 1][48];
    long            left, done;
    cx_ctl_stream_t stream;
    struct timespec pause;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        rc = cx_ctl_stream(c, &stream);

        if (rc < 0) {
            return CX_CTL_ERROR;
        }

        snprintf(at[i], sizeof(at[i]), "%s", rc ? "0-0" : stream.last);
    }

    pause.tv_sec = 0;
    pause.tv_nsec = CX_TAIL_PAUSE * 1000000;
    left = c->limit ? c->limit : -1;

    while (left != 0) {
        done = cx_tail_poll(c, at, left);

        if (done < 0 || ferror(stdout)) {
            return CX_CTL_ERROR;
        }

        if (done == 0 && c->parts > 1) {
            nanosleep(&pause, NULL);
        }

        left -= left > 0 ? done : 0;
    }

    return CX_CTL_OK;
}
