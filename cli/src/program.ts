// The commands and their flags. What a command does stands in commands/; here it is only named and wired. All but `serve` is loaded when
// it is asked for: a server keeps no memory for what it never runs.
import type { Environment } from "@safelight/server";
import { Command, CommanderError, Option } from "commander";
import manifest from "../package.json" with { type: "json" };
import type { VerifyFlags } from "./commands/audit.ts";
import type { BackupFlags, RestoreFlags } from "./commands/backup.ts";
import type { DoctorFlags } from "./commands/doctor.ts";
import type { MigrateFlags } from "./commands/migrate.ts";
import { type ServeOptions, serve } from "./commands/serve.ts";
import type { WorkerFlags } from "./commands/worker.ts";
import { type Connection, connect } from "./connection/connect.ts";
import { exitCodes, exitCodesHelp, failureLine, toCommandError, usageError } from "./failure.ts";
import { type Flag, flagsFor } from "./flags/flags.ts";
import { choosePair, pairsFor } from "./flags/pairs.ts";
import { prepareRequest } from "./flags/request.ts";
import { checkOutput, formatOf } from "./output-file.ts";
import { addSecrets } from "./secret-commands.ts";
import type { SmokeOptions } from "./smoke/smoke.ts";

interface ClientOptions {
  url?: string;
  key?: string;
  json?: boolean;
}

interface GenerateFlags extends ClientOptions {
  model?: string;
  mode?: string;
  workspace?: string;
  output?: string;
  wait: boolean;
}

/** Runs one command line (without the program's name) and resolves with its exit code; failures are printed in one line. */
export async function runProgram(argv: readonly string[], environment: () => Environment): Promise<number> {
  let exitCode: number = 0;
  const program = buildProgram(argv, environment, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed its own line already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    const failure = toCommandError(error);
    process.stderr.write(`${failureLine(failure)}\n`);
    return failure.exitCode;
  }
}

/** Every command with its long flags, such as `audit verify`; for who checks what is written about them. */
export function describeCommands(): { name: string; flags: string[] }[] {
  const describe = (command: Command, before: string): { name: string; flags: string[] }[] =>
    command.commands.flatMap((child) => {
      const name = `${before}${child.name()}`;
      const flags = child.options.flatMap(({ long }) => long ?? []);
      return [{ name, flags: [...flags, "--help"] }, ...describe(child, `${name} `)];
    });
  const nothing: Environment = {};
  return [
    ...describe(
      buildProgram(
        [],
        () => nothing,
        () => undefined,
      ),
      "",
    ),
    { name: "help", flags: [] },
  ];
}

function buildProgram(argv: readonly string[], environment: () => Environment, end: (code: number) => void): Command {
  const program = new Command("safelight");
  program
    .description("Turns prompts into pictures and video: runs the server, and talks to it.")
    .version(manifest.version, "-V, --version")
    .helpCommand(true)
    .exitOverride()
    .addHelpText("after", exitCodesHelp)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, "safelight: usage:")) });
  program
    .command("serve")
    .description("Run the server in the foreground")
    .option("--port <number>", "where to listen (PORT, 8600; 0 takes a free port)")
    .option("--host <address>", "where to listen (HOST, 127.0.0.1)")
    .option("--data-dir <folder>", "database, media and secrets (DATA_DIR, ./data of the repository)")
    .action(async (options: ServeOptions) => end(await serve(environment(), options)));
  addWorker(program, end);
  addGenerate(program, argv, environment, end);
  withConnection(program.command("status <id>").description("Say where a task stands"), true).action(
    async (id: string, options: ClientOptions) =>
      connected(environment(), options, async (connection) => {
        const { printStatus } = await import("./commands/tasks.ts");
        return printStatus(connection, id, options.json === true);
      }),
  );
  withConnection(program.command("cancel <id>").description("Cancel a task"), true).action(
    async (id: string, options: ClientOptions) =>
      connected(environment(), options, async (connection) => {
        const { cancel } = await import("./commands/tasks.ts");
        return cancel(connection, id, options.json === true);
      }),
  );
  withConnection(program.command("smoke").description("Check every part that an installation declares"), false)
    .option(
      "--admin-key <key>",
      "admin key (ADMIN_KEY; else the one in DATA_DIR); the routes for operators fail without",
    )
    .option("--timeout <seconds>", "for all checks together", "600")
    .addHelpText(
      "after",
      "\nNeeds no access to the machine: only the address and the two keys. ACCESS_PASSWORD is used where it is set.",
    )
    .action(async (options: ClientOptions & SmokeOptions) => {
      const { smoke } = await import("./smoke/smoke.ts");
      await connected(environment(), options, async (connection) => end(await smoke(connection, options)));
    });
  addAudit(program, environment, end);
  addSecrets(program, { environment, end, connected: (options, work) => connected(environment(), options, work) });
  addDoctor(program, environment, end);
  addBackup(program, environment, end);
  addMigrate(program, environment, end);
  return program;
}

function addWorker(program: Command, end: (code: number) => void): void {
  program
    .command("worker")
    .description("Serve the embedded engine to another Safelight, in the foreground")
    .option("--port <number>", "where to listen (0 takes a free port)", "8700")
    .option("--host <address>", "where to listen; put TLS in front of anything beyond loopback", "127.0.0.1")
    .option("--key-file <file>", "file with the worker key; without one it is made in the data directory")
    .option("--data-dir <folder>", "pictures, results and the key (./data/worker of the repository)")
    .option("--slots <number>", "tasks at once; each has an engine process of its own", "1")
    .option("--models <ids>", "models to offer, separated by commas; all of them when left out")
    .option("--name <name>", "what the worker calls itself", "sketch")
    .option("--keep-hours <number>", "how long an ended task is kept unless it is deleted", "24")
    .action(async (options: WorkerFlags) => {
      const { worker } = await import("./commands/worker.ts");
      end(await worker(options));
    });
}

function addAudit(program: Command, environment: () => Environment, end: (code: number) => void): void {
  const audit = program.command("audit").description("Take the audit log away, and check it without a server");
  audit
    .command("verify <export>")
    .description("Check an exported log, and name the first row that is broken")
    .option("--public-key <key>", "a key kept elsewhere, base64 or a file; may be given again", gather)
    .option(
      "--checkpoint <file>",
      "a checkpoint kept elsewhere, JSON or lines of the server's log; may be given again",
      gather,
    )
    .option("--json", "print JSON instead of text")
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyAudit } = await import("./commands/audit.ts");
      end(await verifyAudit(file, flags));
    });
  withConnection(audit.command("export <file>").description("Save the log of a server as NDJSON"), false)
    .option("--admin-key <key>", "admin key (ADMIN_KEY; else the one in DATA_DIR)")
    .action(async (file: string, options: ClientOptions & { adminKey?: string }) =>
      connected(environment(), options, async (connection) => {
        const { exportAudit } = await import("./commands/audit.ts");
        await exportAudit(connection, options.adminKey ?? (await connection.readAdminKey()), file);
      }),
    );
}

function addBackup(program: Command, environment: () => Environment, end: (code: number) => void): void {
  program
    .command("backup <target>")
    .description("Copy the installation on DATA_DIR, while its server runs or not")
    .option("--data-dir <folder>", "what to copy (DATA_DIR, ./data of the repository)")
    .option("--with-secrets", "put the files of its secrets folder in too: keys and what they open in one place")
    .option("--json", "print JSON instead of text")
    .addHelpText(
      "after",
      "\nThe target is a folder to put it in, or the name of a new one; a name that ends in .tar becomes one file.",
    )
    .action(async (target: string, flags: BackupFlags) => {
      const { backup } = await import("./commands/backup.ts");
      end(await backup(environment(), target, flags));
    });
  program
    .command("restore <backup>")
    .description("Check a backup and put it in place; the server must be stopped")
    .option("--data-dir <folder>", "where to (DATA_DIR, ./data of the repository)")
    .option("--replace", "put what is there aside")
    .option("--check", "only check the backup; nothing is changed")
    .option("--accept-broken-audit", "restore although the audit log in the backup does not hold")
    .option("--json", "print JSON instead of text")
    .action(async (source: string, flags: RestoreFlags) => {
      const { restore } = await import("./commands/backup.ts");
      end(await restore(environment(), source, flags));
    });
}

function addMigrate(program: Command, environment: () => Environment, end: (code: number) => void): void {
  program
    .command("migrate")
    .description(
      "Copy the installation on DATA_DIR to PostgreSQL, and its media to a bucket; the server must be stopped",
    )
    .option("--to <address>", "postgres://user@host/database (else DATABASE_URL); seen by other users of this machine")
    .option("--to-file <file>", "a file with that address")
    .option(
      "--media <address>",
      "s3://bucket/prefix?endpoint=…; keys come from AWS_…; without it media stays where it is",
    )
    .option("--data-dir <folder>", "what to copy (DATA_DIR, ./data of the repository)")
    .option("--json", "print JSON instead of text")
    .addHelpText("after", "\nIt may be broken off at any moment and run again: it goes on where it was.")
    .action(async (flags: MigrateFlags) => {
      const { migrate } = await import("./commands/migrate.ts");
      end(await migrate(environment(), flags));
    });
}

function addDoctor(program: Command, environment: () => Environment, end: (code: number) => void): void {
  program
    .command("doctor")
    .description("Say what is wrong with the installation on this machine, and how to mend it; reads only")
    .option("--data-dir <folder>", "database, media and secrets (DATA_DIR, ./data of the repository)")
    .option("--offline", "do not call the workers")
    .option("--json", "print JSON instead of text")
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import("./commands/doctor.ts");
      end(await doctor(environment(), flags));
    });
}

function addGenerate(
  program: Command,
  argv: readonly string[],
  environment: () => Environment,
  end: (code: number) => void,
): void {
  const allFlags = flagsFor(pairsFor());
  const command = program
    .command("generate <prompt>")
    .description("Make a picture or a clip and save it")
    .option("--model <id>", "anisora, phr00t, pony or flux; chosen by the other flags when left out")
    .option("--mode <mode>", "what to start from; chosen by the other flags when left out")
    .option(
      "-o, --output <file>",
      "where to save it; .png, .jpg, .webp, .mp4 or .webm also chooses the format, - is standard output",
    )
    .option("--wait", "wait for the result and save it", true)
    .option("--no-wait", "print the task's id and leave")
    .option("--workspace <name>", "run on this worker account");
  withConnection(command, true);
  for (const option of optionsFor(argv, allFlags)) command.addOption(option);
  command.addHelpText("after", `\nHelp for one model: safelight generate --model pony --help\n${exitCodesHelp}`);
  command.action(async (prompt: string, options: GenerateFlags) => {
    const { checkPictures, generate } = await import("./commands/generate.ts");
    const format = formatOf(options.output);
    const values = valuesOf(command, allFlags);
    const wishes = { model: options.model, mode: options.mode, type: format?.type };
    const pair = choosePair({ ...wishes, parameters: [...values.keys()] });
    if (format !== undefined) applyFormat(values, format.format, pair.model.type === format.type);
    const request = prepareRequest(prompt, pair, allFlags, values, options.workspace);
    const output = { output: options.output, wait: options.wait, json: options.json === true };
    if (!options.wait && options.output !== undefined) throw usageError("--no-wait saves nothing: leave out --output.");
    if (output.json && options.output === "-") throw usageError("--json and -o - both want standard output.");
    await checkOutput(options.output);
    await checkPictures(request.pictures);
    await connected(environment(), options, async (connection) => end(await generate(connection, request, output)));
  });
}

/** All flags work always; the help shows those of the model and mode that stand on the command line. */
function optionsFor(argv: readonly string[], flags: readonly Flag[]): Option[] {
  const pairs = pairsFor(valueAfter(argv, "--model"), valueAfter(argv, "--mode"));
  const shown = new Map(flagsFor(pairs).map((flag) => [flag.parameter, flag]));
  return flags.map((flag) => {
    const visible = shown.get(flag.parameter);
    const option = new Option(flag.syntax, visible?.description ?? flag.description).helpGroup(flag.group);
    if (visible === undefined) option.hideHelp();
    return flag.kind === "keyframes" ? option.argParser(gather) : option;
  });
}

function gather(value: string, before: unknown): string[] {
  return Array.isArray(before) ? [...before, value] : [value];
}

function valueAfter(argv: readonly string[], name: string): string | undefined {
  const index = argv.indexOf(name);
  const joined = argv.find((argument) => argument.startsWith(`${name}=`));
  return index >= 0 ? argv[index + 1] : joined?.slice(name.length + 1);
}

function valuesOf(command: Command, flags: readonly Flag[]): Map<string, string | readonly string[]> {
  const values = new Map<string, string | readonly string[]>();
  for (const { parameter, name } of flags) {
    const key = name.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const value: unknown = command.getOptionValue(key);
    if (typeof value === "string" || Array.isArray(value)) values.set(parameter, value);
  }
  return values;
}

function applyFormat(values: Map<string, string | readonly string[]>, format: string, fits: boolean): void {
  const asked = values.get("output_format");
  if (!fits) throw usageError(`The file name asks for ${format}, but this model makes the other kind.`);
  if (asked !== undefined && asked !== format) {
    throw usageError(`The file name asks for ${format}, --output-format for ${String(asked)}.`);
  }
  values.set("output_format", format);
}

function withConnection(command: Command, json: boolean): Command {
  command
    .option("--url <address>", "server to use (SAFELIGHT_URL; else the one on DATA_DIR, else one in this process)")
    .option("--key <key>", "API key (API_KEY; else the one in DATA_DIR); seen by other users of this machine");
  return json ? command.option("--json", "print JSON instead of text") : command;
}

async function connected(
  environment: Environment,
  options: ClientOptions,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await connect(environment, options);
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}
