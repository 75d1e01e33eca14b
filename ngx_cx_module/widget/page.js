/* The page view: the tag's data, the view id, single-page navigation. */

import { core } from "./core.js";
import { spy } from "./spy.js";

const PATH_MAX = 2048;          /* what the endpoint takes */

/* an <img name="currentScript"> of the page's content would be it, too */
const { currentScript: script } = document;

export const tag = script?.localName == "script" && script;

/* surveys: their key for this page's location; "": none can match this page;
   undefined: the location has none, and nothing is stored */
export const { page, touchpoint, stage, surveys, preview, tune = "" }
  = tag ? tag.dataset : {};

/* the tag's "https://host/_cx/", "?hash"; a <base> after it is none of ours */
export const [, endpoint, hash] = tag
  ? /(.*\/)[^?]*(.*)/.exec(new URL(tag.getAttribute("src"),
                                   location.host ? location : tag.src)) : [];

/* of the view that the navigation made, which the server has seen begin */
export let firstView;

/* unless an element, or a variable of the page, has that name */
export const navigation = window.navigation?.currentEntry && window.navigation;

/* where the browser is: for a tag that names no page, and as one page */
export const here = () => ({ path: location.pathname.slice(0, PATH_MAX) });

/* n random bytes in hex; getRandomValues() works on plain http, too */
const hex = n =>
  [...crypto.getRandomValues(new Uint8Array(n))]
    .map(b => (b + 256).toString(16).slice(1)).join("");

/*
 * Starts a view of where, {page} or {path}; of the same place as before when
 * it is left out.  Touchpoint and stage are the loaded page's: they are not
 * known for a path.
 */
export function openView(where) {
  const { page, path } = where || core._view;
  const known = page != null;
  const view = hex(8);

  firstView = firstView || view;
  core._view = {
    v: CX_SCHEMA_V, page, path, view,
    touchpoint: known ? touchpoint : undefined,
    stage: known ? stage : undefined
  };
}

/*
 * Calls f({path}) after each single-page navigation: another path, or another
 * query that is an entry of its own in the history.  A changed fragment, or a
 * query that is replaced while somebody types a filter, is the same page.
 */
export function onNavigation(f) {
  let { pathname, search } = location;

  const check = replaced => {
    const moved = location.pathname != pathname;
    const asked = location.search != search;

    ({ pathname, search } = location);

    if (moved || asked && !replaced) {
      f(here());
    }
  };

  if (navigation) {
    navigation.addEventListener("currententrychange", e =>
      check(e.navigationType == "replace"));

  } else {
    addEventListener("popstate", () => check());
    spy(history, "pushState", () => check());
    spy(history, "replaceState", () => check(1));
  }
}
