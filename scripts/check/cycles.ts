// No cycles between files, and none between folders. For folders the rule holds at every level: the children of a folder
// (its files and subfolders), joined by the imports between what lies below them, form no circle.
import { resolveRelative } from "./layers.ts";
import type { SourceFile } from "./sources.ts";

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Every circle of imports between files or between sibling folders, one line each. Tests are left out. */
export function findCycles(sources: readonly SourceFile[]): string[] {
  const files = fileGraph(sources.filter((source) => !source.isTest));
  const circles = new Set<string>();
  for (const circle of circlesOf(files)) circles.add(`files in a circle: ${circle.join(" → ")}`);
  for (const [folder, graph] of levels(files)) {
    for (const circle of circlesOf(graph)) {
      if (circle.every((path) => files.has(path))) continue; // already told as files
      circles.add(`folders in a circle inside ${folder || "the repository"}: ${circle.join(" → ")}`);
    }
  }
  return [...circles];
}

function fileGraph(sources: readonly SourceFile[]): Map<string, Set<string>> {
  const known = new Set(sources.map((source) => source.path));
  return new Map(
    sources.map((source) => {
      const targets = source.imports
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => resolveRelative(source.path, specifier))
        .filter((target) => known.has(target));
      return [source.path, new Set(targets)];
    }),
  );
}

/** For each folder, the graph between its direct children. */
function levels(files: Graph): Map<string, Map<string, Set<string>>> {
  const byFolder = new Map<string, Map<string, Set<string>>>();
  for (const [from, targets] of files) {
    for (const to of targets) {
      const [folder, source, target] = whereTheyPart(from, to);
      const graph = byFolder.get(folder) ?? new Map<string, Set<string>>();
      byFolder.set(folder, graph);
      graph.set(source, (graph.get(source) ?? new Set()).add(target));
    }
  }
  return byFolder;
}

/** The deepest folder that holds both paths, and the child of it that each path lies in. */
function whereTheyPart(from: string, to: string): [folder: string, source: string, target: string] {
  const left = from.split("/");
  const right = to.split("/");
  let depth = 0;
  while (left[depth] === right[depth] && depth < left.length - 1) depth += 1;
  return [left.slice(0, depth).join("/"), left.slice(0, depth + 1).join("/"), right.slice(0, depth + 1).join("/")];
}

/** One circle for each strongly connected part of the graph, starting and ending with the same node. */
function circlesOf(graph: Graph): string[][] {
  const circles: string[][] = [];
  const settled = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (settled.has(start)) continue;
    const circle = shortestWayBack(graph, start);
    settled.add(start);
    if (circle === null) continue;
    circles.push(circle);
    for (const node of circle) settled.add(node);
  }
  return circles;
}

function shortestWayBack(graph: Graph, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [start, ...wayTo(node, start, cameFrom), start];
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return null;
}

function wayTo(node: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way: string[] = [];
  for (let step: string | undefined = node; step !== undefined && step !== start; step = cameFrom.get(step)) {
    way.unshift(step);
  }
  return way;
}
