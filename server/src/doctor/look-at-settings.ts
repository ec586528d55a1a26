import { existsSync } from "node:fs";
import { type Config, type Environment, readConfig } from "../config.ts";
import { StartupError } from "../errors.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** The Node that this release is made for, by its major version. */
const wantedNode = 24;

export function lookAtNode(version = process.versions.node): Finding {
  const major = Number(version.split(".")[0]);
  if (major === wantedNode) return ok("node", `Node ${version}.`);
  const mend = "Start by npm start, npm run or ./safelight: they bring the Node that belongs to this release.";
  return problem("node", `This is Node ${version}; the release is made for Node ${wantedNode}.`, mend);
}

/** The settings as a start would take them; where they are wrong, those that the other checks can go by. */
export function lookAtSettings(environment: Environment): { config: Config | null; findings: Finding[] } {
  try {
    const config = readConfig(environment);
    const findings = contradictionsIn(config, environment);
    const said = `SAFELIGHT_ENV is ${config.environment}, DATA_DIR ${config.dataDirectory}.`;
    return { config, findings: findings.length > 0 ? findings : [ok("settings", said)] };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    const mend = "Correct it in .env or in the environment of the service; the server does not start until then.";
    const findings = error.problems.map((line) => problem("settings", line, mend));
    return { config: withoutTheRest(environment), findings };
  }
}

function withoutTheRest({ DATA_DIR, PORT }: Environment): Config | null {
  for (const rest of [{ DATA_DIR, PORT }, { DATA_DIR }]) {
    try {
      return readConfig(rest);
    } catch {
      // The next one says less.
    }
  }
  return null;
}

/** What is allowed and still not meant. */
function contradictionsIn(config: Config, environment: Environment): Finding[] {
  const findings: Finding[] = [];
  const behindTls = config.publicBaseUrl?.startsWith("https:") === true;
  if (behindTls && config.trustedProxies.length === 0) {
    findings.push(
      warning(
        "settings",
        "PUBLIC_BASE_URL is https and TRUSTED_PROXIES is empty: every caller counts as the proxy, and they share one limit.",
        "Name the address of the proxy in TRUSTED_PROXIES, such as 127.0.0.1.",
      ),
    );
  }
  if (config.mediaReserve === 0) {
    findings.push(
      warning(
        "settings",
        "MEDIA_RESERVE is 0: nobody looks whether the disk runs full.",
        "Leave it empty, or set an amount such as 2GB.",
      ),
    );
  }
  const path = environment.SAFELIGHT_FFMPEG ?? "";
  if (path.includes("/") && !existsSync(path)) {
    findings.push(
      problem("settings", "SAFELIGHT_FFMPEG names a file that is not there.", "Correct the path, or leave it empty."),
    );
  }
  return findings;
}
