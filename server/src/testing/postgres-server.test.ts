import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

const program = `
import { startPostgres } from ${JSON.stringify(new URL("./postgres-server.ts", import.meta.url).href)};
const server = await startPostgres();
const [{ folder }] = await server.query(server.url("postgres"), "SELECT current_setting('unix_socket_directories') AS folder");
console.log(JSON.stringify({ folder, pid: await server.pid() }));
setInterval(() => undefined, 1000);
`;

test("a test server ends with whoever started it, killed or not, and leaves nothing behind", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { folder, pid } = JSON.parse(line) as { folder: string; pid: number };
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(() => isAlive(pid)).toBe(false);
  const isThere = () =>
    access(folder).then(
      () => true,
      () => false,
    );
  await expect.poll(isThere).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
