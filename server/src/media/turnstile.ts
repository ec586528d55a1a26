/** Lets at most `places` works run at one time; the others wait their turn. */
export interface Turnstile {
  pass<Result>(work: () => Promise<Result>): Promise<Result>;
}

export function createTurnstile(places: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    async pass(work) {
      if (inside >= places) await new Promise<void>((enter) => waiting.push(enter));
      else inside += 1;
      try {
        return await work();
      } finally {
        // The place is handed on, not given back: nobody can slip in between.
        const next = waiting.shift();
        if (next === undefined) inside -= 1;
        else next();
      }
    },
  };
}
