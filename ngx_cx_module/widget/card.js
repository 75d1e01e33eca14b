/*
 * The card: a non-modal dialog in a closed shadow root, made by createElement
 * only and styled by a constructed sheet, so that no CSP and no Trusted Types
 * policy is in its way.
 */

import { h, icon } from "./dom.js";
import css from "card.min.css";

const THUMB = "M3 11h4v9H3zM7 11l4-8c2 0 3 1 3 3v4h5c1 0 2 1 2 2l-1 6"
  + "a2 2 0 0 1-2 2H7";

const CROSS = "M6 6l12 12M18 6L6 18";
const TICK = "M5 12l5 5 9-9";

/* built-in wording is English, whatever the page is */
const button = (text, name) => h("button", { class: name, lang: "en" }, text);

/* native radios: one tab stop, arrows move */
function rateStep({ question, low = "", high = "" }, [first, last], card) {
  const thumbs = last == 1;

  card._scale = h("div", {
    class: "scale n" + (last - first), role: "radiogroup",
    "aria-labelledby": "q", "aria-describedby": "low high"
  });
  card._never = button("Don\u2019t ask again", "never");
  card._next = button("Next", "go off");

  for (let n = first; n <= last; n++) {
    const text = !thumbs ? [n]
      : n ? [icon(THUMB), high || "Thumbs up"]
        : [icon(THUMB, "down"), low || "Thumbs down"];

    card._scale.append(h("label", 0,
      h("input", { type: "radio", name: "score", value: n }),
      h("span", 0, ...text)));
  }

  return h("div", 0, h("p", { id: "q" }, question), card._scale,
    thumbs ? "" : h("p", { class: "ends" },
      h("span", { id: "low" }, low), h("span", { id: "high" }, high)),
    h("div", { class: "row" }, card._never, card._next));
}

function tellStep(card) {
  card._why = h("p", { id: "f" });
  card._area = h("textarea", {
    maxlength: CX_TEXT_MAX, rows: 2,
    "aria-labelledby": "f", "aria-describedby": "hint"
  });
  card._skip = button("Skip", "never");
  card._send = button("Send", "go");

  return h("div", { class: "off" }, card._why, card._area,
    h("p", { id: "hint", lang: "en" }, "Optional. Kept with your score and "
      + "this page, without name or IP address. Please leave out personal data."),
    h("div", { class: "row" }, card._skip, card._send));
}

/* all elements by name; scale is [first, last] score */
export function makeCard(survey, scale) {
  const card = {};

  card._rate = rateStep(survey, scale, card);
  card._tell = tellStep(card);
  card._end = h("div", { class: "end off" }, icon(TICK),
    h("p", { id: "t" }, survey.thanks));
  card._cross = h("button", {
    class: "close", "aria-label": "Close", lang: "en"
  }, icon(CROSS));
  card._box = h("div", {
    class: "card", role: "dialog", tabindex: -1, "aria-labelledby": "q"
  }, card._rate, Object.keys(survey.follow_up)[0] ? card._tell : "", card._end,
    card._cross);
  card._status = h("div", { class: "status", role: "status" });
  card._host = h("cx-survey", { "data-cx-ignore": "" });
  card._root = card._host.attachShadow({ mode: "closed" });

  const sheet = new CSSStyleSheet();

  sheet.replaceSync(css);
  card._root.adoptedStyleSheets = [sheet];
  card._root.append(card._status, card._box);

  return card;
}
