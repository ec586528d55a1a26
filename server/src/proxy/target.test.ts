import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { disableAccount } from "../worker-accounts/change-account.ts";
import { deleteAccount } from "../worker-accounts/delete-account.ts";
import { findTarget, isTaskId, splitAddress } from "./target.ts";

const seed = { seed: 20_260_401, numRuns: 2_000 };
const id = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";
let edge: Edge;

beforeAll(async () => {
  edge = await openEdge();
  for (const workspace of ["attic-gpu", "cellar-gpu", "gone-gpu"]) {
    await addAccount(edge.context, edge.installation.accounts, {
      label: workspace,
      workspace,
      kind: "http",
      base_url: "http://127.0.0.1:9",
      worker_key: "a-worker-key-for-tests",
    });
  }
  await disableAccount(edge.context, edge.installation.accounts, "cellar-gpu", false);
  await deleteAccount(edge.context, edge.installation.accounts, "gone-gpu", false);
});
afterAll(() => edge.close());

const find = async (workspace: string) => {
  const found = await findTarget(edge.context.database.prepareRead, workspace);
  return typeof found === "string" ? found : found.workspace;
};

describe("an address", () => {
  test.each([
    [id, null],
    [`attic-gpu:${id}`, null],
    ["", null],
    [`attic-gpu::${id}`, { workspace: "attic-gpu", id }],
    [`::${id}`, { workspace: "", id }],
    ["attic-gpu::", { workspace: "attic-gpu", id: "" }],
    [`a::b::${id}`, { workspace: "a", id: `b::${id}` }],
    [`attic-gpu:::${id}`, { workspace: "attic-gpu", id: `:${id}` }],
  ])("%s is split at its first two colons", (text, halves) => {
    expect(splitAddress(text)).toEqual(halves);
  });
});

describe("FR-020: a workspace may be asked", () => {
  test("when it is registered, in whatever health, and not disabled or deleted", async () => {
    expect(await find("attic-gpu")).toBe("attic-gpu");
    expect(await find("cellar-gpu")).toBe("disabled");
    expect(await find("gone-gpu")).toBe("unregistered");
    expect(await find("other-gpu")).toBe("unregistered");
  });

  test("by exactly its name: nothing that a caller adds, leaves out or changes finds it", async () => {
    let judged = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 3 }),
        fc.nat(9),
        fc.boolean(),
        async (piece, at, replaces) => {
          const name = "attic-gpu";
          const written = name.slice(0, at) + piece + name.slice(at + (replaces ? 1 : 0));
          fc.pre(written !== name);
          judged += 1;
          expect(["bad_format", "unregistered"]).toContain(await find(written));
        },
      ),
      seed,
    );
    expect(judged).toBeGreaterThan(1_000);
  });

  test("and never by a text that is no name at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 80 }), async (text) => {
        fc.pre(!/^[a-z0-9-]{3,64}$/.test(text));
        expect(await find(text)).toBe("bad_format");
      }),
      seed,
    );
    for (const text of ["attic-gpu\n", "\nattic-gpu", "attic-gpu\u2028", "a".repeat(65), "ab"]) {
      expect(await find(text), JSON.stringify(text)).toBe("bad_format");
    }
  });
});

test("an id has one spelling", () => {
  expect(isTaskId(id)).toBe(true);
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 2 }), fc.nat(36), (piece, at) => {
      expect(isTaskId(id.slice(0, at) + piece + id.slice(at))).toBe(false);
    }),
    seed,
  );
});
