/*
 * Loads what watches forms, at the first touch of a field: its events go to
 * that part, and those that came while it was loading are not lost.
 *
 * An event as it is handed on: {_type, _trusted, _path, _time, _act}.
 */

import { core } from "./core.js";
import { on } from "./on.js";
import { part } from "./part.js";

let take;                       /* the part's function, when it is there */
let kept;                       /* events meanwhile */

const give = event => take ? take(event) : kept && kept.push(event);

async function wake() {
  kept = kept || [];

  const forms = await part("forms");

  if (forms && !take) {
    take = forms._take;
    kept.forEach(take);
  }

  kept = 0;
}

function onEvent({ type, isTrusted }, path) {
  const [node] = path;

  if (!take && !kept && /^(foc|in)/.test(type)
      && (node.form || "required" in node))
  {
    wake();
  }

  give({
    _type: type, _trusted: isTrusted, _path: path, _act: core._act,
    _time: performance.now()
  });
}

export const watchForms = () => on("input focusin blur visibilitychange invalid"
  + " submit formdata reset click", e => onEvent(e, e.composedPath()));
