import { QueryClient } from "@tanstack/react-query";
import { isRefusal } from "./problems.ts";

/** Server state of the page. A refusal is an answer and is not asked again; a lost connection is. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 3 && !isRefusal(error),
      retryDelay: (failures) => Math.min(500 * 2 ** failures, 5_000),
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});
