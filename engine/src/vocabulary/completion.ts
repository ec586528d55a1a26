// A terse prompt leaves size, colour and place free, and the model then draws some subjects twice or in odd colours.
// Completion names what was left open, chosen by the seed, so that a beginner's prompt gives a clean picture.

import { type Random, seededRandom } from "../noise/noise.ts";
import { type PromptWord, splitWords, type Vocabulary } from "./vocabulary.ts";

/** Keeps the choices independent of the noise, which starts from the seed itself. */
const SEED_MASK = 0x5bd1e995;
const LARGE_SHARE = 0.7;
const placeWords = ["on the left", "in the center", "on the right"];
/** Adjectives that belong to a thing's name: "hot air balloon", "flying saucer". */
const nameOpenings = new Set(["hot", "air", "flying", "sailing"]);

export interface CompletionOptions {
  /** The picture is too narrow for a subject at its side, so it goes to the middle. */
  readonly narrow?: boolean;
}

/**
 * The prompt with size, usual colour and place added where it names one subject and leaves them open; any other prompt
 * comes back as it is. Case and punctuation of what was written stay.
 */
export function completePrompt(
  vocabulary: Vocabulary,
  prompt: string,
  seed: number,
  options: CompletionOptions = {},
): string {
  const words = splitWords(prompt);
  const nouns = words.flatMap((_, place) => (isSubject(vocabulary, words, place) ? [place] : []));
  const noun = nouns[0];
  if (noun === undefined || nouns.length > 1) return prompt;

  const choice = choose(vocabulary, words[noun]?.word ?? "", seededRandom(seed ^ SEED_MASK));
  const names = (group: ReadonlySet<string>) => words.some(({ word }) => group.has(word));
  const insertions: { before: number; text: string }[] = [];
  if (!names(vocabulary.sizes)) insertions.push({ before: phraseStart(vocabulary, words, noun), text: choice.size });
  if (!names(vocabulary.colours)) insertions.push({ before: nameStart(vocabulary, words, noun), text: choice.colour });
  if (!names(vocabulary.places)) {
    insertions.push({ before: noun + 1, text: options.narrow ? "in the center" : choice.place });
  }
  return fixArticles(
    insert(
      prompt,
      words,
      insertions.filter(({ text }) => text !== ""),
    ),
  );
}

function choose(vocabulary: Vocabulary, noun: string, random: Random) {
  // The order of the draws is part of what a seed means.
  const size = random() < LARGE_SHARE ? "large" : "";
  const usual = vocabulary.usualColours.get(noun) ?? [];
  const colour = usual.length > 0 ? (usual[Math.floor(random() * usual.length)] ?? "") : "";
  const place = placeWords[Math.floor(random() * placeWords.length)] ?? "";
  return { size, colour, place };
}

/** In "rocket ship" the last noun is the subject. */
function isSubject({ nouns }: Vocabulary, words: readonly PromptWord[], place: number): boolean {
  return nouns.has(words[place]?.word ?? "") && !nouns.has(words[place + 1]?.word ?? "");
}

/** First word of the thing's own name: "hot" in "a red hot air balloon". */
function nameStart({ nouns }: Vocabulary, words: readonly PromptWord[], noun: number): number {
  let start = noun;
  for (let word = words[start - 1]?.word; word !== undefined; word = words[start - 1]?.word) {
    if (!nouns.has(word) && !nameOpenings.has(word)) break;
    start--;
  }
  return start;
}

/** First word of the noun phrase after its article: "red" in "a red hot air balloon". */
function phraseStart(vocabulary: Vocabulary, words: readonly PromptWord[], noun: number): number {
  const { nouns, colours, sizes, modifiers } = vocabulary;
  let start = noun;
  for (let word = words[start - 1]?.word; word !== undefined; word = words[start - 1]?.word) {
    if (word === "the" || ![nouns, colours, sizes, modifiers].some((group) => group.has(word ?? ""))) break;
    start--;
  }
  return start;
}

/** The text with words put in before the given places, in the order of the list where places coincide. */
function insert(
  prompt: string,
  words: readonly PromptWord[],
  insertions: readonly { before: number; text: string }[],
): string {
  const offsetOf = ({ before }: { before: number }) => words[before]?.start ?? words.at(-1)?.end ?? prompt.length;
  let result = "";
  let copied = 0;
  for (const insertion of [...insertions].sort((a, b) => a.before - b.before)) {
    const afterNoun = insertion.text.includes(" ");
    const offset = afterNoun ? (words[insertion.before - 1]?.end ?? prompt.length) : offsetOf(insertion);
    result += prompt.slice(copied, offset) + (afterNoun ? ` ${insertion.text}` : `${insertion.text} `);
    copied = offset;
  }
  return result + prompt.slice(copied);
}

/** "an owl" becomes "a white owl", and "a fish" "an orange fish", only when the article follows. Orange is the one such word put in. */
function fixArticles(prompt: string): string {
  return prompt.replace(/\b(a)n(\s+)(?=[^aeiou\s])/giu, "$1$2").replace(/\b(a)(\s+)(?=orange\b)/giu, "$1n$2");
}
