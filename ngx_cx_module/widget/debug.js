/*
 * The panel of ?cx_debug=1: why each survey is shown here or not, by the
 * server and by this browser.  Developers read it: it speaks English.
 */

import { h } from "./dom.js";
import { shade } from "./shade.js";
import css from "more.min.css";

const AGAIN_MS = 1000;          /* the browser's reasons change */

export async function debug(core) {
  const answer = await fetch(core._endpoint + "why?" + core._query());

  if (!answer.ok) {             /* not for this visitor */
    return;
  }

  const { page, surveys } = await answer.json();
  const [host, root] = shade(css);
  const close = h("button", { "aria-label": "Close" }, "\u00d7");

  const rows = surveys.map(({ id, reason, shows }) => {
    const here = h("td");

    return {
      _id: id + ": ", _here: here, _shows: shows,
      _row: h("tr", 0, h("th", { scope: "row" }, id),
        h("td", { class: shows ? "yes" : "" }, reason), here)
    };
  });

  const draw = () => {
    const lines = core._api.why();

    rows.forEach(row => {
      const line = lines.find(text => text.startsWith(row._id));

      row._here.textContent = line ? line.slice(row._id.length)
        : row._shows ? lines[0] : "";
    });
  };

  const timer = setInterval(draw, AGAIN_MS);

  close.onclick = () => {
    clearInterval(timer);
    host.remove();
  };

  root.append(h("section", { class: "panel", lang: "en", dir: "ltr",
    "aria-label": "Surveys" }, close,
  h("table", 0, h("caption", 0, "Surveys on " + page),
    h("thead", 0, h("tr", 0, ...["Survey", "Server", "This browser"].map(text =>
      h("th", { scope: "col" }, text)))),
    h("tbody", 0, ...rows.map(row => row._row)))));
  draw();
  document.documentElement.append(host);
}
