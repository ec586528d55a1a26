// Accessibility of a page as it stands, judged by axe-core. Its code is handed to the page by the debugger, which the
// content security policy of the page does not concern.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const colourRules = ["color-contrast", "link-in-text-block"];

/** Waits until everything that moves has arrived: a colour on its way from one theme to another is neither of them. */
const settled = `Promise.allSettled(
  document.getAnimations().filter((one) => one.effect.getTiming().iterations !== Infinity).map((one) => one.finished),
)`;

let source: Promise<string> | undefined;

/**
 * Everything axe finds against WCAG 2.0 to 2.2 AA and its own best practice, a line for each element: rule, element, what
 * is wrong. Empty means no violation. `within` narrows the search to what a selector matches, an open dialog for instance;
 * `colours` to the rules that another theme can break.
 */
export async function findViolations(
  page: Page,
  within?: string,
  { colours = false }: { colours?: boolean } = {},
): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(await source);
  await page.evaluate(settled);
  const runOnly: RunOptions["runOnly"] = colours
    ? { type: "rule", values: colourRules }
    : { type: "tag", values: rules };
  const options: RunOptions = { runOnly, resultTypes: ["violations"] };
  const context = within === undefined ? "document" : JSON.stringify(within);
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${context}, ${JSON.stringify(options)})`);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => {
      const reason = failureSummary.split("\n").slice(1).join(" ").trim();
      return `${id}: ${target.join(" ")}: ${help} (${reason})`;
    }),
  );
}
