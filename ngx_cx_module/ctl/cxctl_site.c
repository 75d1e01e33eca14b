/* A site of one or many shards, read as if it were one. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"


/* ---- its parts ---- */

static void
cx_part_add(cx_ctl_t *c, int shard)
{
    unsigned       i;
    cx_ctl_part_t *p;

    for (i = 0; i < c->parts; i++) {
        if (c->part[i].shard == shard) {
            return;
        }
    }

    p = &c->part[c->parts++];
    memset(p, 0, sizeof(cx_ctl_part_t));
    p->shard = shard;
    p->name.data = (unsigned char *) p->text;
    p->name.len = cx_shard_name(p->text, &c->whole, (unsigned) shard,
                                shard < 0 ? 1 : CX_SHARDS_MAX);
}


static int
cx_part_order(const void *a, const void *b)
{
    const cx_ctl_part_t *p, *q;

    p = a;
    q = b;

    return p->shard - q->shard;
}


/* 1 if the site in hand has a stream or was ever counted; asked, then got */

static void
cx_part_ask(cx_ctl_t *c)
{
    char stream[CX_KEY_MAX + 1], mark[CX_KEY_MAX + 1];

    cx_ctl_ask(c, 3, "EXISTS", cx_ctl_key(c, stream, CX_KEY_EVENTS, 0, 0, NULL),
               cx_ctl_key(c, mark, CX_KEY_CHECKPOINT, 0, 0, NULL));
}


/* shards that no aggregator has noted yet; where none is known, those are not
   missed that are at nodes which do not answer */

static int
cx_part_probe(cx_ctl_t *c, int missed)
{
    int      k;
    char     text[CX_SHARD_MAX + 1];
    cx_str_t whole;

    whole = c->whole;

    for (k = 0; k < 2 * CX_SHARDS_MAX; k++) {
        c->site.len = cx_shard_name(text, &whole, (unsigned) k % CX_SHARDS_MAX,
                                    CX_SHARDS_MAX);
        c->site.data = (unsigned char *) text;

        if (k < CX_SHARDS_MAX) {
            cx_part_ask(c);
            continue;
        }

        cx_ctl_node(c);

        if (cx_ctl_take(c)) {
            if (missed) {
                c->site = whole;
                return cx_ctl_say(c);
            }

        } else if (c->reply.s[0].len) {
            cx_part_add(c, k % CX_SHARDS_MAX);
        }
    }

    c->site = whole;

    return 0;
}


int
cx_ctl_parts(cx_ctl_t *c, const char *site)
{
    int     own;
    char    key[CX_KEY_MAX + 1];
    size_t  i;
    int64_t n;

    c->whole.data = (unsigned char *) site;
    c->whole.len = strlen(site);
    c->site = c->whole;
    c->parts = 0;
    cx_part_ask(c);
    cx_ctl_ask(c, 2, "SMEMBERS", cx_ctl_key(c, key, CX_KEY_SHARDS, 0, 0, NULL));

    if (cx_ctl_get(c)) {
        return -1;
    }

    own = c->reply.s[0].len != 0;

    if (cx_ctl_get(c)) {
        return -1;
    }

    for (i = 1; i < c->reply.n; i++) {
        if (cx_number(&n, &c->reply.s[i]) == 0 && n >= 0 && n < CX_SHARDS_MAX) {
            cx_part_add(c, (int) n);
        }
    }

    if (cx_part_probe(c, c->parts || !own)) {
        return -1;
    }

    c->split = c->parts > 0;
    c->known = own || c->split;

    if (own || !c->split) {
        cx_part_add(c, -1);
    }

    qsort(c->part, c->parts, sizeof(cx_ctl_part_t), cx_part_order);

    for (i = 0; i < c->parts; i++) {
        c->part[i].name.data = (unsigned char *) c->part[i].text;
    }

    return 0;
}


void
cx_ctl_part(cx_ctl_t *c, int i)
{
    c->site = i < 0 ? c->whole : c->part[i].name;
    cx_ctl_node(c);
}


/* ---- sums ---- */

int
cx_ctl_sum(cx_ctl_t *c, cx_rollup_t *sum, int key, int gran, int64_t window,
           const cx_str_t *name)
{
    int         i, n;
    char        text[CX_KEY_MAX + 1];
    cx_rollup_t r;

    memset(sum, 0, sizeof(cx_rollup_t));
    n = 0;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_ask(c, 2, "HGETALL",
                   cx_ctl_key(c, text, key, gran, window, name));
    }

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            cx_rollup_free(sum);
            return -1;
        }

        n += c->reply.n > 1;
        cx_ctl_rollup(c, &r);

        if (cx_rollup_sum(sum, &r)) {
            cx_realloc(NULL, SIZE_MAX); /* says it, and ends */
        }

        cx_rollup_free(&r);
    }

    cx_ctl_part(c, -1);

    return n;
}


void
cx_ctl_ask_visitors(cx_ctl_t *c, int key, const cx_str_t *name)
{
    int  i;
    char text[CX_KEY_MAX + 1];

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_ask(c, 2, "PFCOUNT",
                   cx_ctl_key(c, text, key, c->gran, c->window, name));
    }

    cx_ctl_part(c, -1);
}


int64_t
cx_ctl_get_visitors(cx_ctl_t *c)
{
    int     i;
    int64_t n;

    n = 0;

    /* a visit is in one shard only */

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            return -1;
        }

        n += (int64_t) c->reply.s[0].len;
    }

    cx_ctl_part(c, -1);

    return n;
}


/* ---- lists ---- */

static int
cx_index_name(const void *a, const void *b)
{
    const cx_ctl_page_t *p, *q;

    p = a;
    q = b;

    return strcmp((char *) p->name.data, (char *) q->name.data);
}


/* as ZREVRANGE does */

static int
cx_index_views(const void *a, const void *b)
{
    const cx_ctl_page_t *p, *q;

    p = a;
    q = b;

    return p->views != q->views ? (p->views < q->views ? 1 : -1)
                                : cx_index_name(b, a);
}


static size_t
cx_index_merge(cx_ctl_page_t *p, size_t n)
{
    size_t i, k;

    qsort(p, n, sizeof(cx_ctl_page_t), cx_index_name);

    for (i = 0, k = 0; i < n; i++) {
        if (k && cx_index_name(&p[k - 1], &p[i]) == 0) {
            p[k - 1].views += p[i].views;
            free(p[i].name.data);

        } else {
            p[k++] = p[i];
        }
    }

    return k;
}


cx_ctl_page_t *
cx_ctl_index(cx_ctl_t *c, int key, int gran, int64_t window, long limit,
             size_t *n)
{
    int            i;
    char           text[CX_KEY_MAX + 1], last[24];
    size_t         k, more;
    cx_ctl_page_t *p, *list;

    snprintf(last, sizeof(last), "%ld", limit - 1); /* -1: all */

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);
        cx_ctl_ask(c, 5, "ZREVRANGE",
                   cx_ctl_key(c, text, key, gran, window, NULL), "0", last,
                   "WITHSCORES");
    }

    list = cx_alloc(sizeof(cx_ctl_page_t));
    *n = 0;

    for (i = 0; i < (int) c->parts; i++) {
        cx_ctl_part(c, i);

        if (cx_ctl_get(c)) {
            cx_ctl_pages_free(list, *n);
            return NULL;
        }

        p = cx_ctl_pages(c, &more);
        list = cx_realloc(list, (*n + more + 1) * sizeof(cx_ctl_page_t));

        for (k = 0; k < more; k++) {
            p[k].part = i;
            list[(*n)++] = p[k];
        }

        free(p);
    }

    if (c->parts > 1) {
        *n = cx_index_merge(list, *n);
        qsort(list, *n, sizeof(cx_ctl_page_t), cx_index_views);
    }

    while (limit && *n > (size_t) limit) {
        free(list[--*n].name.data);
    }

    cx_ctl_part(c, -1);

    return list;
}
