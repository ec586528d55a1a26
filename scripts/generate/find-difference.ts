/** Where two JSON texts differ first, as a path like `paths./tasks.get.summary`. */
export function findDifference(kept: string, fresh: string): string {
  let before: unknown;
  try {
    before = JSON.parse(kept);
  } catch {
    return "it is not JSON";
  }
  return firstDifference(before, JSON.parse(fresh), []) ?? "only spaces or the order of keys differ";
}

function firstDifference(kept: unknown, fresh: unknown, path: readonly string[]): string | null {
  if (kept === fresh) return null;
  const here = path.length === 0 ? "the whole file" : path.join(".");
  if (!isTree(kept) || !isTree(fresh) || Array.isArray(kept) !== Array.isArray(fresh)) return `${here} differs`;
  for (const key of new Set([...Object.keys(kept), ...Object.keys(fresh)])) {
    const inner = [...path, key];
    if (!Object.hasOwn(kept, key)) return `${inner.join(".")} is missing`;
    if (!Object.hasOwn(fresh, key)) return `${inner.join(".")} is no longer made`;
    const difference = firstDifference(kept[key], fresh[key], inner);
    if (difference !== null) return difference;
  }
  return null;
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
