import type { Storage } from "@safelight/contract";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { polled, rarely } from "./polling.ts";

/** What is stored, what room there is, and what is removed by itself. */
export function useStorage(): UseQueryResult<Storage> {
  return useQuery({
    queryKey: ["admin", "storage"],
    queryFn: ({ signal }) => asAdmin(() => client.getStorage({ signal })),
    ...polled(rarely),
  });
}
