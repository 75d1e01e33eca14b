/* What the files that keep something in the shared zone share. */

#ifndef NGX_HTTP_CX_ZONE_H
#define NGX_HTTP_CX_ZONE_H

#include "ngx_http_cx.h"


#define NGX_HTTP_CX_SALT_LEN       16
#define NGX_HTTP_CX_KEY_LEN        32
#define NGX_HTTP_CX_ERROR_LEN      256


/* what one worker holds: written by it alone */
typedef struct {
    ngx_atomic_t                 pid;          /* 0: nobody's */
    volatile uint64_t            value[NGX_HTTP_CX_GAUGE_N];
} ngx_http_cx_gauges_t;


#define NGX_HTTP_CX_QUOTA_TAKEN    32          /* slots of taken a quota */
#define NGX_HTTP_CX_QUOTAS_MAX     512

/* a survey that may be answered so often only */
typedef struct {
    uint32_t                     id;           /* cx_edge_id of site and survey;
                                                  0: free */
    uint32_t                     used;         /* s, last look */
    uint32_t                     day;          /* days since 1970: today */
    uint32_t                     taken;        /* s, last answer here */
    uint32_t                     today, total; /* as Redis said */
    uint32_t                     here_today, here_total;  /* taken here, and
                                                  not among these yet */
} ngx_http_cx_quota_row_t;


/*
 * Of fixed size from the start.  Visits and places are told by position; those
 * of visits count from 1, 0 is none.
 */
typedef struct {
    time_t                       day;          /* of the salt; 0: none yet */
    u_char                       salt[NGX_HTTP_CX_SALT_LEN];
    u_char                       key[NGX_HTTP_CX_KEY_LEN];

    ngx_http_cx_visit_t         *visits;
    uint32_t                    *buckets;      /* first visit of each */
    uint32_t                     visits_max;
    uint32_t                     visits_used;  /* ever; those behind it are
                                                  not yet initialized */
    uint32_t                     visits_free;  /* list by hash_next */
    uint32_t                     bucket_mask;
    uint32_t                     newest;
    uint32_t                     oldest;

    ngx_http_cx_place_t         *places;       /* pairs of equal hash */
    uint32_t                     place_pairs;

    ngx_atomic_t                 busy;         /* 1 while locked */

    ngx_http_cx_gauges_t        *gauges;
    uint32_t                     gauges_max;

    ngx_http_cx_quota_row_t     *quotas;
    uint32_t                     quotas_max;
    uint64_t                    *taken;        /* answers, by hash: the last of
                                                  each slot */
    uint64_t                     quotas_ms;    /* Unix time of the last poll */

    uint64_t                     error_ms;     /* Unix time; 0: none yet */
    size_t                       error_len;
    u_char                       error[NGX_HTTP_CX_ERROR_LEN];

    ngx_atomic_t                 counters[NGX_HTTP_CX_COUNTERS_ALL];
} ngx_http_cx_zone_t;


/* NULL: there is no zone */
ngx_http_cx_zone_t *ngx_http_cx_zone_data(void);

/* what ngx_http_cx_gauge_error() was last told, printable ASCII, into dst,
   NGX_HTTP_CX_ERROR_LEN bytes, and when, as Unix time in ms; returns its
   length, 0: nothing yet */
size_t ngx_http_cx_gauge_last_error(u_char *dst, uint64_t *ms);

#endif /* NGX_HTTP_CX_ZONE_H */
