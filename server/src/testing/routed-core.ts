// A core with worker accounts on real scripted workers: registry, executors and dispatcher, without HTTP in front and
// without a timer for checks (they are made when a test or a failed run asks for them).

import { type Dispatcher, startDispatcher } from "../dispatch/dispatcher.ts";
import { AccountExecutors } from "../executors/account-executors.ts";
import { ScriptedExecutor, ScriptedMachine } from "../executors/scripted.ts";
import { createKeyring } from "../keys/keyring.ts";
import { deriveTimeLimits, type TimeLimits } from "../tasks/time-limits.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { checkAccount } from "../worker-accounts/check-account.ts";
import { openRegistry } from "../worker-accounts/open-registry.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";
import type { Core } from "./core.ts";

/** A worker that is silent for four seconds has lost its runs; calls are given two, which a busy machine keeps. */
export const quickLimits: TimeLimits = deriveTimeLimits({ image: 120_000, video: 120_000 });

export interface RoutedCore {
  readonly core: Core;
  readonly registry: AccountRegistry;
  readonly executors: AccountExecutors;
  readonly embedded: ScriptedMachine;
  readonly dispatcher: Dispatcher;
  stop(): Promise<void>;
}

export interface RoutedOptions {
  readonly limits?: TimeLimits;
  /** Whether the engine of this machine runs what no account does. */
  readonly embedded?: boolean;
}

/** Starts what runs tasks on a core. Accounts that its database holds are there already. */
export async function startRouting(core: Core, options: RoutedOptions = {}): Promise<RoutedCore> {
  const { limits = quickLimits } = options;
  const { context } = core;
  const checking = new Set<Promise<unknown>>();
  let stopped = false;
  const registry: AccountRegistry = await openRegistry(context, createKeyring([Buffer.alloc(32, 7)]), {
    changed: (accounts) => executors.refresh(accounts),
    wakeChecks: () => {
      const checks = checkDue().catch(() => undefined);
      checking.add(checks);
      void checks.finally(() => checking.delete(checks));
    },
  });
  const checkDue = async (): Promise<void> => {
    const due = stopped ? [] : await dueIn(core);
    await Promise.allSettled(due.map((workspace) => checkAccount(context, registry, workspace, "planned")));
  };
  const machine = new ScriptedMachine();
  const reason = { code: "embedded_engine_off", detail: "It is switched off." };
  const embedded = new ScriptedExecutor({
    name: "embedded",
    machine,
    offer: () => (options.embedded === true ? { able: true } : { able: false, reason }),
  });
  const executors = await AccountExecutors.open({ context, registry, embedded, limits });
  const dispatcher = await startDispatcher({ context, executors, limits, storagePauses: [0, 50, 100] });
  return {
    core,
    registry,
    executors,
    embedded: machine,
    dispatcher,
    stop: async () => {
      stopped = true;
      await dispatcher.stop();
      await Promise.all(checking);
      registry.circuits.close();
      await executors.close();
    },
  };
}

async function dueIn({ context }: Core): Promise<string[]> {
  return (
    await context.database
      .prepareRead("SELECT workspace FROM worker_accounts WHERE deleted_at IS NULL AND next_check_at <= ?")
      .all(context.clock.now())
  ).map(({ workspace }) => String(workspace));
}

/** Registers a worker and has it checked. */
export async function addWorker(
  routed: RoutedCore,
  workspace: string,
  worker: { readonly url: string; readonly key: string },
  slots: { image?: number; video?: number } = { image: 2, video: 1 },
): Promise<void> {
  const { core, registry } = routed;
  await addAccount(core.context, registry, {
    label: workspace,
    workspace,
    kind: "http",
    base_url: worker.url,
    worker_key: worker.key,
    slots,
  });
  await checkAccount(core.context, registry, workspace, "by_hand");
}
