/* The feedback tab: always there, for who wants to say something. */

import { h } from "./dom.js";
import { shade } from "./shade.js";
import css from "more.min.css";

export function tab(core, survey) {
  const { lang, dir = "ltr", corner = "" } = survey;
  const [host, root] = shade(css, core._found.theme);
  const button = h("button", { class: "tab", lang, dir }, survey.tab);
  let close;

  const expand = is => button.setAttribute("aria-expanded", is);

  button.onclick = async () => {
    if (close) {
      close();
      return;
    }

    const ask = await core._part("ask");

    if (ask && !close) {
      core._shown(survey, "tab");
      expand(true);
      close = ask._ask(survey, "tab", {
        _click: 1, _free: 1, _back: button,
        _gone() {
          close = 0;
          expand(false);
        }
      });
    }
  };

  expand(false);
  host.className = corner;
  root.append(h("aside", { "aria-label": survey.tab }, button));

  if (survey.dry) {
    core._shown(survey, "tab");
  } else {
    document.documentElement.append(host);
  }

  return () => host.remove();
}
