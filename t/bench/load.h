
/* A connection of the load generator and what is known of its answer. */

#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_HEAD_MAX  4096


typedef enum {
    LOAD_HEAD,
    LOAD_DATA,                       /* left bytes of body or chunk */
    LOAD_CHUNK_SIZE,
    LOAD_CHUNK_END,
    LOAD_TRAILER
} load_state_e;


typedef struct {
    int           fd;
    int           status;
    load_state_e  state;
    unsigned      busy:1;
    unsigned      chunked:1;
    unsigned      close:1;
    uint64_t      left;
    uint64_t      body;
    double        due;               /* microseconds, of the monotonic clock */
    size_t        len;               /* of line */
    char          line[LOAD_HEAD_MAX];
} load_conn_t;


/* takes bytes of an answer; 1 if it is complete */
int load_feed(load_conn_t *c, const char *p, size_t len);

/* takes n bytes of its body or chunk, left of them at most, unseen; the same */
int load_data(load_conn_t *c, uint64_t n);


/* open loop: a request is due at that time; when the next one to be sent was */
void load_latency_plan(double us);
double load_latency_next(void);

/* an answer took so long */
void load_latency_add(double us);

/* " p50=<us> p99=<us> max=<us>"; nothing without answers */
void load_latency_print(void);

#endif /* LOAD_H */
