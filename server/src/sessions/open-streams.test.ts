import { expect, test } from "vitest";
import { silentLog } from "../log.ts";
import { apiKeyCredential, type Credential, sessionCredential } from "./credential.ts";
import { OpenStreams } from "./open-streams.ts";

const one = sessionCredential("a".repeat(64));
const two = sessionCredential("b".repeat(64));

function open(isValid: (credential: Credential) => Promise<boolean> = async () => true) {
  const closed: string[] = [];
  const streams = new OpenStreams(isValid, silentLog());
  const track = (credential: Credential, name: string) => streams.track(credential, () => closed.push(name));
  return { streams, closed, track };
}

test("a revoked credential closes its streams at once, and only those", () => {
  const { streams, closed, track } = open();
  track(one, "one a");
  track(one, "one b");
  track(two, "two");
  track(apiKeyCredential({ id: "api-key", actorId: "api-key", scope: "generate", proof: "value:1" }), "key");
  streams.closeAllOf(one.id);
  expect(closed).toEqual(["one a", "one b"]);
  streams.closeAllOf(one.id);
  expect(streams.size).toBe(2);
});

test("a stream that ended by itself is closed no more", () => {
  const { streams, closed, track } = open();
  track(one, "one")();
  streams.closeAllOf(one.id);
  expect(closed).toEqual([]);
  expect(streams.size).toBe(0);
});

test("a look closes what has expired, asking once for each credential", async () => {
  const asked: string[] = [];
  const { streams, closed, track } = open(async (credential) => {
    asked.push(credential.id);
    return credential.id !== one.id;
  });
  track(one, "one a");
  track(one, "one b");
  track(two, "two");
  await streams.check();
  expect(asked).toEqual([one.id, two.id]);
  expect(closed).toEqual(["one a", "one b"]);
});

test("FR-023: what was opened with a credential that cannot be checked is closed, and told from what has ended", async () => {
  const why: string[] = [];
  const { streams } = open(() => Promise.reject(new Error("no storage")));
  streams.track(one, (reason) => why.push(reason));
  await streams.check();
  const known = open(() => Promise.resolve(false)).streams;
  known.track(one, (reason) => why.push(reason));
  known.onlyWhile = () => false;
  await known.check();
  known.track(one, (reason) => why.push(reason));
  known.onlyWhile = () => true;
  await known.check();
  expect(why).toEqual(["unknown", "unknown", "ended"]);
});

test("a session that expires is noticed within five seconds without anybody asking", async () => {
  let valid = true;
  const { closed, track } = open(async () => valid);
  track(one, "one");
  valid = false;
  await expect.poll(() => closed, { timeout: 5000 }).toEqual(["one"]);
});
