import { useQuery } from "@tanstack/react-query";
import { client } from "./client.ts";
import { withSession } from "./session.ts";
import { studioModel } from "./studio-model.ts";

export * from "./studio-model.ts";

/** How long the answer to "who can run what" is trusted, in milliseconds. */
const freshFor = 30_000;

/** The catalog and what can run here and now. */
export function useModels() {
  return useQuery({
    queryKey: ["models"],
    queryFn: async () => (await withSession(() => client.listModels())).models.map(studioModel),
    staleTime: freshFor,
    refetchInterval: freshFor,
  });
}
