/** What the address says about the studio. */
export interface StudioSearch {
  /** The task on the stage. */
  task?: string;
  /** A task whose settings, or whose result, the form takes over, and what as. */
  use?: string;
  as?: string;
  /** The queue as a drawer, or as a page of its own on a phone. */
  queue?: "open";
}

export function parseStudioSearch(search: Record<string, unknown>): StudioSearch {
  const text = (name: "task" | "use" | "as") => {
    const value = search[name];
    return typeof value === "string" && value !== "" ? { [name]: value } : {};
  };
  return { ...text("task"), ...text("use"), ...text("as"), ...(search.queue === "open" ? { queue: "open" } : {}) };
}
