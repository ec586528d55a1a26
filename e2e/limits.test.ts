// Limits of a real server: with the process killed in between, and behind a proxy that it is told of.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startServerProcess, temporaryDirectory } from "./src/server-process.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => directory.remove());

async function statuses(url: string, count: number, headers: (turn: number) => Record<string, string> = () => ({})) {
  const seen: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    seen.push((await fetch(`${url}/auth/session`, { method: "POST", headers: headers(turn) })).status);
  }
  return seen;
}

/** How many sessions of the last minute the database knows of. */
function sessionsOnDisk(): number {
  const database = new DatabaseSync(join(directory.path, "safelight.sqlite"), { readOnly: true });
  try {
    const rows = database.prepare("SELECT hits FROM rate_limits WHERE rule = 'client_session'").all();
    return rows.flatMap(({ hits }) => String(hits).split(" ")).length;
  } finally {
    database.close();
  }
}

const given = (seen: number[]) => seen.filter((status) => status === 201).length;

it.each(["SIGTERM", "SIGKILL"] as const)(
  "FR-018: who has had all sessions of a minute gets none after %s",
  async (signal) => {
    const first = await startServerProcess(directory.path);
    expect(given(await statuses(first.url, 11))).toBe(10);
    // What is older than a second is on disk; an orderly end needs no time.
    if (signal === "SIGKILL") await expect.poll(sessionsOnDisk).toBe(10);
    await first.stop(signal);
    const second = await startServerProcess(directory.path);
    try {
      const refused = await fetch(`${second.url}/auth/session`, { method: "POST" });
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    } finally {
      await second.stop("SIGTERM");
    }
  },
);

it("FR-018: visitors behind a declared proxy are told apart, those behind another are one and the log says so", async () => {
  const through = (turn: number) => ({ "x-forwarded-for": `203.0.113.${turn}` });
  const undeclared = await startServerProcess(directory.path);
  expect(given(await statuses(undeclared.url, 12, through))).toBe(10);
  // What is printed comes on another way than what is answered.
  await expect.poll(() => undeclared.output()).toContain("TRUSTED_PROXIES");
  await undeclared.stop("SIGTERM");
  expect(undeclared.output().match(/TRUSTED_PROXIES/g)).toHaveLength(1);
  const declared = await startServerProcess(directory.path, { TRUSTED_PROXIES: "127.0.0.1" });
  try {
    expect(given(await statuses(declared.url, 12, through))).toBe(12);
    expect(declared.output()).not.toContain("TRUSTED_PROXIES");
  } finally {
    await declared.stop("SIGTERM");
  }
});
