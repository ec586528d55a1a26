// The commands below `safelight secrets`, named and wired; what they do stands in commands/secrets.ts.
import type { Client } from "@safelight/contract";
import type { Environment } from "@safelight/server";
import type { Command } from "commander";
import type { CreateKeyFlags, RotateFlags } from "./commands/secrets.ts";
import type { Connection } from "./connection/connect.ts";

export interface OperatorOptions {
  url?: string;
  key?: string;
  adminKey?: string;
  json?: boolean;
}

export interface Wiring {
  readonly environment: () => Environment;
  readonly end: (code: number) => void;
  readonly connected: (options: OperatorOptions, work: (connection: Connection) => Promise<void>) => Promise<void>;
}

const names = "api-key, admin-key, session-secret, encryption-key, worker-key:<workspace>";

export function addSecrets(program: Command, wiring: Wiring): void {
  const secrets = program.command("secrets").description("Look at keys and other secrets, replace and revoke them");
  const command = (syntax: string, description: string) =>
    withOperator(secrets.command(syntax).description(description));

  command("status", "Say how old the secrets are and what is to be done").action(async (options: OperatorOptions) =>
    asking(wiring, options, async (client, { printSecrets }) => printSecrets(client, options.json === true)),
  );
  command("rotate <name>", `Put a new value in the place of ${names}`)
    .option("--overlap <hours>", "how long the former value counts beside it (24)")
    .option("--now", "no overlap")
    .action(async (name: string, options: OperatorOptions & RotateFlags) =>
      asking(wiring, options, (client, { rotate }) => rotate(client, name, options)),
    );
  command(
    "revoke <name>",
    "For a secret that has leaked: it counts never again, at once; also access-password, metrics-token",
  )
    .option("--sessions", "end every session as well")
    .action(async (name: string, options: OperatorOptions & { sessions?: boolean }) =>
      asking(wiring, options, (client, { revoke }) => revoke(client, name, options)),
    );
  command("retire <name>", "End the overlap: former values count no more").action(
    async (name: string, options: OperatorOptions) =>
      asking(wiring, options, (client, { retire }) => retire(client, name, options.json === true)),
  );
  command("recover <name>", "For a secret that is lost; where the server runs the admin key is not needed").action(
    async (name: string, options: OperatorOptions) =>
      asking(wiring, options, (client, { recover }) => recover(client, name, options.json === true)),
  );
  addKeys(secrets, wiring);
  secrets
    .command("check-hub-token")
    .description("Say whether HF_TOKEN can do more than read (exit code 1)")
    .option("--json", "print JSON instead of text")
    .action(async (options: { json?: boolean }) => {
      const { checkHubToken } = await import("./commands/hub-token.ts");
      wiring.end(await checkHubToken(wiring.environment(), options.json === true));
    });
}

function addKeys(secrets: Command, wiring: Wiring): void {
  withOperator(secrets.command("keys").description("List API keys")).action(async (options: OperatorOptions) =>
    asking(wiring, options, (client, { printKeys }) => printKeys(client, options.json === true)),
  );
  withOperator(secrets.command("create-key <name>").description("Make an API key; it is shown once"))
    .option("--read-only", "it may look and download, and nothing else")
    .option("--expires-in <days>", "when it ends by itself")
    .option("-o, --output <file>", "a new file for the key, instead of standard output")
    .action(async (name: string, options: OperatorOptions & CreateKeyFlags) =>
      asking(wiring, options, (client, { createKey }) => createKey(client, name, options)),
    );
  withOperator(secrets.command("revoke-key <name>").description("End an API key, at once and for good")).action(
    async (name: string, options: OperatorOptions) =>
      asking(wiring, options, (client, { revokeKey }) => revokeKey(client, name, options.json === true)),
  );
}

function withOperator(command: Command): Command {
  return command
    .option("--url <address>", "server to use (SAFELIGHT_URL; else the one on DATA_DIR, else one in this process)")
    .option("--admin-key <key>", "admin key (ADMIN_KEY); not needed where the server runs")
    .option("--json", "print JSON instead of text");
}

async function asking(
  { connected }: Wiring,
  options: OperatorOptions,
  work: (client: Client, commands: typeof import("./commands/secrets.ts")) => Promise<void>,
): Promise<void> {
  await connected(options, async (connection) => {
    const { asOperator } = await import("./connection/operator-client.ts");
    const commands = await import("./commands/secrets.ts");
    await asOperator(connection, options.adminKey, (client) => work(client, commands));
  });
}
