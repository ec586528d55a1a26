// Whether the gateway of this container takes requests: 0 or 1. For a container's own check and for Kubernetes, which look at exit codes;
// GET /health itself answers 200 as long as the process lives, and says in its body whether it is ready.
const address = `http://127.0.0.1:${process.env["PORT"] || "8600"}/health`;
try {
  const answer = await fetch(address, { signal: AbortSignal.timeout(4000) });
  const { ready } = await answer.json();
  process.exitCode = ready === true ? 0 : 1;
} catch {
  process.exitCode = 1;
}
