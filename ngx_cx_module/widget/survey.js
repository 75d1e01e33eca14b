/*
 * Surveys of this page: fetched, chosen, shown; and why one is not shown.  A
 * part of its own, for pages that a survey is meant for.
 */

import { keep, drop, renew, sendKept, tokens } from "./mail.js";
import {
  answered, blocked, claim, dismissed, early, never, refused
} from "./often.js";
import { core, setCore } from "./shared.js";
import { arm, covered, newMoments, watchMoments } from "./when.js";

let surveys = [];               /* of this view */
let asked;                      /* a prompt is shown in this view, or will be */

/* what the surveys of a view depend on: where it is, and who looks at it */
function query(head = core._view) {
  const all = new URLSearchParams({
    new: +(core._read().w < 2), lang: document.documentElement.lang,
    surveys: core._surveys || "", width: window.screen.width,
    touch: +matchMedia("(pointer:coarse)").matches
  });

  ["page", "path", "touchpoint", "stage"].forEach(name =>
    head[name] && all.set(name, head[name]));

  return all;
}

/* head: a view that has asked before */
async function fetchSurveys(head) {
  const answer = await fetch(core._endpoint + "surveys?" + query(head)
                             + (head ? "&again=1" : ""), { priority: "low" });

  core._state = "HTTP status " + answer.status;
  return answer.json();
}

/* it is there without asking */
const placed = ({ place }) => /^[it]/.test(place);

/* one prompt a page view */
const reason = survey => asked && "a survey was shown in this page view"
  || blocked(survey) || covered() && "something covers the page";

const shown = ({ id, version, chance, dry }, trigger) =>
  core._queue({ type: "shown", survey: id, version, trigger, chance, dry });

/* promise of a function that shows the card; of nothing, if it is not to be had
   or this browser cannot draw it.  In a task of its own: the part has just been
   run */
async function draw(survey, trigger, clicked) {
  try {
    const ask = await core._part("ask");

    await new Promise(done => setTimeout(done));
    return ask._prompt(survey, trigger, clicked);

  } catch (e) {
    /* an error of ours is none of the page's */
  }
}

/* in the view that is mine */
async function show(survey, mine, trigger, clicked) {
  const here = () => mine == core._view;

  if (here() && !reason(survey)) {
    asked = !survey.dry;

    const put = survey.dry || await draw(survey, trigger, clicked);

    if (put && here() && await claim(survey) && here()) {
      shown(survey, trigger);
      survey.dry || put();

    } else if (here() && !survey.dry) {
      asked = 0;
    }
  }
}

async function load(mine) {
  const found = await fetchSurveys();

  if (mine != core._view) {
    return;
  }

  core._state = "none for this page, audience and sample";
  core._found = found;
  surveys = found.surveys;
  surveys.forEach(survey => {
    survey.when = survey.when || {};
    survey.often = survey.often || {};

    if (placed(survey)) {
      core._part("more").then(more =>
        more && mine == core._view && more._place(survey));

    } else if (!(blocked(survey) || early(survey))) {
      arm(survey.when, found.signals || [], trigger =>
        show(survey, mine, trigger));
    }
  });
}

/* for a new view; wait: calls a function later */
function findSurveys(wait) {
  const mine = core._view;

  surveys = [];
  asked = 0;
  newMoments();
  wait(core._countView);
  wait(() => {
    const never = refused();

    core._state = never || core._state;

    if (core._surveys && !never && mine == core._view) {
      load(mine).catch(e => { core._state += ", " + e; });
    }
  });
}

/* shows a survey now, if the rules let it; says whether it will */
const ask = id => surveys.some(survey => {
  const may = survey.id == id && !reason(survey);
  const { event } = window;

  may && show(survey, core._view, "api",
              event && event.isTrusted && event.type == "click");
  return may;
});

/* a line for each survey that is not shown */
const why = () => surveys[0] ? surveys.map(survey =>
  survey.id + ": " + (placed(survey) ? "has its own place"
    : reason(survey) || early(survey) || "waits for its moment"))
  : [core._state];

export default shared => {
  setCore(shared);
  Object.assign(core, {
    _shown: shown, _reason: reason, _query: query,
    _answered: answered, _dismissed: dismissed, _never: never,
    _fetch: fetchSurveys, _keep: keep, _drop: drop, _renew: renew,
    _tokens: tokens
  });
  Object.assign(core._api, { ask, why });
  addEventListener("online", core._send);
  watchMoments();
  findSurveys(setTimeout);
  setTimeout(sendKept);

  return { _newView: () => findSurveys(core._idle) };
};
