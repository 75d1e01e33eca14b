/*
 * What cx.js shares with its parts, which it loads when they are needed: one
 * object.  A part is a module of its own, built from the file beside its name:
 *
 *   cx-survey.js survey.js  surveys of this page: moment, frequency, delivery
 *   cx-ask.js    ask.js     the card and all question types
 *   cx-more.js   more.js    inline, tab, debug panel, preview
 *   cx-forms.js  forms.js   form_abandon, form_error, input_hesitation
 *   cx-touch.js  touch.js   pinch_zoom, dead_swipe
 *   cx-vitals.js vitals.js  LCP, INP, CLS
 *
 * Its default export is a function of core that returns the part's own
 * functions, an object with properties that begin with _ again:
 *
 *   all    _newView(), where it is there: another page view begins; cards,
 *          tabs and what was noted of the old one go
 *   ask    _prompt(survey, trigger, clicked): makes the card; returns a
 *          function that shows it, when "shown" has been told and the frequency
 *          state is written.  clicked: somebody clicked for it, the focus may
 *          go there
 *   more   _place(survey): one whose place is inline or tab, in each page view;
 *          _debug(): cx_debug=1 is in the address; _preview(): the tag says
 *          data-preview, and nothing else has been started
 *   forms  _take(event), see wake.js
 *
 * A part never imports a file here that has state (let at its top) and belongs
 * to cx.js: it would get a copy.  Properties that begin with _ are shortened,
 * by the same names in all parts; state is read where it is used, since it
 * changes.  core has:
 *
 *   _endpoint        "https://host/_cx/"
 *   _surveys         the tag's key of surveys
 *   _view            head of this page view's beacons, {v, page|path, view,
 *                    touchpoint, stage}; another object for each view
 *   _seen            names of this view's signals
 *   _act, _press     what a person did last; the last press
 *   _at              when: ms, of any sign of a person
 *   _limit           thresholds by CX_T_*
 *   _api             window.cx
 *
 *   _part(name)      promise of a part's functions; undefined: not to be had
 *   _queue(event, head, token)   an event of the view that head is of (this
 *                    one when left out); answers with their survey's token
 *   _send()          sends what waits; else it goes when the page does
 *   _addToken(batch, token), _moment(name, percent): see send.js, when.js
 *   _read(), _change(f), _now(), _countView()  what is stored, see store.js
 *   _on, _idle, _count, _note, _spy, _finished, _expect, _forget, _later,
 *   _unanswered, _target, _elements, _inside, _within: as in their files
 *
 * and when cx-survey.js is there, as it is before cx-ask.js and cx-more.js but
 * for a preview:
 *
 *   _found           the last surveys answer as it came: {ui, theme, signals,
 *                    surveys}
 *   _state           why there are no surveys, in words
 *   _shown(survey, trigger)      tells that it became visible
 *   _answered(id), _dismissed(id), _never()      change the frequency state
 *   _reason(survey)  why it may not be shown now, in words, or a false value
 *   _taken           somebody has opened a card by the tab: nothing is taken
 *                    away from under the hands
 *   _query()         arguments of GET surveys, URLSearchParams
 *   _fetch(head)     promise of a surveys answer
 *   _keep(batch), _drop(batch), _renew(batch), _tokens: see mail.js
 */

export const core = {};
