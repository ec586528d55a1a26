// Programs that packages run when they are installed: each is decided about by name in package.json, and one only is let run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readLock, withInstallScripts } from "./packages.ts";

/** Brings the pinned Node for this machine; everything else works without its script. */
const needed = ["node"];

export function findScriptProblems(root: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    allowScripts?: Readonly<Record<string, boolean>>;
  };
  const settings = readFileSync(join(root, ".npmrc"), "utf8");
  return judgeScripts(withInstallScripts(readLock(root)), manifest.allowScripts ?? {}, settings);
}

export function judgeScripts(
  asking: readonly string[],
  allowed: Readonly<Record<string, boolean>>,
  settings: string,
): string[] {
  const undecided = asking.filter((name) => allowed[name] === undefined);
  const surplus = Object.keys(allowed).filter((name) => allowed[name] === true && !needed.includes(name));
  return [
    ...undecided.map(
      (name) => `${name} runs a script when it is installed: decide about it in allowScripts of package.json`,
    ),
    ...surplus.map((name) => `${name} may run a script when it is installed: only ${needed.join(", ")} has to`),
    ...(/^strict-allow-scripts=true$/m.test(settings)
      ? []
      : [".npmrc does not say strict-allow-scripts=true, without which npm runs what nobody has decided about"]),
  ];
}
