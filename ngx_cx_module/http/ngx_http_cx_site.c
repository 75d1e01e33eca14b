
/*
 * Sites, and the streams they consist of: one, or as many as cx_site says.
 */


#include "ngx_http_cx.h"


static ngx_http_cx_site_t *ngx_http_cx_site_get(ngx_conf_t *cf,
    ngx_str_t *name, ngx_uint_t shards);
static ngx_int_t ngx_http_cx_site_stream(ngx_conf_t *cf,
    ngx_http_cx_site_t *site, ngx_uint_t shard);


char *
ngx_http_cx_site_merge(ngx_conf_t *cf, ngx_http_cx_loc_conf_t *conf)
{
    ngx_str_t                  name;
    cx_field_t                 field;
    ngx_http_core_srv_conf_t  *cscf;

    name = conf->site_name;

    if (name.len == 0) {
        cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
        name = cscf->server_name;

        if (name.len > 2 && name.data[0] == '*' && name.data[1] == '.') {
            name.data += 2;
            name.len -= 2;

        } else if (name.len > 1 && name.data[0] == '.') {
            name.data++;
            name.len--;
        }

        field.kind = CX_KIND_NAME;
        field.max = NGX_HTTP_CX_SITE_MAX;

        if (name.len == 0 || !cx_field_ok(&field, (cx_str_t *) &name)
            || ngx_strcmp(name.data, "_") == 0)
        {
            ngx_str_set(&name, "default");
        }
    }

    conf->site = ngx_http_cx_site_get(cf, &name, conf->site_shards);

    return conf->site ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* shards 0: what cx_site says of this site elsewhere, if it does */

static ngx_http_cx_site_t *
ngx_http_cx_site_get(ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t shards)
{
    ngx_uint_t                i;
    ngx_http_cx_site_t       *site, **sites;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);
    sites = cxmcf->sites.elts;

    for (i = 0; i < cxmcf->sites.nelts; i++) {
        site = sites[i];

        if (site->name.len != name->len
            || ngx_strncmp(site->name.data, name->data, name->len) != 0)
        {
            continue;
        }

        if (shards && site->shards && shards != site->shards) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"cx_site %V\" has shards=%ui in one place and "
                          "shards=%ui in another: expected the same number "
                          "wherever a site is named", name, site->shards,
                          shards);
            return NULL;
        }

        if (shards) {
            site->shards = shards;
        }

        return site;
    }

    site = ngx_pcalloc(cf->pool, sizeof(ngx_http_cx_site_t));
    if (site == NULL) {
        return NULL;
    }

    site->name = *name;
    site->index = cxmcf->sites.nelts;
    site->id = cx_edge_id(0, name->data, name->len);
    site->shards = shards;

    sites = ngx_array_push(&cxmcf->sites);
    if (sites == NULL) {
        return NULL;
    }

    *sites = site;

    return site;
}


ngx_int_t
ngx_http_cx_site_streams(ngx_conf_t *cf, ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_uint_t            i, k;
    ngx_http_cx_site_t   *site, **sites;

    sites = cxmcf->sites.elts;

    for (i = 0; i < cxmcf->sites.nelts; i++) {
        site = sites[i];
        site->shards = ngx_max(site->shards, 1);

        site->streams = ngx_pcalloc(cf->pool, site->shards
                                              * sizeof(ngx_http_cx_stream_t));
        if (site->streams == NULL) {
            return NGX_ERROR;
        }

        for (k = 0; k < site->shards; k++) {
            if (ngx_http_cx_site_stream(cf, site, k) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cx_site_stream(ngx_conf_t *cf, ngx_http_cx_site_t *site,
    ngx_uint_t shard)
{
    char                     *p;
    cx_str_t                  name, key;
    ngx_http_cx_stream_t     *stream, **streams;
    ngx_http_cx_main_conf_t  *cxmcf;

    cxmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cx_module);
    stream = &site->streams[shard];

    p = ngx_pnalloc(cf->pool, 2 * CX_SHARD_MAX + sizeof("cx:{}:events"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    name.len = site->name.len;
    name.data = site->name.data;

    stream->name.data = (u_char *) p;
    stream->name.len = cx_shard_name(p, &name, shard, site->shards);

    stream->key.data = stream->name.data + stream->name.len;
    stream->key.len = ngx_sprintf(stream->key.data, "cx:{%V}:events",
                                  &stream->name)
                      - stream->key.data;

    key.len = stream->key.len;
    key.data = stream->key.data;
    stream->slot = cx_redis_slot(&key);

    stream->index = cxmcf->streams.nelts;

    streams = ngx_array_push(&cxmcf->streams);
    if (streams == NULL) {
        return NGX_ERROR;
    }

    *streams = stream;

    return NGX_OK;
}
