import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { Readable } from "node:stream";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import type { ResolvedAddress } from "./destination.ts";
import { openWorkerTransport, type TransportOptions, type WorkerTransport } from "./guarded-fetch.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const rules = { workerNetworks: [], allowPlainHttp: false } as const;

async function listen<Kind extends Server | TcpServer>(server: Kind, host = "127.0.0.1"): Promise<Kind> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  if ("closeAllConnections" in server) closers.push(() => server.closeAllConnections());
  return server;
}

const portOf = (server: Server | TcpServer) => (server.address() as AddressInfo).port;

async function serve(listener: RequestListener): Promise<{ url: string; port: number; server: Server }> {
  const server = await listen(createServer(listener));
  return { url: `http://127.0.0.1:${portOf(server)}`, port: portOf(server), server };
}

/** Takes connections and notes every byte; stands for whatever must not be called. */
async function openSink(): Promise<{ port: number; connections: () => number; bytes: () => number }> {
  let [connections, bytes] = [0, 0];
  const server = createTcpServer((socket) => {
    connections += 1;
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.on("error", () => undefined);
    closers.push(() => socket.destroy());
  });
  await listen(server);
  return { port: portOf(server), connections: () => connections, bytes: () => bytes };
}

function open(options: Partial<TransportOptions> & { baseUrl: string }): WorkerTransport {
  const transport = openWorkerTransport({ ...rules, ...options });
  closers.push(() => transport.close());
  return transport;
}

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "fine",
    (error: { reason?: string; name: string }) => error.reason ?? error.name,
  );

const names = (...answers: string[]) => {
  let asked = 0;
  const resolve = async (): Promise<ResolvedAddress[]> => {
    const address = answers[Math.min(asked, answers.length - 1)] ?? "";
    asked += 1;
    return address.split(" ").map((one) => ({ address: one, family: one.includes(":") ? 6 : 4 }));
  };
  return { resolve, asked: () => asked };
};

describe("a worker is called", () => {
  test("with method, headers and body, and its answer is read", async () => {
    const { url } = await serve((request, response) => {
      response.setHeader("x-seen", `${request.method} ${request.url} ${request.headers.authorization}`);
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      request.pipe(response.writeHead(201));
    });
    const { fetch } = open({ baseUrl: url });
    for (const body of ["hello", Buffer.from("hello"), Readable.from([Buffer.from("hel"), Buffer.from("lo")])]) {
      const answer = await fetch(`${url}/tasks?wait=1`, {
        method: "POST",
        headers: { Authorization: "Bearer k" },
        body,
      });
      expect(answer.status).toBe(201);
      expect(answer.headers.get("x-seen")).toBe("POST /tasks?wait=1 Bearer k");
      expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
      expect(await answer.text()).toBe("hello");
    }
  });

  test("over a kept connection, and again where the worker had closed that one", async () => {
    let connections = 0;
    const { url, server } = await serve((_request, response) => response.end("ok"));
    server.on("connection", () => (connections += 1));
    server.keepAliveTimeout = 60_000;
    const { fetch } = open({ baseUrl: url });
    for (let call = 0; call < 3; call += 1) expect(await (await fetch(url)).text()).toBe("ok");
    expect(connections).toBe(1);
    server.closeIdleConnections();
    expect(await (await fetch(url)).text()).toBe("ok");
    expect(connections).toBe(2);
  });

  test("by a name, at exactly the address that was checked", async () => {
    const { port } = await serve((request, response) => response.end(request.headers.host));
    const { resolve } = names("127.0.0.1");
    const baseUrl = `http://worker.example:${port}`;
    const { fetch } = open({ baseUrl, resolve, allowPlainHttp: true, workerNetworks: ["127.0.0.0/8"] });
    expect(await (await fetch(baseUrl)).text()).toBe(`worker.example:${port}`);
  });
});

describe("FR-020: nothing is sent, not one byte, to", () => {
  test.each([
    ["a name that points to this machine", "127.0.0.1"],
    ["a name that points to this machine over IPv6", "::1"],
    ["a private network that is not listed", "10.1.2.3"],
    ["the metadata service", "169.254.169.254"],
    ["an IPv4 address in the clothes of IPv6", "::ffff:127.0.0.1"],
    ["a name with a bad address beside a good one", "93.184.216.34 127.0.0.1"],
    ["the unspecified address", "0.0.0.0"],
  ])("%s", async (_what, address) => {
    const sink = await openSink();
    const baseUrl = `http://worker.example:${sink.port}`;
    const { fetch } = open({ baseUrl, allowPlainHttp: true, resolve: names(address).resolve });
    expect(await reasonOf(fetch(`${baseUrl}/health`, { headers: { authorization: "Bearer key" } }))).toBe(
      "address_refused",
    );
    expect([sink.connections(), sink.bytes()]).toEqual([0, 0]);
  });

  test("a name that resolves differently the second time (rebinding)", async () => {
    const sink = await openSink();
    const { server, port } = await serve((_request, response) => response.end("ok"));
    const { resolve, asked } = names("127.0.0.1", "127.0.0.2");
    const baseUrl = `http://worker.example:${port}`;
    const { fetch } = open({ baseUrl, resolve, allowPlainHttp: true, workerNetworks: ["127.0.0.1/32"] });
    expect(await (await fetch(baseUrl)).text()).toBe("ok");
    server.closeAllConnections();
    await new Promise((resolve_) => setTimeout(resolve_, 20));
    expect(await reasonOf(fetch(baseUrl))).toBe("address_refused");
    expect(asked()).toBe(2);
    expect(sink.connections()).toBe(0);
  });

  test("a private network, unless it is listed", () => {
    const baseUrl = "https://10.20.30.40:8443/worker";
    expect(() => open({ baseUrl })).toThrow(/private address/);
    expect(() => open({ baseUrl, workerNetworks: ["10.20.0.0/16"] })).not.toThrow();
    expect(() => open({ baseUrl, workerNetworks: ["10.21.0.0/16", "10.20.30.41"] })).toThrow(/WORKER_NETWORKS/);
  });

  test("link-local and metadata addresses even where they are listed", () => {
    const workerNetworks = ["169.254.0.0/16", "fe80::/10", "100.64.0.0/10", "::ffff:0:0/96", "224.0.0.0/4"];
    for (const host of ["169.254.169.254", "[fe80::1]", "100.100.100.200", "[::ffff:a9fe:a9fe]", "224.0.0.1"]) {
      expect(() => open({ baseUrl: `https://${host}`, workerNetworks }), host).toThrow(/is not called/);
    }
  });

  test.each(["0x7f000001", "2130706433", "127.1", "0177.0.0.1"])("spellings such as %s slip past nothing", (host) => {
    expect(new URL(`http://${host}`).hostname).toBe("127.0.0.1");
    expect(() => open({ baseUrl: `http://${host.replace("7", "6").replace("2130706433", "2852039166")}` })).toThrow();
  });

  test("any other origin than the account's", async () => {
    const sink = await openSink();
    const { url } = await serve((_request, response) => response.end("ok"));
    const { fetch } = open({ baseUrl: url });
    for (const target of [
      `http://127.0.0.1:${sink.port}/health`,
      `http://localhost:${new URL(url).port}/`,
      `https://127.0.0.1:${new URL(url).port}/`,
      `http://${"user:secret"}@127.0.0.1:${new URL(url).port}/`,
      "file:///etc/passwd",
      "/health",
    ]) {
      expect(await reasonOf(fetch(target)), target).toBe("bad_url");
    }
    expect(sink.connections()).toBe(0);
  });
});

describe("FR-017: transport security", () => {
  test("plain http is for this machine, or for an account that says so", () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "127.8.9.10"]) {
      expect(() => open({ baseUrl: `http://${host}:8700` }), host).not.toThrow();
    }
    for (const host of ["worker.example", "93.184.216.34", "[2606:4700::1]"]) {
      expect(() => open({ baseUrl: `http://${host}` }), host).toThrow(/Plain http/);
      expect(() => open({ baseUrl: `http://${host}`, allowPlainHttp: true }), host).not.toThrow();
      expect(() => open({ baseUrl: `https://${host}` }), host).not.toThrow();
    }
  });

  test("localhost counts only while it is this machine", async () => {
    const { fetch } = open({ baseUrl: "http://localhost:9", resolve: names("93.184.216.34").resolve });
    expect(await reasonOf(fetch("http://localhost:9"))).toBe("address_refused");
  });

  test.each([
    `http://${"user:secret"}@127.0.0.1`,
    `http://${":secret"}@127.0.0.1`,
    "http://127.0.0.1/?key=secret",
    "http://127.0.0.1/#secret",
    "http://127.0.0.1/?",
    "ftp://127.0.0.1",
    "127.0.0.1:8700",
    "",
  ])("the base URL %j is refused without being repeated", (baseUrl) => {
    expect(() => open({ baseUrl })).toThrow(expect.objectContaining({ reason: "bad_url" }));
    expect(() => open({ baseUrl })).not.toThrow(/secret/);
  });

  test("a port that answers something else than TLS", async () => {
    const { port } = await serve((_request, response) => response.end("ok"));
    const { fetch } = open({ baseUrl: `https://127.0.0.1:${port}` });
    expect(await reasonOf(fetch(`https://127.0.0.1:${port}/`))).toBe("untrusted");
  });
});

describe("an answer is refused", () => {
  test("when it redirects, and the new place hears nothing", async () => {
    const sink = await openSink();
    for (const status of [301, 302, 303, 307, 308, 300]) {
      const { url } = await serve((_request, response) =>
        response.writeHead(status, { location: `http://127.0.0.1:${sink.port}/` }).end(),
      );
      expect(await reasonOf(open({ baseUrl: url }).fetch(url)), String(status)).toBe("redirect");
    }
    expect(sink.connections()).toBe(0);
  });

  test("when it is larger than asked for, announced or not", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/announced") response.setHeader("content-length", "1000");
      response.write("x".repeat(600));
      response.end("x".repeat(400));
    });
    const { fetch } = open({ baseUrl: url });
    expect(await reasonOf(fetch(`${url}/announced`, { maxBytes: 999 }))).toBe("too_large");
    expect(await reasonOf(fetch(url, { maxBytes: 999 }).then((answer) => answer.text()))).toBe("too_large");
    expect(await fetch(url, { maxBytes: 1000 }).then((answer) => answer.text())).toHaveLength(1000);
  });

  test("when it is packed, which nobody asked for", async () => {
    const { url } = await serve((request, response) => {
      expect(request.headers["accept-encoding"]).toBe("identity");
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(1_000_000)));
    });
    expect(await reasonOf(open({ baseUrl: url }).fetch(url))).toBe("unreadable");
  });

  test("when it is cut short", async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("x".repeat(10));
      setTimeout(() => request.socket.destroy(), 10);
    });
    const { fetch } = open({ baseUrl: url });
    expect(await reasonOf(fetch(url).then((answer) => answer.text()))).toBe("unreachable");
  });

  test("when it is not HTTP", async () => {
    const server = await listen(
      createTcpServer((socket) =>
        socket
          .on("error", () => undefined)
          .resume()
          .end("SSH-2.0\r\n"),
      ),
    );
    const url = `http://127.0.0.1:${portOf(server)}`;
    expect(await reasonOf(open({ baseUrl: url }).fetch(url))).toBe("unreadable");
  });

  test("when nothing comes, or only drops of it", async () => {
    const { url } = await serve((request, response) => {
      if (request.url === "/never") return;
      const drip = setInterval(() => response.write("."), 10);
      request.socket.once("close", () => clearInterval(drip));
    });
    const { fetch } = open({ baseUrl: url });
    expect(await reasonOf(fetch(`${url}/never`, { timeoutMs: 80 }))).toBe("timed_out");
    expect(await reasonOf(fetch(`${url}/never`, { idleMs: 80 }))).toBe("timed_out");
    const dripping = fetch(`${url}/drip`, { timeoutMs: 150 }).then((answer) => answer.text());
    expect(await reasonOf(dripping)).toBe("timed_out");
  });

  test("when the caller gives up, with the caller's own reason", async () => {
    const { url } = await serve((_request, response) => void response.write("some"));
    const { fetch } = open({ baseUrl: url });
    const reason = new Error("enough");
    expect(await fetch(url, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)).toBe(reason);
    const controller = new AbortController();
    const text = fetch(url, { signal: controller.signal }).then((answer) => answer.text());
    setTimeout(() => controller.abort(reason), 30);
    expect(await text.catch((error: unknown) => error)).toBe(reason);
  });

  test("when nobody listens, and the text holds no credential", async () => {
    const { url, server } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const failure = open({ baseUrl: url }).fetch(url, { headers: { authorization: "Bearer the-secret" } });
    const error = (await failure.catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ reason: "unreachable" });
    expect(inspect(error, { depth: 10 })).not.toContain("the-secret");
  });
});

test("a body that nobody reads ends with the time limit and harms nobody", async () => {
  let closed = 0;
  const { url } = await serve((request, response) => {
    response.write("x".repeat(100_000));
    request.socket.once("close", () => (closed += 1));
  });
  const answer = await open({ baseUrl: url }).fetch(url, { timeoutMs: 1_000 });
  await expect.poll(() => closed).toBe(1);
  expect(await reasonOf(answer.text())).toBe("timed_out");
});

test("silence in a body is the worker's only while somebody waits for it", async () => {
  const { url } = await serve((request, response) => {
    response.writeHead(200, { "content-length": "8000000" });
    response.write(Buffer.alloc(4_000_000));
    if (request.url === "/whole") response.end(Buffer.alloc(4_000_000));
  });
  const { fetch } = open({ baseUrl: url });
  // Longer than this machine may stand still, for which nobody could tell the worker's silence from its own.
  const idleMs = 1_000;
  const slowReader = await fetch(`${url}/whole`, { idleMs, maxBytes: 8_000_000 });
  await new Promise((resolve) => setTimeout(resolve, idleMs + 200));
  expect(await slowReader.bytes()).toHaveLength(8_000_000);
  const began = performance.now();
  expect(await reasonOf(fetch(`${url}/half`, { idleMs, maxBytes: 8_000_000 }).then((answer) => answer.text()))).toBe(
    "timed_out",
  );
  expect(performance.now() - began).toBeLessThan(30_000);
});

test("cancelling a body hangs up", async () => {
  let closed = 0;
  const { url } = await serve((request, response) => {
    const flood = setInterval(() => response.write("x".repeat(1000)), 5);
    request.socket.once("close", () => {
      clearInterval(flood);
      closed += 1;
    });
  });
  const answer = await open({ baseUrl: url }).fetch(url);
  const reader = answer.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await expect.poll(() => closed).toBe(1);
});
