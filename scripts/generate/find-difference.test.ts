import { describe, expect, test } from "vitest";
import { findDifference } from "./find-difference.ts";

const json = (value: unknown): string => JSON.stringify(value);

describe("the place where a generated file differs", () => {
  test.each<[string, unknown, unknown, string]>([
    ["a value", { a: { b: [1, 2] } }, { a: { b: [1, 3] } }, "a.b.1 differs"],
    ["a kind", { a: [] }, { a: {} }, "a differs"],
    ["something new", { a: 1 }, { a: 1, b: 2 }, "b is missing"],
    ["something old", { a: 1, b: { c: 2 } }, { a: 1, b: {} }, "b.c is no longer made"],
    ["everything", 1, 2, "the whole file differs"],
    ["the order", { a: 1, b: 2 }, { b: 2, a: 1 }, "only spaces or the order of keys differ"],
  ])("%s", (_what, kept, fresh, place) => {
    expect(findDifference(json(kept), json(fresh))).toBe(place);
  });

  test("a file that is broken", () => {
    expect(findDifference('{"a":', json({}))).toBe("it is not JSON");
  });
});
