/*
 * Calls f(arguments) after each call of object[name], which stays as it was
 * otherwise.
 */

export function spy(object, name, f) {
  const real = object && object[name];

  if (real) {
    object[name] = function () {
      const value = real.apply(this, arguments);

      f(arguments);
      return value;
    };
  }
}
