/*
 * cx_agent: who is told by what.  With the argument "read", for t/agents.t: a
 * User-Agent a line on standard input, "person", "bot" or "health" a line on
 * standard output.
 */

#include <stdlib.h>
#include "tap.h"


static const char  *names[] = { "person", "bot", "health" };


static const struct {
    cx_agent_e   who;
    const char  *agent;

} agents[] = {

    /* too short to be a browser's */
    { CX_AGENT_BOT, "" },
    { CX_AGENT_BOT, "-" },
    { CX_AGENT_BOT, "xx" },
    { CX_AGENT_PERSON, "xxx" },

    /* anywhere, in any case */
    { CX_AGENT_BOT, "Googlebot/2.1" },
    { CX_AGENT_BOT, "GOOGLEBOT" },
    { CX_AGENT_BOT, "Mozilla/5.0 (compatible; somecrawler)" },
    { CX_AGENT_BOT, "x http://a.example" },
    { CX_AGENT_BOT, "cubot googlebot" },
    { CX_AGENT_BOT, "googlebot cubot" },

    /* "bot" only at the end of a word, and not in telephones' names */
    { CX_AGENT_BOT, "bot" },
    { CX_AGENT_BOT, "Bot2" },
    { CX_AGENT_BOT, "some_bot_1" },
    { CX_AGENT_BOT, "xcubot" },
    { CX_AGENT_BOT, "com bot" },
    { CX_AGENT_PERSON, "bottle" },
    { CX_AGENT_PERSON, "a cubot" },
    { CX_AGENT_PERSON, "a;CUBOT_X18" },
    { CX_AGENT_PERSON, "a; M bot 60" },
    { CX_AGENT_PERSON, "a CamScanner/4" },
    { CX_AGENT_BOT, "a SecurityScanner/4" },

    /* at the start, at the start of a word */
    { CX_AGENT_BOT, "curl" },
    { CX_AGENT_BOT, "Curl 7" },
    { CX_AGENT_PERSON, "a curl" },
    { CX_AGENT_BOT, "axios 1" },
    { CX_AGENT_BOT, "(AXIOS" },
    { CX_AGENT_PERSON, "maxios" },
    { CX_AGENT_PERSON, "1axios" },
    { CX_AGENT_PERSON, "axio" },
    { CX_AGENT_PERSON, "xios" },

    /* health checks before all else */
    { CX_AGENT_HEALTH, "kube-probe/1.29" },
    { CX_AGENT_HEALTH, "somebot kube-probe/1.29" },
    { CX_AGENT_HEALTH, "kube-probe/1.29 somebot" },

    /* no letters of any alphabet */
    { CX_AGENT_PERSON, "\xd0\x91\xd0\xbe\xd1\x82" },
    { CX_AGENT_PERSON, "\x01\x02\x03\xff\xff\xff" },
    { CX_AGENT_PERSON, "\x42\x0f\x54 b\x4f\x34" },
};


static void
check(const char *name, const char *agent, size_t len, cx_agent_e want)
{
    cx_agent_e      who;
    unsigned char  *copy;

    /* no byte more, so that a sanitizer sees what is read beyond */

    copy = malloc(len ? len : 1);
    memcpy(copy, agent, len);

    who = cx_agent(copy, len);
    free(copy);

    ok(who == want, "%s: '%s'", name, tap_show(agent, len));

    if (who != want) {
        printf("# got %s\n", names[who]);
    }
}


/* each beginning and each end of an agent: nothing is read beyond them */

static void
check_cuts(void)
{
    size_t       i, len;
    cx_agent_e   who;
    const char  *agent = "Mozilla/5.0 (X11; a spider) kube-probe/1.2 x";

    len = strlen(agent);

    for (i = 0; i < len; i++) {
        who = i < 3 ? CX_AGENT_BOT
              : i < 26 ? CX_AGENT_PERSON
              : i < 38 ? CX_AGENT_BOT : CX_AGENT_HEALTH;

        check("its beginning", agent, i, who);
    }

    check("its end", agent + 20, len - 20, CX_AGENT_HEALTH);
    check("its end", agent + 29, len - 29, CX_AGENT_PERSON);
}


static void
check_long(void)
{
    size_t      len = 65536;
    cx_agent_e  who;
    char       *agent = malloc(len);

    memset(agent, 'a', len);
    who = cx_agent((unsigned char *) agent, len);
    ok(who == CX_AGENT_PERSON, "long");

    memcpy(agent + len - 5, "crawl", 5);
    who = cx_agent((unsigned char *) agent, len);
    ok(who == CX_AGENT_BOT, "long, a word at its end");

    free(agent);
}


static int
tell(void)
{
    char    line[16384];
    size_t  len;

    while (fgets(line, sizeof(line), stdin)) {
        len = strcspn(line, "\n");
        puts(names[cx_agent((unsigned char *) line, len)]);
    }

    return 0;
}


int
main(int argc, char **argv)
{
    size_t  i;

    if (argc > 1 && strcmp(argv[1], "read") == 0) {
        return tell();
    }

    for (i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
        check("who", agents[i].agent, strlen(agents[i].agent), agents[i].who);
    }

    check_cuts();
    check_long();

    return tap_done();
}
