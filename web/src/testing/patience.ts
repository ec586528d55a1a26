// Set up before every test of a component. On a busy machine what the page does next may take its time, and what it sets up behind
// a drawing, listeners and the focus, comes in a later turn: a test that has found something would be quicker than any person.

/** Turns of the event loop in which the page does what its last drawing has left to be done; each does one piece of it at least. */
const turns = 10;
// Kept as it is before any test puts a clock of its own in its place.
const nextTurn = setImmediate;

// Tests of plain functions have no page, and need not wait until the library for pages has been read.
if (typeof document !== "undefined") {
  const { configure, getConfig } = await import("@testing-library/react");
  const usual = getConfig();
  configure({
    asyncUtilTimeout: 30_000,
    asyncWrapper: (wait) =>
      usual.asyncWrapper(async () => {
        const found = await wait();
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => nextTurn(resolve));
        return found;
      }),
  });
}

export {};
