/** Which methods each path has, so that a path with another method answers 405 and not 404, and OPTIONS can be answered. */
export class MethodTable {
  readonly #exact = new Map<string, string[]>();
  readonly #patterns: { readonly pattern: RegExp; readonly path: string }[] = [];

  /** `path` as in the contract, with its parameters in braces. */
  add(path: string, methods: readonly string[]): void {
    const known = this.#exact.get(path);
    if (known !== undefined) {
      known.push(...methods.filter((method) => !known.includes(method)));
      return;
    }
    this.#exact.set(path, [...methods]);
    if (!path.includes("{")) return;
    const source = path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+");
    this.#patterns.push({ pattern: new RegExp(`^${source}$`), path });
  }

  get paths(): readonly string[] {
    return [...this.#exact.keys()];
  }

  /** The methods registered under a path of `paths`. */
  of(path: string): readonly string[] {
    return this.#exact.get(path) ?? [];
  }

  /** The methods of a requested path (without query); null when no route has it. */
  find(requested: string): readonly string[] | null {
    if (requested.includes("{")) return null;
    const path = this.#exact.has(requested)
      ? requested
      : this.#patterns.find(({ pattern }) => pattern.test(requested))?.path;
    return path === undefined ? null : (this.#exact.get(path) ?? null);
  }
}
