/*
 * Which host is the log's own?  The one that most referers name whose page is
 * asked for in the same log, or that use an asset.  "/" says nothing: every
 * log has it, and so has every search engine.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cxctl_replay.h"

#define CX_GUESS_HOSTS 64
#define CX_GUESS_REFS  65536

typedef struct {
    char     name[256];
    unsigned n;
} cx_guess_host_t;

typedef struct {
    uint64_t path;
    unsigned host;
} cx_guess_ref_t;

struct cx_guess_s {
    cx_agg_map_t    paths;
    cx_guess_host_t host[CX_GUESS_HOSTS];
    unsigned        hosts;
    cx_guess_ref_t *ref; /* pages that link */
    size_t          refs;
};


cx_guess_t *
cx_guess_begin(void)
{
    cx_guess_t *g;

    g = cx_alloc(sizeof(cx_guess_t));
    g->ref = cx_alloc(CX_GUESS_REFS * sizeof(cx_guess_ref_t));

    return g;
}


static uint64_t
cx_guess_path(const cx_str_t *uri)
{
    unsigned char *end;

    end = memchr(uri->data, '?', uri->len);

    return cx_agg_hash64(0, uri->data,
                         end ? (size_t) (end - uri->data) : uri->len);
}


static unsigned
cx_guess_host(cx_guess_t *g, const cx_str_t *name)
{
    unsigned i;

    for (i = 0; i < g->hosts; i++) {
        if (strlen(g->host[i].name) == name->len
            && strncasecmp(g->host[i].name, (char *) name->data, name->len)
                   == 0)
        {
            return i;
        }
    }

    if (i < CX_GUESS_HOSTS && name->len < sizeof(g->host[i].name)
        && memchr(name->data, '\0', name->len) == NULL)
    {
        memcpy(g->host[i].name, name->data, name->len);
        g->hosts++;
        return i;
    }

    return CX_GUESS_HOSTS;
}


static void
cx_guess_line(cx_guess_t *g, const cx_line_t *f)
{
    int        kind;
    unsigned   i;
    cx_str_t   host, path;
    cx_item_t *item;

    if (f->uri.len == 0) {
        return;
    }

    kind = cx_replay_kind(f);

    if (kind == CX_STEP_PAGE) {
        item = cx_alloc(sizeof(cx_item_t));
        item->key = cx_guess_path(&f->uri);

        if (cx_map_find(&g->paths, item->key)) {
            free(item);

        } else {
            cx_map_add(&g->paths, item);
        }
    }

    cx_replay_host(&f->referer, &host, &path);

    if (host.len == 0) {
        return;
    }

    host = cx_replay_bare(&host);
    i = cx_guess_host(g, &host);

    if (i == CX_GUESS_HOSTS) {
        return;
    }

    if (kind == CX_STEP_ASSET) {
        g->host[i].n++;

    } else if (path.len > 1 && g->refs < CX_GUESS_REFS) {
        g->ref[g->refs].host = i;
        g->ref[g->refs++].path = cx_guess_path(&path);
    }
}


int64_t
cx_guess_take(cx_guess_t *g, const cx_log_t *l, int format)
{
    int64_t        first;
    cx_str_t       line;
    cx_line_t      f;
    unsigned char *copy, *p, *end, *nl;

    copy = cx_alloc(l->end - l->start + 1); /* reading a line changes it */
    memcpy(copy, l->buf + l->start, l->end - l->start);
    end = copy + (l->end - l->start);
    first = -1;

    for (p = copy; p < end; p = nl + 1) {
        nl = memchr(p, '\n', (size_t) (end - p));
        nl = nl ? nl : end;
        line.data = p;
        line.len = (size_t) (nl - p) - (nl > p && nl[-1] == '\r');

        if (cx_log_parse(&f, &line, format) == NULL) {
            first = first < 0 ? f.end : first;
            cx_guess_line(g, &f);
        }
    }

    free(copy);

    return first;
}


char *
cx_guess_end(cx_guess_t *g)
{
    char    *name;
    size_t   i;
    unsigned best;

    for (i = 0; i < g->refs; i++) {
        if (cx_map_find(&g->paths, g->ref[i].path)) {
            g->host[g->ref[i].host].n++;
        }
    }

    best = 0;

    for (i = 1; i < g->hosts; i++) {
        best = g->host[i].n > g->host[best].n ? (unsigned) i : best;
    }

    name = g->hosts && g->host[best].n ? strdup(g->host[best].name) : NULL;
    cx_map_free(&g->paths);
    free(g->ref);
    free(g);

    return name;
}
