import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { ClosingLine } from "./scripts/closing-line.ts";
import { LongestFirst } from "./scripts/longest-first.ts";

// Every file has a process or shares one: what Node makes of the runner's own sources is kept from one to the next.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules/.cache/tests");

const never = ["**/node_modules/**", "**/dist/**", "**/*.long.test.ts"];
const workerTests = "scripts/worker.test.ts";
/** What stands in a page of its own; each gets a process of its own, as what a page remembers goes on to the next. */
const pages = ["web/src/**/*.test.tsx", "web/src/features/**/*.test.ts"];
/** What measures the memory of its process, or changes the process itself. */
const alone = [
  "engine/src/host/host.test.ts",
  "server/src/http/export-readers.test.ts",
  "server/src/main.test.ts",
  "server/src/media/inspect-image.test.ts",
];
/**
 * Folders whose test files follow each other in one process: they close what they open, and starting a process and loading the same
 * modules for each of them takes longer than most of them do.
 */
const together = "{catalog,contract,engine,server,web}/**/*.test.ts";
/** What copies and repairs the file of SQLite has nothing to do where tests run on PostgreSQL. */
const ofFiles = process.env["SAFELIGHT_TEST_DATABASE"] === "postgres" ? ["server/src/{backup,doctor}/**"] : [];

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLine()],
    pool: "forks",
    // Many tests wait for a server or a page more than they compute.
    maxWorkers: 3,
    testTimeout: 120_000,
    // What a page or a server does next may take its time on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      // The tests of the GPU worker are one test here: of all files the one that takes longest.
      { extends: true, test: { name: "worker", include: [workerTests], exclude: never } },
      {
        extends: true,
        test: {
          name: "processes",
          include: ["{cli,scripts,bench}/**/*.test.ts", "e2e/**/*.test.ts", ...alone],
          exclude: [...never, workerTests],
        },
      },
      {
        extends: true,
        test: { name: "page", include: pages, exclude: never, setupFiles: ["web/src/testing/patience.ts"] },
      },
      {
        extends: true,
        test: {
          name: "parts",
          include: [together],
          exclude: [...never, ...alone, ...pages, ...ofFiles],
          isolate: false,
        },
      },
    ],
  },
});
