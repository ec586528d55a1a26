// The same suite against a worker with the embedded engine behind it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKeyring } from "../keys/keyring.ts";
import { silentLog } from "../log.ts";
import { timeLimits } from "../tasks/time-limits.ts";
import { healthOf } from "../testing/health-worker.ts";
import { workerAccount } from "../testing/worker-account.ts";
import { startWorker } from "../worker-host/start-worker.ts";
import { clipRequest, describeExecutor, runRequest } from "./conformance.ts";
import { HttpWorkerExecutor } from "./http-worker.ts";

const keyring = createKeyring([Buffer.alloc(32, 7)]);

describeExecutor("http worker over the embedded engine", async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-worker-"));
  const settings = {
    host: "127.0.0.1",
    port: 0,
    dataDirectory: folder,
    keyFile: null,
    slots: 1,
    name: "embedded",
    models: null,
    keepHours: 1,
  };
  const worker = await startWorker(settings, { log: silentLog() });
  const lastHealth = JSON.stringify({ ...healthOf(["flux"]), engine: { name: "sketch", version: "1", notice: null } });
  const account = workerAccount(keyring, { baseUrl: worker.url, key: worker.key }, { lastHealth });
  const executor = new HttpWorkerExecutor(account, {
    keyring,
    workerNetworks: [],
    limits: timeLimits,
    log: silentLog(),
  });
  return {
    executor,
    image: runRequest({ parameters: { steps: 15 } }),
    video: clipRequest({ parameters: { steps: 8 } }),
    long: runRequest({ parameters: { steps: 50, width: 1280, height: 1280 } }),
    dispose: async () => {
      await executor.close();
      await worker.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
