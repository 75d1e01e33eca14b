/*
 * How often a survey was answered, for those that may be so often only: a row
 * in the zone holds what Redis knows of all hosts, and what was taken on this
 * one and is not among that yet.  One worker at a time asks Redis, every two
 * seconds.
 *
 * What other hosts take between two polls, and what their aggregator has not
 * counted yet, is not seen: by so much a quota may be passed.
 */

#include "ngx_http_cx_zone.h"
#include "ngx_http_cx_survey.h"
#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_QUOTA_TURN     500         /* ms, to look whether it is */
#define NGX_HTTP_CX_QUOTA_POLL     2000        /* ms since the last one */

/* s after the last answer: then what Redis still does not count were repeated
   ones, which it never will */
#define NGX_HTTP_CX_QUOTA_SETTLED  600

#define NGX_HTTP_CX_QUOTA_DAY      86400


/* the surveys of a site that have a quota */

typedef struct {
    ngx_http_cx_site_t          *site;
    ngx_array_t                  ids;          /* ngx_str_t * */
    uint32_t                    *sum;          /* two a survey: total, today */
    ngx_uint_t                   waits;        /* replies */
    ngx_uint_t                   failed;
    uint32_t                     day;          /* that was asked for */
    u_char                     **command;      /* one a shard */
    size_t                       size;         /* of each */
} ngx_http_cx_quota_site_t;


typedef struct {
    ngx_connection_t             dummy;
    ngx_event_t                  turn;
    ngx_array_t                  sites;        /* ngx_http_cx_quota_site_t * */
    ngx_uint_t                   said;         /* what Redis refuses */
} ngx_http_cx_quota_all_t;


static void ngx_http_cx_quota_fits(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_cx_quota_note(ngx_pool_t *pool,
    ngx_http_cx_asked_t *asked);
static ngx_http_cx_quota_site_t *ngx_http_cx_quota_site(ngx_pool_t *pool,
    ngx_http_cx_site_t *site);
static ngx_int_t ngx_http_cx_quota_room(ngx_pool_t *pool,
    ngx_http_cx_quota_site_t *qs);
static void ngx_http_cx_quota_turn(ngx_event_t *ev);
static ngx_uint_t ngx_http_cx_quota_mine(void);
static void ngx_http_cx_quota_poll(ngx_http_cx_quota_site_t *qs);
static u_char *ngx_http_cx_quota_command(ngx_http_cx_quota_site_t *qs,
    ngx_uint_t shard);
static void ngx_http_cx_quota_reply(void *data, redisReply *reply);
static void ngx_http_cx_quota_refused(redisReply *reply);
static void ngx_http_cx_quota_learn(ngx_http_cx_quota_site_t *qs);
static void ngx_http_cx_quota_known(ngx_http_cx_quota_row_t *row,
    uint32_t total, uint32_t today, uint32_t day);
static ngx_http_cx_quota_row_t *ngx_http_cx_quota_row(
    ngx_http_cx_site_t *site, ngx_str_t *survey, ngx_uint_t create);
static uint32_t ngx_http_cx_quota_less(uint32_t here, uint32_t now,
    uint32_t before);


static ngx_http_cx_quota_all_t  ngx_http_cx_quota_all;


ngx_int_t
ngx_http_cx_quota_init(ngx_cycle_t *cycle, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_uint_t                  i;
    ngx_http_cx_asked_t        *asked;
    ngx_http_cx_quota_all_t    *all;
    ngx_http_cx_quota_site_t  **sites;

    all = &ngx_http_cx_quota_all;

    if (ngx_array_init(&all->sites, cycle->pool, 1,
                       sizeof(ngx_http_cx_quota_site_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    asked = cxmcf->asked.elts;

    for (i = 0; i < cxmcf->asked.nelts; i++) {
        if (ngx_http_cx_quota_note(cycle->pool, &asked[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    sites = all->sites.elts;

    for (i = 0; i < all->sites.nelts; i++) {
        if (ngx_http_cx_quota_room(cycle->pool, sites[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    all->dummy.fd = (ngx_socket_t) -1;

    all->turn.handler = ngx_http_cx_quota_turn;
    all->turn.data = &all->dummy;
    all->turn.log = cycle->log;
    all->turn.cancelable = 1;

    if (all->sites.nelts) {
        ngx_http_cx_quota_fits(cycle);
        ngx_add_timer(&all->turn, 1);
    }

    return NGX_OK;
}


/* a row that makes room for another one knows nothing when it comes back */

static void
ngx_http_cx_quota_fits(ngx_cycle_t *cycle)
{
    ngx_uint_t                  i, n;
    ngx_http_cx_zone_t         *sh;
    ngx_http_cx_quota_site_t  **sites;

    n = 0;
    sh = ngx_http_cx_zone_data();
    sites = ngx_http_cx_quota_all.sites.elts;

    for (i = 0; i < ngx_http_cx_quota_all.sites.nelts; i++) {
        n += sites[i]->ids.nelts;
    }

    if (n > sh->quotas_max && ngx_worker == 0) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "cx: %ui surveys have a quota, and cx_zone has room for "
                      "those of %uD: they will be passed; expected a larger "
                      "zone (up to %d) or fewer quotas", n, sh->quotas_max,
                      NGX_HTTP_CX_QUOTAS_MAX);
    }
}


static ngx_int_t
ngx_http_cx_quota_note(ngx_pool_t *pool, ngx_http_cx_asked_t *asked)
{
    ngx_str_t                 **id;
    ngx_uint_t                  i;
    ngx_http_cx_survey_t       *survey;
    ngx_http_cx_quota_site_t   *qs;

    survey = asked->surveys->list.elts;

    for (i = 0; i < asked->surveys->list.nelts; i++) {

        if (survey[i].daily == 0 && survey[i].total == 0) {
            continue;
        }

        qs = ngx_http_cx_quota_site(pool, asked->site);
        if (qs == NULL) {
            return NGX_ERROR;
        }

        id = ngx_array_push(&qs->ids);
        if (id == NULL) {
            return NGX_ERROR;
        }

        *id = &survey[i].info.id;
    }

    return NGX_OK;
}


static ngx_http_cx_quota_site_t *
ngx_http_cx_quota_site(ngx_pool_t *pool, ngx_http_cx_site_t *site)
{
    ngx_uint_t                   i;
    ngx_http_cx_quota_site_t    *qs, **sites;

    sites = ngx_http_cx_quota_all.sites.elts;

    for (i = 0; i < ngx_http_cx_quota_all.sites.nelts; i++) {
        if (sites[i]->site == site) {
            return sites[i];
        }
    }

    sites = ngx_array_push(&ngx_http_cx_quota_all.sites);
    qs = ngx_pcalloc(pool, sizeof(ngx_http_cx_quota_site_t));

    if (sites == NULL || qs == NULL
        || ngx_array_init(&qs->ids, pool, 4, sizeof(ngx_str_t *)) != NGX_OK)
    {
        return NULL;
    }

    qs->site = site;
    *sites = qs;

    return qs;
}


/* for the commands and what they sum up to */

static ngx_int_t
ngx_http_cx_quota_room(ngx_pool_t *pool, ngx_http_cx_quota_site_t *qs)
{
    ngx_uint_t    i;
    ngx_str_t   **id;

    id = qs->ids.elts;

    qs->size = sizeof("*" CRLF "$5" CRLF "HMGET" CRLF "$" CRLF CRLF)
               + CX_KEY_MAX + 3 * NGX_INT_T_LEN;

    for (i = 0; i < qs->ids.nelts; i++) {
        qs->size += 2 * (id[i]->len + sizeof("$" CRLF CRLF) + NGX_INT_T_LEN)
                    + sizeof(":20261121");
    }

    qs->sum = ngx_palloc(pool, 2 * qs->ids.nelts * sizeof(uint32_t));
    qs->command = ngx_palloc(pool, qs->site->shards * sizeof(u_char *));

    if (qs->sum == NULL || qs->command == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < qs->site->shards; i++) {
        qs->command[i] = ngx_pnalloc(pool, qs->size);
        if (qs->command[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_cx_quota_turn(ngx_event_t *ev)
{
    ngx_uint_t                   i;
    ngx_http_cx_quota_all_t     *all;
    ngx_http_cx_quota_site_t   **sites;

    all = &ngx_http_cx_quota_all;

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    sites = all->sites.elts;

    if (ngx_http_cx_redis_route(sites[0]->site->streams[0].slot)
        && ngx_http_cx_quota_mine())
    {
        for (i = 0; i < all->sites.nelts; i++) {
            ngx_http_cx_quota_poll(sites[i]);
        }
    }

    ngx_add_timer(ev, NGX_HTTP_CX_QUOTA_TURN);
}


/* 1 if it is time, and so this worker's turn */

static ngx_uint_t
ngx_http_cx_quota_mine(void)
{
    uint64_t             now;
    ngx_time_t          *tp;
    ngx_uint_t           mine;
    ngx_http_cx_zone_t  *sh;

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    sh = ngx_http_cx_zone_data();

    ngx_http_cx_zone_lock();

    /* a clock that was set back must not stop it */

    mine = (now >= sh->quotas_ms + NGX_HTTP_CX_QUOTA_POLL
            || now < sh->quotas_ms);

    if (mine) {
        sh->quotas_ms = now;
    }

    ngx_http_cx_zone_unlock();

    return mine;
}


static void
ngx_http_cx_quota_poll(ngx_http_cx_quota_site_t *qs)
{
    u_char              *last;
    ngx_uint_t           i;
    ngx_http_cx_conn_t  *conn;

    if (qs->waits) {
        return;
    }

    ngx_memzero(qs->sum, 2 * qs->ids.nelts * sizeof(uint32_t));

    qs->failed = 0;
    qs->day = (uint32_t) (ngx_time() / NGX_HTTP_CX_QUOTA_DAY);

    for (i = 0; i < qs->site->shards; i++) {

        conn = ngx_http_cx_redis_route(qs->site->streams[i].slot);

        if (conn == NULL) {
            qs->failed = 1;
            continue;
        }

        last = ngx_http_cx_quota_command(qs, i);

        qs->waits++;

        ngx_http_cx_conn_ask(conn, qs->command[i], last,
                             ngx_http_cx_quota_reply, qs);
    }
}


/* HMGET cx:{site}:quota, then for each survey its total and today's */

static u_char *
ngx_http_cx_quota_command(ngx_http_cx_quota_site_t *qs, ngx_uint_t shard)
{
    char         key[CX_KEY_MAX];
    size_t       len;
    u_char      *p;
    ngx_tm_t     tm;
    ngx_str_t  **id;
    ngx_uint_t   i;

    len = cx_key(key, CX_KEY_QUOTA,
                 (cx_str_t *) &qs->site->streams[shard].name, CX_DAY, 0, NULL);

    p = ngx_sprintf(qs->command[shard],
                    "*%ui" CRLF "$5" CRLF "HMGET" CRLF "$%uz" CRLF "%*s" CRLF,
                    2 + 2 * qs->ids.nelts, len, len, key);

    ngx_gmtime((time_t) qs->day * NGX_HTTP_CX_QUOTA_DAY, &tm);

    id = qs->ids.elts;

    for (i = 0; i < qs->ids.nelts; i++) {
        p = ngx_sprintf(p, "$%uz" CRLF "%V" CRLF
                        "$%uz" CRLF "%V:%04d%02d%02d" CRLF,
                        id[i]->len, id[i],
                        id[i]->len + sizeof(":20261121") - 1, id[i],
                        tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday);
    }

    return p;
}


static void
ngx_http_cx_quota_reply(void *data, redisReply *reply)
{
    ngx_http_cx_quota_site_t *qs = data;

    ngx_int_t    n;
    ngx_uint_t   i;
    redisReply  *value;

    qs->waits--;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 2 * qs->ids.nelts)
    {
        qs->failed = 1;
        ngx_http_cx_quota_refused(reply);

    } else {

        for (i = 0; i < reply->elements; i++) {
            value = reply->element[i];

            if (value->type != REDIS_REPLY_STRING) {
                continue;                      /* none yet */
            }

            n = ngx_atoi((u_char *) value->str, value->len);

            if (n > 0) {
                qs->sum[i] += (uint32_t) n;
            }
        }
    }

    /* half of the shards is no sum */

    if (qs->waits == 0 && !qs->failed) {
        ngx_http_cx_quota_learn(qs);
    }
}


/* that a connection is lost or a slot has moved says somebody else */

static void
ngx_http_cx_quota_refused(redisReply *reply)
{
    ngx_str_t                 text;
    ngx_http_cx_quota_all_t  *all;

    all = &ngx_http_cx_quota_all;

    if (reply == NULL || reply->type != REDIS_REPLY_ERROR || all->said
        || ngx_strncmp(reply->str, "NOPERM", 6) != 0)
    {
        return;
    }

    all->said = 1;

    text.data = (u_char *) reply->str;
    text.len = ngx_min(reply->len, 200);

    ngx_log_error(NGX_LOG_WARN, all->turn.log, 0,
                  "cx: quotas of surveys are kept by this host alone, as "
                  "Redis refuses HMGET of cx:{...}:quota: \"%V\"", &text);
}


static void
ngx_http_cx_quota_learn(ngx_http_cx_quota_site_t *qs)
{
    ngx_str_t                **id;
    ngx_uint_t                 i;
    ngx_http_cx_quota_row_t   *row;

    id = qs->ids.elts;

    ngx_http_cx_zone_lock();

    for (i = 0; i < qs->ids.nelts; i++) {
        row = ngx_http_cx_quota_row(qs->site, id[i], 1);

        ngx_http_cx_quota_known(row, qs->sum[2 * i], qs->sum[2 * i + 1],
                                qs->day);
    }

    ngx_http_cx_zone_unlock();
}


/* with the zone locked, as the next one */

static void
ngx_http_cx_quota_known(ngx_http_cx_quota_row_t *row, uint32_t total,
    uint32_t today, uint32_t day)
{
    /*
     * What was taken before Redis said anything may be among the first that it
     * says: counted twice, a quota would end too soon.
     */

    row->here_total = ngx_http_cx_quota_less(row->here_total, total,
                                             row->total);

    /* asked for before midnight, and an answer has come since */

    if ((int32_t) (day - row->day) < 0) {
        today = row->today;

    } else if (row->day != day) {
        row->day = day;
        row->here_today = 0;

    } else {
        row->here_today = ngx_http_cx_quota_less(row->here_today, today,
                                                 row->today);
    }

    if (ngx_time() > (time_t) row->taken + NGX_HTTP_CX_QUOTA_SETTLED) {
        row->here_total = 0;
        row->here_today = 0;
    }

    row->total = total;
    row->today = today;
}


/* what Redis has counted since is no longer only here */

static uint32_t
ngx_http_cx_quota_less(uint32_t here, uint32_t now, uint32_t before)
{
    uint32_t  more;

    more = now > before ? now - before : 0;

    return here > more ? here - more : 0;
}


static ngx_http_cx_quota_row_t *
ngx_http_cx_quota_row(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_uint_t create)
{
    uint32_t                  i, id;
    ngx_http_cx_zone_t       *sh;
    ngx_http_cx_quota_row_t  *row, *oldest;

    sh = ngx_http_cx_zone_data();

    id = cx_edge_id(site->id, survey->data, survey->len);
    oldest = sh->quotas;

    for (i = 0; i < sh->quotas_max; i++) {
        row = &sh->quotas[i];

        if (row->id == id) {
            row->used = (uint32_t) ngx_time();
            return row;
        }

        if (row->used < oldest->used) {
            oldest = row;
        }
    }

    if (!create) {
        return NULL;
    }

    ngx_memzero(oldest, sizeof(ngx_http_cx_quota_row_t));

    oldest->id = id;
    oldest->used = (uint32_t) ngx_time();
    oldest->day = (uint32_t) (ngx_time() / NGX_HTTP_CX_QUOTA_DAY);

    return oldest;
}


void
ngx_http_cx_quota(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_http_cx_quota_t *quota)
{
    ngx_http_cx_quota_row_t  *row;

    ngx_http_cx_zone_lock();

    row = ngx_http_cx_quota_row(site, survey, 1);

    quota->total = row->total + row->here_total;
    quota->today = row->today + row->here_today;

    if (row->day != (uint32_t) (ngx_time() / NGX_HTTP_CX_QUOTA_DAY)) {
        quota->today = 0;
    }

    ngx_http_cx_zone_unlock();
}


/* the same answer comes more than once, as it is completed */

void
ngx_http_cx_quota_taken(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_str_t *answer)
{
    uint32_t                  day;
    uint64_t                  id, *seen;
    ngx_http_cx_zone_t       *sh;
    ngx_http_cx_quota_row_t  *row;

    id = ((uint64_t) cx_edge_id(0, answer->data, answer->len) << 32)
         | cx_edge_id(1, answer->data, answer->len);
    day = (uint32_t) (ngx_time() / NGX_HTTP_CX_QUOTA_DAY);

    ngx_http_cx_zone_lock();

    sh = ngx_http_cx_zone_data();
    row = ngx_http_cx_quota_row(site, survey, 0);
    seen = &sh->taken[id % (sh->quotas_max * NGX_HTTP_CX_QUOTA_TAKEN)];

    if (row && *seen != id) {
        *seen = id;

        if (row->day != day) {
            row->day = day;
            row->today = 0;
            row->here_today = 0;
        }

        row->taken = (uint32_t) ngx_time();
        row->here_total++;
        row->here_today++;
    }

    ngx_http_cx_zone_unlock();
}
