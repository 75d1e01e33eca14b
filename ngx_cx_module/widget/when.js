/* The moment a survey appears: after a delay, a scroll, on the way out. */

import { onScroll } from "./leave.js";

let armed = [];                 /* wait for a scroll or for the way out */

export const disarm = () => { armed = []; };

const whenVisible = f => document.hidden
  ? document.addEventListener("visibilitychange", () => whenVisible(f),
                              { once: true })
  : f();

/* show(trigger) at the first of the survey's conditions, or at once */
export function arm({ delay, scroll, exit, views } = {}, show) {
  const fire = trigger => whenVisible(() => show(trigger));

  armed.push({ scroll, exit, fire });

  if (delay) {
    whenVisible(() => setTimeout(fire, delay * 1e3, "delay"));
  }

  if (!(delay || scroll || exit)) {
    fire(views ? "views" : "load");
  }
}

export function watchMoments() {
  onScroll(percent => armed.forEach(survey =>
    percent >= survey.scroll && survey.fire("scroll")));

  document.documentElement.addEventListener("mouseleave", e =>
    e.clientY <= 0 && armed.forEach(survey =>
      survey.exit && survey.fire("exit")), { passive: true });
}
