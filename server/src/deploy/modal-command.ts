/** How the modal command is called: which Python, which arguments, which environment. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Config, repositoryRoot } from "../config.ts";
import type { DeploySettings } from "./deployment-record.ts";

const scriptOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What the lifeline ends with when Python has no modal package. */
export const modalMissingCode = 91;

/** The file of the source that names the app. */
export const appFile = "deploy/modal/worker_app.py";

/** What a deploy consists of: files and folders of the repository, which keep their places, as the app's file looks for the others. */
export const sourceParts: readonly string[] = [
  appFile,
  "worker/requirements.txt",
  "worker/requirements-cuda.txt",
  "worker/safelight_worker",
];

/** The credentials of one account, in the clear: for the environment of a child and nothing else. */
export interface DeployCredentials {
  readonly tokenId: string;
  readonly tokenSecret: string;
  readonly workerKey: string;
}

/** MODAL_PYTHON, else the project's own environment if there is one, else python3 of the path. */
export function findPython({ modalPython }: Pick<Config, "modalPython">): string {
  if (modalPython !== null) return modalPython;
  const own = join(repositoryRoot, ".venv", "bin", "python");
  return existsSync(own) ? own : "python3";
}

// -I: no variable, no user folder and no current folder changes what Python loads. -B: it writes no compiled files.
const first = ["-I", "-B", "-u", scriptOf("lifeline.py")];

export function deployArguments({ app, file }: DeploySettings): string[] {
  return [...first, "modal", "deploy", file, "--name", app];
}

export function askArguments(): string[] {
  return [...first, scriptOf("ask_address.py")];
}

/**
 * The whole environment of the child, made from nothing. `home` is a folder of this run alone; there is no configuration file in it,
 * so that a token that the operator uses by hand is never mixed in.
 */
export function childEnvironment(
  { commandPath, modalServerUrl }: Pick<Config, "commandPath" | "modalServerUrl">,
  home: string,
  { tokenId, tokenSecret, workerKey }: DeployCredentials,
  settings: DeploySettings,
): Record<string, string> {
  return {
    PATH: commandPath,
    HOME: home,
    TMPDIR: home,
    LANG: "C.UTF-8",
    // Lines are not wrapped, and a secret not broken in two by it.
    COLUMNS: "1000",
    NO_COLOR: "1",
    // git looks for a repository no further up than here: whose clone this is does not concern the platform.
    GIT_CEILING_DIRECTORIES: dirname(home),
    MODAL_CONFIG_PATH: join(home, "no-modal.toml"),
    MODAL_TOKEN_ID: tokenId,
    MODAL_TOKEN_SECRET: tokenSecret,
    ...(modalServerUrl === null ? {} : { MODAL_SERVER_URL: modalServerUrl }),
    SAFELIGHT_APP: settings.app,
    SAFELIGHT_ENDPOINT: settings.endpoint,
    SAFELIGHT_MIN_CONTAINERS: String(settings.min_containers),
    SAFELIGHT_MAX_CONTAINERS: String(settings.max_containers),
    ...(settings.gpu === undefined ? {} : { SAFELIGHT_GPU: settings.gpu }),
    SAFELIGHT_SLOTS_IMAGE: String(settings.slots.image),
    SAFELIGHT_SLOTS_VIDEO: String(settings.slots.video),
    SAFELIGHT_WORKER_KEY: workerKey,
  };
}
