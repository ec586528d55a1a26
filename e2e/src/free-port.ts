import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const lowest = 10_000;

/**
 * A port of the loopback that was free a moment ago and stays so between two servers: none of those that the system lends to
 * connections, of which a busy test run has thousands.
 */
export async function freePort(): Promise<number> {
  const end = firstLentPort();
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (end - lowest));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Linux says where its range begins; elsewhere it is the one that is registered for this. */
function firstLentPort(): number {
  const usual = 49_152;
  try {
    const first = Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
    return first > lowest + 1_000 ? first : usual;
  } catch {
    return usual;
  }
}
