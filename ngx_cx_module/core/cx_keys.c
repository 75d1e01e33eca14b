/* Redis keys of the schema in include/cx_keys.h: built and taken apart. */

#include <string.h>
#include "cx_keys.h"

#define CX_MS_HOUR 3600000LL
#define CX_MS_DAY  86400000LL

#define CX_ROW(id, grammar, type, life, what) { grammar, type, life, what },
const cx_key_t cx_keys[CX_KEY_N] = { CX_KEYS(CX_ROW) };
#undef CX_ROW

#define CX_ROW(id, name, what) name,
const char *const cx_lifetime[CX_LIFE_N] = { CX_LIFETIME(CX_ROW) };
#undef CX_ROW

#define CX_ROW(bound) bound,
const unsigned cx_first_ms[CX_R_FIRST_MORE - CX_R_FIRST] = { CX_FIRST_MS(
    CX_ROW) };
#undef CX_ROW

#define CX_ROW(pct) pct,
const unsigned cx_peak_end_pct[CX_PEAK_END_BINS] = { CX_PEAK_ENDS(CX_ROW) };
#undef CX_ROW

const char *const cx_rollup_names[CX_R_N] = {
#define CX_ROW(id, name, what) name,
    CX_ROLLUP_HEAD(CX_ROW)
#undef CX_ROW
#define CX_ROW(bound) "first_ms:" #bound,
        CX_FIRST_MS(CX_ROW)
#undef CX_ROW
            "first_ms:more",
#define CX_ROW(id, name, seen, b, cap, rule, source) "signal:" name,
    CX_SIGNALS(CX_ROW)
#undef CX_ROW
#define CX_ROW(id, name, seen, b, cap, rule, source) "visits_signal:" name,
        CX_SIGNALS(CX_ROW)
#undef CX_ROW
#define CX_ROW(id, name, seen, b, cap, rule, source) "unseen:" name,
            CX_SIGNALS(CX_ROW)
#undef CX_ROW
#define CX_ROW(pct) "peak:" #pct,
                CX_PEAK_ENDS(CX_ROW)
#undef CX_ROW
#define CX_ROW(pct) "end:" #pct,
                    CX_PEAK_ENDS(CX_ROW)
#undef CX_ROW
#define CX_ROW(id, name, score) name ":" #score,
                        CX_ROLLUP_SCORES(CX_ROW)
#undef CX_ROW
#define CX_ROW(position) "choice:" #position,
                            CX_CHOICES(CX_ROW)
#undef CX_ROW
#define CX_ROW(id, tag) "text:" tag,
                                CX_TEXTS(CX_ROW)
#undef CX_ROW
};

#define CX_ROW(id, name, digits, what) name,
const char *const cx_score_names[CX_S_N] = { CX_SCORES(CX_ROW) };
#undef CX_ROW

#define CX_ROW(id, name, digits, what) digits,
const unsigned char cx_score_digits[CX_S_N] = { CX_SCORES(CX_ROW) };
#undef CX_ROW

#define CX_ROW(id, name, worst, by) name,
const char *const cx_rank_names[CX_RANK_N] = { CX_RANKS(CX_ROW) };
#undef CX_ROW


int64_t
cx_window_len(int gran)
{
    return gran == CX_HOUR ? CX_MS_HOUR : CX_MS_DAY;
}


int
cx_window_same(int64_t a, int64_t b)
{
    return a / CX_MS_HOUR == b / CX_MS_HOUR;
}


/* days since 1970-01-01 <-> civil date, proleptic Gregorian, March based */

int64_t
cx_window(int gran, int64_t ms)
{
    int64_t day, era, doe, yoe, doy, mp, y, m, d;

    day = ms / CX_MS_DAY + 719468;
    era = day / 146097;
    doe = day - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    d = doy - (153 * mp + 2) / 5 + 1;
    m = mp < 10 ? mp + 3 : mp - 9;
    y = yoe + era * 400 + (m <= 2);

    day = y * 10000 + m * 100 + d;

    return gran == CX_DAY ? day : day * 100 + ms / CX_MS_HOUR % 24;
}


int64_t
cx_window_start(int gran, int64_t window)
{
    int64_t y, m, d, h, era, yoe, doy, doe, ms;

    h = 0;
    ms = window;

    if (gran == CX_HOUR) {
        h = ms % 100;
        ms /= 100;
    }

    y = ms / 10000;
    m = ms / 100 % 100;
    d = ms % 100;

    if (y < 1970 || y > 9999 || m < 1 || m > 12 || d < 1 || h > 23) {
        return -1;
    }

    y -= m <= 2;
    era = y / 400;
    yoe = y - era * 400;
    doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    ms = (era * 146097 + doe - 719468) * CX_MS_DAY + h * CX_MS_HOUR;

    return cx_window(gran, ms) == window ? ms : -1;
}


size_t
cx_digits(char *dst, uint64_t n)
{
    char   text[24];
    size_t i, len;

    i = sizeof(text);

    do {
        text[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n > 0);

    len = sizeof(text) - i;
    memcpy(dst, text + i, len);

    return len;
}


size_t
cx_key(char *dst, int key, const cx_str_t *site, int gran, int64_t window,
       const cx_str_t *name)
{
    char       *p;
    const char *g;

    if (site->len + (name ? name->len : 0) + 64 > CX_KEY_MAX) {
        return 0;
    }

    p = dst;
    memcpy(p, "cx:{", 4);
    p += 4;
    memcpy(p, site->data, site->len);
    p += site->len;
    memcpy(p, "}:", 2);
    p += 2;

    for (g = cx_keys[key].grammar; *g; g++) {
        if (*g != '%') {
            *p++ = *g;
            continue;
        }

        switch (*++g) {
        case 'g':
            *p++ = CX_GRAN(gran);
            break;

        case 'w':
            p += cx_digits(p, (uint64_t) window);
            break;

        default: /* 'n' */
            memcpy(p, name->data, name->len);
            p += name->len;
        }
    }

    return (size_t) (p - dst);
}


/* 1 if s ends with "/<digits>"; *from: where the digits begin */

static int
cx_shard_like(const cx_str_t *s, size_t *from)
{
    size_t i;

    for (i = s->len; i > 0 && s->data[i - 1] >= '0' && s->data[i - 1] <= '9';
         i--) {
        /* void */
    }

    *from = i;

    return i < s->len && i > 1 && s->data[i - 1] == '/';
}


int
cx_site_ok(const cx_str_t *s)
{
    size_t        i;
    unsigned char c;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '-' && c <= ':') || c == '_'))
        {
            return 0;
        }
    }

    return s->len > 0 && s->len <= CX_SITE_MAX && !cx_shard_like(s, &i);
}


/*
 * FNV-1a, mixed so that all bits of it depend on all bytes, then scaled to
 * n.  Never to be changed: a visit would be in two shards, an answer count
 * twice.
 */

unsigned
cx_shard(const cx_str_t *key, unsigned n)
{
    size_t   i;
    uint32_t h;

    for (i = 0, h = 2166136261u; i < key->len; i++) {
        h = (h ^ key->data[i]) * 16777619u;
    }

    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    h ^= h >> 16;

    return (unsigned) ((uint64_t) h * n >> 32);
}


size_t
cx_shard_name(char *dst, const cx_str_t *site, unsigned k, unsigned n)
{
    size_t len;

    memcpy(dst, site->data, site->len);
    len = site->len;

    if (n > 1) {
        dst[len++] = '/';
        len += cx_digits(dst + len, k);
    }

    return len;
}


int
cx_shard_parse(cx_str_t *site, const cx_str_t *name)
{
    int      k;
    size_t   i, from;
    cx_str_t base;

    *site = *name;

    if (!cx_shard_like(name, &from) || name->len - from > 3
        || (name->len - from > 1 && name->data[from] == '0'))
    {
        return -1;
    }

    for (i = from, k = 0; i < name->len; i++) {
        k = k * 10 + (name->data[i] - '0');
    }

    base.data = name->data;
    base.len = from - 1;

    if (k >= CX_SHARDS_MAX || !cx_site_ok(&base)) {
        return -1;
    }

    *site = base;

    return k;
}


/* matches the rest of a key against one row of the grammar */

static int
cx_key_match(cx_key_parts_t *p, const char *g, const unsigned char *s,
             const unsigned char *end)
{
    const unsigned char *from;

    for (; *g; g++) {
        if (*g != '%') {
            if (s == end || *s++ != (unsigned char) *g) {
                return -1;
            }

            continue;
        }

        switch (*++g) {
        case 'g':
            if (s == end || (*s != 'h' && *s != 'd')) {
                return -1;
            }

            p->gran = *s++ == 'h' ? CX_HOUR : CX_DAY;
            break;

        case 'w':
            for (from = s; s < end && *s >= '0' && *s <= '9'; s++) {
                p->window = p->window * 10 + (*s - '0');
            }

            if (s - from != 8 && s - from != 10) {
                return -1;
            }

            break;

        default: /* 'n': up to what follows it, or all */
            for (from = s; s < end && (g[1] == '\0' || *s != ':'); s++) {
                /* void */
            }

            if (s == from) {
                return -1;
            }

            p->name.data = (unsigned char *) from;
            p->name.len = (size_t) (s - from);
        }
    }

    return s == end ? 0 : -1;
}


int
cx_key_parse(cx_key_parts_t *p, const cx_str_t *key)
{
    int                  i;
    cx_str_t             site;
    const unsigned char *s, *end, *brace;

    if (key->len < 8 || memcmp(key->data, "cx:{", 4) != 0) {
        return -1;
    }

    s = key->data + 4;
    end = key->data + key->len;
    brace = memchr(s, '}', (size_t) (end - s));

    if (brace == NULL || brace + 1 == end || brace[1] != ':') {
        return -1;
    }

    for (i = 0; i < CX_KEY_N; i++) {
        memset(p, 0, sizeof(cx_key_parts_t));
        p->key = i;
        p->site.data = (unsigned char *) s;
        p->site.len = (size_t) (brace - s);

        if (cx_key_match(p, cx_keys[i].grammar, brace + 2, end) == 0) {
            (void) cx_shard_parse(&site, &p->site);

            return cx_site_ok(&site) ? 0 : -1;
        }
    }

    return -1;
}
