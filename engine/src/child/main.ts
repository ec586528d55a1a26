// The child process in which inference happens. A graph run blocks the thread it is called on and cannot be interrupted,
// so it has a process of its own, which the host may end at any moment. It keeps no state between jobs and ends itself
// when the host is gone.

import { flushCompileCache } from "node:module";
import type { EngineErrorCode } from "../job/errors.ts";
import { EngineError } from "../job/errors.ts";
import { loadPalette } from "../picture/palette.ts";
import type { LoadedModel } from "../run/run-context.ts";
import { runJob } from "../run/run-job.ts";
import { openGraphs } from "../sampler/graphs.ts";
import { loadVocabulary } from "../vocabulary/vocabulary.ts";
import type { ChildMessage, HostMessage, OpenMessage } from "./messages.ts";

let model: LoadedModel | undefined;

process.on("disconnect", () => process.exit(0));
process.on("message", (message: HostMessage) => void (message.type === "open" ? open(message) : run(message.job)));

async function open(message: OpenMessage): Promise<void> {
  try {
    model = {
      graphs: await openGraphs(message.modelFolder, message.threads),
      vocabulary: loadVocabulary(message.modelFolder),
      palette: loadPalette(message.modelFolder),
      encoder: message.encoder,
      environment: message.environment,
    };
    send({ type: "ready" });
    // Node would write it at an orderly end, which most children do not have.
    flushCompileCache();
  } catch (error) {
    send({ type: "unable", detail: textOf(error) });
    process.disconnect?.();
  }
}

async function run(job: Parameters<typeof runJob>[1]): Promise<void> {
  try {
    if (!model) throw new Error("the model is not open");
    const done = await runJob(model, job, (event) => send({ type: "event", event }));
    send({ type: "event", event: done });
  } catch (error) {
    const { code, detail, cause } = failureOf(error);
    // The cause may name files of this machine: it goes to the log, never to the task.
    console.error(`job failed (${code}): ${textOf(cause)}`);
    send({ type: "failed", code, detail });
  }
}

function failureOf(error: unknown): { code: EngineErrorCode; detail: string; cause: unknown } {
  if (error instanceof EngineError) return { code: error.code, detail: error.message, cause: error.cause ?? error };
  if (/bad_alloc|allocat(e|ion)|out of memory/i.test(textOf(error))) {
    return { code: "out_of_memory", detail: "The engine ran out of memory.", cause: error };
  }
  return { code: "engine_failed", detail: "The engine failed while drawing.", cause: error };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function send(message: ChildMessage): void {
  // A host that has gone takes no message; the disconnect that follows ends this process.
  process.send?.(message, () => {});
}
