// A real Chromium for the scenarios: the system's own where there is one, else the one that comes as an npm package.
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

const systemNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** No account, no updates, no metrics, no prefetching: the browser talks to the server under test and to nobody else. */
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-extensions",
  "--disable-sync",
  "--metrics-recording-only",
  "--no-default-browser-check",
  "--no-first-run",
  "--no-pings",
];

export interface FoundBrowser {
  readonly path: string;
  /** Further flags this build needs. */
  readonly flags: readonly string[];
}

/** CHROME_PATH, then a Chromium or Chrome of the system, then the packaged one (Linux on x64). */
export async function findBrowser(): Promise<FoundBrowser> {
  const wanted = process.env["CHROME_PATH"];
  if (wanted !== undefined && wanted !== "") return { path: wanted, flags: [] };
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of systemNames) {
      const path = join(folder, name);
      if (folder !== "" && (await isExecutable(path))) return { path, flags: [] };
    }
  }
  return { path: await sparticuz.executablePath(), flags: ["--headless=shell"] };
}

/** Starts a headless browser. As root it runs without its sandbox, which root may not have. */
export async function launchBrowser(): Promise<Browser> {
  const { path, flags } = await findBrowser();
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({
    executablePath: path,
    headless: true,
    args: [...quiet, ...sandbox, ...flags, "--autoplay-policy=no-user-gesture-required"],
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
