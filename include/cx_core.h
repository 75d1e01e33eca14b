/*
 * The pure C core: no nginx, no sockets, no clock, no allocation.  Linked
 * into the module, the aggregator, cxctl and the unit tests.
 */

#ifndef CX_CORE_H
#define CX_CORE_H

#include <stddef.h>
#include "cx_schema.h"
#include "cx_signal.h"

/* counted bytes; the layout is that of ngx_str_t */
typedef struct {
    size_t          len;
    unsigned char  *data;
} cx_str_t;


/* ---- cx_tokenizer.c: first bytes of HTML -> insertion point (step 1) ---- */

/*
 * Walks BOM, white space, comments, doctype, <html ...>, <head ...> and stray
 * end tags as the WHATWG tokenizer and tree builder would.  The insertion
 * point is right after <head ...>, else right before the first token that is
 * none of those.  Never looks further.
 */

typedef enum {
    CX_HTML_MORE,        /* undecided: feed the next bytes */
    CX_HTML_FOUND,       /* t->off is the insertion point */
    CX_HTML_NONE         /* not HTML we understand (NUL, UTF-16): leave it */
} cx_html_e;

typedef struct {
    unsigned char  state;        /* private */
    unsigned char  quote;        /* private */
    unsigned char  tag_len;      /* private */
    unsigned char  tag[9];       /* private: lower-cased name so far */
    unsigned       document:1;   /* a doctype, <html> or <head> was seen */
    unsigned       bom:2;        /* private */
    unsigned       end_tag:1;    /* private */
    size_t         off;          /* bytes from the document's start: where to
                                    insert (FOUND), or the first byte that
                                    must be held back because the insertion
                                    point may be there (MORE) */
    size_t         seen;         /* bytes fed so far */
} cx_tokenizer_t;                /* zeroed: start of the document */

cx_html_e cx_tokenizer_feed(cx_tokenizer_t *t, const unsigned char *p,
    size_t len);


/* ---- cx_page.c: path -> page key (step 2) ---- */

/*
 * Page key of a decoded path: the query and fragment cut off, doubled slashes
 * joined, path parameters (";jsessionid=...") dropped, segments that are ids
 * replaced (":id" for numbers, UUIDs, long hex and random tokens, ":email"
 * for addresses), control bytes and invalid UTF-8 replaced by "?"-free "_",
 * cut to CX_PAGE_MAX at a character's end.  dst holds CX_PAGE_MAX bytes.
 * Folding a page key again changes nothing.  Returns the length.
 */
size_t cx_page_fold(unsigned char *dst, const unsigned char *path, size_t len);


/* ---- cx_mask.c: masks personal data in verbatims (step 3) ---- */

/*
 * Replaces e-mail addresses, payment card numbers (13 to 19 digits that pass
 * Luhn, spaces and dashes allowed) and phone numbers (international or with
 * at least 9 digits) by "[email]", "[card]", "[phone]" in place; the text
 * never grows.  Returns the new length.
 */
size_t cx_mask(unsigned char *text, size_t len);


/* ---- cx_event.c: one event by the schema table (steps 3, 4, 5) ---- */

typedef struct {
    unsigned  type;                      /* CX_VIEW ... CX_SURVEY */
    cx_str_t  v[CX_FIELDS_MAX];          /* by field position, len 0: none */
} cx_event_t;

/* name -> CX_VIEW ..., or -1 */
int cx_type_find(const unsigned char *name, size_t len);

/* 1 if v is a value of that field, 0 if not; empty is none, and not checked */
int cx_field_ok(const cx_field_t *f, const cx_str_t *v);

/*
 * Position of a type's field, or -1.  The search begins at position from, as
 * most writers keep to the table's order.
 */
int cx_field_find(unsigned type, const cx_str_t *name, unsigned from);

/*
 * Length of the character at p if it is well-formed UTF-8 (Unicode, table
 * 3-7) and not ASCII; else 0.
 */
size_t cx_utf8_char(const unsigned char *p, size_t len);

/*
 * The produce script takes a dictionary and events, all as RESP bulk strings:
 *
 *   number of types; for each: its code, n, n names of its entry ("type",
 *   then the fields in the table's order), then for each event: code, n
 *   values (the type's name, then the fields')
 *
 * Both return the bytes written, or 0 if they do not fit into size.
 */

/* types: bits 1 << CX_VIEW, ...; *args: strings written */
size_t cx_event_names(unsigned types, unsigned char *dst, size_t size,
    unsigned *args);

size_t cx_event_encode(const cx_event_t *ev, unsigned char *dst, size_t size);

/* strings that cx_event_encode() writes for this type */
unsigned cx_event_args(unsigned type);

/*
 * Reads an entry's n names and values (pairs[0] is the first name); any order,
 * unknown names ignored so that a newer writer can add fields.  The values
 * point into pairs.  Returns NULL, or what is wrong in a few words, e.g.
 * "no type", "unknown type", "bad ts", "no page".
 */
const char *cx_event_decode(cx_event_t *ev, const cx_str_t *pairs, size_t n);


/* ---- cx_json.c: strict JSON, front to back (step 3) ---- */

#define CX_JSON_DEPTH  8             /* a beacon has 3 levels */

typedef enum {
    CX_JSON_BAD,                 /* not JSON: give up */
    CX_JSON_STRING,              /* its text is UTF-8 without NUL */
    CX_JSON_INT,                 /* its text is digits, maybe after "-" */
    CX_JSON_OTHER                /* anything else; skipped */
} cx_json_e;

typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
    unsigned char        *room;          /* for strings with escapes */
    unsigned              depth;         /* objects and arrays entered */
    unsigned              deep:1;        /* gave up at CX_JSON_DEPTH */
    unsigned char         close[CX_JSON_DEPTH];  /* private */
} cx_json_t;

/*
 * Begins before the text's first byte.  room holds len bytes, and is used for
 * strings with escapes only: others point into the text.
 */
void cx_json_start(cx_json_t *j, const unsigned char *text, size_t len,
    unsigned char *room);

/*
 * All skip white space first.  What returns 0 has found something else: for
 * byte, open and close it is still there, after key the text is given up.
 */

int cx_json_peek(cx_json_t *j);              /* next byte, -1 at the end */
int cx_json_byte(cx_json_t *j, int ch);
int cx_json_open(cx_json_t *j, int ch);      /* '{' or '[' */
int cx_json_close(cx_json_t *j);             /* what was opened last */
int cx_json_key(cx_json_t *j, cx_str_t *key);       /* a string and ':' */
cx_json_e cx_json_value(cx_json_t *j, cx_str_t *v);
int cx_json_end(cx_json_t *j);


/* ---- cx_reject.c: why a beacon is refused (step 3) ---- */

typedef enum {
    CX_REJECT_NONE,
    CX_REJECT_JSON,              /* not JSON, not UTF-8, NUL, doubled key */
    CX_REJECT_SHAPE,             /* not an object, no "v", no "events", ... */
    CX_REJECT_VERSION,
    CX_REJECT_COUNT,             /* no event, or over CX_BATCH_EVENTS */
    CX_REJECT_TYPE,              /* unknown event type */
    CX_REJECT_FIELD,             /* unknown field, or one that the edge fills */
    CX_REJECT_MISSING,
    CX_REJECT_VALUE
} cx_reject_e;

typedef struct {
    cx_reject_e  code;
    int          event;          /* index in "events", -1: beside it */
    char         field[33];      /* its name made safe for JSON, or "" */
    char         expected[96];   /* what would have been right */
} cx_reject_t;

/* short name of a reject code, as in the JSON answer: "unknown_field", ... */
const char *cx_reject_name(cx_reject_e code);

/* all set code, field and expected; event is the caller's */

void cx_reject(cx_reject_t *why, cx_reject_e code, const char *field,
    const char *expected);

/* expected: what field f may hold */
void cx_reject_value(cx_reject_t *why, cx_reject_e code, const cx_field_t *f);

/* expected: the signals that browsers see */
void cx_reject_signal(cx_reject_t *why);

/* expected: the fields of an event of type t, or of a beacon (t is NULL) */
void cx_reject_field(cx_reject_t *why, const cx_str_t *key,
    const cx_type_t *t);


/* ---- cx_batch.c: POST body -> validated events (step 3) ---- */

typedef struct {
    cx_str_t       page, path, view, touchpoint, stage, token;
    long           age;                  /* ms since the page was asked for;
                                            -1: by no request, or not told */
    unsigned       n;
    unsigned       answers;              /* events of type CX_ANSWER */
    cx_event_t     ev[CX_BATCH_EVENTS];
    unsigned char  text[CX_BODY_MAX];    /* strings that had escapes */
} cx_batch_t;

/*
 * Reads a beacon:
 *
 *   {"v":1, "page":KEY | "path":PATH, "view":HEX16, "touchpoint":NAME?,
 *    "stage":NAME?, "token":LINE?, "age":MS?, "events":[{"type":..., ...}]}
 *
 * "page" is a key as the injected tag gave it; "path" a raw path after a
 * single-page navigation, still to be folded.  One bad event refuses the whole
 * beacon.  What is not JSON is refused as such, whatever else is wrong; only a
 * doubled key may go unnoticed beside another mistake.
 *
 * On success TOP fields are not yet copied into the events; EDGE fields are
 * empty; a signal's name is one that browsers see, "choice" is one.  Strings
 * point into the body and into the batch, and last as long as both do.  The
 * batch is some 90 KB: keep one, not one a request.
 */
cx_reject_e cx_batch_parse(cx_batch_t *b, const unsigned char *body,
    size_t len, cx_reject_t *why);

/*
 * cx_batch_event.c: one of its events.  Returns 0 if it is not JSON or has a
 * doubled key; sets why->code, which the caller has cleared, if it is bad.
 */
int cx_batch_event(cx_json_t *j, cx_event_t *ev, cx_reject_t *why);


/* ---- cx_json_line.c: where in a JSON text a value stands ---- */

/*
 * Line (from 1) of the value at path in a valid JSON text; path is keys and,
 * for arrays, decimal indexes, joined by '/': "surveys/2/metric".  Where the
 * path leaves the text, the line of the deepest value that exists.
 */
unsigned cx_json_line(const char *text, size_t len, const char *path);


/* ---- cx_agent.c: who a User-Agent says it is (step 2) ---- */

typedef enum {
    CX_AGENT_PERSON,             /* nothing says otherwise */
    CX_AGENT_BOT,                /* crawler, library, headless browser, none */
    CX_AGENT_HEALTH              /* health check, uptime monitor */
} cx_agent_e;

/*
 * By the list of the npm package crawler-user-agents, of the version that the
 * build names, and words of our own; case does not matter.
 */
cx_agent_e cx_agent(const unsigned char *agent, size_t len);


/* ---- cx_survey.c: what is said of surveys in one way only ---- */

/* 1 if a page key is of this pattern, in which "*" stands for any bytes */
int cx_survey_pattern(const cx_str_t *pattern, const cx_str_t *page);

/* the options in a field "choice" as bits by position; -1: it is none */
int cx_survey_choice(const cx_str_t *v);

#endif /* CX_CORE_H */
