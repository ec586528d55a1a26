import { expect, test } from "vitest";
import { completePrompt } from "./completion.ts";
import { knownVocabulary, unknownWords } from "./known.ts";
import { bundledModel, loadVocabulary, splitWords, tokenise, wordsBeyond } from "./vocabulary.ts";

const vocabulary = loadVocabulary(bundledModel);

// Prompt, seed and the completion that the model's makers measured quality with.
const completions: [string, number, string][] = [
  ["a red boat at sunset on the sea", 3, "a red boat on the left at sunset on the sea"],
  ["a boat", 1, "a large blue boat on the left"],
  ["boat", 2, "red boat on the left"],
  ["an orange cat", 9, "a large orange cat on the left"],
  ["a hot air balloon over the sea", 12, "a yellow hot air balloon in the center over the sea"],
  ["the old flying saucer at night", 21, "the large old purple flying saucer in the center at night"],
  ["a rocket ship in space", 33, "a large red rocket ship on the left in space"],
  ["a small dog on the left", 6, "a small white dog on the left"],
  ["a tiny yellow flower", 2147483647, "a tiny yellow flower in the center"],
  ["a fish", 2, "an orange fish on the left"],
  ["an owl and a cat", 5, "an owl and a large black cat on the left"],
];

test.each(completions)("completes %j with seed %i", (prompt, seed, completed) => {
  expect(completePrompt(vocabulary, prompt, seed)).toBe(completed);
});

test("leaves prompts alone that name several subjects or none", () => {
  for (const prompt of ["a wizard and a dragon", "Sunset, on the sea!", "", "кот"]) {
    expect(completePrompt(vocabulary, prompt, 4)).toBe(prompt);
  }
});

test("keeps case and punctuation of what was written", () => {
  expect(completePrompt(vocabulary, "A red Boat, at sunset!", 3)).toBe("A red Boat on the left, at sunset!");
});

test("puts the subject of a narrow picture in its middle, unless told otherwise", () => {
  expect(completePrompt(vocabulary, "a boat", 1, { narrow: true })).toBe("a large blue boat in the center");
  expect(completePrompt(vocabulary, "a boat on the right", 1, { narrow: true })).toContain("on the right");
});

test("names unknown words of any script once, in order", () => {
  expect(unknownWords("A spooky Boat, spooky café at Sunset; кот 漢字 cat's sea-side")).toEqual([
    "spooky",
    "café",
    "кот",
    "漢字",
  ]);
  expect(unknownWords("a large red boat on the left at sea at sunset")).toEqual([]);
  expect(unknownWords("constructor toString __proto__")).toEqual(["constructor", "tostring", "proto"]);
});

test("the marks of the token list are no words", () => {
  expect(unknownWords("pad cls <pad>")).toEqual(["pad", "cls"]);
});

test("reads 27 known words and says which came too late", () => {
  const prompt = `${"the ".repeat(26)}red boat at sea`;
  const tokens = tokenise(vocabulary, prompt, 28);
  expect(tokens).toHaveLength(28);
  expect(tokens[0]).toBe(1n);
  expect(tokens[27]).toBe(vocabulary.tokens.get("red"));
  expect(wordsBeyond(vocabulary, prompt, 28)).toEqual(["boat", "at", "sea"]);
  expect(tokenise(vocabulary, "unheard boat", 4)).toEqual(
    BigInt64Array.of(1n, vocabulary.tokens.get("boat") ?? -1n, 0n, 0n),
  );
});

test("lists what it knows: 24 subjects, 8 backdrops, 10 colours", () => {
  const known = knownVocabulary();
  expect(Object.values(known).map((group) => group.length)).toEqual([24, 8, 3, 5, 10, 3, 3]);
  expect(known.subjects).toContain("lighthouse");
  for (const word of known.subjects.flatMap((name) => splitWords(name))) {
    expect(vocabulary.tokens.has(word.word), word.word).toBe(true);
  }
});
