/*
 * Where in a JSON text a value stands, so that a mistake in a file can be
 * reported with its line: jansson keeps no positions.
 */

#include <string.h>
#include "cx_core.h"


static const char *cx_json_step(const char *p, const char *end,
                                const char *step, size_t len);
static const char *cx_json_space(const char *p, const char *end);
static const char *cx_json_skip(const char *p, const char *end);
static const char *cx_json_string(const char *p, const char *end);
static int         cx_json_match(const char *step, size_t len, const char *key,
                                 const char *key_end, unsigned long index);


unsigned
cx_json_line(const char *text, size_t len, const char *path)
{
    unsigned    line;
    const char *p, *at, *end, *next;

    end = text + len;
    at = cx_json_space(text, end);

    while (*path) {
        next = strchr(path, '/');

        if (next == NULL) {
            next = path + strlen(path);
        }

        p = cx_json_step(at, end, path, (size_t) (next - path));

        if (p == NULL) {
            break;
        }

        at = p;
        path = (*next == '/') ? next + 1 : next;
    }

    line = 1;

    for (p = text; p < at; p++) {
        line += (*p == '\n');
    }

    return line;
}


/* the member or element of the value at p that one step leads to, or NULL */

static const char *
cx_json_step(const char *p, const char *end, const char *step, size_t len)
{
    int           object;
    const char   *key, *key_end;
    unsigned long index;

    if (p == end || (*p != '{' && *p != '[')) {
        return NULL;
    }

    object = (*p == '{');

    for (index = 0; /* void */; index++) {
        /* behind a bracket or a comma */

        p = cx_json_space(p + 1, end);

        key = NULL;
        key_end = NULL;

        if (p == end || *p == '}' || *p == ']') {
            return NULL;
        }

        if (object) {
            key = p + 1;
            p = cx_json_string(p, end);
            key_end = p - 1;

            p = cx_json_space(p, end);

            if (p == end) {
                return NULL;
            }

            p = cx_json_space(p + 1, end);
        }

        if (cx_json_match(step, len, key, key_end, index)) {
            return p;
        }

        p = cx_json_space(cx_json_skip(p, end), end);

        if (p == end || *p != ',') {
            return NULL;
        }
    }
}


static const char *
cx_json_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        p++;
    }

    return p;
}


/* behind the value at p */

static const char *
cx_json_skip(const char *p, const char *end)
{
    size_t depth;

    depth = 0;

    while (p < end) {
        switch (*p) {
        case '"':
            p = cx_json_string(p, end);

            if (depth == 0) {
                return p;
            }

            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                /* of what the value stands in */
                return p;
            }

            if (--depth == 0) {
                return p + 1;
            }

            break;

        case ',':
            if (depth == 0) {
                return p;
            }

            break;
        }

        p++;
    }

    return p;
}


/* behind the string that begins at p */

static const char *
cx_json_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        if (*p == '\\' && p + 1 < end) {
            p++;
        }
    }

    return p < end ? p + 1 : end;
}


/* key NULL: an element of an array, by its index */

static int
cx_json_match(const char *step, size_t len, const char *key,
              const char *key_end, unsigned long index)
{
    size_t        i;
    unsigned long n;

    if (key) {
        return (size_t) (key_end - key) == len && memcmp(key, step, len) == 0;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (step[i] < '0' || step[i] > '9') {
            return 0;
        }

        n = n * 10 + (unsigned long) (step[i] - '0');
    }

    return len && n == index;
}
