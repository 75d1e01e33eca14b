/* Times and numbers of a log. */

#include <string.h>
#include "cxctl_log.h"


int64_t
cx_log_ms(const cx_str_t *s)
{
    int            found, digits, scale;
    int64_t        n, sum;
    unsigned char *p, *end;

    end = s->data + s->len;
    found = 0;
    sum = 0;

    for (p = s->data; p < end;) {
        if (*p == ',' || *p == ':' || *p == ' ' || *p == '-') {
            p++;
            continue;
        }

        n = 0;
        digits = 0;

        for (; p < end && *p >= '0' && *p <= '9'; p++) {
            n = n < 100000000 ? n * 10 + (*p - '0') : n;
            digits++;
        }

        n *= 1000;

        if (p < end && *p == '.') {
            scale = 100;

            for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
                n += (*p - '0') * scale;
                scale /= 10;
                digits++;
            }
        }

        if (digits == 0 || (p < end && *p != ',' && *p != ':' && *p != ' ')) {
            return -1;
        }

        found = 1;
        sum += n;
    }

    return found ? sum : -1;
}


int
cx_log_digits(const unsigned char *p, int n)
{
    int v;

    for (v = 0; n > 0; n--, p++) {
        if (*p < '0' || *p > '9') {
            return -1;
        }

        v = v * 10 + (*p - '0');
    }

    return v;
}


/* "+0100", "+01:00" or "Z" in s; -100000: it is none */

static long
cx_log_zone(const unsigned char *p, size_t len)
{
    int h, m;

    if (len == 1 && *p == 'Z') {
        return 0;
    }

    if ((len != 5 && (len != 6 || p[3] != ':')) || (*p != '+' && *p != '-')) {
        return -100000;
    }

    h = cx_log_digits(p + 1, 2);
    m = cx_log_digits(p + len - 2, 2);

    if (h < 0 || h > 14 || m < 0 || m > 59) {
        return -100000;
    }

    return (*p == '-' ? -1L : 1L) * (h * 3600 + m * 60);
}


/* Unix ms of a date and "HH:MM:SS" with a zone behind it */

static int64_t
cx_log_unix(int y, int month, int d, const unsigned char *clock, size_t len)
{
    int                        h, m, s;
    long                       zone, days;
    static const unsigned char most[] = { 31, 29, 31, 30, 31, 30,
                                          31, 31, 30, 31, 30, 31 };

    h = cx_log_digits(clock, 2);
    m = cx_log_digits(clock + 3, 2);
    s = cx_log_digits(clock + 6, 2);
    zone = cx_log_zone(clock + 8, len - 8);

    if (y < 1970 || month < 1 || month > 12 || d < 1 || d > most[month - 1]
        || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60
        || zone == -100000 || clock[2] != ':' || clock[5] != ':')
    {
        return -1;
    }

    /* years that begin in March have their leap day last */

    y -= month < 3;
    month += month < 3 ? 9 : -3;
    days = 365L * y + y / 4 - y / 100 + y / 400 + (153L * month + 2) / 5 + d
           - 719469;

    return ((int64_t) days * 86400 + h * 3600 + m * 60 + s - zone) * 1000;
}


int64_t
cx_log_time(const cx_str_t *v)
{
    int                  month;
    const char          *name;
    unsigned char        clock[13];
    const unsigned char *p;
    static const char    names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    p = v->data;

    if (v->len >= 20 && p[4] == '-' && p[7] == '-' && p[10] == 'T') {
        return cx_log_unix(cx_log_digits(p, 4), cx_log_digits(p + 5, 2),
                           cx_log_digits(p + 8, 2), p + 11, v->len - 11);
    }

    if (v->len != 26 || p[2] != '/' || p[6] != '/' || p[11] != ':'
        || p[20] != ' ') {
        return -1;
    }

    month = 0;

    for (name = names; *name && memcmp(name, p + 3, 3) != 0; name += 3) {
        month++;
    }

    memcpy(clock, p + 12, 8); /* without the space before the zone */
    memcpy(clock + 8, p + 21, 5);

    return cx_log_unix(cx_log_digits(p + 7, 4), month + 1, cx_log_digits(p, 2),
                       clock, 13);
}
