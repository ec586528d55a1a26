import type { AdminHealth, AdminSessionState } from "@safelight/contract";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { polled, rarely, sometimes } from "./polling.ts";

/** How every part of the server is. */
export function useHealth(): UseQueryResult<AdminHealth> {
  return useQuery({
    queryKey: ["admin", "health"],
    queryFn: ({ signal }) => asAdmin(() => client.getAdminHealth({ signal })),
    ...polled(sometimes),
  });
}

/** Until when the session lasts if nothing more is asked. */
export function useSessionState(): AdminSessionState | undefined {
  return useQuery({
    queryKey: ["admin", "session"],
    queryFn: ({ signal }) => asAdmin(() => client.getAdminSession({ signal })),
    ...polled(rarely * 2),
  }).data;
}
