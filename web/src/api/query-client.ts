import { QueryClient } from "@tanstack/react-query";
import { isRefusal, throttledFor } from "./problems.ts";

/**
 * Server state of the page. A refusal is an answer and is not asked again; a lost connection is. Who has asked too often asks again when
 * the server says, and keeps showing what is known until then.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => throttledFor(error) !== null || (failures < 3 && !isRefusal(error)),
      retryDelay: (failures, error) => throttledFor(error) ?? Math.min(500 * 2 ** failures, 5_000),
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});

/** Whether anything that the page shows is on its way. */
export function isReading(): boolean {
  return queryClient.isFetching() > 0;
}
