/* core.js's object, for files of a part that is made of several. */

export let core;

export const setCore = shared => { core = shared; };
