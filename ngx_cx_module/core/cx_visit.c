/*
 * What is remembered of a visit: its clock, its last views and its counts,
 * and which of the views a browser's report is about.
 */

#include <string.h>
#include "cx_visit.h"


#define CX_JOIN_MS      30000  /* between the two clocks of one request */
#define CX_SHOW_MS      300000 /* browsers keep what they have prefetched */
#define CX_PENDING_KEPT 2      /* of the views; links may be many */
#define CX_VISIT_MS     0x80000000u /* a visit's clock stops, to end it */


static cx_seen_t *cx_visit_newest(cx_visit_t *v, cx_seen_t *view);
static int        cx_visit_near(const cx_visit_t *v, const cx_seen_t *view,
                                uint64_t began, uint64_t *distance);
static void       cx_visit_elsewhere(cx_visit_t *v);
static uint64_t   cx_visit_bits(uint32_t page);


uint32_t
cx_edge_id(uint32_t h, const void *data, unsigned long len)
{
    unsigned long        i;
    const unsigned char *p;

    if (len == 0) {
        return h;
    }

    /* FNV-1a, and the last steps of MurmurHash3 so that all bits depend */

    p = data;
    h ^= 2166136261u;

    for (i = 0; i < len; i++) {
        h = (h ^ p[i]) * 16777619u;
    }

    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    h ^= h >> 16;

    return h ? h : 1;
}


uint32_t
cx_visit_ms(const cx_visit_t *v, uint64_t at)
{
    if (at <= v->opened) {
        return 0;
    }

    at -= v->opened;

    return (at < CX_VISIT_MS) ? (uint32_t) at : CX_VISIT_MS;
}


int
cx_edge_idle(const cx_visit_t *v, uint64_t now)
{
    uint64_t last;

    last = v->opened + v->last;

    return v->opened && now > last && now - last >= CX_SESSION_IDLE_S * 1000;
}


unsigned
cx_edge_close(cx_visit_t *v, const cx_tuning_t *t, cx_edge_signal_t *out)
{
    unsigned n;

    (void) t;

    n = 0;

    if (v->form) {
        out->signal = CX_SIG_FORM_ABANDON;
        out->count = 1;
        out->page = v->form;
        out->target = 0;
        out->value = 0;
        out->at = v->opened + v->form_at;
        n = 1;
    }

    memset(v, 0, sizeof(*v));

    return n;
}


cx_seen_t *
cx_visit_view(cx_visit_t *v, unsigned i)
{
    return &v->view[(v->next + 2 * CX_VIEWS_KEPT - 1 - i) % CX_VIEWS_KEPT];
}


/*
 * A page may ask for all its links to be prefetched: these take each other's
 * room, so that the views that were seen stay.
 */

cx_seen_t *
cx_visit_push(cx_visit_t *v, int pending)
{
    unsigned   i, n;
    cx_seen_t *view, *oldest;

    n = 0;
    oldest = NULL;

    for (i = 0; pending && i < CX_VIEWS_KEPT; i++) {
        view = cx_visit_view(v, i);

        if (view->page && (view->flags & CX_VIEW_IS_PENDING)) {
            oldest = view;
            n++;
        }
    }

    if (n >= CX_PENDING_KEPT) {
        view = cx_visit_newest(v, oldest);

    } else {
        view = &v->view[v->next];
        v->next = (uint8_t) ((v->next + 1) % CX_VIEWS_KEPT);
    }

    memset(view, 0, sizeof(*view));

    return view;
}


/* moves a view to the end of the ring; returns where it is now */

static cx_seen_t *
cx_visit_newest(cx_visit_t *v, cx_seen_t *view)
{
    unsigned  i;
    cx_seen_t moved;

    moved = *view;

    for (i = 0; cx_visit_view(v, i) != view; i++) { /* void */
    }

    for (/* void */; i > 0; i--) {
        *cx_visit_view(v, i) = *cx_visit_view(v, i - 1);
    }

    *cx_visit_view(v, 0) = moved;

    return cx_visit_view(v, 0);
}


cx_seen_t *
cx_edge_join(cx_visit_t *v, uint32_t page, uint32_t view, uint64_t began)
{
    unsigned   i;
    uint64_t   distance, nearest;
    cx_seen_t *seen, *found;

    if (page == 0 || view == 0) {
        return NULL;
    }

    found = NULL;
    nearest = 0;

    for (i = 0; i < CX_VIEWS_KEPT; i++) {
        seen = cx_visit_view(v, i);

        if (seen->page == page && seen->view == view) {
            return seen;
        }

        if (began && seen->page == page && seen->view == 0
            && cx_visit_near(v, seen, began, &distance)
            && (found == NULL || distance < nearest))
        {
            found = seen;
            nearest = distance;
        }
    }

    if (found == NULL) {
        if (began == 0) {
            cx_visit_elsewhere(v);
        }

        return NULL;
    }

    found->view = view;

    if (found->flags & CX_VIEW_IS_PENDING) {
        found->at = cx_visit_ms(v, began);
        found = cx_visit_newest(v, found);
    }

    return found;
}


static int
cx_visit_near(const cx_visit_t *v, const cx_seen_t *view, uint64_t began,
              uint64_t *distance)
{
    uint64_t at;

    /* no answer, so nothing that could report */

    if ((view->flags & CX_VIEW_IS_ABORTED) && view->first_ms == CX_NO_MS) {
        return 0;
    }

    at = v->opened + view->at;

    if (began < at) {
        *distance = at - began;
        return *distance <= CX_JOIN_MS;
    }

    *distance = began - at;

    return *distance
           <= ((view->flags & CX_VIEW_IS_PENDING) ? CX_SHOW_MS : CX_JOIN_MS);
}


/*
 * The visitor is at a page that no request tells of, by script or from the
 * back-forward cache: what is asked for next is not asked for in a row with
 * what was before.
 */

static void
cx_visit_elsewhere(cx_visit_t *v)
{
    unsigned i;

    for (i = 0; i < CX_VIEWS_KEPT; i++) {
        v->view[i].flags |= CX_VIEW_IS_USED;
    }
}


void
cx_edge_show(cx_visit_t *v, cx_seen_t *view)
{
    (void) v;

    view->flags &= ~(unsigned) (CX_VIEW_IS_PENDING | CX_VIEW_IS_AUTO);
}


/* two bits of a page's checksum, a Bloom filter of one word */

static uint64_t
cx_visit_bits(uint32_t page)
{
    return (uint64_t) 1 << (page & 63) | (uint64_t) 1 << (page >> 6 & 63);
}


void
cx_visit_served(cx_visit_t *v, uint32_t page)
{
    v->pages |= cx_visit_bits(page);
}


int
cx_edge_saw(const cx_visit_t *v, uint32_t page)
{
    uint64_t bits;

    bits = cx_visit_bits(page);

    return v->opened && page && (v->pages & bits) == bits;
}


uint32_t
cx_edge_back(const cx_visit_t *v, uint32_t a, uint32_t ms, uint64_t now)
{
    unsigned         i;
    uint64_t         at;
    const cx_seen_t *view;

    for (i = 0; i < CX_VIEWS_KEPT; i++) {
        view = &v->view[(v->next + 2 * CX_VIEWS_KEPT - 1 - i) % CX_VIEWS_KEPT];

        if (view->page == 0
            || (view->flags
                & (CX_VIEW_IS_PENDING | CX_VIEW_IS_CUT | CX_VIEW_IS_ABORTED)))
        {
            continue;
        }

        /* a page is left when the next one's answer comes */

        at = v->opened + view->at;

        if (view->page == a || at > now || at + CX_JOIN_MS + ms < now) {
            return 0;
        }

        return view->page;
    }

    return 0;
}


void
cx_edge_count(cx_visit_t *v, int signal, unsigned long n)
{
    unsigned long room;

    room = UINT8_MAX - (unsigned long) v->count[signal];

    v->count[signal] += (uint8_t) (n < room ? n : room);
}


unsigned long
cx_edge_counts(char *dst, const uint8_t *count)
{
    int      i;
    char    *p;
    size_t   len;
    unsigned n;

    p = dst;

    for (i = 0; i < CX_SIG_N; i++) {
        n = count[i];

        if (n == 0) {
            continue;
        }

        if (p > dst) {
            *p++ = ',';
        }

        len = strlen(cx_signals[i].name);
        memcpy(p, cx_signals[i].name, len);
        p += len;
        *p++ = '=';

        if (n >= 100) {
            *p++ = (char) ('0' + n / 100);
        }

        if (n >= 10) {
            *p++ = (char) ('0' + n / 10 % 10);
        }

        *p++ = (char) ('0' + n % 10);
    }

    return (unsigned long) (p - dst);
}
