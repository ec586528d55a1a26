/**
 * The ways in which a text can be read: plainly, with digits and signs read as the letters they stand for, and with words put together
 * that were spelled out letter by letter. Letters of other alphabets that look alike become one letter, so that a rule is written once.
 */

/** Cyrillic and Greek letters that look like Latin ones, and a few Latin ones of other shapes. Applied to rules and texts alike. */
const lookAlikes: Readonly<Record<string, string>> = {
  а: "a",
  е: "e",
  о: "o",
  с: "c",
  р: "p",
  х: "x",
  у: "y",
  к: "k",
  м: "m",
  т: "t",
  в: "b",
  н: "h",
  і: "i",
  ї: "i",
  ј: "j",
  ѕ: "s",
  ԁ: "d",
  һ: "h",
  ӏ: "l",
  ԛ: "q",
  ԝ: "w",
  ґ: "г",
  ё: "e",
  α: "a",
  β: "b",
  ε: "e",
  η: "n",
  ι: "i",
  κ: "k",
  ν: "v",
  ο: "o",
  ρ: "p",
  τ: "t",
  υ: "u",
  χ: "x",
  ɑ: "a",
  ɡ: "g",
  ı: "i",
  ł: "l",
  ø: "o",
  æ: "ae",
  œ: "oe",
  ß: "ss",
};

const longestPiece = 12;

/** Each with the letters it may stand for. */
const standIns: readonly Readonly<Record<string, string>>[] = [
  { 0: "o", 1: "i", 3: "e", 4: "a", 5: "s", 7: "t", 8: "b", "@": "a", $: "s", "!": "i", "|": "i", "€": "e", "+": "t" },
  { 0: "o", 1: "l", 3: "e", 4: "a", 5: "s", 6: "b", 7: "t", "@": "a", $: "s", "!": "l", "|": "l", "€": "e" },
  // Digits in Russian: 3 for з, 4 for ч, 6 for б. After the look-alikes, so that o stands for о.
  { 0: "o", 3: "з", 4: "ч", 6: "б", "@": "a", $: "c", 1: "l" },
];

/** A text as one list of words for each way to read it; the first is the plain one. */
export function readingsOf(text: string): readonly (readonly string[])[] {
  const plain = fold(text);
  const readings = [wordsOf(plain)];
  for (const letters of standIns) {
    // Only inside words that have letters too: 8 frames and 50 years stay numbers.
    const read = plain.replaceAll(/[^\s]+/gu, (piece) =>
      /\p{L}/u.test(piece) ? Array.from(piece, (sign) => letters[sign] ?? sign).join("") : piece,
    );
    if (read !== plain) readings.push(wordsOf(read));
  }
  for (const words of readings.slice()) {
    if (words.some((word, at) => word.length === 1 && words[at + 1]?.length === 1 && words[at + 2]?.length === 1))
      readings.push(joinSpelled(words));
  }
  return readings;
}

/** The words of a rule, folded like a text. A `*` at the end of a word stays. */
export function wordsOfTerm(term: string): readonly string[] {
  return fold(term).match(/[\p{L}\p{N}]+\*?/gu) ?? [];
}

/** One form for what reads the same: compatibility forms, case, accents, invisible signs, look-alikes, letters drawn out. */
function fold(text: string): string {
  const bare = text
    .normalize("NFKD")
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[\p{M}\p{Cf}\p{Cc}]/gu, (sign) => (/\s/.test(sign) ? " " : ""));
  const alike = Array.from(bare, (letter) => lookAlikes[letter] ?? lettersOfFlags(letter)).join("");
  return alike.replaceAll(/(\p{L})\1{2,}/gu, "$1");
}

/** 🇦 and its kind are letters as well. */
function lettersOfFlags(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  return code >= 0x1f1e6 && code <= 0x1f1ff ? String.fromCharCode(97 + code - 0x1f1e6) : letter;
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/**
 * "w o r d" and "w.o.r.d" are one word; one or two letters that stand alone are words of their own. Where one spelled word ends and the
 * next begins cannot be told, so that every piece of such a run is read.
 */
function joinSpelled(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (let at = 0; at < words.length; ) {
    let end = at;
    while (words[end]?.length === 1) end += 1;
    if (end - at >= 3) joined.push(...piecesOf(words.slice(at, end)));
    else joined.push(...words.slice(at, Math.max(end, at + 1)));
    at = Math.max(end, at + 1);
  }
  return joined;
}

function piecesOf(letters: readonly string[]): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < letters.length; from += 1) {
    for (let length = 3; length <= longestPiece && from + length <= letters.length; length += 1) {
      pieces.push(letters.slice(from, from + length).join(""));
    }
  }
  return pieces;
}
