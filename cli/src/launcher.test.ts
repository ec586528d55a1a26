// ./safelight in a made clone, whose Node only tells how it was called: links, folders, arguments, and when it installs.
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder: string;
let clone: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "safelight launcher-")));
  clone = join(folder, "a clone");
  for (const path of ["scripts", "cli/src", "bin"]) mkdirSync(join(clone, path), { recursive: true });
  copyFileSync(join(import.meta.dirname, "../../safelight"), join(clone, "safelight"));
  writeFileSync(join(clone, "package-lock.json"), "{}");
  // Installing, as the real script does it: the pinned Node appears, and the stamp.
  const pinned = "printf 'ran'; printf ' [%s]' \"$@\"; case $1 in */prepare.mjs) echo >&2 prepared again ;; esac";
  writeFileSync(
    join(clone, "scripts/install.sh"),
    `mkdir -p node_modules/node/bin && printf '#!/bin/sh\\n%s\\n' '${pinned.replaceAll("'", `'\\''`)}' > node_modules/node/bin/node\n` +
      "chmod +x node_modules/node/bin/node && touch node_modules/.safelight-installed\n",
  );
  // The Node of the machine, which only ever runs the script that prepares.
  writeFileSync(
    join(clone, "bin/node"),
    `#!/bin/sh\necho "installing: $2" && cd '${clone}' && sh scripts/install.sh\n`,
    { mode: 0o755 },
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function launch(program: string, ...parameters: string[]) {
  const environment = { PATH: `${join(clone, "bin")}:/usr/bin:/bin` };
  const { status, stdout, stderr } = spawnSync(program, parameters, {
    cwd: folder,
    env: environment,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function install(): void {
  execFileSync("sh", ["scripts/install.sh"], { cwd: clone });
}

const main = () => join(clone, "cli/src/main.ts");

it("passes its arguments on as they are, from any folder", () => {
  install();
  const { status, stdout, stderr } = launch(join(clone, "safelight"), "generate", "a red  boat", "--seed", "-1", "*");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toBe(`ran [${main()}] [generate] [a red  boat] [--seed] [-1] [*]`);
});

it("finds its clone through links of links", () => {
  install();
  mkdirSync(join(folder, "links"));
  symlinkSync("../a clone/safelight", join(folder, "links/first"));
  symlinkSync(join(folder, "links/first"), join(folder, "second"));
  expect(launch(join(folder, "second"), "status").stdout).toBe(`ran [${main()}] [status]`);
  expect(launch("./second", "status").stdout).toBe(`ran [${main()}] [status]`);
});

it("installs first where nothing is installed, without a word on standard output", () => {
  const { status, stdout, stderr } = launch(join(clone, "safelight"), "--help");
  expect(status).toBe(0);
  expect(stdout).toBe(`ran [${main()}] [--help]`);
  expect(stderr).toContain("installing:");
  expect(existsSync(join(clone, "node_modules/node/bin/node"))).toBe(true);
});

it("looks again when the lock file is newer than what is installed, once", () => {
  install();
  const later = new Date(Date.now() + 5000);
  utimesSync(join(clone, "package-lock.json"), later, later);
  expect(launch(join(clone, "safelight"), "--help").stderr).toContain("prepared again");
  const earlier = new Date(Date.now() - 5000);
  utimesSync(join(clone, "package-lock.json"), earlier, earlier);
  expect(launch(join(clone, "safelight"), "--help").stderr).toBe("");
});

it("builds the page before serving", () => {
  install();
  const { stdout, stderr } = launch(join(clone, "safelight"), "serve", "--port", "0");
  expect(stderr).toContain(`ran [${join(clone, "scripts/prepare.mjs")}] [--web]`);
  expect(stdout).toBe(`ran [${main()}] [serve] [--port] [0]`);
});

it("says what it needs where there is no Node at all", () => {
  rmSync(join(clone, "bin/node"));
  mkdirSync(join(folder, "tools"));
  for (const tool of ["sh", "readlink", "dirname", "touch"])
    symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(folder, "tools", tool));
  const run = spawnSync(join(clone, "safelight"), ["--help"], {
    env: { PATH: join(folder, "tools") },
    encoding: "utf8",
  });
  expect(run.status).toBe(3);
  expect(run.stderr).toContain("safelight: not_started: Safelight needs Node 20.19 or newer");
});
