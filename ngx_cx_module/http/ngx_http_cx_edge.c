/*
 * Log phase: what the edge alone sees of a request becomes one view event and
 * the edge's signals.  Needs no JavaScript, does no I/O.  The rules are those
 * of core/cx_edge.c; here a request becomes a step, and what comes of it
 * events.
 */


#include "ngx_http_cx_deliver.h"


/* how scripts send what was filled in; forms know POST only */
#define NGX_HTTP_CX_EDGE_SENT                                                 \
    (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH)


typedef struct {
    ngx_http_request_t      *request;
    ngx_http_cx_loc_conf_t  *conf;
    ngx_http_cx_ctx_t       *ctx;
    ngx_str_t                segment;
    ngx_str_t                ref;
    cx_step_t                step;
    ngx_uint_t               method;           /* as it was sent */
    ngx_str_t                method_name;
    ngx_uint_t               n;                /* signals */
    ngx_http_cx_told_t       told[CX_EDGE_OUT];
    u_char                   ref_buf[CX_PAGE_MAX];
} ngx_http_cx_edge_t;


static ngx_uint_t ngx_http_cx_edge_kind(ngx_http_cx_edge_t *e);
static ngx_uint_t ngx_http_cx_edge_endpoint(ngx_http_cx_edge_t *e,
    ngx_str_t *uri);
static ngx_uint_t ngx_http_cx_edge_page(ngx_http_cx_edge_t *e);
static ngx_uint_t ngx_http_cx_edge_sent(ngx_http_cx_edge_t *e);
static ngx_uint_t ngx_http_cx_edge_asset(ngx_http_cx_edge_t *e);
static ngx_uint_t ngx_http_cx_edge_wanted(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_visit(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_run(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_note(ngx_http_cx_edge_t *e,
    ngx_http_cx_visit_t *v, uint64_t opened);
static void ngx_http_cx_edge_tell(ngx_http_cx_edge_t *e,
    ngx_http_cx_visit_t *v, ngx_http_cx_told_t *told, cx_edge_signal_t *s);
static void ngx_http_cx_edge_place(ngx_http_cx_edge_t *e, uint32_t id,
    ngx_http_cx_place_t *place);
static void ngx_http_cx_edge_push_view(ngx_http_cx_edge_t *e);
static void ngx_http_cx_edge_push_signals(ngx_http_cx_edge_t *e);


ngx_int_t
ngx_http_cx_edge_handler(ngx_http_request_t *r)
{
    ngx_uint_t               status;
    ngx_http_cx_ctx_t       *ctx;
    ngx_http_cx_edge_t       e;
    ngx_http_cx_loc_conf_t  *cxlcf;

    cxlcf = ngx_http_get_module_loc_conf(r, ngx_http_cx_module);

    if (!cxlcf->on || r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_cx_request_bare(r);
    if (ctx == NULL || ctx->logged) {
        return NGX_OK;
    }

    ctx->logged = 1;

    status = r->err_status ? r->err_status : r->headers_out.status;
    e.method = ngx_http_cx_request_method(r, &e.method_name);

    /* most requests: an asset, data for a script, a download went well */

    if (ctx->outcome == NGX_HTTP_CX_TYPE
        && !(e.method & NGX_HTTP_CX_EDGE_SENT)
        && status >= NGX_HTTP_OK && status < NGX_HTTP_SPECIAL_RESPONSE)
    {
        return NGX_OK;
    }

    e.request = r;
    e.conf = cxlcf;
    e.ctx = ctx;
    e.step.status = (uint16_t) status;
    e.step.post = (e.method == NGX_HTTP_POST);
    e.ref.len = 0;
    e.ref.data = e.ref_buf;

    if (!(e.method & (NGX_HTTP_GET|NGX_HTTP_CX_EDGE_SENT))
        || ngx_http_cx_request_headers(r) == NULL
        || !ngx_http_cx_edge_kind(&e)
        || !ngx_http_cx_edge_wanted(&e))
    {
        return NGX_OK;
    }

    if (e.step.kind != CX_STEP_ASSET) {
        e.ref.len = ngx_http_cx_request_referer(r, e.ref_buf);
    }

    ngx_http_cx_request_segment(r, cxlcf, &e.segment);
    ngx_http_cx_step(r, cxlcf, ctx, &e.ref, &e.step);

    ngx_http_cx_edge_run(&e);

    if (e.step.kind == CX_STEP_PAGE && !e.step.pending) {
        ngx_http_cx_edge_push_view(&e);
    }

    ngx_http_cx_edge_push_signals(&e);

    return NGX_OK;
}


/* 1 if the request is one that the rules are about; sets kind and aborted */

static ngx_uint_t
ngx_http_cx_edge_kind(ngx_http_cx_edge_t *e)
{
    ngx_http_request_t  *r;

    r = e->request;

    /* refused before it came to the endpoint, as by limit_req; where there is
       an error_page only unparsed_uri tells */

    if (ngx_http_cx_edge_endpoint(e, &r->uri)
        || ngx_http_cx_edge_endpoint(e, &r->unparsed_uri))
    {
        return 0;
    }

    e->step.aborted = (e->step.status == NGX_HTTP_CLIENT_CLOSED_REQUEST
                       || (r->header_sent && !r->request_complete
                           && r->connection->error));

    if (!ngx_http_cx_request_document(r, &e->ctx->facts)
        || !(e->method & (NGX_HTTP_GET|NGX_HTTP_POST)))
    {
        return ngx_http_cx_edge_sent(e) || ngx_http_cx_edge_asset(e);
    }

    if (e->step.status >= NGX_HTTP_MOVED_PERMANENTLY
        && e->step.status < NGX_HTTP_BAD_REQUEST
        && e->step.status != NGX_HTTP_NOT_MODIFIED)
    {
        e->step.kind = CX_STEP_REDIRECT;
        return 1;
    }

    return ngx_http_cx_edge_page(e) || ngx_http_cx_edge_sent(e);
}


static ngx_uint_t
ngx_http_cx_edge_endpoint(ngx_http_cx_edge_t *e, ngx_str_t *uri)
{
    ngx_str_t  *prefix;

    prefix = &e->conf->prefix;

    return uri->len >= prefix->len
           && ngx_strncmp(uri->data, prefix->data, prefix->len) == 0;
}


static ngx_uint_t
ngx_http_cx_edge_page(ngx_http_cx_edge_t *e)
{
    ngx_uint_t           by_name;
    ngx_http_request_t  *r;

    r = e->request;
    e->step.kind = CX_STEP_PAGE;
    by_name = e->ctx->facts.dest || e->ctx->facts.accept_html;

    switch (e->ctx->outcome) {

    case NGX_HTTP_CX_OFF:

        /* no answer: perhaps a download, for which a browser asks likewise */

        return e->step.aborted && by_name && r->headers_in.range == NULL
               && !ngx_http_cx_request_file(r);

    case NGX_HTTP_CX_TYPE:

        /* a page that the browser has already, or another kind of error */

        return by_name && (e->step.status == NGX_HTTP_NOT_MODIFIED
                           || e->step.status >= NGX_HTTP_BAD_REQUEST);

    case NGX_HTTP_CX_STATUS:
        return e->step.status == NGX_HTTP_NOT_MODIFIED;

    case NGX_HTTP_CX_RANGE:
    case NGX_HTTP_CX_ATTACHMENT:
    case NGX_HTTP_CX_FRAGMENT:
    case NGX_HTTP_CX_DEST:
        return 0;

    default:
        return 1;
    }
}


/* what was filled in was taken, and answered with something else than a page */

static ngx_uint_t
ngx_http_cx_edge_sent(ngx_http_cx_edge_t *e)
{
    e->step.kind = CX_STEP_POST;

    return (e->method & NGX_HTTP_CX_EDGE_SENT)
           && e->step.status < NGX_HTTP_BAD_REQUEST && !e->step.aborted;
}


/* a part of a page of this site that failed; browsers ask for some unasked */

static ngx_uint_t
ngx_http_cx_edge_asset(ngx_http_cx_edge_t *e)
{
    ngx_str_t           *uri;
    ngx_http_request_t  *r;

    r = e->request;
    e->step.kind = CX_STEP_ASSET;
    uri = &r->unparsed_uri;

    if (e->step.status < NGX_HTTP_BAD_REQUEST
        || !ngx_http_cx_request_asset(r, &e->ctx->facts)
        || (uri->len >= 12
            && ngx_strncmp(uri->data, "/favicon.ico", 12) == 0)
        || (uri->len >= 17
            && ngx_strncmp(uri->data, "/apple-touch-icon", 17) == 0))
    {
        return 0;
    }

    e->ref.len = ngx_http_cx_request_referer(r, e->ref_buf);

    return e->ref.len != 0;
}


/* 1 if the request is to be recorded; else counts why not, if a page */

static ngx_uint_t
ngx_http_cx_edge_wanted(ngx_http_cx_edge_t *e)
{
    ngx_int_t             why;
    ngx_http_cx_facts_t  *facts;

    if (ngx_http_cx_request_ctx(e->request) == NULL) {
        return 0;
    }

    facts = &e->ctx->facts;
    why = ngx_http_cx_request_unwanted(e->request, e->conf, facts);

    if (why == -1) {

        if (ngx_http_cx_request_page(e->request, e->conf, e->ctx) != NGX_OK) {
            return 0;
        }

        ngx_http_cx_edge_visit(e);

        if (!ngx_http_cx_visit_sampled(&e->ctx->visit, e->conf->sample)) {
            why = NGX_HTTP_CX_C_VIEWS_SAMPLED;
        }
    }

    if (e->step.kind != CX_STEP_PAGE) {
        return why == -1;
    }

    if (why != -1) {
        ngx_http_cx_count(why, 1);
        return 0;
    }

    if (facts->prerender || facts->prefetch) {
        ngx_http_cx_count(facts->prerender ? NGX_HTTP_CX_C_VIEWS_PRERENDER
                                           : NGX_HTTP_CX_C_VIEWS_PREFETCH, 1);
    }

    return 1;
}


static void
ngx_http_cx_edge_visit(ngx_http_cx_edge_t *e)
{
    ngx_str_t  visit;

    visit.len = NGX_HTTP_CX_VISIT_LEN;
    visit.data = ngx_pnalloc(e->request->pool, NGX_HTTP_CX_VISIT_LEN);

    if (visit.data
        && ngx_http_cx_visit_key(e->request, e->conf, visit.data) == NGX_OK)
    {
        e->ctx->visit = visit;
    }
}


/* the rules, on the visit in the zone, or on an empty one where none is */

static void
ngx_http_cx_edge_run(ngx_http_cx_edge_t *e)
{
    uint64_t                  opened;
    cx_visit_t                alone;
    ngx_uint_t                i, page;
    cx_edge_signal_t          out[CX_EDGE_OUT];
    ngx_http_cx_visit_t      *v;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_http_get_module_main_conf(e->request, ngx_http_cx_module);

    ngx_http_cx_zone_lock();

    /* an asset is no reason to remember somebody who saw no page */

    page = (e->step.kind == CX_STEP_PAGE || e->step.kind == CX_STEP_REDIRECT);

    v = e->ctx->visit.len ? ngx_http_cx_visit_find(&e->ctx->visit, page)
                          : NULL;

    if (v) {
        opened = v->state.opened;
        e->n = cx_edge_step(&v->state, &e->step, &cxmcf->tuning, out);
        ngx_http_cx_edge_note(e, v, opened);

    } else {
        ngx_memzero(&alone, sizeof(cx_visit_t));
        e->n = cx_edge_step(&alone, &e->step, &cxmcf->tuning, out);
    }

    if (page) {
        ngx_http_cx_place_note(e->step.page, &e->ctx->page,
                               &e->conf->touchpoint, &e->conf->stage);
    }

    for (i = 0; i < e->n; i++) {
        ngx_http_cx_edge_tell(e, v, &e->told[i], &out[i]);

        if (v) {
            v->told[0] |= (uint32_t) 1 << out[i].signal;
        }
    }

    ngx_http_cx_zone_unlock();
}


/* what is known of a visit beside its state */

static void
ngx_http_cx_edge_note(ngx_http_cx_edge_t *e, ngx_http_cx_visit_t *v,
    uint64_t opened)
{
    /* one that was idle too long has ended, and another begun in its room */

    if (opened && v->state.opened != opened) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_ENDED, 1);
        ngx_http_cx_count(NGX_HTTP_CX_C_VISITS_NEW, 1);
        v->segment_len = 0;
        v->told[0] = 0;
    }

    if (e->step.kind == CX_STEP_PAGE && !e->step.pending) {
        v->told[1] = v->told[0];
        v->told[0] = 0;
    }

    v->site = e->conf->site->id;

    if (e->segment.len) {
        v->segment_len = (u_char) e->segment.len;
        ngx_memcpy(v->segment, e->segment.data, e->segment.len);
    }
}


static void
ngx_http_cx_edge_tell(ngx_http_cx_edge_t *e, ngx_http_cx_visit_t *v,
    ngx_http_cx_told_t *told, cx_edge_signal_t *s)
{
    ngx_http_cx_event_told(told, s);

    /* Referer is what the client says: it may blame only what it was served;
       a form_abandon is of the visit before, whose pages are forgotten */

    if (e->ctx->visit.len == 0) {
        told->seen = 0;

    } else if (s->page == e->step.ref && s->page != e->step.page
               && s->signal != CX_SIG_FORM_ABANDON
               && (v == NULL || !cx_edge_saw(&v->state, s->page)))
    {
        told->seen = '0';
    }

    if (s->signal == CX_SIG_SLOW_PAGE || s->signal == CX_SIG_ABORTED_WAIT) {
        told->upstream_ms = (e->step.upstream_ms == CX_NO_MS)
                            ? -1 : (off_t) e->step.upstream_ms;
    }

    ngx_http_cx_edge_place(e, s->page, &told->place);
    ngx_http_cx_edge_place(e, s->target, &told->target);
}


/* what is not in the zone may be known from the request: an asset, or a page
   that only its link tells of, as a cache had it */

static void
ngx_http_cx_edge_place(ngx_http_cx_edge_t *e, uint32_t id,
    ngx_http_cx_place_t *place)
{
    ngx_str_t  *page;

    if (place->id || id == 0) {
        return;
    }

    if (id == e->step.page) {
        page = &e->ctx->page;

    } else if (id == e->step.ref) {
        page = &e->ref;

    } else {
        return;
    }

    place->id = id;
    place->page_len = (u_char) ngx_min(page->len, CX_PAGE_MAX);
    place->touchpoint_len = 0;
    place->stage_len = 0;

    ngx_memcpy(place->page, page->data, place->page_len);
}


static void
ngx_http_cx_edge_push_view(ngx_http_cx_edge_t *e)
{
    cx_event_t  ev;
    u_char      ts[NGX_INT64_LEN], status[NGX_INT64_LEN],
                request_ms[NGX_INT64_LEN], first_ms[NGX_INT64_LEN],
                upstream_ms[NGX_INT64_LEN], bytes[NGX_INT64_LEN];

    /* the time that a browser's report names this view by */

    ngx_http_cx_event_start(&ev, CX_VIEW, e->step.start, ts);

    ngx_http_cx_event_text(&ev.v[CX_VIEW_PAGE], &e->ctx->page);
    ngx_http_cx_event_text(&ev.v[CX_VIEW_VISIT], &e->ctx->visit);
    ngx_http_cx_event_text(&ev.v[CX_VIEW_TOUCHPOINT], &e->conf->touchpoint);
    ngx_http_cx_event_text(&ev.v[CX_VIEW_STAGE], &e->conf->stage);
    ngx_http_cx_event_text(&ev.v[CX_VIEW_SEGMENT], &e->segment);
    ngx_http_cx_event_text(&ev.v[CX_VIEW_REF], &e->ref);

    ev.v[CX_VIEW_METHOD].data = e->method_name.data;
    ev.v[CX_VIEW_METHOD].len = ngx_min(e->method_name.len, 16);

    ngx_http_cx_event_number(&ev.v[CX_VIEW_STATUS], status, e->step.status);
    ngx_http_cx_event_number(&ev.v[CX_VIEW_REQUEST_MS], request_ms,
                             e->step.end - e->step.start);

    if (e->step.first_ms != CX_NO_MS) {
        ngx_http_cx_event_number(&ev.v[CX_VIEW_FIRST_MS], first_ms,
                                 e->step.first_ms);
    }

    if (e->step.upstream_ms != CX_NO_MS) {
        ngx_http_cx_event_number(&ev.v[CX_VIEW_UPSTREAM_MS], upstream_ms,
                                 e->step.upstream_ms);
    }

#if (NGX_HTTP_CACHE)
    if (e->step.cache) {
        ngx_http_cx_event_text(&ev.v[CX_VIEW_CACHE],
                               &ngx_http_cache_status[e->step.cache - 1]);
    }
#endif

    ngx_http_cx_event_number(&ev.v[CX_VIEW_BYTES], bytes,
                             e->request->connection->sent);

    if (ngx_http_cx_queue_push(e->conf->site, &ev, NULL) == NGX_OK) {
        ngx_http_cx_count(NGX_HTTP_CX_C_VIEWS, 1);
    }
}


static void
ngx_http_cx_edge_push_signals(ngx_http_cx_edge_t *e)
{
    ngx_uint_t  i;

    for (i = 0; i < e->n; i++) {
        e->ctx->signals |= (ngx_uint_t) 1 << e->told[i].signal.signal;

        (void) ngx_http_cx_event_signal(e->conf->site, &e->ctx->visit,
                                        &e->segment, &e->told[i]);
    }
}
