// Somebody else's script, from another origin.
setTimeout(() => { throw new Error('theirs'); }, 200);
