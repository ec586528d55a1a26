// Seeds of one press of the button: one, or as many neighbours as there are to be results.
import type { Parameter } from "../../../../api/models.ts";

/** How many results one press can ask for: as many as can be compared side by side. */
export const copyChoices: readonly number[] = [1, 2, 3, 4, 6, 8];

/** Draws a seed; with `copies` so low that its neighbours exist too. */
export function drawSeed(parameter: Parameter, copies = 1): number {
  const { lowest, highest } = seedRange(parameter);
  return lowest + Math.floor(Math.random() * Math.max(1, highest - lowest - copies + 2));
}

/**
 * The seeds of `copies` results from this one on; behind the highest seed comes the lowest. A seed to be drawn is drawn
 * once, so that the neighbours of a result are known.
 */
export function neighbouringSeeds(parameter: Parameter, seed: number, copies: number): readonly number[] {
  const { lowest, highest } = seedRange(parameter);
  const first = seed === parameter.random_value ? drawSeed(parameter, copies) : seed;
  return Array.from({ length: copies }, (_, index) =>
    first + index <= highest ? first + index : lowest + (first + index - highest - 1),
  );
}

function seedRange(parameter: Parameter): { lowest: number; highest: number } {
  const lowest = Math.max(0, parameter.min ?? 0);
  return { lowest, highest: parameter.max ?? lowest };
}
