/* LCP, INP and CLS, as web-vitals measures them: a part of its own. */

import { onCLS } from "web-vitals/onCLS.js";
import { onINP } from "web-vitals/onINP.js";
import { onLCP } from "web-vitals/onLCP.js";

export default ({ _note: note }) => {
  const all = { reportAllChanges: true };

  onLCP(metric => note("lcp_ms", metric.value), all);
  onINP(metric => note("inp_ms", metric.value), all);
  onCLS(metric => note("cls_milli", 1e3 * metric.value), all);
};
