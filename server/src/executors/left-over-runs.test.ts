import { expect, test } from "vitest";
import { createKeyring } from "../keys/keyring.ts";
import { silentLog } from "../log.ts";
import { deriveTimeLimits } from "../tasks/time-limits.ts";
import { startScriptedWorker } from "../testing/scripted-worker.ts";
import { workerAccount } from "../testing/worker-account.ts";
import { standInFront } from "../testing/worker-front.ts";
import { runRequest } from "./conformance.ts";
import { StartFailed } from "./executor.ts";
import { HttpWorkerExecutor } from "./http-worker.ts";

const keyring = createKeyring([Buffer.alloc(32, 7)]);
const limits = deriveTimeLimits({ image: 120_000, video: 120_000 });

/** Runs that began though their start was not answered; resolves when they were looked at, with those that the worker was told to forget, and how the first goes on. */
async function leftOver(wanted: (taskId: string) => boolean): Promise<{ told: string[]; state: string | undefined }> {
  const worker = await startScriptedWorker({ script: () => [{ do: "hang" }], slots: 2 });
  const front = await standInFront(worker.url);
  const account = workerAccount(keyring, { baseUrl: front.url, key: worker.key }, { slots: { image: 2, video: 1 } });
  const asked: string[] = [];
  const isWanted = async ({ taskId }: { taskId: string }): Promise<boolean> => {
    asked.push(taskId);
    return wanted(taskId);
  };
  const parts = { keyring, workerNetworks: [], limits, log: silentLog(), isWanted };
  const executor = new HttpWorkerExecutor(account, parts);
  try {
    front.alter = (answer, { method, path }) => {
      if (method === "POST" && path === "/tasks") answer.status = 500;
    };
    for (const taskId of [first, second]) {
      await expect(executor.start({ ...runRequest({ parameters: { steps: 15 } }), taskId })).rejects.toBeInstanceOf(
        StartFailed,
      );
    }
    front.alter = null;
    const before = front.passed.length;
    executor.update({ ...account, revision: 2 });
    await expect.poll(() => asked).toEqual([first, second]);
    const told = () =>
      front.passed
        .slice(before)
        .flatMap(({ method, path }) => (method === "DELETE" ? [path.split(/[/?]/)[2] ?? ""] : []));
    const unwanted = [first, second].filter((taskId) => !wanted(taskId));
    await expect.poll(() => new Set(told()).size).toBe(unwanted.length);
    const update = await executor.watch({ task: first, attempt: 1 }, AbortSignal.timeout(30_000)).next();
    return { told: told(), state: update.value?.state };
  } finally {
    await executor.close();
    await front.close();
    await worker.close();
  }
}

const first = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f31";
const second = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f32";

test("what may run though its start was not answered is stopped once the worker is there, but for what somebody else works with", async () => {
  const { told, state } = await leftOver((taskId) => taskId === first);
  expect(new Set(told)).toEqual(new Set([second]));
  expect(state).toBe("running");
});
