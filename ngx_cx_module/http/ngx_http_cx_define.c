/*
 * What the surveys of a site ask, as events: one worker says it when it
 * starts, so that whoever reads figures knows what they are answers to.
 */

#include "ngx_http_cx_survey.h"
#include "ngx_http_cx_deliver.h"


static void ngx_http_cx_define_push(ngx_http_cx_site_t *site,
    ngx_http_cx_survey_t *survey);


ngx_int_t
ngx_http_cx_define_note(ngx_http_cx_main_conf_t *cxmcf,
    ngx_http_cx_loc_conf_t *cxlcf)
{
    ngx_uint_t            i;
    ngx_http_cx_asked_t  *asked;

    if (cxlcf->surveys == NULL) {
        return NGX_OK;
    }

    asked = cxmcf->asked.elts;

    for (i = 0; i < cxmcf->asked.nelts; i++) {
        if (asked[i].site == cxlcf->site
            && asked[i].surveys == cxlcf->surveys)
        {
            return NGX_OK;
        }
    }

    asked = ngx_array_push(&cxmcf->asked);
    if (asked == NULL) {
        return NGX_ERROR;
    }

    asked->site = cxlcf->site;
    asked->surveys = cxlcf->surveys;

    return NGX_OK;
}


void
ngx_http_cx_define_init(ngx_http_cx_main_conf_t *cxmcf)
{
    ngx_uint_t             i, n;
    ngx_http_cx_asked_t   *asked;
    ngx_http_cx_survey_t  *survey;

    /* also one that takes the place of a worker that died: the same again
       changes nothing */

    if (ngx_worker != 0) {
        return;
    }

    asked = cxmcf->asked.elts;

    for (i = 0; i < cxmcf->asked.nelts; i++) {
        survey = asked[i].surveys->list.elts;

        for (n = 0; n < asked[i].surveys->list.nelts; n++) {
            ngx_http_cx_define_push(asked[i].site, &survey[n]);
        }
    }
}


static void
ngx_http_cx_define_push(ngx_http_cx_site_t *site, ngx_http_cx_survey_t *survey)
{
    ngx_time_t  *tp;
    cx_event_t   ev;
    u_char       ts[NGX_INT64_LEN];

    tp = ngx_timeofday();

    ngx_http_cx_event_start(&ev, CX_SURVEY,
                            (uint64_t) tp->sec * 1000 + tp->msec, ts);

    ngx_http_cx_event_text(&ev.v[CX_SURVEY_SURVEY], &survey->info.id);
    ngx_http_cx_event_text(&ev.v[CX_SURVEY_VERSION], &survey->info.version);
    ngx_http_cx_event_text(&ev.v[CX_SURVEY_DEFINITION], &survey->definition);

    (void) ngx_http_cx_queue_push(site, &ev, NULL);
}
