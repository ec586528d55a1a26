import type { Context } from "../context/context.ts";
import type { Keyring } from "../keys/keyring.ts";
import { AccountCircuits } from "./circuits.ts";
import { createProbe } from "./probe.ts";
import type { AccountRegistry } from "./registry.ts";
import { AccountStandings } from "./standings.ts";

/** The registry of an installation. `changed` and `wakeChecks` do nothing unless told; a circuit whose pause is over counts as a change. */
export async function openRegistry(
  context: Context,
  keyring: Keyring,
  hooks: Partial<Pick<AccountRegistry, "changed" | "wakeChecks" | "webhookQueued">> = {},
): Promise<AccountRegistry> {
  const { workerNetworks } = context.config;
  const { changed = () => undefined, wakeChecks = () => undefined, webhookQueued = () => undefined } = hooks;
  return {
    keyring,
    probe: createProbe({ keyring, workerNetworks, steady: () => context.clock.steady() }),
    standings: await AccountStandings.open(context.database),
    circuits: new AccountCircuits({ clock: context.clock, log: context.log, reopened: () => void changed() }),
    changed,
    wakeChecks,
    webhookQueued,
  };
}
