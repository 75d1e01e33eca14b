/* Elements that the page's style cannot reach, in the colours of the theme. */

import { h } from "./dom.js";

const DARK = "(prefers-color-scheme: dark)";    /* as esbuild writes it */

const rule = (media, values) => values ? "@media " + media + "{:host{"
  + Object.entries(values).map(pair => pair.join(":")).join(";") + "}}" : "";

/* what the page says of itself: by style, else by a meta element */
function own() {
  const said = document.querySelector("meta[name=color-scheme]");

  return getComputedStyle(document.documentElement).colorScheme
    .replace("normal", said?.content);
}

/*
 * [element, its closed shadow root].  The page's own color-scheme decides
 * between light and dark; where it has none or both, the visitor's.  Beside
 * the body is its place: there are libraries that replace a body at each
 * navigation, and one that is transformed is what "fixed" would mean.
 */
export function shade(css, { light, dark } = {}, scheme) {
  const host = h("cx-survey", {
    "data-cx-ignore": "", dir: getComputedStyle(document.body).direction
  });
  const root = host.attachShadow({ mode: "closed" });
  const said = scheme || own();
  const isDark = /dark/.test(said);
  const on = isDark == /light/.test(said) ? DARK : isDark ? "all" : "not all";
  const sheet = new CSSStyleSheet();

  sheet.replaceSync(css.split(DARK).join(on)
    + rule(on == DARK ? "not all and " + DARK : isDark ? "not all" : "all",
           light)
    + rule(on, dark));
  root.adoptedStyleSheets = [sheet];
  return [host, root];
}
