
/*
 * Directives, configuration and the phases this module takes part in.
 */


#include "ngx_http_cx_deliver.h"


static ngx_int_t ngx_http_cx_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_cx_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_cx_init_process(ngx_cycle_t *cycle);
static void ngx_http_cx_exit_process(ngx_cycle_t *cycle);
static void *ngx_http_cx_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_cx_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_cx_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_cx_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_conf_enum_t  ngx_http_cx_visitors[] = {
    { ngx_string("off"), NGX_HTTP_CX_VISITOR_OFF },
    { ngx_string("hash"), NGX_HTTP_CX_VISITOR_HASH },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_cx_commands[] = {

    { ngx_string("cx"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, on),
      NULL },

    { ngx_string("cx_redis"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_cx_redis_parse,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_zone_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_thresholds"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_thresholds,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_secret"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_secret,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_cx_set_queue,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_spool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_cx_spool_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_site"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE12,
      ngx_http_cx_set_site,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_page"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, page),
      NULL },

    { ngx_string("cx_touchpoint"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, touchpoint),
      NULL },

    { ngx_string("cx_stage"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_name,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, stage),
      NULL },

    { ngx_string("cx_role"),
      NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cx_set_role,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_segment"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, segment),
      NULL },

    { ngx_string("cx_surveys"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_survey_load,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, surveys),
      NULL },

    { ngx_string("cx_sample"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_sample,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, sample),
      NULL },

    { ngx_string("cx_visitor"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, visitor),
      &ngx_http_cx_visitors },

    { ngx_string("cx_privacy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cx_set_privacy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_ignore"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, ignore),
      NULL },

    { ngx_string("cx_endpoint"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_cx_endpoint,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cx_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_http_cx_set_prefix,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, prefix),
      NULL },

    { ngx_string("cx_allowed_origins"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cx_set_origins,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, origins),
      NULL },

    { ngx_string("cx_nonce"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, nonce),
      NULL },

    { ngx_string("cx_debug"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cx_loc_conf_t, debug),
      NULL },

    { ngx_string("cx_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_cx_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_cx_module_ctx = {
    ngx_http_cx_preconfiguration,          /* preconfiguration */
    ngx_http_cx_init,                      /* postconfiguration */

    ngx_http_cx_create_main_conf,          /* create main configuration */
    ngx_http_cx_init_main_conf,            /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_cx_create_loc_conf,           /* create location configuration */
    ngx_http_cx_merge_loc_conf             /* merge location configuration */
};


ngx_module_t  ngx_http_cx_module = {
    NGX_MODULE_V1,
    &ngx_http_cx_module_ctx,               /* module context */
    ngx_http_cx_commands,                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_cx_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_cx_exit_process,              /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_cx_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_cx_variables(cf);
}


static ngx_int_t
ngx_http_cx_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_cx_main_conf_t    *cxmcf;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_main_conf_t  *cmcf;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);

    if (ngx_http_cx_site_streams(cf, cxmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!cxmcf->on && !cxmcf->endpoint) {
        return NGX_OK;
    }

    if (cxmcf->redis == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cx on\" and \"cx_endpoint\" need \"cx_redis\" in the "
                      "http block, for example "
                      "\"cx_redis redis://127.0.0.1:6379;\"");
        return NGX_ERROR;
    }

    if (cxmcf->on && !cxmcf->endpoint) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cx on\" needs a location for its requests, for "
                      "example \"location /_cx/ { cx_endpoint; }\"");
        return NGX_ERROR;
    }

    if (cxmcf->zone == NULL
        && ngx_http_cx_zone_default(cf, cxmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver && clcf->resolver->connections.nelts) {
        cxmcf->redis->resolver = clcf->resolver;
    }

    if (ngx_http_cx_redis_lookup(cf, cxmcf->redis) != NGX_OK) {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_cx_request_identity;

    /*
     * Log handlers run in the order of registration.  Ours comes first, so
     * that $cx_visit and $cx_signals are there for every access_log.
     */

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_cx_refused_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h = cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.elts;

    ngx_memmove(h + 1, h,
                (cmcf->phases[NGX_HTTP_LOG_PHASE].handlers.nelts - 1)
                * sizeof(ngx_http_handler_pt));

    *h = ngx_http_cx_edge_handler;

    return ngx_http_cx_filter_init(cf);
}


static ngx_int_t
ngx_http_cx_init_process(ngx_cycle_t *cycle)
{
    ngx_http_cx_main_conf_t  *cxmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    cxmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cx_module);

    if (cxmcf == NULL || cxmcf->zone == NULL) {
        return NGX_OK;
    }

    ngx_http_cx_zone_use(cxmcf);
    ngx_http_cx_gauge_init(cycle);

    if (ngx_http_cx_queue_init(cycle, cxmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_cx_secret_use(cxmcf);
    ngx_http_cx_close_init(cycle, cxmcf);
    ngx_http_cx_refused_init(cycle);

    if (ngx_http_cx_writer_init(cycle, cxmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_cx_define_init(cxmcf);

    return ngx_http_cx_quota_init(cycle, cxmcf);
}


static void
ngx_http_cx_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_cx_main_conf_t  *cxmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return;
    }

    cxmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cx_module);

    if (cxmcf && cxmcf->zone) {
        ngx_http_cx_writer_exit(cycle);
        ngx_http_cx_gauge_exit();
    }
}


static void *
ngx_http_cx_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_main_conf_t));
    if (cxmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     cxmcf->redis = NULL;
     *     cxmcf->spool = NULL;
     *     cxmcf->zone = NULL;
     *     cxmcf->secret = NULL;
     *     cxmcf->thresholds = { 0, NULL };
     *     cxmcf->on = 0;
     *     cxmcf->endpoint = 0;
     */

    cxmcf->queue_size = NGX_CONF_UNSET_SIZE;
    cxmcf->queue_batch = NGX_CONF_UNSET_UINT;
    cxmcf->queue_flush = NGX_CONF_UNSET_MSEC;
    cxmcf->queue_inflight = NGX_CONF_UNSET_UINT;
    cxmcf->stream_max = NGX_CONF_UNSET_UINT;

    cx_tuning_default(&cxmcf->tuning);

    if (ngx_array_init(&cxmcf->sites, cf->pool, 4,
                       sizeof(ngx_http_cx_site_t *))
        != NGX_OK
        || ngx_array_init(&cxmcf->streams, cf->pool, 4,
                          sizeof(ngx_http_cx_stream_t *))
           != NGX_OK
        || ngx_array_init(&cxmcf->surveys, cf->pool, 4,
                          sizeof(ngx_http_cx_surveys_t *))
           != NGX_OK
        || ngx_array_init(&cxmcf->asked, cf->pool, 4,
                          sizeof(ngx_http_cx_asked_t))
           != NGX_OK)
    {
        return NULL;
    }

    return cxmcf;
}


static char *
ngx_http_cx_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_cx_main_conf_t  *cxmcf = conf;

    ngx_conf_init_size_value(cxmcf->queue_size, 8 * 1024 * 1024);
    ngx_conf_init_uint_value(cxmcf->queue_batch, 100);
    ngx_conf_init_msec_value(cxmcf->queue_flush, 200);
    ngx_conf_init_uint_value(cxmcf->queue_inflight, 4);
    ngx_conf_init_uint_value(cxmcf->stream_max, 10000000);

    return NGX_CONF_OK;
}


static void *
ngx_http_cx_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_cx_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->site_name = { 0, NULL };
     *     conf->site_shards = 0;
     *     conf->site = NULL;
     *     conf->page = NULL;
     *     conf->segment = NULL;
     *     conf->nonce = NULL;
     *     conf->consent = NULL;
     *     conf->ignore = NULL;
     *     conf->debug = NULL;
     *     conf->search = { 0, NULL };
     *     conf->touchpoint = { 0, NULL };
     *     conf->stage = { 0, NULL };
     *     conf->privacy = 0;
     *     conf->prefix = { 0, NULL };
     *     conf->tag_head = { 0, NULL };
     *     conf->tag_tail = { 0, NULL };
     */

    conf->on = NGX_CONF_UNSET;
    conf->surveys = NGX_CONF_UNSET_PTR;
    conf->role = NGX_CONF_UNSET_UINT;
    conf->sample = NGX_CONF_UNSET_UINT;
    conf->visitor = NGX_CONF_UNSET_UINT;
    conf->origins = NGX_CONF_UNSET_PTR;

    return conf;
}


static char *
ngx_http_cx_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_cx_loc_conf_t *prev = parent;
    ngx_http_cx_loc_conf_t *conf = child;

    ngx_http_cx_main_conf_t  *cxmcf;

    ngx_conf_merge_value(conf->on, prev->on, 0);

    if (conf->site_name.data == NULL) {
        conf->site_name = prev->site_name;
        conf->site_shards = prev->site_shards;
    }

    ngx_conf_merge_str_value(conf->touchpoint, prev->touchpoint, "");
    ngx_conf_merge_str_value(conf->stage, prev->stage, "");
    ngx_conf_merge_ptr_value(conf->surveys, prev->surveys, NULL);
    ngx_conf_merge_uint_value(conf->sample, prev->sample, 10000);
    ngx_conf_merge_uint_value(conf->visitor, prev->visitor,
                              NGX_HTTP_CX_VISITOR_HASH);
    ngx_conf_merge_str_value(conf->prefix, prev->prefix, "/_cx/");
    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);

    if (conf->page == NULL) {
        conf->page = prev->page;
    }

    if (conf->segment == NULL) {
        conf->segment = prev->segment;
    }

    if (conf->nonce == NULL) {
        conf->nonce = prev->nonce;
    }

    if (conf->ignore == NULL) {
        conf->ignore = prev->ignore;
    }

    if (conf->debug == NULL) {
        conf->debug = prev->debug;
    }

    if (conf->role == NGX_CONF_UNSET_UINT) {
        conf->role = (prev->role == NGX_CONF_UNSET_UINT) ? 0 : prev->role;
        conf->search = prev->search;
    }

    if (conf->privacy == 0) {
        conf->privacy = prev->privacy ? prev->privacy
                                      : (NGX_HTTP_CX_PRIVACY_SET
                                         |NGX_HTTP_CX_PRIVACY_GPC
                                         |NGX_HTTP_CX_PRIVACY_DNT);
        conf->consent = prev->consent;
    }

    if (ngx_http_cx_site_merge(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);

    if (ngx_http_cx_define_note(cxmcf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (!conf->on) {
        return NGX_CONF_OK;
    }

    cxmcf->on = 1;

    return ngx_http_cx_filter_tag(cf, conf);
}
