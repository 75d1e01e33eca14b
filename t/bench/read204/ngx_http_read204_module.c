
/*
 * The measuring stick of the ingest bench: reads the request body and answers
 * 204.  What this costs is HTTP itself; no collector in nginx can be cheaper.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


static char *ngx_http_read204(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_read204_handler(ngx_http_request_t *r);
static void ngx_http_read204_body(ngx_http_request_t *r);


static ngx_command_t  ngx_http_read204_commands[] = {

    { ngx_string("read204"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_read204,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_read204_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_read204_module = {
    NGX_MODULE_V1,
    &ngx_http_read204_module_ctx,          /* module context */
    ngx_http_read204_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_read204(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_read204_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_read204_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_read_client_request_body(r, ngx_http_read204_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_read204_body(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, NGX_HTTP_NO_CONTENT);
}
