/* Surveys of this page: fetched, chosen, shown; and why one is not shown. */

import { prompt, removeCard } from "./ask.js";
import { blocked, early, refused } from "./often.js";
import { endpoint, surveysKey, view } from "./page.js";
import { arm, disarm } from "./when.js";

let surveys;                    /* of this view */
let state = "not loaded yet";   /* why there are none */
let asked;                      /* a prompt was shown in this view */

/* one prompt a page view */
const reason = survey => asked && "a survey was shown in this page view"
  || blocked(survey);

function show(survey, trigger) {
  const shows = !reason(survey);

  if (shows) {
    asked = 1;
    prompt(survey, trigger);
  }

  return shows;
}

async function load(mine) {
  const query = new URLSearchParams({ surveys: surveysKey });

  ["page", "path", "touchpoint", "stage"].forEach(name =>
    mine[name] && query.set(name, mine[name]));

  const answer = await fetch(endpoint + "surveys?" + query,
                             { priority: "low" });
  state = "HTTP status " + answer.status;
  const found = await answer.json();

  if (mine == view) {
    state = "none for this page, audience and sample";
    surveys = found.surveys;
    surveys.forEach(survey => {
      survey.token = found.token;

      if (!(blocked(survey) || early(survey))) {
        arm(survey.when, trigger => mine == view && show(survey, trigger));
      }
    });
  }
}

/* for a new view; idle() has passed */
export function findSurveys() {
  surveys = [];
  asked = 0;
  disarm();
  removeCard();
  state = !surveysKey && "no survey is meant for this page" || refused();

  if (!state) {
    state = "not loaded yet";
    load(view).catch(e => { state += ", " + e; });
  }
}

export const api = {
  /* shows a survey now, if the rules let it; says whether it did */
  ask: id => (surveys || []).some(survey =>
    survey.id == id && show(survey, "api")),

  /* a line for each survey that is not shown */
  why: () => surveys && surveys[0]
    ? surveys.map(survey =>
      survey.id + ": " + (reason(survey) || early(survey)
        || "waits for its moment"))
    : [state],

  version: CX_VERSION
};
