/* Runs f when the browser has nothing better to do, 2 s later at the most. */

export const idle = self.requestIdleCallback
  ? f => requestIdleCallback(f, { timeout: 2000 })
  : f => setTimeout(f, 50);
