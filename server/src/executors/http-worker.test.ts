import { createKeyring } from "../keys/keyring.ts";
import { silentLog } from "../log.ts";
import { deriveTimeLimits } from "../tasks/time-limits.ts";
import { startScriptedWorker } from "../testing/scripted-worker.ts";
import { workerAccount } from "../testing/worker-account.ts";
import { clipRequest, describeExecutor, runRequest } from "./conformance.ts";
import { HttpWorkerExecutor } from "./http-worker.ts";

const keyring = createKeyring([Buffer.alloc(32, 7)]);
const limits = deriveTimeLimits({ image: 120_000, video: 120_000 });

describeExecutor("http worker", async () => {
  const worker = await startScriptedWorker({
    script: ({ seed }) => (seed === 999 ? [{ do: "hang" }] : [{ do: "preview" }]),
  });
  const account = workerAccount(keyring, { baseUrl: worker.url, key: worker.key });
  const executor = new HttpWorkerExecutor(account, { keyring, workerNetworks: [], limits, log: silentLog() });
  return {
    executor,
    image: runRequest({ parameters: { steps: 15 } }),
    video: clipRequest({ parameters: { steps: 8 } }),
    long: runRequest({ seed: 999, parameters: { steps: 15 } }),
    dispose: async () => {
      await executor.close();
      await worker.close();
    },
  };
});
