import { afterEach, beforeEach, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { pythonOfTests } from "../testing/modal-server.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { describeWithLog, requireDeployment } from "./deployment-record.ts";
import { deployAccount } from "./queue-deployment.ts";

let edge: Edge;
beforeEach(async () => {
  pythonOfTests();
  edge = await openEdge({ environment: { MODAL_SERVER_URL: "http://127.0.0.1:9" } });
});
afterEach(() => edge.close());

// The command tries for about a minute before it says so, which no setting makes shorter.
test("nobody answers: the real command gives up, and the error says why", async () => {
  const { context, installation } = edge;
  await addAccount(context, installation.accounts, {
    label: "Cloud",
    workspace: "cloud-gpu",
    kind: "modal",
    token_id: "ak-0123456789",
    token_secret: "as-0123456789abcdef",
  });
  const { id } = await deployAccount(context, installation.deployer, "cloud-gpu");
  const { prepareRead } = context.database;
  const read = async () => describeWithLog(prepareRead, await requireDeployment(prepareRead, id));
  await expect.poll(async () => (await read()).status, { timeout: 150_000 }).toBe("failed");
  expect(await read()).toMatchObject({
    error: { code: "modal_unreachable" },
    log: ["Deploying the app safelight-cloud-gpu …", "Error: Could not connect to the Modal server."],
  });
}, 200_000);
