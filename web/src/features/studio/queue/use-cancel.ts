import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { withSession } from "../../../api/session.ts";
import { applyStatus } from "../../../api/tasks.ts";

/** Stops a task; an ended one stays as it is. */
export function useCancel() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => withSession(() => client.cancelTask({ path: { id } })),
    onSuccess: (status) => applyStatus(queryClient, status),
  });
}
