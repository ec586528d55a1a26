// Builds a container file without a container engine: the same stages in folders of their own, the same files copied, the same commands run,
// with this machine in the place of the base images. What only an engine has (layers, users inside a build) is not shown by it. Files that one
// stage has from another are the same files: no step changes one, but for its rights.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import type createIgnore from "@balena/dockerignore";
import type { CopyStep, Stage } from "./containerfile.ts";

// The package is one function, which its types call something else.
const ignoreRules = createRequire(import.meta.url)("@balena/dockerignore") as typeof createIgnore.default;

export interface Build {
  /** The folder of the build: what copies without a stage are taken from. */
  readonly context: string;
  /** Where each stage gets its root folder. */
  readonly target: string;
  /** For commands that are given as another one; undefined runs them as they stand. */
  readonly replace?: (command: string) => string | undefined;
}

/** Root folders of the stages in their order. Throws with the output of the command that failed. */
export async function simulateBuild(stages: readonly Stage[], build: Build): Promise<readonly string[]> {
  const files = contextFiles(build.context);
  const roots: string[] = [];
  for (const [index, stage] of stages.entries()) {
    const root = join(build.target, stage.name === "" ? "image" : stage.name);
    const parent = stages.findIndex(({ name }, at) => at < index && name === stage.base);
    mkdirSync(root, { recursive: true });
    if (parent >= 0) await run(`cp -al ${quote(`${roots[parent]}/.`)} ${quote(root)}`, build.target, {});
    for (const { folder, step } of stage.steps) {
      const here = join(root, folder);
      mkdirSync(here, { recursive: true });
      if (step.kind === "run") {
        const command = build.replace === undefined ? step.command : (build.replace(step.command) ?? step.command);
        await run(inside(command, root), here, stage.environment);
      } else if (step.stage === null) copyContext(step, { files, context: build.context, root, folder });
      else {
        const from = roots[stages.findIndex(({ name }) => name === step.stage)];
        if (from === undefined) throw new Error(`there is no stage ${step.stage}`);
        await copyStage(step, from, resolve("/", folder, step.target), root);
      }
    }
    roots.push(root);
  }
  return roots;
}

/** What of a folder goes to the builder, by its .dockerignore; paths from the folder. Packages and the like are not even looked at. */
export function contextFiles(context: string): readonly string[] {
  const rules = ignoreRules().add(readFileSync(join(context, ".dockerignore"), "utf8"));
  const never = new Set(["node_modules", ".git", ".venv", ".venv-worker", ".venv-fuzz"]);
  const walk = (folder: string): string[] =>
    readdirSync(join(context, folder), { withFileTypes: true }).flatMap((entry) => {
      if (never.has(entry.name)) return [];
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() && !rules.ignores(path) ? [path] : [];
    });
  return walk("");
}

interface Place {
  readonly files: readonly string[];
  readonly context: string;
  readonly root: string;
  readonly folder: string;
}

/** A folder gives what is in it, a file itself; a source that nothing of the context matches is an error, as it is to a builder. */
function copyContext({ sources, target }: CopyStep, { files, context, root, folder }: Place): void {
  const to = join(root, resolve("/", folder, target));
  for (const source of sources) {
    const below = files.filter((file) => file.startsWith(`${source}/`));
    const isFile = files.includes(source);
    if (!isFile && below.length === 0) throw new Error(`COPY ${source}: nothing of the build's folder is that`);
    const into = target.endsWith("/") || sources.length > 1 ? join(to, basename(source)) : to;
    const pairs = isFile
      ? [[source, into] as const]
      : below.map((file) => [file, join(to, file.slice(source.length + 1))] as const);
    for (const [from, place] of pairs) {
      mkdirSync(dirname(place), { recursive: true });
      cpSync(join(context, from), place);
    }
  }
}

async function copyStage({ sources }: CopyStep, from: string, target: string, root: string): Promise<void> {
  const to = join(root, target);
  for (const source of sources) {
    const path = join(from, source);
    if (!existsSync(path)) throw new Error(`COPY --from: there is no ${source}`);
    mkdirSync(statSync(path).isDirectory() ? to : dirname(to), { recursive: true });
    const what = statSync(path).isDirectory() ? `${quote(`${path}/.`)} ${quote(to)}` : `${quote(path)} ${quote(to)}`;
    await run(`cp -al ${what}`, root, {});
  }
}

/** Paths of the image become paths below the stage's folder. */
function inside(command: string, root: string): string {
  return command.replaceAll(/(?<=^|\s)\/(?=(?:opt|var|weights|build)\b)/g, `${root}/`);
}

/** The same Node as everything here runs on; settings of the caller's npm, but nothing of the package script that may have started us. */
async function run(command: string, folder: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:NODE_ENV|VITEST|npm_(?!config_))/.test(name));
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const child = spawn("sh", ["-ec", `umask 022; ${command}`], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...environment, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => (said += piece.toString()));
  await once(child, "close");
  if (child.exitCode !== 0) throw new Error(`${command}\nended with ${child.exitCode}:\n${said.slice(-4000)}`);
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
