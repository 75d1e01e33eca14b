/* What cx_agg_sum.c and cx_agg_sum_pages.c share. */

#ifndef CX_AGG_SUM_H
#define CX_AGG_SUM_H

#include "cx_agg.h"

/* a shard, or the site itself as it was before it was split */
typedef struct {
    char         text[CX_SHARD_MAX];
    cx_str_t     name;
    cx_redis_t  *redis;
    int          shard;              /* -1: the site itself */
    unsigned     noted:1;            /* in cx:{}:shards */
    unsigned     counted:1;          /* has a checkpoint, so maybe counters */
} cx_sum_part_t;

/* one pass over what is dirty in a split site */
typedef struct {
    cx_agg_t        *agg;
    cx_agg_site_t   *site;           /* the whole one: its cells are sums */
    cx_agg_site_t   *member[CX_SHARDS_MAX + 1];
    unsigned         members;        /* shards of it that we work on */
    cx_sum_part_t    part[CX_SHARDS_MAX + 1];
    unsigned         parts;          /* all that there are */
    cx_node_t       *node;           /* that failed, or NULL: none did */
    char             why[400];       /* it failed */
    cx_reply_t       reply;
    unsigned         rebuild:1;
    unsigned         route:1;        /* a slot is moving, or the like */
} cx_sum_t;

/*
 * Scores all cells of a window that are dirty, and those that have to be
 * because of them; as a commit, but failed: m->why.
 */
int cx_sum_window(cx_sum_t *m, cx_agg_window_t *w);

/* keeps why a command failed: the connection's error; CX_COMMIT_FAILED */
int cx_sum_failed(cx_sum_t *m, const cx_redis_t *r);

#endif /* CX_AGG_SUM_H */
