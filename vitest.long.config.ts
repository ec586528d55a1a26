import { defineConfig } from "vitest/config";
import { ClosingLine } from "./scripts/closing-line.ts";

// The scenarios of npm test with the full numbers (50 kills and the like), and those too long for every run.
export default defineConfig({
  test: {
    include: [
      "{catalog,contract,engine,server,cli,scripts,bench}/**/*.long.test.ts",
      "contract/src/agreement.test.ts",
      "e2e/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    env: { SAFELIGHT_TEST_LONG: "1" },
    reporters: ["default", new ClosingLine()],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 30 * 60_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
  },
});
