/* What a site keeps of its surveys in memory, beside their rollups. */

#include <stdlib.h>
#include <string.h>
#include "cx_agg_quota.h"


static void
cx_definition_free(cx_agg_node_t *n)
{
    free(((cx_agg_definition_t *) n)->text.data);
    free(n);
}


static void
cx_quota_day_free(cx_agg_node_t *n)
{
    free(n);
}


void
cx_agg_surveys_reset(cx_agg_site_t *s)
{
    cx_agg_map_clear(&s->definition, cx_definition_free);
    cx_agg_map_clear(&s->quota, cx_quota_day_free);
    s->definitions_changed = NULL;
    s->quota_day = 0;
}


cx_agg_node_t *
cx_quota_node(cx_agg_map_t *m, const cx_str_t *key, size_t size)
{
    uint32_t       hash;
    cx_agg_node_t *n;

    hash = cx_agg_hash(key->data, key->len);
    n = cx_agg_map_find(m, key, hash);

    if (n == NULL) {
        n = cx_alloc(size + key->len + 1);
        n->key.data = (unsigned char *) n + size;
        n->key.len = key->len;
        memcpy(n->key.data, key->data, key->len);
        n->hash = hash;
        cx_agg_map_add(m, n);
    }

    return n;
}


int
cx_definition_set(cx_agg_definition_t *d, const cx_str_t *text)
{
    if (d->text.len == text->len && d->text.data
        && memcmp(d->text.data, text->data, text->len) == 0)
    {
        return 0;
    }

    d->text.data = cx_realloc(d->text.data, text->len + 1);
    d->text.len = text->len;
    memcpy(d->text.data, text->data, text->len);

    return 1;
}


int
cx_agg_definition(cx_agg_site_t *s, const cx_str_t *name, const cx_str_t *text)
{
    cx_agg_definition_t *d;

    if (text->len == 0) {
        return 0;
    }

    d = (cx_agg_definition_t *) cx_quota_node(&s->definition, name,
                                              sizeof(cx_agg_definition_t));

    if (!cx_definition_set(d, text)) {
        return 0;
    }

    if (!d->changed) {
        d->changed = 1;
        d->next_changed = s->definitions_changed;
        s->definitions_changed = d;
    }

    return 1;
}
