import { request as send } from "node:http";

export interface ExactAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request whose path goes out exactly as written; fetch and inject would tidy up `..` and backslashes first. */
export function exactRequest(
  base: string,
  options: { path: string; method?: string; headers?: Record<string, string>; body?: string },
): Promise<ExactAnswer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const outgoing = send(
      {
        hostname,
        port,
        path: options.path,
        method: options.method ?? "GET",
        headers: options.headers ?? {},
        agent: false,
      },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece: string) => (body += piece));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
        answer.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(options.body);
  });
}
