// Readers of a large export who leave in the middle or read slowly: no file stays open, little is held in memory, others go on.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { finishTask } from "../testing/stored-tasks.ts";

const megabyte = 1024 * 1024;
const files = 6;
const fileBytes = 8 * megabyte;

let edge: Edge;
let address: string;
beforeEach(async () => {
  edge = await openEdge();
  address = await edge.listen();
  const bytes = randomBytes(fileBytes);
  for (let index = 0; index < files; index += 1) {
    const payload = { model: "pony", prompt: `a red boat ${index}`, width: 512, height: 512 };
    const answer = await edge.inject({ method: "POST", url: "/generate", payload });
    await finishTask(edge.context, answer.json<{ task_id: string }>().task_id, bytes);
  }
});
afterEach(() => edge.close());

async function startExport(): Promise<IncomingMessage> {
  const headers = { "x-api-key": edge.apiKey, "content-type": "application/json" };
  const asked = request(`${address}/gallery/export`, { method: "POST", headers, agent: false });
  asked.on("error", () => undefined);
  asked.end('{"all":true}');
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.on("error", () => undefined);
  expect(answer.statusCode).toBe(200);
  return answer;
}

/** Results that this process, which is the server here, holds open. */
async function openResults(): Promise<number> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")),
  );
  return links.filter((link) => link.startsWith(`${edge.folder}/media/results/`)).length;
}

async function readAll(answer: IncomingMessage): Promise<{ bytes: number; end: Buffer }> {
  let bytes = 0;
  let end = Buffer.alloc(0);
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    end = Buffer.concat([end, chunk]).subarray(-22);
  }
  return { bytes, end };
}

const whole = async (): Promise<void> => {
  const { bytes, end } = await readAll(await startExport());
  expect(bytes).toBeGreaterThan(files * fileBytes);
  // The closing record of a zip, with two entries for each task.
  expect([end.readUInt32LE(0), end.readUInt16LE(10)]).toEqual([0x06054b50, files * 2]);
};

describe("a large export", () => {
  test("readers who leave at any point leave no file open and harm nobody", async () => {
    const kept = await openResults();
    for (const megabytes of [0, 1, 7, 9, 20]) {
      const answer = await startExport();
      let read = 0;
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        read += chunk.length;
        if (read > megabytes * megabyte) break;
      }
      answer.destroy();
      await expect.poll(openResults).toBe(kept);
    }
    expect((await edge.inject({ url: "/health" })).statusCode).toBe(200);
    await whole();
    await expect.poll(openResults).toBe(kept);
  });

  test("a slow reader is waited for: what has not been read is not in memory", async () => {
    const memory = () => process.memoryUsage().arrayBuffers;
    const answers = await Promise.all([startExport(), startExport(), startExport()]);
    for (const answer of answers) answer.pause();
    const before = memory();
    let most = 0;
    for (let look = 0; look < 20; look += 1) {
      await sleep(25);
      most = Math.max(most, memory() - before);
    }
    // Three archives of 48 MB are under way.
    expect(most / megabyte).toBeLessThan(48);
    expect(await openResults()).toBeLessThanOrEqual(2 * answers.length);
    const read = await Promise.all(answers.map(readAll));
    for (const { bytes } of read) expect(bytes).toBeGreaterThan(files * fileBytes);
    await expect.poll(openResults).toBe(0);
  });
});
