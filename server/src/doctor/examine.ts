/**
 * Says what is wrong with an installation and how to mend it. Reads only, whether its server runs or not: no row is written, no lock
 * taken, no key sent.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Config, type Environment, repositoryRoot } from "../config.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";
import {
  lookAtAudit,
  lookAtClock,
  lookAtEnvironment,
  lookAtGateways,
  lookAtPages,
  lookAtSchema,
  openForReading,
  type Reading,
} from "./look-at-database.ts";
import { lookAtDirectory, lookAtSecretFiles, lookAtSpace, lookForServer } from "./look-at-directory.ts";
import { lookAtMedia } from "./look-at-media.ts";
import { lookAtNode, lookAtSettings } from "./look-at-settings.ts";
import { lookAtWorkers } from "./look-at-workers.ts";

export interface ExamineOptions {
  /** Whether workers are called. */
  readonly reach: boolean;
  /** Folder of the built page. */
  readonly webFolder?: string;
}

/** Looks at everything in turn; what one look finds keeps no other from being made. */
export async function* examine(environment: Environment, options: ExamineOptions): AsyncGenerator<Finding> {
  yield lookAtNode();
  const { config, findings } = lookAtSettings(environment);
  yield* findings;
  yield lookAtPage(options.webFolder ?? join(repositoryRoot, "web", "dist"));
  if (config === null) return;
  const directory = await lookAtDirectory(config);
  yield directory;
  if (!existsSync(config.dataDirectory) && config.databaseUrl === null) return;
  yield* await look("secrets", () => lookAtSecretFiles(config, environment));
  yield* await look("free space", () => lookAtSpace(config));
  const { held, findings: found } = await lookForServer(config);
  yield* found;
  const { reading, findings: opened } = await openForReading(config, held);
  yield* opened;
  if (reading === null) return;
  try {
    // Where settings are wrong the environment is not known.
    if (findings.every(({ state }) => state !== "problem")) {
      yield* await look("settings", () => lookAtEnvironment(reading, config));
    }
    yield* lookInside(reading, config, options.reach);
  } finally {
    await reading.close();
  }
}

async function* lookInside(reading: Reading, config: Config, reach: boolean): AsyncGenerator<Finding> {
  yield* await look("database", () => lookAtPages(reading, config));
  yield* await look("schema", () => lookAtSchema(reading));
  if (reading.place !== null) yield* await look("gateways", () => lookAtGateways(reading));
  yield* await look("clock", () => lookAtClock(reading));
  yield* await look("media", () => lookAtMedia(reading, config));
  yield* await look("audit log", () => lookAtAudit(reading, config));
  yield* await look("workers", () => lookAtWorkers(reading, config, reach));
}

function lookAtPage(folder: string): Finding {
  if (existsSync(join(folder, "index.html"))) return ok("page", "It is built.");
  return warning("page", "It is not built: browsers get no page.", "Start by npm start, which builds it.");
}

/** A look that fails is itself something that was found. */
async function look(
  check: string,
  work: () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    const found = await work();
    return Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding];
  } catch (error) {
    return [
      problem(check, `It cannot be looked at (${reasonOf(error)}).`, "Mend what stands above first, then look again."),
    ];
  }
}
