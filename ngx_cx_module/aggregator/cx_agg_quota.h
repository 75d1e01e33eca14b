/* What cx_agg_survey_state.c and cx_agg_quota.c share. */

#ifndef CX_AGG_QUOTA_H
#define CX_AGG_QUOTA_H

#include "cx_agg.h"

/* a field of cx:{}:definitions, as it is or will be with the next commit */
struct cx_agg_definition_s {
    cx_agg_node_t         node;          /* key: <survey>@<version> */
    cx_str_t              text;          /* a copy */
    cx_agg_definition_t  *next_changed;
    unsigned              changed:1;
};

/* a field of a day in cx:{}:quota */
typedef struct {
    cx_agg_node_t  node;                 /* key: <survey>:<day> */
    int64_t        start;                /* ms */
} cx_quota_day_t;

/* found by name, or added to a map as a node of that size, zeroed */
cx_agg_node_t *cx_quota_node(cx_agg_map_t *m, const cx_str_t *key,
    size_t size);

/* 1 if it is another text than before */
int cx_definition_set(cx_agg_definition_t *d, const cx_str_t *text);

#endif /* CX_AGG_QUOTA_H */
