/*
 * cx_agent: who a User-Agent says it is
 *
 * Words that crawlers, libraries and health checks have in their names are
 * looked for anywhere in the agent, in one pass.  Three bytes of each word,
 * its key, choose a slot; keys were chosen so that people's agents hit few
 * slots that are taken, and only then words are compared.  The tables, in
 * cx_agents.h, are made from the list at build: agents.pl.
 */

#include <stdint.h>
#include <string.h>
#include "cx_core.h"


typedef struct {
    const char   *text;
    unsigned char len;
    unsigned char key; /* where in the text its three bytes are */
    unsigned char flags;
    unsigned char tells;
} cx_agent_word_t;


#include "cx_agents.h"


#define CX_AGENT_SLOT(key) \
    ((uint32_t) (((key) << 8) * 40503u) >> (32 - CX_AGENT_SLOT_BITS))

#define cx_agent_is_letter(ch) ((ch) >= 'a' && (ch) <= 'z')


static cx_agent_e cx_agent_slot(const unsigned char *agent, size_t len,
                                size_t at, uint32_t slot);
static int cx_agent_word(const cx_agent_word_t *w, const unsigned char *agent,
                         size_t len, size_t at);
static int cx_agent_people_say(const unsigned char *agent, size_t len);
static int cx_agent_lower(int ch);


/* what is shorter than a key names no browser */

cx_agent_e
cx_agent(const unsigned char *agent, size_t len)
{
    size_t     i;
    uint32_t   key, slot;
    cx_agent_e who, tells;

    if (len < 3) {
        return CX_AGENT_BOT;
    }

    who = CX_AGENT_PERSON;
    key = (agent[0] | 0x20u) << 8 | (agent[1] | 0x20u);

    for (i = 2; i < len; i++) {
        key = key << 8 | agent[i] | 0x20u;
        slot = CX_AGENT_SLOT(key);

        if (!(cx_agent_slots[slot >> 5] >> (slot & 31) & 1)) {
            continue;
        }

        tells = cx_agent_slot(agent, len, i - 2, slot);

        if (tells == CX_AGENT_HEALTH) {
            return tells;
        }

        if (tells == CX_AGENT_BOT) {
            who = tells;
        }
    }

    return who;
}


/* the words that may have the key that stands at the offset */

static cx_agent_e
cx_agent_slot(const unsigned char *agent, size_t len, size_t at, uint32_t slot)
{
    uint32_t               bucket;
    cx_agent_e             who;
    const cx_agent_word_t *w, *last;

    bucket = slot >> (CX_AGENT_SLOT_BITS - CX_AGENT_BUCKET_BITS);
    last = cx_agent_words + cx_agent_first[bucket + 1];
    who = CX_AGENT_PERSON;

    for (w = cx_agent_words + cx_agent_first[bucket]; w < last; w++) {
        if (at < w->key || !cx_agent_word(w, agent, len, at - w->key)) {
            continue;
        }

        who = w->tells;

        if (who == CX_AGENT_HEALTH) {
            break;
        }
    }

    return who;
}


static int
cx_agent_word(const cx_agent_word_t *w, const unsigned char *agent, size_t len,
              size_t at)
{
    int    ch;
    size_t i, end;

    end = at + w->len;

    if (end > len) {
        return 0;
    }

    for (i = 0; i < w->len; i++) {
        if (cx_agent_lower(agent[at + i]) != (unsigned char) w->text[i]) {
            return 0;
        }
    }

    if (((w->flags & CX_AGENT_FIRST) && at > 0)
        || ((w->flags & CX_AGENT_LAST) && end < len)
        || ((w->flags & CX_AGENT_NAMES) && cx_agent_people_say(agent, end)))
    {
        return 0;
    }

    if ((w->flags & CX_AGENT_END) && end < len) {
        ch = cx_agent_lower(agent[end]);

        if (cx_agent_is_letter(ch)) {
            return 0;
        }
    }

    if ((w->flags & CX_AGENT_BEGIN) && at > 0) {
        ch = cx_agent_lower(agent[at - 1]);

        if (cx_agent_is_letter(ch) || (ch >= '0' && ch <= '9')) {
            return 0;
        }
    }

    return 1;
}


/* whether the first len bytes end with a name that people's agents have */

static int
cx_agent_people_say(const unsigned char *agent, size_t len)
{
    int         ch;
    size_t      i, n, name;
    const char *text;

    for (n = 0; n < sizeof(cx_agent_people) / sizeof(char *); n++) {
        text = cx_agent_people[n];
        name = strlen(text);

        if (len <= name) {
            continue;
        }

        for (i = 0; i < name; i++) {
            if (cx_agent_lower(agent[len - name + i]) != text[i]) {
                break;
            }
        }

        ch = cx_agent_lower(agent[len - name - 1]);

        if (i == name && !cx_agent_is_letter(ch) && !(ch >= '0' && ch <= '9')) {
            return 1;
        }
    }

    return 0;
}


static int
cx_agent_lower(int ch)
{
    return ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch;
}
