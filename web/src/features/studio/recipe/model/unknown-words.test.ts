import { describe, expect, test } from "vitest";
import { unknownWordsIn } from "./unknown-words.ts";

const known = new Set(["a", "red", "boat", "at", "sea", "cat"]);

describe("words that the miniature will ignore are named before it runs (FR-004)", () => {
  test("each once, in order, in lower case, of any script", () => {
    expect(unknownWordsIn("A Spooky red boat, spooky кот at 漢字", known)).toEqual(["spooky", "кот", "漢字"]);
  });

  test("a possessive is the word it is made of", () => {
    expect(unknownWordsIn("a cat's boat, a dog’s sea", known)).toEqual(["dog"]);
  });

  test("the word under the pen is judged when it is written", () => {
    expect(unknownWordsIn("a red boa", known, true)).toEqual([]);
    expect(unknownWordsIn("a red boa ", known, true)).toEqual(["boa"]);
    expect(unknownWordsIn("a red boa", known)).toEqual(["boa"]);
  });

  test("without a vocabulary nothing is said", () => {
    expect(unknownWordsIn("a spooky boat", new Set())).toEqual([]);
  });
});
