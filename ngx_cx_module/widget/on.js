/* f(event) for events of these types, before the page's own listeners. */

export const on = (types, f, off) => types.split(" ").forEach(type =>
  (off ? removeEventListener : addEventListener)(type, f,
    { capture: true, passive: true }));
