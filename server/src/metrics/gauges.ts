import { Gauge, type Registry } from "prom-client";
import type { Context } from "../context/context.ts";
import { livingGateways } from "../gateways/presence.ts";
import { describeQueue } from "../queue/pause.ts";
import type { StorageUse } from "../statistics/storage-use.ts";
import { countWaiting } from "../webhooks/outbox.ts";
import { listAccounts } from "../worker-accounts/describe-account.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";

export interface GaugeSources {
  readonly context: Context;
  readonly accounts: AccountRegistry;
  readonly storage: StorageUse;
  /** Of this release. */
  readonly version: string;
}

const circuitStates = ["closed", "open", "half_open"] as const;

/** What is read at the moment of asking: the database knows it, so it is right after a restart too. */
export function createGauges(
  registry: Registry,
  { context, accounts, storage, version }: GaugeSources,
): () => Promise<void> {
  const gauge = <const Labels extends string>(name: string, help: string, labelNames: readonly Labels[] = []) =>
    new Gauge<Labels>({ name: `safelight_${name}`, help, labelNames, registers: [registry] });
  const queue = gauge("queue_tasks", "Tasks that wait and tasks that run.", ["state"]);
  const limit = gauge("queue_limit", "How many tasks may wait.");
  const paused = gauge("queue_paused", "1 while the queue is paused.");
  const oldest = gauge("queue_oldest_seconds", "How long the task has waited that came first; 0 without any.");
  const account = ["workspace"] as const;
  const up = gauge("worker_up", "1 for an account whose last check was good and that is ready.", account);
  const latency = gauge("worker_check_seconds", "How long the last check of an account took.", account);
  const slots = gauge("worker_slots", "Tasks that an account is given at once.", [...account, "type"]);
  const running = gauge("worker_running", "Tasks that run on an account.", [...account, "type"]);
  const circuit = gauge("worker_circuit", "1 for the state that the circuit of an account is in.", [
    ...account,
    "state",
  ]);
  const stored = gauge("storage_bytes", "What is stored, by kind: media, database.", ["kind"]);
  const files = gauge("storage_media_files", "Results, previews and uploads.");
  const free = gauge("storage_free_bytes", "Room where results are stored.");
  const webhooks = gauge("webhooks_waiting", "Messages to the operator that have not arrived yet.");
  const gateways = gauge("gateways", "Gateways that serve this installation, by version.", ["version"]);
  return async () => {
    const living = context.database.shared
      ? await livingGateways(context.database, context.clock.now())
      : [{ version }];
    gateways.reset();
    for (const one of living) gateways.inc({ version: one.version });
    const state = await describeQueue(context);
    queue.set({ state: "pending" }, state.pending);
    queue.set({ state: "processing" }, state.processing);
    limit.set(state.limit);
    paused.set(state.paused ? 1 : 0);
    const since = state.oldest_pending_at === null ? null : Date.parse(state.oldest_pending_at);
    oldest.set(since === null ? 0 : Math.max(0, (context.clock.now() - since) / 1000));
    webhooks.set(await countWaiting(context));
    const found = await listAccounts(context, accounts);
    // Accounts that are gone leave no series behind. At one go: whoever else reads just now finds all of them.
    for (const one of [up, latency, slots, running, circuit]) one.reset();
    for (const { workspace, ...account } of found) {
      up.set({ workspace }, account.status === "ready" ? 1 : 0);
      if (account.latency_ms !== null) latency.set({ workspace }, account.latency_ms / 1000);
      for (const type of ["image", "video"] as const) {
        slots.set({ workspace, type }, account.slots[type]);
        running.set({ workspace, type }, account.running[type]);
      }
      for (const name of circuitStates) circuit.set({ workspace, state: name }, account.circuit.state === name ? 1 : 0);
    }
    const { media_bytes, media_files, database_bytes, free_bytes } = await storage.look();
    stored.set({ kind: "media" }, media_bytes);
    stored.set({ kind: "database" }, database_bytes);
    files.set(media_files);
    // No figure is better than one that says that there is none left.
    if (free_bytes === null) free.remove();
    else free.set(free_bytes);
  };
}
