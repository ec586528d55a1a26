// What the server tells by code has words here, in both languages; and the small sums behind the drawings.
import { type Account, auditActions, waitingCodes } from "@safelight/contract";
import { afterEach, describe, expect, test } from "vitest";
import { setLanguage } from "../../ui/language.ts";
import { checkWords } from "./accounts/check-words.ts";
import { changeOf, emptyDraft, requestOf } from "./accounts/draft.ts";
import { faultsOf, findFaults } from "./accounts/faults.ts";
import { sparkPaths } from "./accounts/spark.tsx";
import { actionWords, knownActions } from "./audit/action-words.ts";
import { checksOf } from "./data/accounts.ts";
import { withLines } from "./data/deployments.ts";
import { standingText } from "./deployments/deployment-words.ts";
import { inFewerBuckets } from "./figures/fewer-buckets.ts";
import { countSteps, roundSteps } from "./figures/scale.ts";
import { waitingWords } from "./queue/waiting-words.ts";
import { createAccount, createDeployment } from "./testing/samples.ts";

// The document is the page's; here only its language is of interest.
globalThis.document ??= { documentElement: {} } as Document;
afterEach(() => setLanguage("en"));

const isRussian = (text: string) => /[а-яё]/i.test(text);

describe.each(["en", "ru"] as const)("in %s", (language) => {
  test.each(waitingCodes)("the reason %s of a task that waits has words", (code) => {
    setLanguage(language);
    const text = waitingWords({ code, detail: "" });
    expect(text).toMatch(/\S/);
    expect(isRussian(text)).toBe(language === "ru");
  });

  test("every action of the audit log has words of its own; one of another release stands as it is written", () => {
    setLanguage(language);
    const told = auditActions.map(actionWords);
    expect(told.filter((words) => isRussian(words) !== (language === "ru"))).toEqual([]);
    expect(new Set(told).size).toBe(auditActions.length);
    expect([...knownActions].sort()).toEqual([...auditActions].sort());
    expect(actionWords("fold_towels")).toBe("fold_towels");
  });

  test("faults of checks and deployments have words; a code of tomorrow is told as the server put it", () => {
    setLanguage(language);
    for (const code of ["not_deployed", "invalid_worker_key", "unreachable", "untrusted", "no_models", "timed_out"])
      expect(isRussian(checkWords(code, null)), code).toBe(language === "ru");
    expect(checkWords("tomorrow", "Something new.")).toBe("Something new.");
    expect(waitingWords({ code: "tomorrow", detail: "Something new." })).toBe("Something new.");
    const failed = (code: string) =>
      standingText(createDeployment("d", { status: "failed", error: { code, detail: "" } }));
    const told = ["cancelled", "timed_out", "token_refused", "source_broken", "address_unknown"].map(failed);
    expect(new Set(told).size).toBe(told.length);
  });

  test("what the server refuses has words by field and code", () => {
    setLanguage(language);
    const codes = ["required", "too_long", "pattern", "already_registered", "above_maximum", "wrong_type", "bad_url"];
    for (const code of [...codes, "plain_http", "address_refused", "tomorrow"]) {
      const { label = "" } = faultsOf([{ field: "label", code, message: "" }], "");
      expect(isRussian(label), code).toBe(language === "ru");
    }
  });
});

describe("the forms of accounts", () => {
  const http = { ...emptyDraft, label: "Attic", workspace: "attic-gpu", kind: "http" as const };

  test("ask for what the kind needs and no more", () => {
    expect(Object.keys(findFaults(emptyDraft)).sort()).toEqual(["label", "token_id", "token_secret", "workspace"]);
    expect(Object.keys(findFaults(http)).sort()).toEqual(["base_url", "worker_key"]);
    expect(Object.keys(requestOf(http)).sort()).toEqual([
      "base_url",
      "kind",
      "label",
      "slots",
      "worker_key",
      "workspace",
    ]);
  });

  test.each([
    ["Team_US", "team-us"],
    ["--Attic GPU!!", "attic-gpu"],
  ])("offer a name like the one that was typed: %s", (typed, offered) => {
    expect(findFaults({ ...http, workspace: typed }).workspace).toContain(`Try ${offered}.`);
  });

  test("a name that leaves nothing to offer is told the rule alone", () => {
    expect(findFaults({ ...http, workspace: "ÄÖ" }).workspace).toBe("3 to 64 of a–z, 0–9 and hyphen.");
  });

  test("an edit that changes nothing sends nothing", () => {
    const account: Account = createAccount("attic-gpu");
    expect(changeOf(account, { label: ` ${account.label} ` })).toBeNull();
    expect(changeOf(account, { video: 4 })).toEqual({ slots: { image: 1, video: 4 } });
    expect(changeOf({ ...account, kind: "modal" }, { max_containers: 3 })).toEqual({ max_containers: 3 });
  });
});

describe("what is drawn", () => {
  test.each([
    [0, []],
    [4, [1, 2, 3, 4]],
    [0.9, [0.5, 1]],
    [33, [10, 20, 30, 40]],
    [33_000, [10_000, 20_000, 30_000, 40_000]],
  ])("a chart up to %d has lines at round values", (most, lines) => {
    expect(roundSteps(most)).toEqual(lines);
  });

  test("what is counted has lines at whole numbers", () => {
    expect(countSteps(1)).toEqual([1]);
    expect(countSteps(3)).toEqual([1, 2, 3]);
    for (const most of [1, 2, 3, 7, 19, 250]) {
      expect(countSteps(most).every(Number.isInteger)).toBe(true);
      expect(countSteps(most).at(-1)).toBeGreaterThanOrEqual(most);
    }
  });

  test("many stretches of time are drawn as few, and no task is lost or counted twice", () => {
    const bucket = (index: number) => ({ at: String(index), submitted: 2, done: 1, failed: index % 2, cancelled: 0 });
    const buckets = Array.from({ length: 97 }, (_, index) => ({
      ...bucket(index),
      wait_seconds: null,
      run_seconds: null,
    }));
    const few = inFewerBuckets({ buckets, step_seconds: 900 }, 32);
    expect([few.buckets.length, few.step_seconds]).toEqual([25, 3600]);
    expect(few.buckets.reduce((all, { done }) => all + done, 0)).toBe(97);
    expect(few.buckets.map(({ done }) => done).slice(-24)).toEqual(Array.from({ length: 24 }, () => 4));
    expect(inFewerBuckets({ buckets: buckets.slice(0, 20), step_seconds: 900 }, 32).buckets).toHaveLength(20);
  });

  test("the line of checks breaks at a bad one, which gets a cross", () => {
    const check = (outcome: "ok" | "failed", latency_ms: number | null) =>
      ({ checked_at: "", outcome, latency_ms, error_code: null }) as const;
    const { line, misses } = sparkPaths([check("ok", 10), check("ok", 20), check("failed", null), check("ok", 20)]);
    expect(line.match(/M/g)).toHaveLength(2);
    expect(misses.match(/M/g)).toHaveLength(1);
    expect(line).not.toContain("NaN");
  });

  test("checks that the list tells of are added to those that were asked for, each once", () => {
    const account = createAccount("spark-gpu", {
      id: "spark",
      last_health_at: "2026-03-01T00:00:02.000Z",
      latency_ms: 7,
    });
    const old = { checked_at: "2026-03-01T00:00:01.000Z", outcome: "ok", latency_ms: 5, error_code: null } as const;
    const health = { history: [old] } as unknown as Parameters<typeof checksOf>[1];
    expect(checksOf(account, health).map(({ latency_ms }) => latency_ms)).toEqual([7, 5]);
    expect(checksOf(account, health).map(({ latency_ms }) => latency_ms)).toEqual([7, 5]);
    const later = { ...account, last_health_at: "2026-03-01T00:00:03.000Z", latency_ms: 9 };
    expect(checksOf(later, health).map(({ latency_ms }) => latency_ms)).toEqual([9, 7, 5]);
  });

  test("a log that is told again after a lost connection has every line once", () => {
    const first = withLines(null, { from: 0, lines: ["a", "b"] });
    expect(withLines(first, { from: 0, lines: ["a", "b", "c"] }).lines).toEqual(["a", "b", "c"]);
    expect(withLines(first, { from: 2, lines: ["c"] }).lines).toEqual(["a", "b", "c"]);
    expect(withLines(first, { from: 9, lines: ["j"] })).toEqual({ from: 9, lines: ["j"], failed: false });
    const long = withLines(first, { from: 2, lines: Array.from({ length: 3_000 }, (_, index) => String(index)) });
    expect([long.from + long.lines.length, long.lines.at(-1)]).toEqual([3_002, "2999"]);
  });
});
