/* A site in memory, events put into it by hand, and its counters. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "cx_agg.h"
#include "tap.h"

#define HOUR  3600000LL
#define NOW   (1795297683000LL)          /* 2026-11-21 21:48:03 */

static cx_agg_conf_t   conf;
static cx_agg_site_t  *site;


static void
begin(void)
{
    cx_str_t  name = { 1, (unsigned char *) "s" };

    memset(&conf, 0, sizeof(conf));
    conf.keep_hours = 8 * 24 * HOUR;
    conf.keep_days = 400 * 24 * HOUR;
    conf.keep_answers = 90 * 24 * HOUR;
    conf.pages = 3;
    cx_tuning_default(&conf.tuning);
    site = cx_agg_site(&conf, &name);
}


/* names and values of one entry, ended by NULL */

static const char *
fold(int64_t ts, const char *type, const char *page, ...)
{
    char         text[24];
    size_t       n;
    va_list      args;
    cx_str_t     v[64];
    cx_event_t   ev;
    const char  *s, *why;

    snprintf(text, sizeof(text), "%lld", (long long) ts);
    n = 0;

#define PUT(t)                                                                \
    v[n].data = (unsigned char *) (t), v[n].len = strlen(t), n++

    PUT("type");
    PUT(type);
    PUT("ts");
    PUT(text);
    PUT("page");
    PUT(page);
    va_start(args, page);

    while ((s = va_arg(args, const char *)) != NULL) {
        PUT(s);
    }

    va_end(args);
    why = cx_event_decode(&ev, v, n);

    return why ? why : cx_agg_fold(site, &ev, NOW);
}


static cx_rollup_t *
at(int gran, int64_t ms, const char *page)
{
    cx_str_t            name;
    cx_agg_cell_t      *c;
    static cx_rollup_t  none;

    name.data = (unsigned char *) page;
    name.len = strlen(page);
    c = cx_agg_cell_find(cx_agg_window(site, gran, ms, NOW), CX_KEY_PAGE,
                         &name);

    return c ? &c->roll : &none;
}


#define V1  "visit", "00000000000000a1"
#define V2  "visit", "00000000000000b2"
