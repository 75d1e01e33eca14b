/* What a person did last. */

import { core } from "./core.js";
import { on } from "./on.js";

/* {_type, _key, _node, _at}, and for clicks which one of a double one */
core._act = {};

export const recent = ms => performance.now() - core._act._at < ms;

export const watchPerson = () =>
  on("pointerdown keydown click wheel touchend", e => {
    if (e.isTrusted) {
      core._act = {
        _type: e.type, _key: e.key, _node: e.composedPath()[0],
        _at: core._at = performance.now(), _nth: e.detail
      };
    }
  });
