import { describe, expect, test } from "vitest";
import type { Database, Transaction } from "./database.ts";

/** What a database offers to those who share it: the same calls where nobody does. */
export function describeSharing(current: () => Database): void {
  describe("sharing", () => {
    test("its time, where it has one, goes on and is that of the database", async () => {
      const { clock, shared } = current();
      expect(clock === null).toBe(!shared);
      const before = clock?.steady() ?? 0;
      expect(clock?.steady() ?? 0).toBeGreaterThanOrEqual(before);
      expect(Number.isSafeInteger(clock?.now() ?? 0)).toBe(true);
    });

    test("what is said with a commit is heard where others may hear it, and nowhere else", async () => {
      const database = current();
      const heard: (string | null)[] = [];
      const end = database.listen("news", (text) => heard.push(text));
      // From then on it hears everything.
      if (database.shared) await expect.poll(() => heard).toEqual([null]);
      const say = (text: string) => database.write((tx) => tx.notify("news", text));
      await database
        .write(async (tx) => {
          await tx.notify("news", "taken back");
          throw new Error("no");
        })
        .catch(() => undefined);
      await database.write(async (tx) => {
        for (const text of ["once", "once", "and more"]) await tx.notify("news", text);
      });
      await expect(say("x".repeat(7001))).rejects.toThrow(RangeError);
      await say("last");
      const all = database.shared ? ["once", "and more", "last"] : [];
      await expect.poll(() => heard.filter((text) => text !== null)).toEqual(all);
      end();
    });

    test("a notice of an ended transaction is refused", async () => {
      let kept: Transaction | undefined;
      await current().write((tx) => {
        kept = tx;
      });
      await expect(kept?.notify("news")).rejects.toThrow("ended");
    });

    test("somebody leads", async () => {
      const told: boolean[] = [];
      const giveUp = current().lead((leads) => told.push(leads));
      if (!current().shared) expect(told).toEqual([true]);
      await expect.poll(() => told).toEqual([true]);
      await giveUp();
      expect(told).toEqual([true]);
    });

    test("it knows its size", async () => {
      expect(await current().size()).toBeGreaterThan(10_000);
    });
  });
}
