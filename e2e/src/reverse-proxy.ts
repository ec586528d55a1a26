// The reverse proxies of deploy/, run for real: the very files that operators take, with other ports, another certificate and another name.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export type ProxyName = "nginx" | "caddy";

export interface ReverseProxy {
  /** Where it answers, https. */
  readonly url: string;
  /** Where it sends on to https. */
  readonly plainUrl: string;
  /** Its certificate, PEM. */
  readonly certificate: string;
  /** What it wrote about requests. */
  accessLog(): Promise<string>;
  /** Everything it wrote: its logs, and what it printed. */
  written(): Promise<string>;
  stop(): Promise<void>;
}

const deploy = resolve(import.meta.dirname, "../../deploy");

/**
 * Starts a proxy in front of a server's port, with everything it writes below `folder`.
 * @throws Error that names the Debian package where the program is not installed; tests that need it fail then, they do not skip.
 */
export async function startReverseProxy(name: ProxyName, folder: string, serverPort: number): Promise<ReverseProxy> {
  if (spawnSync(name, [name === "nginx" ? "-v" : "version"]).status !== 0) {
    throw new Error(`${name} is not installed: apt-get install ${name}`);
  }
  await mkdir(folder, { recursive: true });
  const [port, plainPort] = [await freePort(), await freePort()];
  const certificate = makeCertificate(folder);
  const place = { folder, port, plainPort, serverPort };
  const start = name === "nginx" ? await prepareNginx(place) : await prepareCaddy(place);
  const child = spawn(name, start, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (piece: Buffer) => (printed += piece.toString()));
  await untilOpen(port, child, () => printed);
  return {
    url: `https://localhost:${port}`,
    plainUrl: `http://localhost:${plainPort}`,
    certificate: await readFile(certificate, "utf8"),
    accessLog: () => readFile(join(folder, "access.log"), "utf8"),
    written: async () => {
      const logs = (await readdir(folder)).filter((file) => file.endsWith(".log"));
      return printed + (await Promise.all(logs.map((file) => readFile(join(folder, file), "utf8")))).join("");
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly plainPort: number;
  readonly serverPort: number;
}

async function prepareNginx({ folder, port, plainPort, serverPort }: Place): Promise<string[]> {
  const text = replaceAll(await readFile(join(deploy, "nginx/safelight.conf"), "utf8"), [
    ["server 127.0.0.1:8600;", `server 127.0.0.1:${serverPort};`],
    ["listen 443 ssl http2;", `listen 127.0.0.1:${port} ssl http2;`],
    ["listen 80;", `listen 127.0.0.1:${plainPort};`],
    ["https://$host$request_uri", `https://$host:${port}$request_uri`],
    ["server_name safelight.example;", "server_name localhost;"],
    ["/etc/ssl/safelight.example.pem", join(folder, "certificate.pem")],
    ["/etc/ssl/safelight.example.key", join(folder, "key.pem")],
    ["/var/log/nginx/safelight.log", join(folder, "access.log")],
    ["/var/log/nginx/safelight-error.log", join(folder, "site-error.log")],
  ]);
  await writeFile(join(folder, "safelight.conf"), text);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn; events {}
     http { access_log ${folder}/of-all-servers.log; ${temporary.join(" ")} include ${folder}/safelight.conf; }`,
  );
  return ["-c", join(folder, "nginx.conf"), "-p", folder];
}

async function prepareCaddy({ folder, port, plainPort, serverPort }: Place): Promise<string[]> {
  const text = replaceAll(await readFile(join(deploy, "caddy/Caddyfile"), "utf8"), [
    ["\nsafelight.example {", `\nlocalhost {\n\ttls ${folder}/certificate.pem ${folder}/key.pem`],
    ["\nhttp://safelight.example {", "\nhttp://localhost {"],
    ["redir @keyless https://{host}", `redir @keyless https://{host}:${port}`],
    // Where it answers is no matter of the file.
    [
      "\n{\n",
      `\n{\n\tadmin off\n\thttp_port ${plainPort}\n\thttps_port ${port}\n\tskip_install_trust\n\tdefault_bind 127.0.0.1\n`,
    ],
    ["reverse_proxy 127.0.0.1:8600", `reverse_proxy 127.0.0.1:${serverPort}`],
    ["/var/log/caddy/safelight.log", join(folder, "access.log")],
  ]);
  await writeFile(join(folder, "Caddyfile"), text);
  return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
}

/** Every piece has to be there, or the file has moved on and the test would run another one. */
function replaceAll(text: string, pieces: readonly (readonly [string, string])[]): string {
  return pieces.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the example does not say "${from}" any more`);
    return changed.replaceAll(from, () => to);
  }, text);
}

function makeCertificate(folder: string): string {
  const file = join(folder, "certificate.pem");
  const made = spawnSync("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost".split(" "),
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-keyout",
    join(folder, "key.pem"),
    "-out",
    file,
  ]);
  if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr.toString()}`);
  return file;
}

async function untilOpen(port: number, child: ChildProcess, printed: () => string): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    if (child.exitCode !== null) break;
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      (error: Error & { cause?: { code?: string } }) => error.cause?.code !== "ECONNREFUSED",
    );
    if (answered) return;
  }
  child.kill("SIGKILL");
  throw new Error(`the proxy did not start:\n${printed()}`);
}
