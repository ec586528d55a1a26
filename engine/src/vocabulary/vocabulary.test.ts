import { expect, test } from "vitest";
import { completePrompt } from "./completion.ts";
import { knownVocabulary, unknownWords } from "./known.ts";
import { readPrompt } from "./mentions.ts";
import { bundledModel, loadVocabulary, splitWords, tokenise, wordsBeyond } from "./vocabulary.ts";

const vocabulary = loadVocabulary(bundledModel);

const completions: [string, number, string][] = [
  ["a red boat at sunset on the sea", 3, "a red boat on the left at sunset on the sea"],
  ["a boat", 1, "a large blue boat on the left"],
  ["boat", 2, "red boat on the left"],
  ["an orange cat", 9, "a large orange cat on the left"],
  ["a hot air balloon over the sea", 12, "a yellow hot air balloon in the center over the sea"],
  ["the old flying saucer at night", 21, "the large old purple flying saucer in the center at night"],
  ["a rocket ship in space", 33, "a large white rocket ship on the left in space"],
  ["a small dog on the left", 6, "a small white dog on the left"],
  ["a tiny yellow flower", 2147483647, "a tiny yellow flower in the center"],
  ["a fish", 2, "an orange fish on the left"],
  ["a little house", 4, "a little blue house in the center"],
  ["a robot dog", 7, "a large black robot dog on the left"],
  ["a cat's toy", 1, "a large white cat's toy on the left"],
];

test.each(completions)("completes %j with seed %i", (prompt, seed, completed) => {
  expect(completePrompt(vocabulary, prompt, seed)).toBe(completed);
});

const pairs: [string, number, string][] = [
  ["a wizard and a dragon", 5, "a purple wizard on the left and a green dragon on the right"],
  ["a wizard and a dragon", 6, "a purple wizard on the right and a red dragon on the left"],
  ["an owl and a cat", 5, "a white owl on the left and an orange cat on the right"],
  ["a red lighthouse and a boat on the left", 8, "a red lighthouse on the right and a blue boat on the left"],
  ["a cat in the middle and a dog", 8, "a white cat in the middle and a black dog on the right"],
  ["a spooky castle with a ghost", 2, "a spooky white castle on the right with a white ghost on the left"],
];

test.each(pairs)("completes a pair, %j with seed %i", (prompt, seed, completed) => {
  expect(completePrompt(vocabulary, prompt, seed)).toBe(completed);
});

test("two subjects get different sides, and different colours where they have any", () => {
  for (let seed = 0; seed < 40; seed++) {
    const completed = completePrompt(vocabulary, "a cat and a dog", seed);
    expect(completed).toMatch(/left.*right|right.*left/);
    const colours = completed.match(/orange|black|white|brown/g) ?? [];
    expect(new Set(colours).size, completed).toBe(2);
  }
});

test("leaves prompts alone that name several subjects, one twice, or none", () => {
  for (const prompt of ["a cat, a dog and a bird", "a cat and a kitten", "Sunset, on the sea!", "", "кот"]) {
    expect(completePrompt(vocabulary, prompt, 4)).toBe(prompt);
  }
});

test("words of the scene are neither subjects nor colours nor sizes of one", () => {
  const read = (prompt: string) => readPrompt(vocabulary, prompt).mentions.map(({ subject }) => subject);
  expect(read("a rocket on an alien planet")).toEqual(["rocket"]);
  expect(read("an alien on mars")).toEqual(["ufo"]);
  expect(completePrompt(vocabulary, "a rocket on an alien planet under an orange sky", 3)).toBe(
    "a white rocket on the left on an alien planet under an orange sky",
  );
  expect(completePrompt(vocabulary, "a boat with a big sun", 1)).toBe("a large blue boat on the left with a big sun");
});

test("every name of every subject is found, and is that subject", () => {
  for (const [subject, names] of Object.entries(vocabulary.phrases["subjects"] ?? {})) {
    for (const name of names) {
      const found = readPrompt(vocabulary, `a red ${name} at sea`).mentions.map((mention) => mention.subject);
      expect(found, name).toEqual([subject]);
    }
    expect(vocabulary.usualColours.get(subject)?.length, subject).toBeGreaterThan(0);
  }
});

test("keeps case and punctuation of what was written", () => {
  expect(completePrompt(vocabulary, "A red Boat, at sunset!", 3)).toBe("A red Boat on the left, at sunset!");
});

test("puts the subject of a narrow picture in its middle, unless told otherwise", () => {
  expect(completePrompt(vocabulary, "a boat", 1, { narrow: true })).toBe("a large blue boat in the center");
  expect(completePrompt(vocabulary, "a boat on the right", 1, { narrow: true })).toContain("on the right");
});

test("names unknown words of any script once, in order, and guesses none", () => {
  expect(unknownWords("A spooky steampunk Boat, steampunk café at Sunset; кот 漢字 cat's sea-side")).toEqual(
    ["steampunk", "café", "кот", "漢字", "side"].filter((word) => !vocabulary.tokens.has(word)),
  );
  expect(unknownWords("a large red boat on the left at sea at sunset")).toEqual([]);
  expect(unknownWords("boats bota")).toEqual(["boats", "bota"]);
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

test("lists what it knows: 38 subjects, 8 backdrops, 6 moods, 10 colours; every word of them is one it was trained on", () => {
  const known = knownVocabulary();
  expect(Object.values(known).map((group) => group.length)).toEqual([38, 8, 3, 5, 6, 10, 3, 3]);
  expect(known.subjects).toEqual(expect.arrayContaining(["lighthouse", "penguin", "astronaut"]));
  expect(known.moods).toContain("spooky");
  const phrases = Object.values(vocabulary.phrases).flatMap((group) => Object.values(group).flat());
  expect(phrases.length).toBeGreaterThan(250);
  for (const text of [...known.subjects, ...phrases]) {
    for (const { word } of splitWords(text)) expect(vocabulary.tokens.has(word), word).toBe(true);
  }
});
