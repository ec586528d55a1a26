// The peer of the status and start-up benchmarks: a Fastify server with one route that answers a fixed body from memory.
import Fastify from "fastify";

const answer = JSON.parse(process.argv[2] ?? '{"status":"ok"}') as Record<string, unknown>;
const properties = Object.fromEntries(Object.keys(answer).map((name) => [name, {}]));
const app = Fastify();
app.get("/status/:id", { schema: { response: { 200: { type: "object", properties } } } }, () => answer);
app.get("/health", () => ({ status: "ok" }));
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
