// What a container file says, read by a parser of the format: stages, what each copies and runs, and how the last one starts.
import { type Copy, DockerfileParser, type From, type Instruction, type JSONInstruction } from "dockerfile-ast";

export interface CopyStep {
  readonly kind: "copy";
  /** Name of the stage that it is taken from; null for the folder of the build. */
  readonly stage: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

export interface RunStep {
  readonly kind: "run";
  readonly command: string;
}

export interface Stage {
  readonly name: string;
  /** An image, or the name of an earlier stage. */
  readonly base: string;
  /** In their order; the folder that was set when each is reached stands beside it. */
  readonly steps: readonly { readonly folder: string; readonly step: CopyStep | RunStep }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly user: string | null;
  readonly stopSignal: string | null;
  readonly ports: readonly number[];
  readonly healthcheck: readonly string[] | null;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

type Draft = { -readonly [Key in keyof Stage]: Stage[Key] };

/** The stages in their order. Throws on what this reader does not know: nothing is passed over. */
export function readContainerfile(text: string): readonly Stage[] {
  const stages: Draft[] = [];
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") stages.push(beginStage(instruction as From, stages));
    else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`${keyword} stands before the first FROM`);
      readInstruction(stage, keyword, instruction);
    }
  }
  return stages;
}

function beginStage(from: From, before: readonly Stage[]): Draft {
  const base = from.getImage();
  if (base === null) throw new Error("FROM names no image");
  const parent = before.find(({ name }) => name === base);
  return {
    name: from.getBuildStage() ?? "",
    base,
    steps: [],
    environment: parent?.environment ?? {},
    folder: parent?.folder ?? "/",
    user: parent?.user ?? null,
    stopSignal: null,
    ports: [],
    healthcheck: null,
    entrypoint: [],
    command: [],
  };
}

function readInstruction(stage: Draft, keyword: string, instruction: Instruction): void {
  const plain = instruction.getArgumentsContent() ?? "";
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const add = (step: CopyStep | RunStep) => {
    stage.steps = [...stage.steps, { folder: stage.folder, step }];
  };
  switch (keyword) {
    case "WORKDIR":
      stage.folder = plain;
      return;
    case "COPY":
      return add(readCopy(instruction as Copy, words));
    case "RUN":
      return add({ kind: "run", command: plain.replaceAll(/\\\n\s*/g, " ") });
    case "ENV":
      stage.environment = { ...stage.environment, ...pairsOf(words) };
      return;
    case "ARG":
      stage.environment = { ...pairsOf(words), ...stage.environment };
      return;
    case "USER":
      stage.user = plain;
      return;
    case "EXPOSE":
      stage.ports = words.map(Number);
      return;
    case "STOPSIGNAL":
      stage.stopSignal = plain;
      return;
    case "HEALTHCHECK":
      stage.healthcheck = JSON.parse(plain.slice(plain.indexOf("CMD") + 3)) as string[];
      return;
    case "ENTRYPOINT":
      stage.entrypoint = strings(instruction);
      return;
    case "CMD":
      stage.command = strings(instruction);
      return;
    case "LABEL":
      return;
    default:
      throw new Error(`${keyword} is not known here`);
  }
}

function readCopy(copy: Copy, words: readonly string[]): CopyStep {
  const flags = copy.getFlags().map((flag) => flag.getName());
  const strange = flags.find((flag) => flag !== "from");
  if (strange !== undefined) throw new Error(`COPY --${strange} is not known here`);
  const stage = copy.getFromFlag()?.getValue() ?? null;
  const target = words.at(-1);
  if (target === undefined || words.length < 2) throw new Error("COPY needs a source and a target");
  return { kind: "copy", stage, sources: words.slice(0, -1), target };
}

function pairsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf("=");
      if (at < 1) throw new Error(`${word} is no NAME=value`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}

function strings(instruction: Instruction): string[] {
  const list = (instruction as JSONInstruction).getJSONStrings().map((part) => JSON.parse(part.getValue()) as string);
  if (list.length === 0)
    throw new Error(`${instruction.getKeyword()} must be a list, so that signals reach the program`);
  return list;
}
