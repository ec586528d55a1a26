// Runs before npm start, npm test, npm run check and ./safelight, on whatever Node can run npm. Plain JavaScript without
// dependencies: installs what the lock file names when it is not there yet, checks the pinned Node and, with --web, builds
// the page, with --python the Python environment that holds the modal command, with --worker the one that the GPU worker is
// tested in, with --fuzz the one of the fuzzer. What stands is not touched: a second run takes a few milliseconds.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Safelight needs Node 20.19 or newer to install; this is ${process.version}.`);
}

const pinnedNode = "node_modules/node/bin/node";
// A release builds from a folder whose packages are those of another: there nothing may be installed.
if (!process.argv.includes("--no-install")) installWhenNeeded();
if (process.argv.includes("--web")) buildPageWhenNeeded();
if (process.argv.includes("--python")) makePythonWhenNeeded();
if (process.argv.includes("--worker")) makeWorkerWhenNeeded();
if (process.argv.includes("--fuzz")) makeFuzzerWhenNeeded();

function installWhenNeeded() {
  const stamp = "node_modules/.safelight-installed";
  const wanted = hash([readFileSync("package-lock.json"), `${process.platform}-${process.arch}`]);
  if (read(stamp) === wanted && pinnedVersion() !== null) return;
  const began = Date.now();
  rmSync(stamp, { force: true });
  const flags = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--ignore-scripts=false",
    "--engine-strict=false",
    "--package-lock=true",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  // npm 10 does not read allowScripts: these keep two postinstall scripts from reaching for the network.
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", SCARF_ANALYTICS: "false" };
  console.log("Installing dependencies (once, about half a minute) …");
  const [program, ...first] = npmCommand();
  const installed = spawnSync(program, [...first, ...flags], {
    stdio: ["ignore", "inherit", "inherit"],
    env: environment,
  });
  if (installed.error !== undefined) fail(`npm could not be started: ${installed.error.message}`);
  if (installed.status !== 0) fail("npm ci failed: see the lines above.");
  if (pinnedVersion() === null) {
    fail(
      "The pinned Node 24 did not install (npm package 'node'; are install scripts forbidden, or is there no binary for this platform?).",
    );
  }
  writeFileSync(stamp, wanted);
  console.log(`Installed dependencies in ${seconds(began)} s.`);
}

/** The npm that started us, else the one on the path: ./safelight comes here without npm, and pnpm or yarn name themselves. */
function npmCommand() {
  const running = process.env.npm_execpath ?? "";
  return /npm-cli\.[cm]?js$/.test(running) && existsSync(running) ? [process.execPath, running] : ["npm"];
}

function buildPageWhenNeeded() {
  const stamp = "web/dist/.safelight-built";
  const sources = ["package-lock.json", "tsconfig.json", "contract/package.json"].concat(
    ["web", "contract/src", "catalog"].flatMap(filesBelow),
  );
  const wanted = hash(sources.flatMap((file) => [file, readFileSync(file)]));
  if (read(stamp) === wanted) return;
  const began = Date.now();
  const built = spawnSync(pinnedNode, ["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn", "web"], {
    stdio: "inherit",
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (built.status !== 0) fail("The page did not build: see the lines above.");
  writeFileSync(stamp, wanted);
  console.log(`Built the page in ${seconds(began)} s.`);
}

/** Makes .venv with the pinned packages; every file is checked against the hashes of the list. */
function makePythonWhenNeeded() {
  const list = "deploy/modal-requirements.txt";
  const stamp = ".venv/.safelight-installed";
  const wanted = hash([readFileSync(list), `${process.platform}-${process.arch}`]);
  if (read(stamp) === wanted && spawnSync(".venv/bin/python", ["--version"]).status === 0) return;
  const began = Date.now();
  const python = findPython();
  if (python === null)
    fail("Python 3.11 or newer is needed, for the modal command (on Debian: apt install python3-venv).");
  console.log("Installing the modal command into .venv (once, less than a minute) …");
  // An environment that somebody else has made keeps what is in it.
  const ours = existsSync(stamp);
  rmSync(stamp, { force: true });
  runPython(
    python,
    ["-m", "venv", ...(ours ? ["--clear"] : []), ".venv"],
    "The Python environment could not be made (on Debian: apt install python3-venv).",
  );
  const install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"];
  runPython(
    ".venv/bin/python",
    [...install, "--require-hashes", "-r", list],
    "pip install failed: see the lines above.",
  );
  writeFileSync(stamp, wanted);
  console.log(`Installed the modal command in ${seconds(began)} s.`);
}

/**
 * Makes .venv-worker: torch by a call of its own, in the build that the machine's settings of pip take, then what is pinned, every
 * file checked against the hashes of the lists.
 */
function makeWorkerWhenNeeded() {
  const torch = "torch==2.13.0";
  const lists = ["worker/requirements.txt", "worker/requirements-test.txt", "training/requirements.txt"];
  const stamp = ".venv-worker/.safelight-installed";
  const wanted = hash([...lists.map((list) => readFileSync(list)), torch, `${process.platform}-${process.arch}`]);
  if (read(stamp) === wanted && spawnSync(".venv-worker/bin/python", ["--version"]).status === 0) return;
  const began = Date.now();
  const python = findPython();
  if (python === null)
    fail("Python 3.11 or newer is needed, for the GPU worker (on Debian: apt install python3-venv).");
  console.log("Installing what the GPU worker is tested with into .venv-worker (once, about two minutes) …");
  rmSync(stamp, { force: true });
  runPython(
    python,
    ["-m", "venv", "--clear", ".venv-worker"],
    "The Python environment could not be made (on Debian: apt install python3-venv).",
  );
  const install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  const failure = "pip install failed: see the lines above.";
  runPython(".venv-worker/bin/python", [...install, torch], failure);
  const listed = lists.flatMap((list) => ["-r", list]);
  runPython(".venv-worker/bin/python", [...install, "--no-deps", "--require-hashes", ...listed], failure);
  writeFileSync(stamp, wanted);
  console.log(`Installed what the GPU worker is tested with in ${seconds(began)} s.`);
}

/** Makes .venv-fuzz, which holds the fuzzer of the long tests and nothing that is ever shipped. */
function makeFuzzerWhenNeeded() {
  const list = "e2e/fuzz/requirements.txt";
  const stamp = ".venv-fuzz/.safelight-installed";
  const wanted = hash([readFileSync(list), `${process.platform}-${process.arch}`]);
  if (read(stamp) === wanted && spawnSync(".venv-fuzz/bin/python", ["--version"]).status === 0) return;
  const began = Date.now();
  const python = findPython();
  if (python === null) fail("Python 3.11 or newer is needed, for the fuzzer (on Debian: apt install python3-venv).");
  console.log("Installing the fuzzer into .venv-fuzz (once, less than a minute) …");
  rmSync(stamp, { force: true });
  runPython(
    python,
    ["-m", "venv", "--clear", ".venv-fuzz"],
    "The Python environment could not be made (on Debian: apt install python3-venv).",
  );
  const install = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"];
  runPython(".venv-fuzz/bin/python", [...install, "--require-hashes", "-r", list], "pip install failed: see above.");
  writeFileSync(stamp, wanted);
  console.log(`Installed the fuzzer in ${seconds(began)} s.`);
}

function findPython() {
  const isNewEnough = "import sys; sys.exit(sys.version_info < (3, 11))";
  const names = ["python3", "python3.13", "python3.12", "python3.11", "python"];
  return names.find((name) => spawnSync(name, ["-c", isNewEnough]).status === 0) ?? null;
}

function runPython(python, args, failure) {
  const { status } = spawnSync(python, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) fail(failure);
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !["node_modules", "dist"].includes(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

function pinnedVersion() {
  const probe = spawnSync(pinnedNode, ["--version"], { encoding: "utf8" });
  return probe.status === 0 && probe.stdout.startsWith("v24.") ? probe.stdout : null;
}

function hash(parts) {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return digest.digest("hex");
}

function seconds(began) {
  return ((Date.now() - began) / 1000).toFixed(1);
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
