// Who is let in, and how those are refused who are not.
import { randomUUID } from "node:crypto";
import { type WorkerRoute, workerErrorCodes, workerRoutes } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { must, mustRefuse, type Question } from "../probe.ts";

const routes: readonly WorkerRoute[] = Object.values(workerRoutes);

/** Every route once, with a question that has nothing wrong but what is under judgement. */
async function everyRoute(
  bench: Bench,
  question: Question,
  judge: (answer: Awaited<ReturnType<Bench["cancel"]>>) => void,
) {
  const body = { ...bench.request(bench.pairFor()) };
  for (const route of routes) {
    const path = route.path.replace("{id}", randomUUID()).replace("{sha256}", "0".repeat(64));
    const sends = route.name === "createTask" ? { body } : {};
    judge(await bench.probe.send(route.method, path, { ...sends, ...question }));
  }
}

const keys: Check = {
  name: "the key",
  run: async (bench) => {
    const { key } = bench.probe;
    const wrong = [null, "", "Bearer", "Bearer x", `Bearer ${key.slice(0, -1)}`, `Bearer ${key}x`, `Basic ${key}`, key];
    for (const authorization of wrong) {
      await everyRoute(bench, { authorization }, (answer) => mustRefuse(answer, "invalid_worker_key"));
    }
    for (const name of ["key", "api_key", "token", "access_token"]) {
      const answer = await bench.probe.ask("getHealth", { authorization: null, query: { [name]: key } });
      mustRefuse(answer, "invalid_worker_key");
    }
    return `${wrong.length} wrong ones on ${routes.length} routes`;
  },
};

const protocol: Check = {
  name: "the protocol's version",
  run: async (bench) => {
    for (const version of [null, "0", "2", "1.0", "one"]) {
      await everyRoute(bench, { protocol: version }, (answer) => mustRefuse(answer, "protocol_unsupported"));
    }
    const both = await bench.probe.ask("getHealth", { protocol: "2", authorization: "Bearer wrong" });
    mustRefuse(both, "invalid_worker_key");
    return "5 other versions refused on every route";
  },
};

const addresses: Check = {
  name: "unknown addresses and methods",
  run: async (bench) => {
    for (const path of ["/", "/nothing", "/task", "/tasks/a/b/c", "/health/", "/media"]) {
      const answer = await bench.probe.send("GET", path);
      must(answer.status === workerErrorCodes.not_found.status, `GET ${path} answered ${answer.status} instead of 404`);
      mustRefuse(answer, "not_found");
    }
    for (const [method, path] of [
      ["DELETE", "/health"],
      ["PUT", "/tasks"],
      ["GET", `/media/${"0".repeat(64)}`],
    ] as const) {
      const answer = await bench.probe.send(method, path);
      mustRefuse(answer, "method_not_allowed");
      must((answer.headers.get("allow") ?? "") !== "", `${method} ${path}: there is no Allow header`);
    }
    return "404 and 405 in the one form";
  },
};

export const accessChecks: readonly Check[] = [keys, protocol, addresses];
