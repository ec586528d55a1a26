/** What an operator does not want drawn: words that a request must not have, alone or together. No patterns, so that none can be slow. */
import { readingsOf, wordsOfTerm } from "./readings.ts";

export type PolicyField = "prompt" | "negative_prompt";

export interface PolicyPart {
  readonly field: PolicyField;
  /** Any of them will do. A word of a term that ends in `*` may go on. */
  readonly terms: readonly string[];
  /** An age below 18 that stands in the text will do as well. */
  readonly ages?: boolean;
}

export interface PolicyRule {
  /** `^[a-z0-9-]{1,64}$`; the audit log names it, and nothing of the prompt. */
  readonly name: string;
  /** A request is refused when every part is met. */
  readonly all: readonly PolicyPart[];
  /** Terms that are read over, with what they hold: `naked eye`. */
  readonly except: readonly string[];
  /** Said to the caller in place of the usual words; null without. */
  readonly message: string | null;
}

interface Word {
  readonly text: string;
  readonly open: boolean;
}

type Term = readonly Word[];
type Readings = ReturnType<typeof readingsOf>;

/** Terms by the first letters of their first word, so that a text is compared with few of them. */
class TermList {
  readonly #byStart = new Map<string, Term[]>();
  #hasShort = false;

  constructor(terms: readonly string[]) {
    for (const term of terms) {
      const words = wordsOfTerm(term).map((word) => ({ text: word.replace("*", ""), open: word.endsWith("*") }));
      const start = words[0]?.text.slice(0, 2) ?? "";
      if (start === "") continue;
      this.#hasShort ||= start.length === 1;
      const known = this.#byStart.get(start);
      if (known === undefined) this.#byStart.set(start, [words]);
      else known.push(words);
    }
  }

  /** How many words of the reading are such a term at this place; 0 when none is. */
  lengthAt(words: readonly string[], at: number): number {
    const word = words[at] ?? "";
    const terms = this.#byStart.get(word.slice(0, 2));
    let longest = terms === undefined ? 0 : longestOf(terms, words, at, 0);
    if (this.#hasShort) longest = longestOf(this.#byStart.get(word.slice(0, 1)) ?? [], words, at, longest);
    return longest;
  }
}

function longestOf(terms: readonly Term[], words: readonly string[], at: number, least: number): number {
  let longest = least;
  for (const term of terms) {
    if (term.length > longest && term.every((word, index) => fits(word, words[at + index]))) longest = term.length;
  }
  return longest;
}

function fits(word: Word, found: string | undefined): boolean {
  return found !== undefined && (word.open ? found.startsWith(word.text) : found === word.text);
}

/** A rule made ready for many requests; the work for each grows with the length of its texts alone. */
export class ReadyRule {
  readonly name: string;
  readonly message: string | null;
  /** The text that is at fault. */
  readonly field: PolicyField;
  readonly #parts: readonly { readonly field: PolicyField; readonly list: TermList; readonly ages: boolean }[];
  readonly #except: TermList;

  constructor(rule: PolicyRule) {
    this.name = rule.name;
    this.message = rule.message;
    this.field = rule.all[0]?.field ?? "prompt";
    this.#parts = rule.all.map(({ field, terms, ages }) => ({ field, list: new TermList(terms), ages: ages === true }));
    this.#except = new TermList(rule.except);
  }

  refuses(texts: Readonly<Record<PolicyField, Readings>>): boolean {
    const open = new Set(this.#parts);
    for (const field of ["prompt", "negative_prompt"] as const) {
      if (!this.#parts.some((part) => part.field === field)) continue;
      // What a text says in any reading counts, and half of it may be hidden in one and half in another.
      for (const words of texts[field]) {
        for (let at = 0; at < words.length; ) {
          const skipped = this.#except.lengthAt(words, at);
          for (const part of skipped > 0 ? [] : open) {
            if (part.field === field && (part.list.lengthAt(words, at) > 0 || (part.ages && isAgeBelow18(words, at))))
              open.delete(part);
          }
          at += Math.max(1, skipped);
        }
      }
    }
    return open.size === 0;
  }
}

/** The first rule that refuses the request; null when none does. */
export function findRefusal(
  rules: readonly ReadyRule[],
  texts: Readonly<Record<PolicyField, string>>,
): ReadyRule | null {
  const readings = { prompt: readingsOf(texts.prompt), negative_prompt: readingsOf(texts.negative_prompt) };
  return rules.find((rule) => rule.refuses(readings)) ?? null;
}

const folded = (...words: string[]) => new Set(words.flatMap(wordsOfTerm));
const saysAge = folded("age", "aged", "возраст", "возрасте", "возрастом");
const yearsThenOld = folded("year", "years", "yr", "yrs", "y");
const years = folded("yo", "yrold", "лет", "года", "год", "годик", "годика", "годиков");
const old = folded("old", "olds", "o");
const [ofYears = "", ago = "", yo = ""] = folded("летн", "назад", "yo");
const listOf = (text: string) => folded(...text.split(" "));
const endings = listOf("ти ми х и");
const below18 = listOf(
  "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
    "один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать " +
    "шестнадцать семнадцать",
);
/** A number after one of these is the end of a larger one. */
const tens = listOf(
  "twenty thirty forty fifty sixty seventy eighty ninety hundred " +
    "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто сто",
);
const yearsInOneWord = [
  ...listOf(
    "однолетн двухлетн трехлетн четырехлетн пятилетн шестилетн семилетн восьмилетн девятилетн десятилетн одиннадцатилетн " +
      "двенадцатилетн тринадцатилетн четырнадцатилетн пятнадцатилетн шестнадцатилетн семнадцатилетн",
  ),
];

/** "12 years old", "12yo", "aged 12", "twelve-year-old", "12 лет", "двенадцатилетняя": numbers up to 17 that are said to be an age. */
function isAgeBelow18(words: readonly string[], at: number): boolean {
  const word = words[at] ?? "";
  const before = words[at - 1] ?? "";
  if (yearsInOneWord.some((start) => word.startsWith(start))) return true;
  const [, digits = "", joined = ""] = /^(\d{1,2})(\D*)$/.exec(word) ?? [];
  const isEnd = tens.has(before) || (before === "and" && words[at - 2] === "hundred");
  if (digits === "" ? !below18.has(word) || isEnd : Number(digits) > 17) return false;
  if (saysAge.has(before) || (before === "of" && saysAge.has(words[at - 2] ?? ""))) return true;
  const after = [...(joined === "" ? [] : [joined]), ...words.slice(at + 1, at + 4)];
  // The end of a number in words that is written behind its digits: 14-ти лет.
  const [unit = "", next = ""] = endings.has(after[0] ?? "") ? after.slice(1) : after;
  if (next === ago || (unit === yo && next.startsWith(yo))) return false;
  return years.has(unit) || unit.startsWith(ofYears) || (yearsThenOld.has(unit) && old.has(next));
}
