/* Runs of things that happen close to each other. */

/*
 * Returns f(item, n, close): whether the item is the n-th of its run, which
 * are those before it that close() keeps.  Once in a run.
 */
export function runs() {
  let run = [];
  let told;

  return (item, n, close) => {
    run = run.filter(close);
    told = run.length && told;
    return run.push(item) >= n && !told && (told = 1);
  };
}

/*
 * Returns f(position, least, at, n, ms): whether the position has turned back
 * n times within ms, by least or more each time.  No least: starts again.
 */
export function turns() {
  let often = runs();
  let far = 0;                  /* where it turned, or how far it came since */
  let way = 0;                  /* -1 or 1 */

  return (position, least, at, n, ms) => {
    const before = way;
    const step = position - far;

    if (!least) {
      often = runs();
      way = 0;

    } else if (step * way <= 0) {
      if (Math.abs(step) < least) {
        return;
      }

      way = Math.sign(step);
    }

    far = position;
    return way * before < 0 && often(at, n, other => at - other <= ms);
  };
}
