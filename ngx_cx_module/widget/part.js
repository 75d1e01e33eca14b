/* Parts that are loaded when they are needed, see core.js. */

import { core } from "./core.js";
import { endpoint, hash } from "./page.js";

const parts = {};
const loaded = [];

let tries = 0;

/*
 * Promise of a part's functions.  undefined: it could not be had, and is tried
 * again when it is asked for again; browsers remember what failed by its whole
 * address, so the fragment is another one each time.
 */
export const part = name => parts[name] = parts[name]
  || import(endpoint + "cx-" + name + ".js" + hash + "#" + tries++)
    .then(module => {
      const made = module.default(core) || {};

      loaded.push(made);
      return made;
    })
    .catch(() => { parts[name] = 0; });

export const newParts = () =>
  loaded.forEach(made => made._newView && made._newView());
