/* Options of cxctl replay, and what it says about itself. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cxctl_replay.h"


static int
cx_replay_role(cx_ctl_t *c, const char *name, const char *pattern, int role)
{
    char          *colon;
    cx_ctl_role_t *r;

    if (c->n_roles == CX_CTL_ROLES) {
        return cx_ctl_bad(name, pattern, "is one too many");
    }

    if (*pattern != '/' && *pattern != '*') {
        return cx_ctl_bad(name, pattern,
                          "expected a path like /help or /help/*");
    }

    r = &c->role[c->n_roles++];
    r->pattern = strdup(pattern);
    r->role = role;
    r->arg = NULL;

    if (role == CX_ROLE_SEARCH) {
        colon = strrchr(r->pattern, ':');

        if (colon == NULL || colon[1] == '\0') {
            return cx_ctl_bad(name, pattern,
                              "expected a path and an argument like "
                              "/search:q");
        }

        *colon = '\0';
        r->arg = colon + 1;
    }

    return 0;
}


static int
cx_replay_format(cx_ctl_t *c, const char *value)
{
    if (strcmp(value, "combined") == 0 || strcmp(value, "common") == 0) {
        c->format = CX_LOG_COMBINED;

    } else if (strcmp(value, "json") == 0) {
        c->format = CX_LOG_JSON;

    } else {
        return cx_ctl_bad("--format", value, "expected combined or json");
    }

    return 0;
}


int
cx_replay_option(cx_ctl_t *c, const char *name, char *value)
{
    size_t                   i;
    static const char *const names[] = { "--ignore", "--form", "--help-page",
                                         "--search" };
    static const int         roles[] = { 0, CX_ROLE_FORM, CX_ROLE_HELP,
                                         CX_ROLE_SEARCH };

    for (i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            return cx_replay_role(c, name, value, roles[i]);
        }
    }

    if (strcmp(name, "--format") == 0) {
        return cx_replay_format(c, value);
    }

    if (strcmp(name, "--site-host") != 0) {
        return 1;
    }

    if (c->n_hosts == CX_CTL_ROLES) {
        return cx_ctl_bad(name, value, "is one too many");
    }

    c->host[c->n_hosts++] = value;

    return 0;
}


static const char cx_replay_text[] =
    /* clang-format off */
    "cxctl replay FILE...: runs the edge's rules over access logs and "
    "prints the\n"
    "pages, worst first by the lower bound of their effort, and what a "
    "log cannot\n"
    "say.\n"
    "\n"
    "Files are read in the order of their first lines; - is standard "
    "input; *.gz\n"
    "are read through gzip.  Nothing is written, nothing leaves this "
    "machine.\n"
    "\n"
    "  --format combined|json\n"
    "                   else by how a line begins\n"
    "  --site-host HOST host of the own pages in Referer, may be "
    "repeated; else the\n"
    "                   field host, else the one that most referers name\n"
    "  --form PATTERN   pages as with cx_role form; * stands for any "
    "text; this and\n"
    "                   the next three may be repeated\n"
    "  --help-page PATTERN\n"
    "                   pages as with cx_role help\n"
    "  --search PATTERN:ARGUMENT\n"
    "                   pages as with cx_role search=ARGUMENT\n"
    "  --ignore PATTERN what is no page, such as /api/*\n"
    "  --thresholds FILE, --limit N, --json\n"
    "\n"
    "combined: nginx's predefined format, or Apache's; common: without "
    "the last two\n"
    "fields.  A server's name may stand before it, and times behind it:\n"
    "$request_time [$upstream_response_time], or rt= urt= uht= (the last "
    "one for\n"
    "$upstream_header_time).\n"
    "\n"
    "json: one object a line, nginx's variables by their names (* is "
    "needed):\n"
    "\n"
    "  * time_iso8601, time_local or msec; msec tells times to the "
    "millisecond\n"
    "  * remote_addr             visits are told apart by address, user "
    "agent\n"
    "    http_user_agent, host   and host; bots by user agent\n"
    "  * request, or request_method and request_uri\n"
    "  * status                  error_page, auth_loop, rate_limited, ...\n"
    "    http_referer            broken_link, broken_asset\n"
    "    request_time            aborted_wait; slow_page, but to the "
    "last byte\n"
    "    upstream_header_time    slow_page to the first byte\n"
    "    request_length or content_length\n"
    "                            form_resubmit after a page, too\n"
    "    sent_http_content_type  what is a page; else by the file's "
    "extension\n"
    "    http_sec_fetch_dest     the same, of errors, too\n"
    "    http_sec_fetch_user     reload and others: whether a person "
    "asked\n"
    "    http_sec_purpose        prefetch and prerender\n"
    "    limit_req_status, limit_conn_status\n"
    "                            rate_limited, if that is another status "
    "than 429\n"
    "    cx_page                 page keys as the module made them\n"
    "\n"
    "  log_format cx escape=json "
    "'{\"msec\":\"$msec\",\"remote_addr\":\"$remote_addr\",'\n"
    "      '\"request\":\"$request\",\"status\":\"$status\", ...}';\n"
    "\n"
    "Exit status: 0 fine, 1 no line is understood, 2 a file cannot be "
    "read.\n";
/* clang-format on */


void
cx_replay_help(void)
{
    fputs(cx_replay_text, stdout);
}
