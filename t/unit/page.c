/* cx_page: path -> page key. */

#include <stdlib.h>
#include "tap.h"


static const char  *paths[][2] = {

    { "", "/" },
    { "/", "/" },
    { "//", "/" },
    { "/a//b///c", "/a/b/c" },
    { "/a/", "/a/" },
    { "/a?b=/c", "/a" },
    { "/a#b?c", "/a" },
    { "?a", "/" },
    { "checkout", "checkout" },

    /* parameters */
    { "/a;jsessionid=1F/b;v=1/c", "/a/b/c" },
    { "/;x/;y/z", "/z" },
    { ";x", "/" },
    { "/8123;x", "/:id" },

    /* numbers */
    { "/orders/8123", "/orders/:id" },
    { "/orders/8123/items/4", "/orders/:id/items/:id" },
    { "/0", "/:id" },
    { "/order/114-3941689-8772232", "/order/:id" },
    { "/2024-11-21/", "/2024-11-21/" },
    { "/3.11/library/", "/3.11/library/" },
    { "/v2/page-2", "/v2/page-2" },
    { "/10.1.2.3", "/10.1.2.3" },

    /* UUIDs and hex */
    { "/o/550e8400-e29b-41d4-a716-446655440000/x", "/o/:id/x" },
    { "/o/550E8400-E29B-41D4-A716-446655440000", "/o/:id" },
    { "/o/ffffffff-ffff-ffff-ffff-fffffffffff1", "/o/:id" },
    { "/c/3f2a9c1b", "/c/:id" },
    { "/c/507f1f77bcf86cd799439011", "/c/:id" },
    { "/c/3f2a9c1", "/c/3f2a9c1" },
    { "/c/deadbeef", "/c/deadbeef" },
    { "/c/face2face", "/c/face2face" },
    { "/c/feed2024", "/c/feed2024" },
    { "/c/decade80", "/c/decade80" },

    /* tokens: ULID, nanoid, cuid, base64url, prefixed */
    { "/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/:id" },
    { "/t/V1StGXR8_Z5jdHi6B-myT", "/t/:id" },
    { "/t/cjld2cjxh0000qzrmn831i7rn", "/t/:id" },
    { "/t/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit",
      "/t/:id/edit" },
    { "/t/cus_NffrFeUfNV2Hib", "/t/:id" },

    /* ordinary names */
    { "/docs/asyncio-queue-17.html", "/docs/asyncio-queue-17.html" },
    { "/product-name-with-2023", "/product-name-with-2023" },
    { "/samsung-galaxy-s24-ultra-5g-512gb",
      "/samsung-galaxy-s24-ultra-5g-512gb" },
    { "/mp3-to-mp4-and-h264", "/mp3-to-mp4-and-h264" },
    { "/HowToInstallPython3OnWindows10",
      "/HowToInstallPython3OnWindows10" },
    { "/top-10-things-of-2023-and-5-more",
      "/top-10-things-of-2023-and-5-more" },
    { "/asynchronous-programming", "/asynchronous-programming" },
    { "/:id/:email", "/:id/:email" },

    /* addresses */
    { "/u/jane@example.com/edit", "/u/:email/edit" },
    { "/u/jane.doe+x@mail.example.co.uk", "/u/:email" },
    { "/u/jane%40example.com", "/u/:email" },
    { "/u/j@b\xc3\xbc" "cher.de", "/u/:email" },
    { "/@jane.doe", "/@jane.doe" },
    { "/lodash@4.17.21", "/lodash@4.17.21" },
    { "/a@b", "/a@b" },

    /* bytes */
    { "/caf\xc3\xa9", "/caf\xc3\xa9" },
    { "/a\nb\x7f", "/a_b_" },
    { "/\xc3", "/_" },
    { "/\xc3/\xa9", "/_/_" },
    { "/\xed\xa0\x80", "/___" },
    { "/\xc0\xaf", "/__" },
    { "/\xc2\x85", "/__" },
    { "/\xf0\x9f\x98\x80", "/\xf0\x9f\x98\x80" },
};


/* folds a copy of its own, so that the sanitizer sees every byte too far */

static size_t
fold(unsigned char *dst, const void *path, size_t len)
{
    size_t          n;
    unsigned char  *copy, *out;

    copy = malloc(len ? len : 1);
    out = malloc(CX_PAGE_MAX);

    memcpy(copy, path, len);

    n = cx_page_fold(out, copy, len);
    memcpy(dst, out, n);

    free(copy);
    free(out);

    return n;
}


static void
test_path(const void *path, size_t len, const char *want, size_t want_len)
{
    size_t         n, m;
    char           name[600];
    unsigned char  a[CX_PAGE_MAX], b[CX_PAGE_MAX];

    n = fold(a, path, len);

    snprintf(name, sizeof(name), "%.80s", tap_show(path, len));
    is_bytes(a, n, want, want_len, name);

    m = fold(b, a, n);

    snprintf(name, sizeof(name), "again: %.80s", tap_show(path, len));
    is_bytes(b, m, a, n, name);
}


/* n bytes of "x", then what follows */

static void
test_cut(size_t n, const char *tail, const char *want)
{
    char    path[1024], page[1024];
    size_t  len, want_len;

    memset(path, 'x', n);
    path[0] = '/';
    memcpy(page, path, n);

    len = n + strlen(tail);
    want_len = n + strlen(want);

    memcpy(path + n, tail, strlen(tail));
    memcpy(page + n, want, strlen(want));

    test_path(path, len, page, want_len);
}


int
main(void)
{
    size_t  i;
    char    token[600];

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        test_path(paths[i][0], strlen(paths[i][0]), paths[i][1],
                  strlen(paths[i][1]));
    }

    test_path("/a\0b", 4, "/a_b", 4);

    /* room for 200 bytes */

    test_cut(198, "ab", "ab");
    test_cut(198, "abc", "ab");
    test_cut(199, "\xc3\xa9", "");
    test_cut(199, "\xc3\xa9/b", "");
    test_cut(198, "\xf0\x9f\x98\x80z", "");
    test_cut(198, "/", "/");
    test_cut(199, "/b", "/");
    test_cut(198, "/5", "/:");
    test_cut(196, "/550e8400-e29b-41d4-a716-446655440000", "/:id");
    test_cut(196, "/550e8400-e29b-41d4-a716-446655440000/x", "/:id");
    test_cut(180, "/12345678-and-a-long-name", "/12345678-and-a-long");
    test_cut(191, "/12345678-and-a-long-name", "/:id");
    test_cut(196, "/a@example.com", "/:em");

    memset(token, 'a', sizeof(token));

    for (i = 0; i < sizeof(token); i += 2) {
        token[i] = '7';
    }

    token[0] = '/';
    test_path(token, sizeof(token), "/:id", 4);

    return tap_done();
}
