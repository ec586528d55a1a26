// Running a task again, over a real connection to a server that answers by a script.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createItem } from "../testing/sample-tasks.ts";
import { repeatedBody, submitAgain } from "./resubmit.ts";

interface Asked {
  key: string | undefined;
  body: Record<string, unknown>;
}

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Loses the first `lost` submissions after they have arrived; sends the page's requests to itself. */
async function openServer(lost: number): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const json = (status: number, body: object) => {
        response.writeHead(status, { "content-type": "application/json", connection: "close" });
        response.end(JSON.stringify(body));
      };
      if (request.url === "/auth/session") {
        json(201, { session_status: "active", expires_at: new Date(Date.now() + 60_000).toISOString() });
        return;
      }
      const key = request.headers["idempotency-key"];
      asked.push({ key: String(key), body: JSON.parse(Buffer.concat(chunks).toString()) as Asked["body"] });
      if (asked.length <= lost) request.socket.destroy();
      else json(202, { task_id: "new", status: "pending" });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = globalThis.fetch;
  // A page resolves addresses against its own; a test has none.
  globalThis.fetch = (input, init) => real(new URL(input instanceof Request ? input.url : input, origin), init);
  ending.push(async () => {
    globalThis.fetch = real;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return asked;
}

const task = createItem("old", {
  seed: 77,
  negative_prompt: "people",
  workspace: "attic",
  parameters: { width: 64, height: 64, seed: -1, steps: 4 },
});

describe("running a task again", () => {
  it("FR-002: an answer lost on the way is asked for again under the same key, so that one task comes of it", async () => {
    const asked = await openServer(1);
    expect((await submitAgain(task, "retry")).task_id).toBe("new");
    expect(asked).toHaveLength(2);
    expect(asked[0]?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(asked[1]).toEqual(asked[0]);
  });

  it("every press has its own key", async () => {
    const asked = await openServer(0);
    await submitAgain(task, "retry");
    await submitAgain(task, "retry");
    expect(asked[0]?.key).not.toBe(asked[1]?.key);
  });

  it("retry keeps everything, the seed as it was drawn too; vary lets the server draw another", () => {
    const settings = { model: task.model, mode: task.mode, prompt: task.prompt, width: 64, height: 64, steps: 4 };
    const rest = { ...settings, negative_prompt: "people", workspace: "attic" };
    expect(repeatedBody(task, "retry")).toEqual({ ...rest, seed: 77 });
    expect(repeatedBody(task, "vary")).toEqual(rest);
    expect(repeatedBody({ ...task, negative_prompt: "", workspace: null }, "vary")).toEqual(settings);
  });
});
