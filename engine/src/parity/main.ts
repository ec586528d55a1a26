// main.ts EXAMPLES GRAPHS: runs the exported graphs on what torch was given and compares the answers. Ends with 1 where
// they differ by more than what half-precision storage and another order of sums explain.

import { readFileSync } from "node:fs";
import path from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";

/** Largest difference of a number; latents and velocities are of size one. */
const TOLERANCE = { text: 5e-3, dit: 1e-2, encoder: 5e-3 };
/** Share of bytes of a decoded picture that may differ: where two colours are as likely, the last digit decides. */
const TURNED_BYTES = 0.005;
const GRIDS = ["8x8", "10x6", "6x10"];

const [examples, graphs] = process.argv.slice(2);
if (examples === undefined || graphs === undefined) throw new Error("usage: main.ts EXAMPLES GRAPHS");
const shapes: Record<string, number[]> = JSON.parse(readFileSync(path.join(examples, "shapes.json"), "utf8"));

function example(folder: string, name: string): Tensor {
  const bytes = readFileSync(path.join(folder, `${name}.bin`));
  const raw = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const shape = shapes[name];
  if (shape === undefined) throw new Error(`no example named ${name}`);
  const count = shape.reduce((product, side) => product * side, 1);
  const width = raw.byteLength / count;
  if (width === 8) return new Tensor("int64", new BigInt64Array(raw), shape);
  if (width === 1) return new Tensor("uint8", new Uint8Array(raw), shape);
  return new Tensor("float32", new Float32Array(raw), shape);
}

function numbers(tensor: Tensor): number[] {
  if (tensor.data instanceof Float32Array || tensor.data instanceof Uint8Array) return Array.from(tensor.data);
  throw new Error(`unexpected ${tensor.type}`);
}

let failures = 0;
for (const name of ["text", "dit", "decoder", "encoder"] as const) {
  const session = await InferenceSession.create(path.join(graphs, `${name}.onnx`), { intraOpNumThreads: 1 });
  for (const grid of GRIDS) {
    const feeds = Object.fromEntries(
      session.inputNames.map((input) => [input, example(examples, `${name}.${input}.${grid}`)]),
    );
    const results = await session.run(feeds);
    for (const output of session.outputNames) {
      const found = results[output];
      if (found === undefined) throw new Error(`${name} has no output ${output}`);
      const wanted = numbers(example(examples, `${name}.${output}.${grid}`));
      const differences = numbers(found).map((value, index) => Math.abs(value - (wanted[index] ?? Number.NaN)));
      const turned = differences.filter((value) => !(value <= 0)).length / differences.length;
      const largest = differences.reduce((most, value) => (value <= most ? most : value), 0);
      const right = name === "decoder" ? turned <= TURNED_BYTES : largest <= TOLERANCE[name];
      if (!right) failures++;
      console.log(`${right ? "same" : "DIFFERENT"} ${name}.${output} ${grid}: largest ${largest.toExponential(1)}`);
    }
  }
}
process.exitCode = failures === 0 ? 0 : 1;
