/** Beginning and ending to answer. */
import { isIPv6 } from "node:net";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config.ts";
import { StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { timeLimits } from "../tasks/time-limits.ts";

/** How long answers under way may take once the server stops, in milliseconds. */
const lastAnswers = timeLimits.stop;

/** Answers where. Throws a StartupError that names the setting. */
export async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw explainListenFailure(error as NodeJS.ErrnoException, config);
  }
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.port;
  // Everywhere includes here: the note is for programs on this machine.
  const host = config.host === "0.0.0.0" ? "127.0.0.1" : config.host === "::" ? "::1" : config.host;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function explainListenFailure(error: NodeJS.ErrnoException, { host, port }: Config): unknown {
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return new StartupError(
        `PORT: ${port} on ${host} is taken by another program. Stop it, or set another PORT.`,
        error,
      );
    case "EACCES":
      return new StartupError(`PORT: ${port} may not be used by this user. Set a PORT above 1023.`, error);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartupError(`HOST: ${host} is not an address of this machine.`, error);
    default:
      return error;
  }
}

/** Streams and long polls end by the signal; what still answers after a while is cut off. */
export async function closeApp(app: FastifyInstance, stopping: AbortController, log: Log): Promise<void> {
  if (app.server.listening) log.info("stopping");
  stopping.abort();
  const cut = setTimeout(() => app.server.closeAllConnections(), lastAnswers);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}
