/*
 * cx_edge: whatever requests and reports a visit is made of, the same comes of
 * the same, and all of it are signals of the edge on pages.
 */

#include "tap.h"
#include "cx_edge.h"


#define N(list)   (sizeof(list) / sizeof(list[0]))
#define STEPS     200000


static cx_tuning_t  tuning;


static uint64_t
number(uint64_t below)
{
    static uint64_t  state = 20261121;

    state = state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (state >> 33) % below;
}


static void
any(cx_step_t *s, uint64_t *now)
{
    static const uint16_t  statuses[] = {
        200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 304, 302, 401,
        403, 404, 410, 422, 429, 499, 500, 503, 0, 999, 65535
    };

    static const uint64_t  gaps[] = { 1, 400, 2000, 9000, 60000, 3600000 };
    static unsigned        follow;

    *now += follow ? 1 : number(gaps[number(N(gaps))]);

    memset(s, 0, sizeof(*s));

    s->start = *now - number(number(4) ? 50 : 5000);
    s->end = s->start + number(number(3) ? 500 : 20000) - number(3);
    s->page = (uint32_t) number(5);
    s->path = 100 + (uint32_t) number(5);
    s->uri = s->path + 1000 * (number(3) == 0);
    s->ref = number(3) ? 0 : (uint32_t) number(5);
    s->query = (uint32_t) number(6);
    s->first_ms = number(3) ? (uint32_t) number(5000) : CX_NO_MS;
    s->body = (uint32_t) number(3);
    s->status = statuses[number(N(statuses))];
    s->cache = (uint8_t) number(256);
    s->role = (uint8_t) (number(2) ? 0 : number(256));
    s->kind = number(2) ? CX_STEP_PAGE : number(4) & 3;
    s->post = (number(8) == 0);
    s->aborted = (number(8) == 0);
    s->limited = (number(12) == 0);
    s->told = (number(2) == 0);
    s->user = (number(4) != 0);
    s->pending = (number(12) == 0);

    /* redirects come in a row */

    follow = follow ? follow - 1 : number(1000) ? 0 : 4 + (unsigned) number(30);

    if (follow) {
        s->start = s->end = *now;
        s->kind = CX_STEP_REDIRECT;
        s->pending = 0;
    }
}


/* a report of a browser; its view may be one of the edge's */

static void
report(cx_visit_t *v, uint64_t now, unsigned *joined, unsigned *bad)
{
    uint64_t    began;
    uint32_t    page, view;
    cx_seen_t  *seen;

    page = (uint32_t) number(6);
    view = (uint32_t) number(20);
    began = number(3) ? now - number(40000) : 0;

    seen = cx_edge_join(v, page, view, began);

    if (seen == NULL) {
        return;
    }

    (*joined)++;
    *bad += (seen < v->view || seen >= v->view + CX_VIEWS_KEPT
             || seen->page != page || seen->view != view || page == 0
             || !cx_edge_saw(v, page)
             || cx_edge_join(v, page, view, 0) != seen);

    if (seen->flags & CX_VIEW_IS_PENDING) {
        cx_edge_show(v, seen);
        *bad += ((seen->flags & CX_VIEW_IS_PENDING) != 0);
    }
}


static void
test_any(void)
{
    unsigned           i, k, n, most, bad, joined, fired[CX_SIG_N];
    uint64_t           now;
    cx_step_t          s;
    cx_visit_t         v, twin;
    cx_edge_signal_t   out[CX_EDGE_OUT + 1], again[CX_EDGE_OUT + 1];

    memset(&v, 0, sizeof(v));
    memset(fired, 0, sizeof(fired));
    now = 1795262400000;
    most = bad = joined = 0;

    for (i = 0; i < STEPS; i++) {

        any(&s, &now);
        twin = v;
        memset(out, 0xa5, sizeof(out));
        memset(again, 0xa5, sizeof(again));

        n = cx_edge_step(&v, &s, &tuning, out);
        bad += (cx_edge_step(&twin, &s, &tuning, again) != n
                || memcmp(&v, &twin, sizeof(v)) != 0
                || memcmp(out, again, sizeof(out)) != 0);

        most = (n > most) ? n : most;

        for (k = 0; k < n && n <= CX_EDGE_OUT; k++) {
            bad += (out[k].signal < 0 || out[k].signal >= CX_SIG_N
                    || !(cx_signals[out[k].signal].seen & CX_SEEN_EDGE)
                    || out[k].page == 0 || out[k].count == 0
                    || out[k].count > 2
                    || (s.pending && out[k].signal != CX_SIG_FORM_ABANDON));
            fired[out[k].signal]++;
        }

        bad += (v.queries > CX_SEARCH_KEPT || v.auths > CX_AUTH_KEPT
                || v.fail_next >= CX_FAIL_KEPT || v.next >= CX_VIEWS_KEPT
                || v.redirects >= 20 || v.opened == 0);

        if (number(4) == 0) {
            report(&v, now, &joined, &bad);
        }
    }

    ok(bad == 0, "%u steps: edge signals on pages, the same each time", i);
    ok(most > 2 && most < CX_EDGE_OUT, "%u signals at the most of one step",
       most);
    ok(joined > STEPS / 100, "%u reports joined", joined);

    for (k = 0; k < CX_SIG_N; k++) {
        if (cx_signals[k].seen & CX_SEEN_EDGE) {
            ok(fired[k] > 0, "%s: %u times", cx_signals[k].name, fired[k]);
        }
    }
}


int
main(void)
{
    cx_tuning_default(&tuning);
    test_any();

    return tap_done();
}
