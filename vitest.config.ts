import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{catalog,contract,engine,server,cli,web,scripts,bench}/**/*.test.{ts,tsx}", "e2e/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.long.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
