/* js_error, and error_click where a click came right before it. */

import { clicked } from "./clicks.js";
import { limit } from "./limits.js";
import { count } from "./tally.js";
import { target } from "./target.js";

let errors;                     /* of this view */
let blamed;                     /* the last click that had an error */

const background = new Set();   /* errors that came without a click */

export const newErrors = () => { errors = 0; };

function onError(file, error) {
  /* what browsers and extensions raise, and requests that are given up, is
     no fault of the page */
  if (/extension:/.test(file) || /^ResizeObserver|^AbortError/.test(error)
      || errors++ >= limit[CX_T_JS_ERRORS])
  {
    return;
  }

  count("js_error");

  if (!(performance.now() - clicked._time <= limit[CX_T_ERROR_CLICK_MS])) {
    background.add(error);

  } else if (clicked != blamed && clicked._node && !background.has(error)) {
    blamed = clicked;
    count("error_click", target(clicked._node));
  }
}

export function watchErrors() {
  addEventListener("error", e => onError(e.filename, e.message));
  addEventListener("unhandledrejection", ({ reason }) =>
    onError("", reason && reason.name + reason.message));
}
