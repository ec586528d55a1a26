import { describe, expect, it } from "vitest";
import { compareExample, variablesIn } from "./environment.ts";

describe("variablesIn", () => {
  it("takes every upper-case string of the settings file", () => {
    const text = 'const a = { host: read("HOST", "127.0.0.1"), key: secret("API_KEY") }; const b = { QUEUE_LIMIT: 1 };';
    expect(variablesIn("config.ts", text, true)).toEqual(["API_KEY", "HOST", "QUEUE_LIMIT"]);
  });

  it("takes properties of the environment elsewhere, and leaves foreign ones and other strings out", () => {
    const text = 'f(process.env.SAFELIGHT_URL, environment["DATA_DIR"], process.env.CI, "GET", other.SOME_NAME)';
    expect(variablesIn("main.ts", text, false)).toEqual(["DATA_DIR", "SAFELIGHT_URL"]);
  });
});

describe("compareExample (FR-016)", () => {
  it("accepts names without values, secrets as files and later names", () => {
    const example = "# port\nPORT=\n# API_KEY=\nAPI_KEY_FILE=\n# Read by later releases\nMEDIA_URL=\n";
    expect(compareExample(example, ["PORT", "API_KEY"])).toEqual([]);
  });

  it("refuses a value, a name nobody reads, a missing name and a later name that is read", () => {
    const example = "PORT=8600\nOLD_NAME=\n# Read by later releases\nMEDIA_URL=\n";
    expect(compareExample(example, ["PORT", "HOST", "MEDIA_URL"])).toEqual([
      ".env.example gives PORT a value",
      ".env.example names OLD_NAME, which nothing reads",
      ".env.example puts MEDIA_URL among later names, but it is read",
      ".env.example does not name HOST",
    ]);
  });
});
