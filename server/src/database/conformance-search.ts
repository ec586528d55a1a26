import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "./database.ts";

interface Wanted {
  readonly words?: readonly string[];
  readonly facts?: readonly string[];
  readonly without?: readonly string[];
}

/** Searching by words and facts, as every database behind the seam has to do it. */
export function describeSearch(current: () => Database): void {
  describe("words of results", () => {
    const prompts = [
      "A red lighthouse at sea",
      "crème BRÛLÉE, naïve",
      "ЁЛКА и лодка",
      "中文 lighthouse-keeper",
      "it's 42 o'clock: f e d",
      "a blue boat",
    ];
    const hex = (name: string) => Buffer.from(name).toString("hex");

    beforeAll(() =>
      current().write(async (tx) => {
        const insert = tx.prepare(
          `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, result_path, finished_at,
             created_at, updated_at, favourite) VALUES (?, ?, 'image', 'txt2img', ?, '{}', 1, '1', ?, 'queued', 'x', 1, 1, 1, ?)`,
        );
        for (const [index, prompt] of prompts.entries()) {
          await insert.run(String(index), index < 3 ? "flux" : "pony", prompt, "done", index % 2);
        }
        await insert.run("pending", "flux", "a red lighthouse that waits", "pending", 0);
      }),
    );
    afterAll(() => current().write((tx) => tx.prepare("DELETE FROM tasks").run()));

    async function find({ words = [], facts = [], without = [] }: Wanted): Promise<number[]> {
      const { prepareRead, dialect } = current();
      const rows = await prepareRead(
        `SELECT id FROM gallery_search AS found JOIN tasks ON tasks.sequence = found.${dialect.search.sequence}
         WHERE ${dialect.search.matches("gallery_search")} ORDER BY id`,
      ).all(dialect.search.expression({ words, facts, without }));
      return rows.map(({ id }) => Number(id));
    }

    test.each<[string, Wanted, number[]]>([
      ["a whole word", { words: ["lighthouse"] }, [0, 3]],
      ["a beginning", { words: ["light"] }, [0, 3]],
      ["no ending", { words: ["house"] }, []],
      ["capital letters", { words: ["RED"] }, [0]],
      ["all words", { words: ["sea", "red"] }, [0]],
      ["not all words", { words: ["sea", "blue"] }, []],
      ["letters without their accents", { words: ["creme", "naive"] }, [1]],
      ["letters with them", { words: ["brûlée"] }, [1]],
      ["Cyrillic letters", { words: ["елка", "лод"] }, [2]],
      ["Chinese letters", { words: ["中"] }, [3]],
      ["numbers and what stands beside an apostrophe", { words: ["42", "clock"] }, [4]],
      ["a fact is no word", { words: ["f", "e", "d"] }, [4]],
      ["a model", { words: ["lighthouse"], facts: [`m${hex("pony")}`] }, [3]],
      ["a mode and a type", { words: ["a"], facts: [`o${hex("txt2img")}`, `t${hex("image")}`] }, [0, 5]],
      ["a part of a model's name", { words: ["lighthouse"], facts: [`m${hex("pon")}`] }, []],
      ["a favourite", { words: ["a"], facts: ["f"] }, [5]],
      ["no favourite", { words: ["a"], without: ["f"] }, [0]],
    ])("%s", async (_what, wanted, expected) => {
      expect(await find(wanted)).toEqual(expected);
    });

    test("what changes is found as it is then", async () => {
      const change = (sql: string) => current().write((tx) => tx.prepare(sql).run());
      await change("UPDATE tasks SET prompt = 'a green hill', favourite = 1 WHERE id = '0'");
      await change("UPDATE tasks SET status = 'done' WHERE id = 'pending'");
      expect(await find({ words: ["red", "waits"] })).toEqual([Number.NaN]);
      expect(await find({ words: ["green"], facts: ["f"] })).toEqual([0]);
      await change("DELETE FROM tasks WHERE id = '0'");
      expect(await find({ words: ["green"] })).toEqual([]);
    });
  });
}
