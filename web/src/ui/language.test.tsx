// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import {
  changeLanguage,
  currentLanguage,
  formatNumber,
  inLanguage,
  type Language,
  plural,
  prepareLanguage,
  prepareTexts,
  setLanguage,
  useLanguage,
} from "./language.ts";

afterEach(async () => {
  cleanup();
  await prepareLanguage(async () => ({}));
  setLanguage("en");
  localStorage.clear();
});

function Page() {
  return <p>{useLanguage()}</p>;
}

describe("the language of the page", () => {
  it("is drawn, told to the document and remembered", async () => {
    render(<Page />);
    await act(() => changeLanguage("ru"));
    expect(screen.getByText("ru")).toBeTruthy();
    expect(document.documentElement.lang).toBe("ru");
    expect(localStorage.getItem("safelight.language")).toBe("ru");
  });

  it("comes in parts: of those whose code is there, each once", async () => {
    const asked: string[] = [];
    await prepareLanguage(async (language: Language, part) => {
      asked.push(`${language} ${part}`);
      return language === "ru" ? { "early.ts": { word: "слово" }, "late.ts": { word: "другое" } } : {};
    });
    const early = inLanguage({ en: { word: "word" }, ru: null }, "early.ts", "early");
    await changeLanguage("ru");
    expect(early.word).toBe("слово");
    const late = inLanguage({ en: { word: "other" }, ru: null }, "late.ts", "late");
    await prepareTexts();
    await prepareTexts();
    expect(late.word).toBe("другое");
    expect(asked).toEqual(["ru early", "ru late"]);
  });

  it("stays as it is when the texts of another do not come, and asks again the next time", async () => {
    let reachable = false;
    const words = inLanguage({ en: { word: "here" }, ru: null }, "away.ts", "away");
    await prepareLanguage(async (language): Promise<Readonly<Record<string, object>>> => {
      if (language === "ru" && !reachable) throw new Error("offline");
      return language === "ru" ? { "away.ts": { word: "тут" } } : {};
    });
    await expect(changeLanguage("ru")).rejects.toThrow("offline");
    expect([currentLanguage(), words.word]).toEqual(["en", "here"]);
    reachable = true;
    await changeLanguage("ru");
    expect([currentLanguage(), words.word]).toEqual(["ru", "тут"]);
  });

  it("has the numbers and the counted words of the language", () => {
    const files = { one: "# файл", few: "# файла", many: "# файлов", other: "# файла" };
    setLanguage("ru");
    expect([1, 22, 25, 1284].map((count) => plural(count, files).replaceAll(/\s/g, " "))).toEqual([
      "1 файл",
      "22 файла",
      "25 файлов",
      "1 284 файла",
    ]);
    setLanguage("en");
    expect(formatNumber(1284)).toBe("1,284");
  });
});
