/*
 * The browser widget: composes page view, signals, leave, vitals, surveys.
 *
 * Built into one classic script, see build.sh.  CX_* names are the #defines
 * of include/, put in at build time.  Properties that begin with _ are our
 * own: the build shortens them.
 */

import { idle } from "./idle.js";
import { leave, newLeave, watchLeave } from "./leave.js";
import { countView } from "./often.js";
import { onNavigation, openView, page, tag } from "./page.js";
import { send, sendLast } from "./send.js";
import { newErrors, watchClicks, watchErrors } from "./signals.js";
import { api, findSurveys } from "./survey.js";
import { watchVitals } from "./vitals.js";
import { watchMoments } from "./when.js";

function newView(where) {
  openView(where);
  newErrors();
  newLeave();
  idle(() => {
    countView();
    findSurveys();
  });
}

/* in slices, so that no task of ours is a long one */
function start() {
  newView({ page });
  watchErrors();
  watchClicks();
  watchMoments();
  watchLeave(() => {
    leave();
    sendLast();
  });
  idle(watchVitals);
  onNavigation(where => {
    leave();
    send();
    newView(where);
  });
  addEventListener("pageshow", e => e.persisted && newView());
}

if (tag && !navigator.globalPrivacyControl && navigator.doNotTrack != "1"
    && !window.cx?.why)
{
  window.cx = api;

  if (document.prerendering) {
    document.addEventListener("prerenderingchange", start, { once: true });
  } else {
    start();
  }
}
