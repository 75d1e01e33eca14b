/*
 * What stops when something fails: a node that is away, or refuses all, stops
 * its own sites, a key that is broken or has moved only its own.  One line when
 * trouble begins, one when it is over.
 */

#include <stdlib.h>
#include <string.h>
#include "cx_agg.h"

#define CX_TROUBLE_BACKOFF 5000 /* ms, the longest */
#define CX_TROUBLE_MOVE    1000 /* ms that a slot may take to move, quietly */


static int
cx_trouble_alone(const cx_agg_t *a)
{
    return a->conf->once || a->conf->rebuild;
}


/* our commits may be there all the same, somebody else's as well: load anew */

static void
cx_trouble_forget(cx_agg_site_t *s)
{
    cx_agg_site_reset(s);
    s->lease.at = 0;
    s->lease.held = 0;
}


static void
cx_trouble_site(cx_agg_t *a, cx_agg_site_t *s, const char *why, int move)
{
    int64_t now;

    now = cx_monotonic();
    cx_trouble_forget(s);
    s->trouble_at = s->trouble_at ? s->trouble_at : now;
    s->backoff = s->backoff ? 2 * s->backoff : 100;
    s->backoff = s->backoff > CX_TROUBLE_BACKOFF ? CX_TROUBLE_BACKOFF
                                                 : s->backoff;
    s->retry_at = now + s->backoff / 2 + rand() % (s->backoff / 2 + 1);

    if (move) {
        a->nodes.stale = 1;

        if (now < s->trouble_at + CX_TROUBLE_MOVE) {
            return;
        }
    }

    a->failed = 1;

    if (!s->complained) {
        s->complained = 1;
        cx_agg_log(CX_LOG_ERROR, "site %.*s: %s%s", (int) s->name.len,
                   (char *) s->name.data, why,
                   cx_trouble_alone(a) ? "" : ", trying again");
    }
}


static void
cx_trouble_node(cx_agg_t *a, cx_agg_host_t *h)
{
    cx_redis_t    *r;
    cx_agg_site_t *s;

    r = &h->node->redis;
    a->failed = 1;
    h->searched = 0;
    h->cursor[0] = '\0';

    if (cx_node_failed(&a->nodes, h->node)) {
        cx_agg_log(CX_LOG_ERROR, "%s: %s%s", r->label, r->error,
                   cx_trouble_alone(a) ? "" : ", trying again");
    }

    for (s = a->site; s; s = s->next) {
        if (s->host == h) {
            cx_trouble_forget(s);
        }
    }
}


void
cx_agg_trouble(cx_agg_t *a, cx_agg_host_t *h, cx_agg_site_t *s)
{
    int         about;
    cx_str_t    text;
    cx_redis_t *r;

    r = &h->node->redis;
    text.data = (unsigned char *) r->error;
    text.len = strlen(r->error);
    about = r->up ? cx_redis_error_about(cx_redis_error(&text)) : CX_REDIS_LINK;

    if (s && (about == CX_REDIS_KEY || about == CX_REDIS_ROUTE)) {
        /* replies may be on their way */

        cx_trouble_site(a, s, r->error, about == CX_REDIS_ROUTE);
        cx_redis_close(r);
        return;
    }

    cx_trouble_node(a, h);
}


void
cx_agg_nowhere(cx_agg_t *a, cx_agg_site_t *s)
{
    cx_trouble_site(a, s, a->nodes.error, 1);
}


/* 1 if a site does what it should, or is not ours to work on */

static int
cx_trouble_over(const cx_agg_site_t *s, int64_t since)
{
    if (s->newer || s->trouble_at || !s->lease.held) {
        return s->lease.at != 0;
    }

    return s->ready
           && (s->committed_at > since
               || (s->drained && !s->pending && !s->dirty && !s->stale));
}


static void
cx_works_site(cx_agg_site_t *s)
{
    if (s->trouble_at == 0 || !s->ready
        || (s->committed_at <= s->trouble_at && (!s->drained || s->pending)))
    {
        return;
    }

    if (s->complained) {
        cx_agg_log(CX_LOG_WARN, "site %.*s: works again after %lld s",
                   (int) s->name.len, (char *) s->name.data,
                   (long long) (cx_monotonic() - s->trouble_at) / 1000);
    }

    s->trouble_at = 0;
    s->backoff = 0;
    s->complained = 0;
}


void
cx_agg_works(cx_agg_t *a)
{
    int            over, used;
    int64_t        ms;
    cx_agg_host_t *h;
    cx_agg_site_t *s;

    for (s = a->site; s; s = s->next) {
        cx_works_site(s);
    }

    for (h = a->host; h; h = h->next) {
        used = h->node->used;
        over = h->node->trouble_at && (h->node->redis.up || !used);

        for (s = a->site; s && over; s = s->next) {
            over = s->host != h || cx_trouble_over(s, h->node->trouble_at);
        }

        if (over) {
            ms = cx_node_works(h->node);
            cx_agg_log(CX_LOG_WARN, "%s: %s after %lld s", h->node->redis.label,
                       used ? "works again" : "others have taken over",
                       (long long) ms / 1000);
        }
    }
}
