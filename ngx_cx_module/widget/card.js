/*
 * The card: a non-modal dialog in a closed shadow root, made by createElement
 * only and styled by constructed sheets, so that no CSP and no Trusted Types
 * policy is in its way.
 */

import { h, icon } from "./dom.js";
import css from "card.min.css";
import { shade } from "./shade.js";
import { makeStep } from "./steps.js";

const CROSS = "M6 6l12 12M18 6L6 18";
const TICK = "M5 12.5l5 5 9-10";

/*
 * All elements by name.  free: nobody was asked, so there is nothing to be
 * left alone with; inline: a part of the page.
 */
export function makeCard(survey, ui, theme, scheme, free, inline) {
  const card = { _at: 0 };      /* the step that is seen */
  const { steps = [], thanks, link, lang, dir = "ltr", corner = "" } = survey;
  const [host, root] = shade(css, theme, scheme);

  card._steps = [survey, ...steps].map((step, i) => makeStep(step, i,
    i == steps.length, ui, i ? ui.skip : free ? "" : ui.never));

  card._yes = h("button", { class: "go" }, ui.yes);
  card._no = h("button", { class: "quiet" }, ui.no);
  card._offer = h("div", { class: "offer off" },
    h("p", { id: "m" }, ui.one_more),
    h("div", { class: "row" }, card._no, card._yes));

  card._end = h("div", { class: "end off" }, icon(TICK),
    h("p", { id: "t", tabindex: -1 }, thanks),
    link ? h("a", { href: link.url, rel: "noopener" }, link.label) : "");

  card._cross = h("button", { class: "close", "aria-label": ui.close },
    icon(CROSS));
  card._box = h("div", {
    class: "card", role: inline ? "group" : "dialog", tabindex: -1,
    "aria-labelledby": "q0", lang, dir
  }, ...card._steps.map(step => step._element), card._offer, card._end,
    inline ? "" : card._cross);
  card._status = h("div", { class: "status", role: "status", lang, dir });

  host.className = inline ? "inline" : corner;
  card._host = host;
  card._root = root;
  root.append(card._status, card._box);

  return card;
}
