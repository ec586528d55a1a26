import { type Route, routes } from "@safelight/contract";
import type { InjectOptions } from "fastify";

/** Every route of the contract. A new one is in here without anybody's doing. */
export const everyRoute: readonly Route[] = Object.values(routes);

/** Routes that everybody may read; all others ask who calls, or change something. */
export function isForEverybody({ access, method }: Route): boolean {
  return access === "public" && method === "GET";
}

/** A call of the route; what stands in its path is made up unless it is given. */
export function callOf(
  route: Route,
  values: Readonly<Record<string, string>> = {},
): Required<Pick<InjectOptions, "url" | "method">> & { url: string } {
  const made: Readonly<Record<string, string>> = {
    id: "01a1fd98-688e-7d77-bb8c-bc42644b7279",
    workspace: "attic-gpu",
    ...values,
  };
  return {
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => made[name] ?? "some-name"),
  };
}
