import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CipherError, createKeyring } from "./keyring.ts";

const place = { table: "worker_accounts", row: "account-1", column: "worker_key" };
const reasonOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return (error as CipherError).reason;
  }
};

describe("FR-017: what rests in the database", () => {
  test("opens again, whatever it was, and never looks the same twice", () => {
    const keyring = createKeyring([randomBytes(32)]);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const [one, two] = [keyring.encrypt(text, place), keyring.encrypt(text, place)];
        expect(one).not.toBe(two);
        expect(keyring.decrypt(one, place)).toBe(Buffer.from(text).toString());
        if (text.length > 3) expect(one).not.toContain(text);
      }),
      { seed: 20_260_402, numRuns: 300 },
    );
  });

  test("opens in no other row, column or table", () => {
    const keyring = createKeyring([randomBytes(32)]);
    const sealed = keyring.encrypt("worker key", place);
    for (const other of [{ table: "other" }, { row: "account-2" }, { column: "token_id" }]) {
      expect(reasonOf(() => keyring.decrypt(sealed, { ...place, ...other }))).toBe("damaged");
    }
    // Parts are told apart, not run together.
    const shifted = { table: "worker_accountsa", row: "ccount-1", column: "worker_key" };
    expect(reasonOf(() => keyring.decrypt(sealed, shifted))).toBe("damaged");
  });

  test("does not open once a single character has changed", () => {
    const keyring = createKeyring([randomBytes(32)]);
    const sealed = keyring.encrypt("worker key", place);
    for (let at = 0; at < sealed.length; at += 1) {
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      const decoded = (text: string) => Buffer.from(text.split(".")[3] ?? "", "base64url").toString("hex");
      // The last character may carry bits that no byte takes up.
      if (decoded(changed) === decoded(sealed) && changed.split(".")[2] === sealed.split(".")[2] && at > 20) continue;
      expect(["damaged", "unknown_key"], `at ${at}`).toContain(reasonOf(() => keyring.decrypt(changed, place)));
    }
    for (const nonsense of ["", "sl1", "plain text", `${sealed}x.y`, sealed.slice(0, 40)]) {
      expect(reasonOf(() => keyring.decrypt(nonsense, place))).toBe("damaged");
    }
  });

  test("FR-016: is opened by the older of several keys, and made with the newest", () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)];
    const [before, during, after] = [createKeyring([old]), createKeyring([fresh, old]), createKeyring([fresh])];
    const sealed = before.encrypt("worker key", place);
    expect(during.decrypt(sealed, place)).toBe("worker key");
    expect(during.isCurrent(sealed)).toBe(false);
    const again = during.encrypt(during.decrypt(sealed, place), place);
    expect(during.isCurrent(again)).toBe(true);
    expect(after.decrypt(again, place)).toBe("worker key");
    expect(reasonOf(() => after.decrypt(sealed, place))).toBe("unknown_key");
    expect(reasonOf(() => before.decrypt(again, place))).toBe("unknown_key");
  });

  test("an error names the key by its id and gives nothing of it away", () => {
    const key = randomBytes(32);
    const sealed = createKeyring([key]).encrypt("the content", place);
    const failure = (() => {
      try {
        return createKeyring([randomBytes(32)]).decrypt(sealed, place);
      } catch (error) {
        return error as CipherError;
      }
    })();
    expect(failure).toBeInstanceOf(CipherError);
    for (const secret of ["the content", key.toString("hex"), key.toString("base64")])
      expect(String((failure as CipherError).stack)).not.toContain(secret);
    expect(key.toString("hex")).not.toContain(createKeyring([key]).currentKeyId);
  });
});
