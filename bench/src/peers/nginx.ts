// nginx over one folder on a free port of the loopback, the peer of result streaming; null where it is not installed.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@safelight/e2e/free-port";

export interface StaticPeer {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startNginx(folder: string, scratch: string): Promise<StaticPeer | null> {
  if (spawnSync("nginx", ["-v"]).error !== undefined) return null;
  const port = await freePort();
  await mkdir(join(scratch, "nginx"), { recursive: true });
  const file = join(scratch, "nginx/nginx.conf");
  await writeFile(file, configuration(folder, join(scratch, "nginx"), port));
  const child = spawn("nginx", ["-c", file, "-p", join(scratch, "nginx"), "-e", "stderr"], { stdio: "inherit" });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) throw new Error("nginx did not start: see its lines above");
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await sleep(20);
  }
  return {
    url,
    stop: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

function configuration(folder: string, scratch: string, port: number): string {
  const asRoot = process.getuid?.() === 0 ? "user root;" : "";
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${scratch}/${name};`,
  );
  return `daemon off; ${asRoot} worker_processes 1; pid ${scratch}/nginx.pid;
events { worker_connections 64; }
http { access_log off; sendfile on; tcp_nopush on; ${paths.join(" ")}
  server { listen 127.0.0.1:${port}; root ${folder}; } }
`;
}
