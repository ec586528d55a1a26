// Where a prompt speaks of subjects. Words of scenery are read first: "on an alien planet" names no alien, and "under a blue
// sky" colours nothing.

import { type PromptWord, splitWords, type Vocabulary } from "./vocabulary.ts";

/** One subject of a prompt; places are indexes of words. */
export interface Mention {
  /** Its name in the vocabulary: "balloon" for "a red hot air balloon". */
  readonly subject: string;
  /** First word of its phrase after the article: "red". */
  readonly phrase: number;
  /** First word of its own name: "hot". */
  readonly name: number;
  /** Last word of its name. */
  readonly noun: number;
  /** Last word of its phrase: the noun, or what it owns ("toy" in "a cat's toy"). */
  readonly end: number;
}

/** A prompt as completion reads it. */
export interface ReadPrompt {
  readonly words: readonly PromptWord[];
  /** By word: it belongs to a phrase about the scene. */
  readonly scenery: readonly boolean[];
  readonly mentions: readonly Mention[];
}

type Found = Omit<Mention, "phrase" | "end">;

interface Name {
  readonly subject: string;
  readonly words: readonly string[];
}

const scenery = ["backdrops", "times", "weathers", "moods", "lights"];

export function readPrompt(vocabulary: Vocabulary, prompt: string): ReadPrompt {
  const words = splitWords(prompt);
  const spoken = words.map(({ word }) => word);
  const ofScene = markScenery(vocabulary, spoken);
  const found = findNames(namesOf(vocabulary), spoken, ofScene);
  const mentions = joinNames(found).map((one) => {
    let phrase = one.name;
    while (phrase > 0 && describes(vocabulary, spoken[phrase - 1] ?? "")) phrase--;
    const owns = /^['’]s\s/u.test(prompt.slice(words[one.noun]?.end)) && one.noun + 1 < words.length;
    return { ...one, phrase, end: owns ? one.noun + 1 : one.noun };
  });
  return { words, scenery: ofScene, mentions };
}

/** In "a robot dog" the last one is the subject, and the others belong to its name. */
function joinNames(found: readonly Found[]): Found[] {
  const joined: Found[] = [];
  for (const one of found) {
    const before = joined.at(-1);
    if (before?.noun === one.name - 1) joined.splice(-1, 1, { ...one, name: before.name });
    else joined.push(one);
  }
  return joined;
}

function describes({ colours, sizes, adjectives }: Vocabulary, word: string): boolean {
  return colours.has(word) || sizes.has(word) || adjectives.has(word);
}

/** Names of subjects, longest first. One that opens with a size ("little house") says the size as well, so it is none. */
function namesOf({ phrases, sizes }: Vocabulary): Name[] {
  return Object.entries(phrases["subjects"] ?? {})
    .flatMap(([subject, texts]) => texts.map((text) => ({ subject, words: text.split(" ") })))
    .filter(({ words }) => !sizes.has(words[0] ?? ""))
    .sort((a, b) => b.words.length - a.words.length);
}

function findNames(names: readonly Name[], spoken: readonly string[], ofScene: readonly boolean[]): Found[] {
  const found: Found[] = [];
  for (let place = 0; place < spoken.length; place++) {
    const name = names.find(
      ({ words }) => words.every((_, index) => !ofScene[place + index]) && at(spoken, place, words),
    );
    if (!name) continue;
    const noun = place + name.words.length - 1;
    found.push({ subject: name.subject, name: place, noun });
    place = noun;
  }
  return found;
}

function markScenery({ phrases }: Vocabulary, spoken: readonly string[]): boolean[] {
  const marks = spoken.map(() => false);
  const texts = scenery.flatMap((group) => Object.values(phrases[group] ?? {}).flat()).map((text) => text.split(" "));
  spoken.forEach((_, place) => {
    for (const words of texts) if (at(spoken, place, words)) marks.fill(true, place, place + words.length);
  });
  return marks;
}

function at(spoken: readonly string[], place: number, words: readonly string[]): boolean {
  return words.every((word, index) => spoken[place + index] === word);
}
