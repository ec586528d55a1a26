import { expect, test } from "vitest";
import { keepGiven } from "./kept-pictures.ts";

const picture = (...pixels: number[]) => ({ width: pixels.length, height: 1, pixels: Uint8Array.from(pixels) });

test("what a drawing has in common with a still is taken from the still, the first that agrees", () => {
  const first = { rendered: picture(1, 2, 0, 5), given: picture(11, 12, 13, 14) };
  const last = { rendered: picture(0, 2, 3, 5), given: picture(21, 22, 23, 24) };
  const drawing = picture(1, 2, 3, 4);
  expect([...keepGiven(drawing, [first, last]).pixels]).toEqual([11, 12, 23, 4]);
  expect([...keepGiven(drawing, [last, first]).pixels]).toEqual([11, 22, 23, 4]);
  expect(keepGiven(drawing, [])).toEqual(drawing);
  expect(keepGiven(first.rendered, [first])).toEqual(first.given);
});
