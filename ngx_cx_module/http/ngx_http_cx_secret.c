/*
 * Secrets in the zone and what is made with them.
 *
 * A visit is told apart by a hash of site, address and user agent, keyed by
 * the salt.  Neither address nor agent is kept; the salt is drawn anew on each
 * UTC day and the old one is overwritten.
 */


#include <ngx_sha1.h>
#include "ngx_http_cx_zone.h"


static u_char *ngx_http_cx_visit_salt(void);


static u_char  *ngx_http_cx_secret_key;        /* of cx_secret */


ngx_int_t
ngx_http_cx_random(u_char *dst, size_t len)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file("/dev/urandom", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, dst, len);

    (void) ngx_close_file(fd);

    return n == (ssize_t) len ? NGX_OK : NGX_ERROR;
}


/* the day's salt; NULL: there is none, so nobody is told apart */

static u_char *
ngx_http_cx_visit_salt(void)
{
    time_t               day;
    ngx_int_t            rc;
    ngx_http_cx_zone_t  *sh;

    static time_t        known;
    static u_char        salt[NGX_HTTP_CX_SALT_LEN];

    day = ngx_time() / 86400;

    if (day == known) {
        return salt;
    }

    sh = ngx_http_cx_zone_data();
    rc = NGX_OK;

    ngx_http_cx_zone_lock();

    /* another worker's clock may be ahead of this one's at midnight */

    if (sh->day < day || sh->day > day + 1) {
        rc = ngx_http_cx_random(sh->salt, NGX_HTTP_CX_SALT_LEN);
        sh->day = (rc == NGX_OK) ? day : 0;
    }

    ngx_memcpy(salt, sh->salt, NGX_HTTP_CX_SALT_LEN);

    ngx_http_cx_zone_unlock();

    known = (rc == NGX_OK) ? day : 0;

    return rc == NGX_OK ? salt : NULL;
}


ngx_int_t
ngx_http_cx_visit_key(ngx_http_request_t *r, ngx_http_cx_loc_conf_t *cxlcf,
    u_char *dst)
{
    u_char                *salt, hash[20];
    ngx_sha1_t             sha1;
    struct sockaddr_in    *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6   *sin6;
#endif

    if (cxlcf->visitor == NGX_HTTP_CX_VISITOR_OFF) {
        return NGX_DECLINED;
    }

    salt = ngx_http_cx_visit_salt();
    if (salt == NULL) {
        return NGX_DECLINED;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, salt, NGX_HTTP_CX_SALT_LEN);
    ngx_sha1_update(&sha1, cxlcf->site->name.data, cxlcf->site->name.len);
    ngx_sha1_update(&sha1, "/", 1);

    switch (r->connection->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        ngx_sha1_update(&sha1, &sin6->sin6_addr, 16);
        break;
#endif

    case AF_INET:
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        ngx_sha1_update(&sha1, &sin->sin_addr, 4);
        break;

    default: /* unix: the address is the proxy's, the agent must do */
        break;
    }

    if (r->headers_in.user_agent) {
        ngx_sha1_update(&sha1, r->headers_in.user_agent->value.data,
                        r->headers_in.user_agent->value.len);
    }

    ngx_sha1_final(hash, &sha1);

    ngx_hex_dump(dst, hash, NGX_HTTP_CX_VISIT_LEN / 2);

    return NGX_OK;
}


ngx_uint_t
ngx_http_cx_visit_draw(ngx_str_t *visit, ngx_str_t *name)
{
    uint32_t  crc;

    if (visit->len == 0) {
        return ngx_random() % 10000;
    }

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, name->data, name->len);
    ngx_crc32_update(&crc, visit->data, visit->len);
    ngx_crc32_final(crc);

    return crc % 10000;
}


ngx_uint_t
ngx_http_cx_visit_sampled(ngx_str_t *visit, ngx_uint_t sample)
{
    ngx_str_t  name = ngx_string("cx_sample");

    return sample >= 10000 || ngx_http_cx_visit_draw(visit, &name) < sample;
}


void
ngx_http_cx_secret_use(ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_http_cx_secret_key = cxmcf->secret;
}


const u_char *
ngx_http_cx_secret(void)
{
    return ngx_http_cx_secret_key ? ngx_http_cx_secret_key
                                  : ngx_http_cx_zone_data()->key;
}
