/*
 * cx_edge: what is remembered of a visit, and which of its views a browser's
 * report is about.
 */

#include "tap.h"
#include "cx_edge.h"


#define START  1795262400000ULL          /* of all visits here */

enum { A = 101, B, C, D, E, F, G, H };   /* pages */


static cx_visit_t   v;
static cx_tuning_t  tuning;


/* a page asked for ms after START, its answer done took ms later */

static cx_step_t
page(uint32_t id, uint64_t ms, uint64_t took)
{
    cx_step_t  s;

    memset(&s, 0, sizeof(s));

    s.start = START + ms;
    s.end = s.start + took;
    s.page = id;
    s.uri = s.path = id + 1000;
    s.status = 200;
    s.first_ms = (uint32_t) took;
    s.upstream_ms = CX_NO_MS;

    return s;
}


static unsigned
take(cx_step_t s)
{
    cx_edge_signal_t  out[CX_EDGE_OUT];

    return cx_edge_step(&v, &s, &tuning, out);
}


static unsigned
view(uint32_t id, uint64_t ms)
{
    return take(page(id, ms, 0));
}


static void
prefetch(uint32_t id, uint64_t ms)
{
    cx_step_t  s;

    s = page(id, ms, 20);
    s.pending = 1;
    s.told = 1;

    (void) take(s);
}


static cx_seen_t *
join(uint32_t id, uint32_t name, uint64_t ms)
{
    return cx_edge_join(&v, id, name, START + ms);
}


static void
fresh(void)
{
    memset(&v, 0, sizeof(v));
}


static void
test_id(void)
{
    uint32_t       a, b;
    unsigned       i, same;
    static char    text[4096];

    a = cx_edge_id(0, "/a", 2);
    b = cx_edge_id(a, "?b", 2);

    ok(cx_edge_id(0, "", 0) == 0 && cx_edge_id(a, "", 0) == a,
       "nothing changes nothing");
    ok(a && b && a != b && a == cx_edge_id(0, "/a", 2)
       && b == cx_edge_id(a, "?b", 2) && b != cx_edge_id(0, "?b", 2),
       "the same for the same, another after another");
    ok(cx_edge_id(0, "\0", 1) != cx_edge_id(0, "\0\0", 2), "bytes of 0 count");

    same = 0;

    for (i = 1; i < sizeof(text); i++) {
        text[i - 1] = (char) i;
        same += (cx_edge_id(0, text, i) == cx_edge_id(0, text, i - 1));
    }

    ok(same == 0, "each byte more is another");
}


static void
test_join(void)
{
    cx_seen_t  *seen;

    fresh();
    (void) view(A, 0);
    (void) take(page(B, 5000, 700));

    seen = join(B, 7, 5100);
    ok(seen && seen->page == B && seen->view == 7 && seen->at == 5000
       && seen->request_ms == 700 && seen->first_ms == 700
       && seen->upstream_ms == CX_NO_MS && seen->status == 200,
       "the view of this page, with what the server knows");

    ok(join(B, 7, 900000) == seen && cx_edge_join(&v, B, 7, 0) == seen,
       "bound: found by its id from now on, whatever its age");
    ok(join(B, 8, 5000) == NULL, "and by no other");
    ok(join(A, 7, 0) && join(A, 7, 0)->page == A, "an id is of one page");
    ok(join(C, 9, 0) == NULL, "a page that was not served");
    ok(cx_edge_join(&v, A, 10, 0) == NULL, "by no request");
    ok(join(A, 0, 0) == NULL && join(0, 11, 0) == NULL, "no id, no page");

    fresh();
    ok(join(A, 1, 0) == NULL, "nobody");

    /* age */

    (void) view(A, 40000);
    ok(join(A, 1, 9999) == NULL && join(A, 1, 70001) == NULL,
       "too early, too late");
    ok(join(A, 1, 70000) != NULL, "30 s late");

    fresh();
    (void) view(A, 40000);
    ok(join(A, 1, 10000) != NULL, "30 s early");

    fresh();
    (void) view(A, 0);
    ok(cx_edge_join(&v, A, 1, 1) == NULL
       && cx_edge_join(&v, A, 1, (uint64_t) -1) == NULL, "an age of ages");

    /* an answer that never came cannot report */

    fresh();
    {
        cx_step_t  s;

        s = page(A, 0, 5000);
        s.aborted = 1;
        s.first_ms = CX_NO_MS;
        (void) take(s);
        ok(join(A, 1, 0) == NULL && !cx_edge_saw(&v, A),
           "a page that was waited for in vain");

        s.first_ms = 100;
        (void) take(s);
        ok(join(A, 1, 0) != NULL && cx_edge_saw(&v, A), "half a page");
    }
}


static void
test_tabs(void)
{
    cx_seen_t  *one, *two;

    fresh();
    (void) view(A, 0);
    (void) view(A, 4000);

    two = join(A, 2, 3900);
    one = join(A, 1, 100);

    ok(one && two && one != two && one->at == 0 && two->at == 4000,
       "two tabs of a page, each its own");
    ok(join(A, 3, 2000) == NULL, "and none is left for a third");
    ok(join(A, 2, 0) == two && join(A, 1, 0) == one, "as before");

    fresh();
    (void) view(A, 0);
    (void) view(A, 4000);
    one = join(A, 1, 1900);
    two = join(A, 2, 1900);
    ok(one && two && one->at == 0 && two->at == 4000,
       "the nearest, then the next");

    /* six are kept */

    fresh();
    (void) view(A, 0);
    (void) join(A, 1, 0);
    (void) view(B, 1000);
    (void) view(C, 2000);
    (void) view(D, 3000);
    (void) view(E, 4000);
    (void) view(F, 5000);
    ok(join(A, 1, 0) != NULL, "the sixth from the newest");
    (void) view(G, 6000);
    ok(join(A, 1, 0) == NULL && cx_edge_saw(&v, A),
       "the seventh is forgotten, but not that it was served");
}


static void
test_pending(void)
{
    unsigned    i;
    cx_seen_t  *seen;

    fresh();
    (void) view(A, 0);
    (void) view(B, 1000);
    (void) view(C, 2000);

    for (i = 0; i < 20; i++) {
        prefetch(D + i % 5, 3000 + i);
    }

    ok(join(A, 1, 0) && join(B, 2, 1000) && join(C, 3, 2000),
       "links that are prefetched push out no views");

    fresh();
    prefetch(B, 0);
    (void) view(A, 1000);
    (void) view(C, 2000);

    ok(cx_edge_saw(&v, B), "a prefetched page was served");
    ok(join(B, 1, 300001) == NULL, "browsers keep it for 5 minutes");

    seen = join(B, 1, 300000);
    ok(seen && seen->page == B && (seen->flags & CX_VIEW_IS_PENDING)
       && seen->at == 300000 && seen->request_ms == 20,
       "it is shown; the view began when it was");

    cx_edge_show(&v, seen);
    ok(!(seen->flags & (CX_VIEW_IS_PENDING | CX_VIEW_IS_AUTO)),
       "from now on a view like others");
    ok(join(B, 1, 0) == seen, "of this id");
    ok(cx_edge_back(&v, A, 500, START + 301000) == B, "and the newest one");

    /* asked for all the same: the request is nearer */

    fresh();
    prefetch(B, 0);
    (void) view(B, 9000);
    seen = join(B, 1, 9000);
    ok(seen && seen->at == 9000 && !(seen->flags & CX_VIEW_IS_PENDING),
       "a prefetch that was of no use");

    /* shown ones are history */

    fresh();
    (void) view(A, 0);
    prefetch(B, 100);
    cx_edge_show(&v, join(B, 1, 5000));
    ok(view(A, 9000) == 1 && v.count[CX_SIG_QUICK_BACK] == 1,
       "the way back from a page that was prefetched");

    fresh();
    (void) view(A, 0);
    prefetch(B, 100);
    ok(view(A, 9000) == 0, "but not from one that was not shown");

    /* failures are of no use to the browser */

    fresh();
    {
        cx_step_t  s;

        s = page(A, 0, 0);
        s.pending = 1;
        s.status = 503;
        ok(take(s) == 0 && join(A, 1, 0) == NULL && !cx_edge_saw(&v, A),
           "a prefetch that failed");
    }
}


/* pages that no request tells of */

static void
test_elsewhere(void)
{
    fresh();
    (void) view(A, 0);
    (void) view(B, 10000);
    (void) view(B, 20000);
    ok(view(B, 33000) == 1, "three views in a row");

    fresh();
    (void) view(A, 0);
    (void) view(B, 10000);
    (void) cx_edge_join(&v, A, 5, 0);
    (void) view(B, 20000);
    (void) cx_edge_join(&v, A, 6, 0);
    ok(view(B, 33000) == 0, "... and with the way back from the cache between");

    fresh();
    (void) view(A, 0);
    (void) view(B, 10000);
    (void) join(A, 1, 0);
    (void) cx_edge_join(&v, A, 1, 0);
    (void) view(B, 20000);
    (void) join(B, 2, 10000);
    (void) cx_edge_join(&v, B, 2, 0);
    ok(view(B, 33000) == 1, "... and with reports of views asked for");
}


static void
test_back(void)
{
    fresh();
    ok(cx_edge_back(&v, A, 500, START) == 0, "back, and nothing was asked for");

    (void) view(A, 0);
    ok(cx_edge_back(&v, A, 3000, START + 9000) == 0, "back from elsewhere");

    (void) view(B, 5000);
    ok(cx_edge_back(&v, A, 3000, START + 9000) == B, "back from b");
    ok(cx_edge_back(&v, B, 3000, START + 9000) == 0, "b is not left for b");

    (void) view(C, 6000);
    ok(cx_edge_back(&v, A, 5000, START + 10000) == C, "the last one since");

    prefetch(D, 6500);
    ok(cx_edge_back(&v, A, 5000, START + 10000) == C, "what was seen");

    ok(cx_edge_back(&v, A, 500, START + 36500) == C
       && cx_edge_back(&v, A, 500, START + 36501) == 0,
       "asked for 30 s before a was left, at the most");
    ok(cx_edge_back(&v, A, 0xffffffff, START + 10000) == C, "49 days");
    ok(cx_edge_back(&v, A, 500, START + 5999) == 0, "before it was asked for");
}


static void
test_saw(void)
{
    unsigned   i, k, wrong, said;
    uint32_t   id;

    fresh();
    ok(!cx_edge_saw(&v, A) && !cx_edge_saw(&v, 0), "nothing yet");

    (void) view(A, 0);
    ok(cx_edge_saw(&v, A) && !cx_edge_saw(&v, 0), "a page");

    {
        cx_step_t  s;

        s = page(B, 0, 0);
        s.kind = CX_STEP_ASSET;
        s.status = 404;
        (void) take(s);
        s.page = C;
        s.kind = CX_STEP_REDIRECT;
        s.status = 302;
        (void) take(s);
        ok(!cx_edge_saw(&v, B) && !cx_edge_saw(&v, C),
           "assets and redirects are none");

        s.page = D;
        s.kind = CX_STEP_PAGE;
        s.status = 404;
        (void) take(s);
        ok(cx_edge_saw(&v, D), "an error's page is one");
    }

    /* never no, rarely yes */

    wrong = said = 0;

    for (i = 0; i < 200; i++) {
        fresh();

        for (k = 0; k < 5; k++) {
            id = cx_edge_id(i + 1, &k, sizeof(k));
            (void) view(id, k);
            wrong += !cx_edge_saw(&v, id);
        }

        for (k = 5; k < 105; k++) {
            said += cx_edge_saw(&v, cx_edge_id(i + 1, &k, sizeof(k)));
        }
    }

    ok(wrong == 0 && said < 200 * 100 / 30,
       "of five pages each; of others, %u of 20000", said);
}


static void
test_counts(void)
{
    int            i;
    char           text[CX_COUNTS_MAX];
    size_t         len;
    unsigned long  got;

    fresh();
    ok(cx_edge_counts(text, v.count) == 0, "no signals");

    cx_edge_count(&v, CX_SIG_RAGE_CLICK, 2);
    cx_edge_count(&v, CX_SIG_SLOW_PAGE, 1);
    cx_edge_count(&v, CX_SIG_JS_ERROR, 0);
    got = cx_edge_counts(text, v.count);
    is_bytes(text, got, "slow_page=1,rage_click=2", 24, "by the table's order");

    cx_edge_count(&v, CX_SIG_RAGE_CLICK, 8);
    cx_edge_count(&v, CX_SIG_SLOW_PAGE, 99);
    got = cx_edge_counts(text, v.count);
    is_bytes(text, got, "slow_page=100,rage_click=10", 27, "two digits, three");

    cx_edge_count(&v, CX_SIG_RAGE_CLICK, 245);
    ok(v.count[CX_SIG_RAGE_CLICK] == 255, "up to 255");
    cx_edge_count(&v, CX_SIG_RAGE_CLICK, 1);
    ok(v.count[CX_SIG_RAGE_CLICK] == 255, "no more than that");
    cx_edge_count(&v, CX_SIG_SLOW_PAGE, (unsigned long) -1);
    ok(v.count[CX_SIG_SLOW_PAGE] == 255, "whatever comes");

    len = 0;

    for (i = 0; i < CX_SIG_N; i++) {
        v.count[i] = 255;
        len += strlen(cx_signals[i].name) + 5;
    }

    got = cx_edge_counts(text, v.count);
    ok(got == len - 1 && got <= CX_COUNTS_MAX && got <= CX_SIGNALS_MAX,
       "all of them: %lu bytes", got);
}


static void
test_idle(void)
{
    cx_edge_signal_t  out[CX_EDGE_OUT];

    fresh();
    ok(!cx_edge_idle(&v, START), "no visit is none that ended");
    ok(cx_edge_close(&v, &tuning, out) == 0, "and closed at once");

    (void) take(page(A, 0, 500));
    ok(!cx_edge_idle(&v, START + 1800499) && cx_edge_idle(&v, START + 1800500),
       "30 min after its last request");
    ok(!cx_edge_idle(&v, START - 9000000), "a clock that was set back");

    v.last = 60000;
    ok(!cx_edge_idle(&v, START + 1859999) && cx_edge_idle(&v, START + 1860000),
       "30 min after its last beacon");

    cx_edge_count(&v, CX_SIG_RAGE_CLICK, 1);
    (void) view(B, 1860000);
    ok(v.opened == START + 1860000 && v.count[CX_SIG_RAGE_CLICK] == 0
       && !cx_edge_saw(&v, A) && cx_edge_saw(&v, B) && v.view[0].page == B
       && v.view[1].page == 0,
       "a new visit remembers nothing");
}


int
main(void)
{
    cx_tuning_default(&tuning);

    ok(sizeof(cx_visit_t) <= 384, "a visit is %zu bytes", sizeof(cx_visit_t));

    test_id();
    test_join();
    test_tabs();
    test_pending();
    test_elsewhere();
    test_back();
    test_saw();
    test_counts();
    test_idle();

    return tap_done();
}
