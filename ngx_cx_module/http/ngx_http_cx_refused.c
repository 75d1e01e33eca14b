/*
 * Answers that were refused, as events, so that an analyst sees how many
 * beside the score.  Gathered in each worker for a few seconds: a flood must
 * not become one of events.
 */

#include "ngx_http_cx_endpoint.h"
#include "ngx_http_cx_deliver.h"


#define NGX_HTTP_CX_REFUSED_WAIT   5000        /* ms */
#define NGX_HTTP_CX_REFUSED_ROWS   64          /* then it is told at once */
#define NGX_HTTP_CX_REFUSED_MAX    1000000     /* as "count" allows */


typedef struct {
    ngx_http_cx_site_t          *site;
    ngx_uint_t                   reason;
    ngx_uint_t                   count;
    size_t                       survey_len;
    size_t                       version_len;
    u_char                       survey[CX_NAME_MAX];
    u_char                       version[8];
} ngx_http_cx_refused_row_t;


typedef struct {
    ngx_connection_t             dummy;
    ngx_event_t                  event;
    ngx_uint_t                   n;
    ngx_http_cx_refused_row_t    row[NGX_HTTP_CX_REFUSED_ROWS];
} ngx_http_cx_refused_t;


static ngx_http_cx_refused_row_t *ngx_http_cx_refused_row(
    ngx_http_cx_site_t *site, ngx_str_t *survey, ngx_str_t *version,
    ngx_uint_t reason);
static void ngx_http_cx_refused_tell(ngx_event_t *ev);
static void ngx_http_cx_refused_push(ngx_http_cx_refused_row_t *row);
static ngx_uint_t ngx_http_cx_refused_answers(ngx_str_t *uri,
    ngx_str_t *prefix);


static ngx_http_cx_refused_t  ngx_http_cx_refused_all;

static ngx_str_t  ngx_http_cx_refused_reasons[] = {
    ngx_string("token"),
    ngx_string("expired"),
    ngx_string("flood")
};

static ngx_uint_t  ngx_http_cx_refused_counters[] = {
    NGX_HTTP_CX_C_REJECT_TOKEN,
    NGX_HTTP_CX_C_REJECT_EXPIRED,
    NGX_HTTP_CX_C_REJECT_FLOOD
};


void
ngx_http_cx_refused_init(ngx_cycle_t *cycle)
{
    ngx_http_cx_refused_t  *all;

    all = &ngx_http_cx_refused_all;

    /* sites of a configuration that is gone: one process, after a reload */
    all->n = 0;

    all->dummy.fd = (ngx_socket_t) -1;

    all->event.handler = ngx_http_cx_refused_tell;
    all->event.data = &all->dummy;
    all->event.log = cycle->log;
    all->event.cancelable = 1;
}


void
ngx_http_cx_refused(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_str_t *version, ngx_uint_t reason)
{
    ngx_http_cx_refused_t      *all;
    ngx_http_cx_refused_row_t  *row;

    all = &ngx_http_cx_refused_all;

    ngx_http_cx_count(ngx_http_cx_refused_counters[reason], 1);

    row = ngx_http_cx_refused_row(site, survey, version, reason);

    if (row->count < NGX_HTTP_CX_REFUSED_MAX) {
        row->count++;
    }

    if (ngx_exiting) {
        ngx_http_cx_refused_tell(&all->event);

    } else if (!all->event.timer_set) {
        ngx_add_timer(&all->event, NGX_HTTP_CX_REFUSED_WAIT);
    }
}


static ngx_http_cx_refused_row_t *
ngx_http_cx_refused_row(ngx_http_cx_site_t *site, ngx_str_t *survey,
    ngx_str_t *version, ngx_uint_t reason)
{
    ngx_uint_t                  i;
    ngx_http_cx_refused_t      *all;
    ngx_http_cx_refused_row_t  *row;

    all = &ngx_http_cx_refused_all;

    for (i = 0; i < all->n; i++) {
        row = &all->row[i];

        if (row->site == site && row->reason == reason
            && row->survey_len == survey->len
            && row->version_len == version->len
            && ngx_memcmp(row->survey, survey->data, survey->len) == 0
            && ngx_memcmp(row->version, version->data, version->len) == 0)
        {
            return row;
        }
    }

    if (all->n == NGX_HTTP_CX_REFUSED_ROWS) {
        ngx_http_cx_refused_tell(&all->event);
    }

    row = &all->row[all->n++];

    row->site = site;
    row->reason = reason;
    row->count = 0;
    row->survey_len = survey->len;
    row->version_len = version->len;
    ngx_memcpy(row->survey, survey->data, survey->len);
    ngx_memcpy(row->version, version->data, version->len);

    return row;
}


static void
ngx_http_cx_refused_tell(ngx_event_t *ev)
{
    ngx_uint_t              i;
    ngx_http_cx_refused_t  *all;

    all = &ngx_http_cx_refused_all;

    for (i = 0; i < all->n; i++) {
        ngx_http_cx_refused_push(&all->row[i]);
    }

    all->n = 0;
}


static void
ngx_http_cx_refused_push(ngx_http_cx_refused_row_t *row)
{
    ngx_time_t  *tp;
    cx_event_t   ev;
    u_char       ts[NGX_INT64_LEN], count[NGX_INT64_LEN];

    tp = ngx_timeofday();

    ngx_http_cx_event_start(&ev, CX_REFUSED,
                            (uint64_t) tp->sec * 1000 + tp->msec, ts);

    ev.v[CX_REFUSED_SURVEY].len = row->survey_len;
    ev.v[CX_REFUSED_SURVEY].data = row->survey;
    ev.v[CX_REFUSED_VERSION].len = row->version_len;
    ev.v[CX_REFUSED_VERSION].data = row->version;

    ngx_http_cx_event_text(&ev.v[CX_REFUSED_REASON],
                           &ngx_http_cx_refused_reasons[row->reason]);
    ngx_http_cx_event_number(&ev.v[CX_REFUSED_COUNT], count, row->count);

    /* where there is no room the queue counts it */
    (void) ngx_http_cx_queue_push(row->site, &ev, NULL);
}


ngx_int_t
ngx_http_cx_refused_handler(ngx_http_request_t *r)
{
    ngx_str_t                none = ngx_string("");
    ngx_uint_t               status;
    ngx_http_cx_loc_conf_t  *cxlcf;

    status = r->err_status ? r->err_status : r->headers_out.status;

    /* to look at a form is no answer; error_page has made a GET of the method,
       and has changed r->uri */

    if (status != NGX_HTTP_TOO_MANY_REQUESTS || r != r->main
        || r->request_line.len < 5
        || ngx_memcmp(r->request_line.data, "POST ", 5) != 0)
    {
        return NGX_OK;
    }

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (ngx_http_cx_refused_answers(&r->unparsed_uri, &cxlcf->prefix)) {
        ngx_http_cx_refused(cxlcf->site, &none, &none,
                            NGX_HTTP_CX_REFUSED_FLOOD);
    }

    return NGX_OK;
}


/* 1 if answers are sent there */

static ngx_uint_t
ngx_http_cx_refused_answers(ngx_str_t *uri, ngx_str_t *prefix)
{
    u_char  *p;
    size_t   len;

    if (uri->len < prefix->len
        || ngx_memcmp(uri->data, prefix->data, prefix->len) != 0)
    {
        return 0;
    }

    p = uri->data + prefix->len;
    len = uri->len - prefix->len;

    if (len >= 7 && ngx_memcmp(p, "survey/", 7) == 0) {
        return 1;
    }

    return len >= 6 && ngx_memcmp(p, "events", 6) == 0
           && (len == 6 || p[6] == '?');
}
