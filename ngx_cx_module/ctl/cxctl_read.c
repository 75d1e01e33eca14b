/* What cxctl reads from Redis. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl.h"


char *
cx_ctl_key(cx_ctl_t *c, char *dst, int key, int gran, int64_t window,
           const cx_str_t *name)
{
    dst[cx_key(dst, key, &c->site, gran, window, name)] = '\0';

    return dst;
}


void
cx_ctl_rollup(cx_ctl_t *c, cx_rollup_t *r)
{
    size_t i;

    memset(r, 0, sizeof(cx_rollup_t));

    for (i = 1; i + 1 < c->reply.n; i += 2) {
        if (cx_rollup_read(r, &c->reply.s[i], &c->reply.s[i + 1]) < 0) {
            cx_realloc(NULL, SIZE_MAX);
        }
    }
}


void
cx_ctl_score(cx_ctl_t *c, cx_score_t *s)
{
    int         k;
    const char *v;

    memset(s, 0, sizeof(cx_score_t));

    for (k = 0; k < CX_S_N; k++) {
        v = cx_ctl_field(c, cx_score_names[k]);

        if (*v) {
            s->v[k] = strtod(v, NULL);
            s->has[k] = 1;
        }
    }
}


const char *
cx_ctl_field(cx_ctl_t *c, const char *name)
{
    size_t i;

    for (i = 1; i + 1 < c->reply.n; i += 2) {
        if (strcmp((char *) c->reply.s[i].data, name) == 0) {
            return (char *) c->reply.s[i + 1].data;
        }
    }

    return "";
}


int64_t
cx_ctl_number(cx_ctl_t *c, const char *name)
{
    return strtoll(cx_ctl_field(c, name), NULL, 10);
}


cx_ctl_page_t *
cx_ctl_pages(cx_ctl_t *c, size_t *n)
{
    size_t         i;
    cx_str_t      *s;
    cx_ctl_page_t *p;

    *n = c->reply.n ? (c->reply.n - 1) / 2 : 0;
    p = cx_alloc((*n + 1) * sizeof(cx_ctl_page_t));

    for (i = 0; i < *n; i++) {
        s = &c->reply.s[1 + 2 * i];
        p[i].name.len = s->len;
        p[i].name.data = cx_alloc(s->len + 1);
        memcpy(p[i].name.data, s->data, s->len);
        p[i].views = strtoll((char *) s[1].data, NULL, 10);
    }

    return p;
}


void
cx_ctl_pages_free(cx_ctl_page_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        free(p[i].name.data);
    }

    free(p);
}


/* ---- keys that match, each maybe more than once ---- */

typedef void (*cx_ctl_found_pt)(cx_ctl_t *c, const cx_key_parts_t *p,
                                void *data);


/* at the node in hand, or that of the site in hand; 0, or -1 (said) */

static int
cx_ctl_scan(cx_ctl_t *c, const char *match, cx_ctl_found_pt found, void *data)
{
    char           cursor[24];
    size_t         i;
    cx_key_parts_t p;

    memcpy(cursor, "0", 2);

    do {
        cx_ctl_ask(c, 6, "SCAN", cursor, "MATCH", match, "COUNT", "1000");

        if (cx_ctl_get(c)) {
            return -1;
        }

        if (c->reply.n < 3 || c->reply.type[1] != REDIS_REPLY_STRING) {
            fprintf(stderr, "cxctl: %s: unexpected reply to SCAN\n",
                    c->redis->label);
            return -1;
        }

        snprintf(cursor, sizeof(cursor), "%s", (char *) c->reply.s[1].data);

        for (i = 3; i < c->reply.n; i++) {
            if (cx_key_parse(&p, &c->reply.s[i]) == 0) {
                found(c, &p, data);
            }
        }
    } while (strcmp(cursor, "0") != 0);

    return 0;
}


/* ---- sites ---- */

static int
cx_ctl_site_order(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}


void
cx_ctl_site_add(cx_ctl_t *c, const cx_str_t *name)
{
    char    *s;
    unsigned i;

    for (i = 0; i < c->n_sites; i++) {
        if (strlen(c->sites[i]) == name->len
            && memcmp(c->sites[i], name->data, name->len) == 0)
        {
            return;
        }
    }

    c->sites = cx_realloc(c->sites, (c->n_sites + 1) * sizeof(char *));
    s = cx_alloc(name->len + 1);
    memcpy(s, name->data, name->len);
    c->sites[c->n_sites++] = s;
}


static void
cx_ctl_site_found(cx_ctl_t *c, const cx_key_parts_t *p, void *data)
{
    cx_str_t site;

    (void) data;
    (void) cx_shard_parse(&site, &p->site);
    cx_ctl_site_add(c, &site);
}


int
cx_ctl_find_sites(cx_ctl_t *c)
{
    cx_node_t *node;

    for (node = c->nodes.node; node; node = node->next) {
        if (!node->used) {
            continue;
        }

        cx_ctl_use(c, node);

        if (cx_ctl_scan(c, "cx:{*}:checkpoint", cx_ctl_site_found, NULL)
            || cx_ctl_scan(c, "cx:{*}:events", cx_ctl_site_found, NULL))
        {
            return -1;
        }
    }

    if (c->n_sites) {
        qsort(c->sites, c->n_sites, sizeof(char *), cx_ctl_site_order);
    }

    return 0;
}


int
cx_ctl_stream(cx_ctl_t *c, cx_ctl_stream_t *s)
{
    char        key[CX_KEY_MAX + 1];
    size_t      i;
    const char *name;
    cx_reply_t *r;

    memset(s, 0, sizeof(cx_ctl_stream_t));
    s->added = -1;
    cx_ctl_ask(c, 3, "XINFO", "STREAM",
               cx_ctl_key(c, key, CX_KEY_EVENTS, 0, 0, NULL));
    r = &c->reply;

    if (cx_ctl_take(c)) {
        return c->failed->up && strstr(c->failed->error, "no such key")
                   ? 1
                   : cx_ctl_say(c);
    }

    for (i = 1; i + 1 < r->n; i = cx_reply_skip(r, i + 1)) {
        name = (char *) r->s[i].data;

        if (strcmp(name, "length") == 0) {
            s->length = (int64_t) r->s[i + 1].len;

        } else if (strcmp(name, "entries-added") == 0) {
            s->added = (int64_t) r->s[i + 1].len;

        } else if (strcmp(name, "last-generated-id") == 0) {
            snprintf(s->last, sizeof(s->last), "%s", (char *) r->s[i + 1].data);

        } else if (strcmp(name, "first-entry") == 0
                   && r->type[i + 1] == REDIS_REPLY_ARRAY && i + 2 < r->n)
        {
            snprintf(s->first, sizeof(s->first), "%s",
                     (char *) r->s[i + 2].data);
        }
    }

    return 0;
}


int
cx_ctl_id_order(const char *a, const char *b)
{
    char              *ea, *eb;
    unsigned long long ma, mb;

    ma = strtoull(a, &ea, 10);
    mb = strtoull(b, &eb, 10);

    if (ma == mb) {
        ma = *ea ? strtoull(ea + 1, NULL, 10) : 0;
        mb = *eb ? strtoull(eb + 1, NULL, 10) : 0;
    }

    return (ma > mb) - (ma < mb);
}


/* ---- windows ---- */

typedef struct {
    cx_ctl_window_t **list;
    size_t           *n;
} cx_ctl_windows_t;


static void
cx_ctl_window_found(cx_ctl_t *c, const cx_key_parts_t *p, void *data)
{
    size_t            k;
    cx_ctl_window_t  *w;
    cx_ctl_windows_t *all;

    (void) c;
    all = data;

    if (p->key != CX_KEY_TOTAL) {
        return;
    }

    for (k = 0; k < *all->n; k++) {
        if ((*all->list)[k].window == p->window) {
            return;
        }
    }

    *all->list = cx_realloc(*all->list, (k + 1) * sizeof(cx_ctl_window_t));
    w = *all->list + k;
    w->gran = p->gran;
    w->window = p->window;
    ++*all->n;
}


int
cx_ctl_windows(cx_ctl_t *c, cx_ctl_window_t **list, size_t *n)
{
    char             match[CX_KEY_MAX];
    cx_ctl_windows_t all;

    all.list = list;
    all.n = n;
    snprintf(match, sizeof(match), "cx:{%.*s}:total:*", (int) c->site.len,
             (char *) c->site.data);

    return cx_ctl_scan(c, match, cx_ctl_window_found, &all);
}
