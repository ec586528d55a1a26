// Nothing of the page stands in one language only, and nothing stands outside the strings.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { textsUnderTest } from "./ui/language.ts";

const folder = import.meta.dirname;
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test.") && !file.endsWith(".d.ts"))
  .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));

/** Names, units and keys that are written the same in every language. */
const names =
  /\b(?:Safelight|Sketch|Modal|API|GPU|PNG|JPEG|WebP|JSON|MP4|WebM|CUDA|ffmpeg|EMBEDDED_ENGINE|Esc|Del|Shift|Ctrl|Home|End|Enter|ID|zip|ZIP|px)\b/g;
/** Prompts for a model whose vocabulary is English, and a file's name. */
const shared = new Set([
  "result.png",
  "a red lighthouse by the sea at sunset",
  "an orange cat in a forest",
  "a rocket over the moon",
]);

/** Loads every file that holds texts; each tells `inLanguage` of its own. */
async function collectTexts(): Promise<Map<string, { en: string; ru: string }>> {
  const found = new Map<string, { en: string; ru: string }>();
  for (const { file, text } of sources.filter((source) => source.text.includes("inLanguage({ en, ru })"))) {
    textsUnderTest.length = 0;
    await import(/* @vite-ignore */ `./${file}?texts`);
    expect([file, textsUnderTest.length > 0]).toEqual([file, true]);
    const own = textsUnderTest.find(({ en }) => Object.keys(en).every((key) => text.includes(key)));
    if (own) pair(found, file, own.en, own.ru);
  }
  return found;
}

function pair(found: Map<string, { en: string; ru: string }>, path: string, en: unknown, ru: unknown): void {
  if (typeof en === "function" && typeof ru === "function") {
    for (const sample of [() => 5, () => "§"]) {
      const [one, other] = [en, ru].map((words) => attempt(words as (...values: unknown[]) => unknown, sample));
      if (one !== undefined && other !== undefined) return pair(found, `${path}()`, one, other);
    }
    return;
  }
  if (typeof en === "string") {
    found.set(path, { en, ru: String(ru) });
    return;
  }
  if (typeof en !== "object" || en === null) return;
  expect([path, Object.keys(ru as object).sort()]).toEqual([path, Object.keys(en).sort()]);
  for (const [key, value] of Object.entries(en)) pair(found, `${path} ${key}`, value, Reflect.get(ru as object, key));
}

function attempt(words: (...values: unknown[]) => unknown, sample: () => unknown): unknown {
  try {
    const said = words(...Array.from({ length: Math.max(words.length, 3) }, sample));
    return typeof said === "string" ? said : undefined;
  } catch {
    return undefined;
  }
}

const isWord = (text: string) => /[A-Za-z]{2,}/.test(text.replaceAll(names, ""));
const isRussian = (text: string) => /[А-Яа-яЁё]/.test(text);

test("every text has Russian words of its own", async () => {
  const texts = await collectTexts();
  expect(texts.size).toBeGreaterThan(250);
  const wrong = [...texts].filter(([, { en, ru }]) => {
    if (shared.has(en)) return false;
    return (
      (isWord(en) && !isRussian(ru)) || (isWord(en) && ru === en) || isRussian(en) || isWord(ru.replaceAll(/§/g, ""))
    );
  });
  // Latin words within a Russian sentence are names; anything else is a piece left in English.
  expect(wrong.map(([path, { en, ru }]) => `${path}: ${en} | ${ru}`)).toEqual([]);
});

test("every file of strings holds both languages", () => {
  const files = sources.filter(({ file }) => /(?:^|[/-])strings\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(8);
  expect(files.filter(({ text }) => !text.includes("inLanguage({ en, ru })")).map(({ file }) => file)).toEqual([]);
});

test("no words stand in the markup itself", () => {
  const attribute = /\s(?:aria-label|aria-description|title|placeholder|alt|label|summary)="([^"]*)"/g;
  // Not the end of an arrow, nor of a type.
  const between = /(?<!=)>(?!\s*[,.:;?])([^<>{}=;()&|]+)<\/?[A-Za-z]/g;
  const found = sources
    .filter(({ file }) => file.endsWith(".tsx"))
    .flatMap(({ file, text }) =>
      [...text.matchAll(attribute), ...text.matchAll(between)]
        .map((match) => match[1]?.trim() ?? "")
        .filter((words) => isWord(words) || isRussian(words))
        .map((words) => `${file}: ${words}`),
    );
  expect(sources.filter(({ file }) => file.endsWith(".tsx")).length).toBeGreaterThan(40);
  expect(found).toEqual([]);
});
