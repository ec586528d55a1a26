import { defineConfig } from "vitest/config";
import { ClosingLine } from "./scripts/closing-line.ts";

export default defineConfig({
  test: {
    include: ["{catalog,contract,engine,server,cli,web,scripts,bench}/**/*.test.{ts,tsx}", "e2e/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.long.test.ts"],
    reporters: ["default", new ClosingLine()],
    pool: "forks",
    // Many tests wait for a server or a page more than they compute; what judges a change is given more air.
    maxWorkers: process.env["CI"] === undefined ? 3 : 2,
    testTimeout: 60_000,
    // What a page or a server does next may take its time on a busy machine.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 60_000,
  },
});
