// A terse prompt leaves size, colour and place free, and the model then draws some subjects twice or in odd colours.
// Completion names what was left open, chosen by the seed, so that a beginner's prompt gives a clean picture.

import { type Random, seededRandom } from "../noise/noise.ts";
import { type Mention, type ReadPrompt, readPrompt } from "./mentions.ts";
import type { PromptWord, Vocabulary } from "./vocabulary.ts";

/** Keeps the choices independent of the noise, which starts from the seed itself. */
const SEED_MASK = 0x5bd1e995;
const LARGE_SHARE = 0.7;
const sides = ["on the left", "in the center", "on the right"] as const;

export interface CompletionOptions {
  /** The picture is too narrow for a subject at its side, so it goes to the middle. */
  readonly narrow?: boolean;
}

/** Words to put in; those of several words go after the word before the place, others before the word at it. */
interface Insertion {
  readonly before: number;
  readonly text: string;
}

/**
 * The prompt with what it leaves open about one subject (size, usual colour, place) or about two different ones (colours,
 * places) added; any other prompt comes back as it is. Case and punctuation of what was written stay.
 */
export function completePrompt(
  vocabulary: Vocabulary,
  prompt: string,
  seed: number,
  options: CompletionOptions = {},
): string {
  const read = readPrompt(vocabulary, prompt);
  const [first, second] = read.mentions;
  if (!first || read.mentions.length > 2 || first.subject === second?.subject) return prompt;
  const random = seededRandom(seed ^ SEED_MASK);
  const insertions = second
    ? completePair(vocabulary, read, [first, second], random)
    : completeOne(vocabulary, read, first, random, options.narrow ?? false);
  return fixArticles(
    insert(
      prompt,
      read.words,
      insertions.filter(({ text }) => text !== ""),
    ),
  );
}

function completeOne(
  vocabulary: Vocabulary,
  { words, scenery }: ReadPrompt,
  one: Mention,
  random: Random,
  narrow: boolean,
): Insertion[] {
  // The order of the draws is part of what a seed means.
  const size = random() < LARGE_SHARE ? "large" : "";
  const colour = pick(usualColours(vocabulary, one), random);
  const place = pick(sides, random);
  const names = (group: ReadonlySet<string>) => words.some(({ word }, at) => !scenery[at] && group.has(word));
  return [
    { before: one.phrase, text: names(vocabulary.sizes) ? "" : size },
    { before: one.name, text: names(vocabulary.colours) ? "" : colour },
    { before: one.end + 1, text: names(vocabulary.places) ? "" : narrow ? "in the center" : place },
  ];
}

/** Two subjects stand on different sides, in different colours where they can. */
function completePair(
  vocabulary: Vocabulary,
  { words, scenery }: ReadPrompt,
  [first, second]: readonly [Mention, Mention],
  random: Random,
): Insertion[] {
  const within = (from: number, to: number, group: ReadonlySet<string>) =>
    words.slice(from, to).find(({ word }, at) => !scenery[from + at] && group.has(word))?.word;
  const places = [
    within(0, second.phrase, vocabulary.places),
    within(second.phrase, words.length, vocabulary.places),
  ] as const;
  const colours = [
    within(first.phrase, first.name, vocabulary.colours),
    within(second.phrase, second.name, vocabulary.colours),
  ] as const;
  // The order of the draws is part of what a seed means.
  const opening = random() < 0.5 ? "left" : "right";
  const firstColour = colours[0] ?? pick(usualColours(vocabulary, first, colours[1]), random);
  const secondColour = colours[1] ?? pick(usualColours(vocabulary, second, firstColour), random);
  const firstPlace = places[0] ?? opposite(places[1], opening);
  const secondPlace = places[1] ?? opposite(firstPlace, opening);
  return [
    { before: first.name, text: colours[0] ? "" : firstColour },
    { before: first.end + 1, text: places[0] ? "" : `on the ${firstPlace}` },
    { before: second.name, text: colours[1] ? "" : secondColour },
    { before: second.end + 1, text: places[1] ? "" : `on the ${secondPlace}` },
  ];
}

/** The other side; `otherwise` where there is none. */
function opposite(place: string | undefined, otherwise: string): string {
  if (place === "left") return "right";
  return place === "right" ? "left" : otherwise;
}

/** Usual colours of a subject, without the one of its neighbour where others are left. */
function usualColours({ usualColours, phrases }: Vocabulary, one: Mention, taken?: string): readonly string[] {
  const usual = usualColours.get(one.subject) ?? [];
  const others = usual.filter((colour) => taken === undefined || !phrases["colours"]?.[colour]?.includes(taken));
  return others.length > 0 ? others : usual;
}

function pick(list: readonly string[], random: Random): string {
  return list[Math.floor(random() * list.length)] ?? "";
}

/** The text with words put in before the given places, in the order of the list where places coincide. */
function insert(prompt: string, words: readonly PromptWord[], insertions: readonly Insertion[]): string {
  let result = "";
  let copied = 0;
  for (const { before, text } of [...insertions].sort((a, b) => a.before - b.before)) {
    const afterNoun = text.includes(" ");
    const offset = afterNoun ? (words[before - 1]?.end ?? prompt.length) : (words[before]?.start ?? prompt.length);
    result += prompt.slice(copied, offset) + (afterNoun ? ` ${text}` : `${text} `);
    copied = offset;
  }
  return result + prompt.slice(copied);
}

/** "an owl" becomes "a white owl", and "a fish" "an orange fish", only when the article follows. Orange is the one such word put in. */
function fixArticles(prompt: string): string {
  return prompt.replace(/\b(a)n(\s+)(?=[^aeiou\s])/giu, "$1$2").replace(/\b(a)(\s+)(?=orange\b)/giu, "$1n$2");
}
