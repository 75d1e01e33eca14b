/*
 * TLS of OpenSSL 1.1.1 or newer over a socket that never blocks.  Bytes go
 * through a BIO of our own, because the one of OpenSSL raises SIGPIPE.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include "cx_agg_socket.h"

#define CX_TLS_FILES  3 /* ca, cert, key */
#define CX_TLS_PATH   4096
#define CX_TLS_BUFFER 65536
#define CX_TLS_MOST   (1 << 20) /* bytes a call */

struct cx_tls_s {
    SSL *ssl;
    int  fd;
};

/* files of a context as they were when it read them */
typedef struct {
    dev_t           dev;
    ino_t           ino;
    struct timespec changed;
} cx_tls_file_t;

/* a process knows one target; its context lasts until a file is renewed */
static SSL_CTX                 *cx_tls_ctx;
static const cx_redis_target_t *cx_tls_target;
static cx_tls_file_t            cx_tls_file[CX_TLS_FILES];
static BIO_METHOD              *cx_tls_method;


/* what OpenSSL complains about, after a word of ours; always -1 */

static int
cx_tls_error(cx_redis_t *r, const char *what)
{
    const char   *why;
    unsigned long code;

    code = ERR_peek_last_error();
    why = code ? ERR_reason_error_string(code) : NULL;
    snprintf(r->error, sizeof(r->error), "TLS: %s%s%s", what, why ? ": " : "",
             why ? why : "");
    ERR_clear_error();

    return -1;
}


/* ---- bytes: OpenSSL's view of the socket ---- */

static int
cx_tls_bio_write(BIO *bio, const char *data, int len)
{
    cx_tls_t *tls;
    ssize_t   n;

    tls = BIO_get_data(bio);
    n = send(tls->fd, data, (size_t) len, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_retry_write(bio);
    }

    return (int) n;
}


static int
cx_tls_bio_read(BIO *bio, char *data, int len)
{
    cx_tls_t *tls;
    ssize_t   n;

    tls = BIO_get_data(bio);
    n = recv(tls->fd, data, (size_t) len, 0);
    BIO_clear_retry_flags(bio);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_retry_read(bio);
    }

    return (int) n;
}


static long
cx_tls_bio_ctrl(BIO *bio, int command, long n, void *data)
{
    (void) bio;
    (void) n;
    (void) data;

    return command == BIO_CTRL_FLUSH; /* nothing is held back */
}


static int
cx_tls_bio(cx_tls_t *tls)
{
    BIO *bio;

    if (cx_tls_method == NULL) {
        cx_tls_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
                                     "cx socket");

        if (cx_tls_method == NULL) {
            return -1;
        }

        BIO_meth_set_write(cx_tls_method, cx_tls_bio_write);
        BIO_meth_set_read(cx_tls_method, cx_tls_bio_read);
        BIO_meth_set_ctrl(cx_tls_method, cx_tls_bio_ctrl);
    }

    bio = BIO_new(cx_tls_method);

    if (bio == NULL) {
        return -1;
    }

    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);

    return 0;
}


/* ---- the context of a target ---- */

static void
cx_tls_path(char *dst, const cx_str_t *path)
{
    snprintf(dst, CX_TLS_PATH, "%.*s", (int) path->len, (char *) path->data);
}


static void
cx_tls_stat(cx_tls_file_t *file, const cx_redis_target_t *t)
{
    int             i;
    char            path[CX_TLS_PATH];
    struct stat     st;
    const cx_str_t *name[CX_TLS_FILES];

    memset(file, 0, CX_TLS_FILES * sizeof(cx_tls_file_t));
    name[0] = &t->ca;
    name[1] = &t->cert;
    name[2] = &t->key;

    for (i = 0; i < CX_TLS_FILES; i++) {
        if (name[i]->len) {
            cx_tls_path(path, name[i]);

            if (stat(path, &st) == 0) {
                file[i].dev = st.st_dev;
                file[i].ino = st.st_ino;
                file[i].changed = st.st_mtim;
            }
        }
    }
}


/* a file that OpenSSL could not use; always -1 */

static int
cx_tls_bad_file(cx_redis_t *r, const char *what, const char *path)
{
    char text[160];

    snprintf(text, sizeof(text), "%s \"%.120s\"", what, path);

    return cx_tls_error(r, text);
}


static int
cx_tls_load(cx_redis_t *r, SSL_CTX *ctx, const cx_redis_target_t *t)
{
    char path[CX_TLS_PATH];

    if (t->ca.len) {
        cx_tls_path(path, &t->ca);

        if (SSL_CTX_load_verify_locations(ctx, path, NULL) != 1) {
            return cx_tls_bad_file(r, "ca", path);
        }

    } else if (t->verify && SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return cx_tls_error(r, "the system's certificates");
    }

    if (t->cert.len) {
        cx_tls_path(path, &t->cert);

        if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1) {
            return cx_tls_bad_file(r, "cert", path);
        }

        cx_tls_path(path, t->key.len ? &t->key : &t->cert);

        if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1
            || SSL_CTX_check_private_key(ctx) != 1)
        {
            return cx_tls_bad_file(r, "key", path);
        }
    }

    return 0;
}


/* nobody is there to be asked for the password of a key */

static int
cx_tls_no_password(char *buf, int size, int writing, void *data)
{
    (void) buf;
    (void) size;
    (void) writing;
    (void) data;

    return 0;
}


static int
cx_tls_context(cx_redis_t *r, const cx_redis_target_t *t)
{
    SSL_CTX      *ctx;
    cx_tls_file_t file[CX_TLS_FILES];

    cx_tls_stat(file, t);

    if (cx_tls_ctx && cx_tls_target == t
        && memcmp(file, cx_tls_file, sizeof(file)) == 0)
    {
        return 0;
    }

    ERR_clear_error();
    ctx = SSL_CTX_new(TLS_client_method());

    if (ctx == NULL) {
        return cx_tls_error(r, "no context");
    }

    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(ctx, 1); /* records and their heads in one go */
    SSL_CTX_set_default_read_buffer_len(ctx, CX_TLS_BUFFER);
    SSL_CTX_set_default_passwd_cb(ctx, cx_tls_no_password);
    SSL_CTX_set_verify(ctx, t->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       NULL);

    if (cx_tls_load(r, ctx, t)) {
        SSL_CTX_free(ctx);
        return -1;
    }

    SSL_CTX_free(cx_tls_ctx);
    cx_tls_ctx = ctx;
    cx_tls_target = t;
    memcpy(cx_tls_file, file, sizeof(file));

    return 0;
}


/* ---- a connection ---- */

/* after a call that returned n: 0 try again, or -1 and r->error */

static int
cx_tls_wait(cx_redis_t *r, int n, int err)
{
    short events;

    switch (SSL_get_error(r->tls->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        events = POLLIN;
        break;

    case SSL_ERROR_WANT_WRITE:
        events = POLLOUT;
        break;

    case SSL_ERROR_ZERO_RETURN:
        snprintf(r->error, sizeof(r->error), "Server closed the connection");
        return -1;

    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        snprintf(r->error, sizeof(r->error), "%s",
                 err ? strerror(err) : "Server closed the connection");
        return -1;

    default:
        return cx_tls_error(r, "failed");
    }

    if (cx_socket_wait(r->fd, events, cx_socket_left(r))) {
        snprintf(r->error, sizeof(r->error), "%s",
                 errno == ETIMEDOUT ? "timed out" : strerror(errno));
        return -1;
    }

    return 0;
}


/* whom the certificate must name; SNI is for names only */

static int
cx_tls_name(SSL *ssl, const cx_redis_target_t *t, const cx_redis_addr_t *addr)
{
    char               name[CX_REDIS_HOST];
    unsigned char      ip[16];
    X509_VERIFY_PARAM *param;

    snprintf(name, sizeof(name), "%.*s",
             (int) (t->name.len ? t->name.len : addr->host.len),
             (char *) (t->name.len ? t->name.data : addr->host.data));

    if (inet_pton(AF_INET, name, ip) == 1 || inet_pton(AF_INET6, name, ip) == 1)
    {
        param = SSL_get0_param(ssl);
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ? 0 : -1;
    }

    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);

    return SSL_set_tlsext_host_name(ssl, name) == 1
                   && SSL_set1_host(ssl, name) == 1
               ? 0
               : -1;
}


static int
cx_tls_handshake(cx_redis_t *r)
{
    int  n;
    char why[sizeof(r->error)];
    long verdict;

    for (;;) {
        ERR_clear_error();
        errno = 0;
        n = SSL_connect(r->tls->ssl);

        if (n == 1) {
            return 0;
        }

        if (cx_tls_wait(r, n, errno)) {
            break;
        }
    }

    verdict = SSL_get_verify_result(r->tls->ssl);

    if (verdict != X509_V_OK
        && (SSL_get_verify_mode(r->tls->ssl) & SSL_VERIFY_PEER))
    {
        snprintf(r->error, sizeof(r->error),
                 "TLS: the server's certificate is refused: %s",
                 X509_verify_cert_error_string(verdict));

    } else if (strncmp(r->error, "TLS: ", 5) != 0) {
        snprintf(why, sizeof(why), "%s", r->error);
        snprintf(r->error, sizeof(r->error), "TLS: handshake: %.180s", why);
    }

    return -1;
}


int
cx_tls_open(cx_redis_t *r, const cx_redis_target_t *t,
            const cx_redis_addr_t *addr)
{
    if (cx_tls_context(r, t)) {
        return -1;
    }

    r->tls = cx_alloc(sizeof(cx_tls_t));
    r->tls->fd = r->fd;
    r->tls->ssl = SSL_new(cx_tls_ctx);

    if (r->tls->ssl == NULL || cx_tls_bio(r->tls)
        || cx_tls_name(r->tls->ssl, t, addr))
    {
        return cx_tls_error(r, "no connection");
    }

    return cx_tls_handshake(r);
}


void
cx_tls_close(cx_tls_t *tls)
{
    if (tls->ssl) {
        if (SSL_is_init_finished(tls->ssl)) {
            (void) SSL_shutdown(tls->ssl); /* what fits at once */
        }

        SSL_free(tls->ssl);
        ERR_clear_error();
    }

    free(tls);
}


ssize_t
cx_tls_recv(cx_redis_t *r, void *data, size_t len)
{
    int n;

    for (;;) {
        ERR_clear_error();
        errno = 0;
        n = SSL_read(r->tls->ssl, data, (int) len);

        if (n > 0) {
            return n;
        }

        if (cx_tls_wait(r, n, errno)) {
            return -1;
        }
    }
}


/* who refuses us says why before the connection breaks: with TLS 1.3 that is
   after the handshake, when we write already */

static void
cx_tls_reason(cx_redis_t *r)
{
    int  n;
    char c;

    n = SSL_read(r->tls->ssl, &c, 1);

    if (n <= 0 && SSL_get_error(r->tls->ssl, n) == SSL_ERROR_SSL) {
        (void) cx_tls_error(r, "failed");
    }
}


ssize_t
cx_tls_send(cx_redis_t *r, const void *data, size_t len)
{
    int n;

    for (;;) {
        ERR_clear_error();
        errno = 0;
        n = SSL_write(r->tls->ssl, data,
                      len < CX_TLS_MOST ? (int) len : CX_TLS_MOST);

        if (n > 0) {
            return n;
        }

        if (cx_tls_wait(r, n, errno)) {
            cx_tls_reason(r);
            return -1;
        }
    }
}
